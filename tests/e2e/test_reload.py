# SPDX-License-Identifier: Apache-2.0
"""A reload is one transaction: it applies all or nothing, can be taken back, and neither adverts nor
connections notice it, however large the file is."""

import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import threading
import time

import pytest
import topology
from lab import run, wait_until
from vrrp_lab import Lan, gaps, instance, now, pollux_config, tap_holds, wait_state

# 1,000 for a campaign.
RELOADS = int(os.environ.get("POLLUX_RELOADS", "40"))
# The largest keepalived set-up that is known to have been reloaded in public.
SERVICES, SERVERS = 2277, 37205


def edit(node, old, new):
    text = node.config.read_text()
    assert old in text
    node.write_config(text.replace(old, new))


def servers_of(polluxd):
    service = polluxd.show("services")["services"][0]
    return {row["address"]: row["weight"] for row in service["servers"]}


@pytest.fixture
def scene(lab):
    return topology.build(lab, "nat")


WEIGHTS = {"10.10.10.21": 1, "10.10.10.22": 2, "10.10.10.23": 3}


def test_diff_shows_what_would_change_and_changes_nothing(scene):
    edit(scene.polluxd, "weight = 3", "weight = 5")
    shown = scene.polluxd.pollux("reload", "--diff").stdout
    assert "real_server 10.10.10.23:8080 weight 3 -> 5" in shown, shown
    assert servers_of(scene.polluxd) == WEIGHTS
    assert "weight 3 -> 5" in scene.polluxd.pollux("reload").stdout
    assert servers_of(scene.polluxd) == {**WEIGHTS, "10.10.10.23": 5}


def test_a_bad_file_changes_nothing_and_is_explained(scene):
    edit(scene.polluxd, "weight = 3", "weight = 5\nwieght = 6")
    refused = scene.polluxd.pollux("reload", check=False)
    assert refused.returncode == 1
    assert "unknown key `wieght`" in refused.stderr and "did you mean `weight`?" in refused.stderr
    assert servers_of(scene.polluxd) == WEIGHTS


def test_keys_that_need_a_restart_are_refused_by_name(scene):
    edit(scene.polluxd, "weight = 3", "weight = 5")
    edit(scene.polluxd, "max_connections = 65_536", "max_connections = 131_072")
    edit(scene.polluxd, 'idle = "adaptive"', 'idle = "adaptive"\nburst = 16')
    refused = scene.polluxd.pollux("reload", check=False)
    assert refused.returncode == 1
    assert "cannot change while running: dpdk.burst, conntrack.max_connections" in refused.stderr
    assert servers_of(scene.polluxd) == WEIGHTS


UNREACHABLE = """
[[virtual_server]]
address = "203.0.113.9"
port = 80
protocol = "TCP"
lvs_sched = "rr"
lvs_method = "NAT"
real_server = [{ address = "10.10.10.21", port = 8080 }]
"""


def log_to_file(node):
    """Its log file, from the next start on."""
    path = node.folder / "target.log"
    node.write_config(f'[log]\ntarget = "file"\nfile = "{path}"\n\n' + node.config.read_text())
    return path


def test_warnings_of_a_reload_are_told_and_logged(scene):
    node = scene.polluxd
    node.write_config(node.config.read_text() + UNREACHABLE)
    assert "W0222" in node.pollux("reload", "--diff").stdout
    assert "W0222" not in node.log.read_text()
    assert "nobody answers for 203.0.113.9" in node.pollux("reload").stdout
    lines = [line for line in node.log.read_text().splitlines() if "W0222" in line]
    assert len(lines) == 1 and "level=warning event=configuration warnings=1" in lines[0], lines


def test_warnings_of_the_start_are_in_the_log(scene):
    node = scene.polluxd
    node.stop()
    node.write_config(node.config.read_text() + UNREACHABLE)
    path = log_to_file(node)
    node.start()
    assert path.read_text().count("W0222") == 1 and "warnings=1" in path.read_text()


def logrotate_snippet(node, log):
    """The one of docs/operating.md, for this node."""
    document = pathlib.Path(__file__).resolve().parents[2] / "docs/operating.md"
    text = document.read_text()
    start = text.index("/var/log/pollux.log {")
    snippet = text[start:text.index("\n```", start)]
    reload = "/usr/local/bin/pollux reload"
    assert reload in snippet
    return snippet.replace("/var/log/pollux.log", str(log)).replace(
        reload, f"{node.lab.program('pollux')} --socket {node.socket} reload")


@pytest.mark.parametrize("how", ["hangup", "logrotate"])
def test_a_rotated_log_file_is_left(scene, how):
    node = scene.polluxd
    node.stop()
    path = log_to_file(node)
    node.start()
    # Even a refused reload takes the new file.
    node.write_config(node.config.read_text() + "wrong = 1\n")
    if how == "hangup":
        path.rename(f"{path}.1")
        node.reload()
    else:
        rules = node.folder / "logrotate.conf"
        rules.write_text(logrotate_snippet(node, path) + "\n")
        run("logrotate", "--force", "--state", node.folder / "state", rules, check=False)
    wait_until(lambda: path.exists() and "reload refused" in path.read_text(), "the new file is used")
    assert "event=running" in pathlib.Path(f"{path}.1").read_text()
    assert "refused" not in pathlib.Path(f"{path}.1").read_text()


def test_an_unconfirmed_reload_takes_itself_back(scene):
    edit(scene.polluxd, "weight = 3", "weight = 5")
    scene.polluxd.pollux("reload", "--confirm", "1s")
    assert scene.polluxd.show("status")["waits_for_confirmation"]
    wait_until(lambda: servers_of(scene.polluxd) == WEIGHTS, "the old weights come back")
    assert not scene.polluxd.show("status")["waits_for_confirmation"]
    assert scene.polluxd.pollux("confirm", check=False).returncode == 1


def test_a_confirmed_reload_stays_and_rollback_goes_back_once(scene):
    edit(scene.polluxd, "weight = 3", "weight = 5")
    scene.polluxd.pollux("reload", "--confirm", "600s")
    scene.polluxd.pollux("confirm")
    assert servers_of(scene.polluxd) == {**WEIGHTS, "10.10.10.23": 5}
    assert "weight 5 -> 3" in scene.polluxd.pollux("rollback").stdout
    assert servers_of(scene.polluxd) == WEIGHTS
    # A rollback is a change like any other: it can be taken back, too.
    scene.polluxd.pollux("rollback")
    assert servers_of(scene.polluxd) == {**WEIGHTS, "10.10.10.23": 5}
    # What changes nothing needs no confirmation, and without one nothing older goes back.
    unchanged = scene.polluxd.pollux("reload", "--confirm", "1s").stdout
    assert "nothing changed" in unchanged and "goes back" not in unchanged
    assert not scene.polluxd.show("status")["waits_for_confirmation"]


def test_an_address_moves_between_instances_in_one_reload(lab):
    lan = Lan(lab)
    second = """
[[vrrp_instance]]
name = "VI_2"
interface = "wan"
virtual_router_id = 52
virtual_ipaddress = [
    { address = "10.0.0.4" },
]
"""
    node = lan.pollux("a", vips=("10.0.0.3", "10.0.0.30"), more=second)
    for name in ("VI_1", "VI_2"):
        wait_state(node, "MASTER", name)
    edit(node, '    { address = "10.0.0.30" },\n', "")
    edit(node, '{ address = "10.0.0.4" },', '{ address = "10.0.0.4" },\n    { address = "10.0.0.30" },')
    since = now()
    node.pollux("reload")
    assert [instance(node, name)["state"] for name in ("VI_1", "VI_2")] == ["MASTER", "MASTER"]
    assert tap_holds(node, "10.0.0.30") and lan.observer.ping("10.0.0.30")
    wait_until(lambda: [advert.count for advert in lan.capture.adverts(since=since, vrid=52)][1:2]
               == [2], "VI_2 advertises two addresses")
    for vrid in (51, 52):
        assert max(gaps(lan.capture.adverts(vrid=vrid, since=since - 3))) < 1.5


def large(text, weight):
    """The configuration with so many services that a keepalived once needed two minutes."""
    lines = [text, '[[route]]\nto = "default"\nvia = "10.0.0.1"\ndev = "wan"\n']
    for number in range(SERVICES):
        count = SERVERS // SERVICES + (number < SERVERS % SERVICES)
        rows = ", ".join(f'{{ address = "10.{100 + number % 50}.{number // 50}.{each + 1}", '
                         f'weight = {weight} }}' for each in range(count))
        lines.append(f'[[virtual_server]]\naddress = "10.9.{number // 250}.{number % 250 + 1}"\n'
                     f'port = 80\nprotocol = "TCP"\nlvs_sched = "wrr"\nlvs_method = "NAT"\n'
                     f'real_server = [{rows}]\n')
    return "\n".join(lines)


def test_a_file_that_takes_long_to_read_delays_nothing(lab):
    lan = Lan(lab)
    node = lan.pollux("a")
    wait_state(node, "MASTER")
    # Opening the file waits for a lease on it, whose end the kernel asks for by SIGIO.
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    lease = os.open(node.config, os.O_RDWR)
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    reload = lab.spawn(lab.program("pollux"), "--socket", node.socket, "reload")
    since = now()
    wait_until(lambda: len(lan.capture.adverts(since=since)) >= 3, "adverts go on")
    assert reload.poll() is None and node.show("status")["reloads"] == 0
    os.close(lease)
    signal.signal(signal.SIGIO, before)
    assert reload.wait(timeout=20) == 0
    assert node.show("status")["reloads"] == 1


def test_a_file_with_37205_servers_is_one_transaction(lab):
    lan = Lan(lab)
    text = pollux_config(lab).replace("@NAME@", "a")
    node = lan.pollux("a", toml=text)
    wait_state(node, "MASTER")
    for weight in (1, 2):
        node.write_config(large(text, weight))
        since = now()
        started = time.monotonic()
        node.pollux("reload")
        print(f"reload: {time.monotonic() - started:.2f} s")
        wait_until(lambda since=since: len(lan.capture.adverts(since=since)) >= 3, "adverts go on")
        longest = max(gaps(lan.capture.adverts(since=since - 2)))
        print(f"longest gap between adverts: {longest:.3f} s")
        assert node.show("status")["services"] == SERVICES
    assert instance(node)["state"] == "MASTER"
    assert node.show("status")["reloads"] == 2


def pages_of(node, command):
    """The pages of services as the daemon gives them, one after the other."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(node.socket))
        stream, cursor = connection.makefile("rw"), 0
        while cursor is not None:
            request = {"schema": 1, "command": command, "args": {"cursor": cursor}}
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            page = json.loads(stream.readline())["data"]
            yield page
            cursor = page["next"] or None


def pages_of_one_state(node, command):
    for _ in range(20):
        pages = list(pages_of(node, command))
        if len({page["generation"] for page in pages}) == 1:
            return pages
    raise AssertionError("the table changes all the time")


def test_showing_37205_servers_delays_nothing(lab):
    lan = Lan(lab)
    # One service is larger than a page.
    whole = ", ".join(f'{{ address = "10.200.{each // 250}.{each % 250 + 1}" }}'
                      for each in range(600))
    big = ('[[virtual_server]]\naddress = "10.9.200.1"\nport = 80\nprotocol = "TCP"\n'
           f'lvs_sched = "rr"\nlvs_method = "NAT"\nreal_server = [{whole}]\n')
    node = lan.pollux("a", toml=large(pollux_config(lab).replace("@NAME@", "a"), 1) + big)
    wait_state(node, "MASTER")
    since, before = now(), node.show("status")["loop"]
    for command in ("show services", "ipvs listing"):
        pages = pages_of_one_state(node, command)
        for page in pages:
            assert sum(1 + len(row["servers"]) for row in page["services"]) <= 257
        rows = [row for page in pages for row in page["services"]]
        cut = [row for row in rows if row["address"] == "10.9.200.1"]
        assert [row.get("continued", False) for row in cut] == [False] + [True] * (len(cut) - 1)
        assert len(cut) > 1 and sum(len(row["servers"]) for row in cut) == 600
        assert len(rows) == SERVICES + len(cut)
    # The program puts the pages together.
    shown = node.show("services")
    assert len(shown["services"]) == SERVICES + 1 and "next" not in shown
    assert sum(len(row["servers"]) for row in shown["services"]) == SERVERS + 600
    assert len(shown["services"][-1]["servers"]) == 600
    lines = node.pollux("show", "services").stdout.splitlines()
    assert len(lines) == 2 + SERVICES + 1 + SERVERS + 600
    saved = node.pollux("ipvs", "-S", "-n").stdout.splitlines()
    assert len(saved) == len(set(saved)) == SERVICES + 1 + SERVERS + 600
    after = node.show("status")["loop"]
    print(f"longest callback: {before['longest_callback_ms']:.1f} -> "
          f"{after['longest_callback_ms']:.1f} ms")
    wait_until(lambda: len(lan.capture.adverts(since=since)) >= 3, "adverts go on")
    print(f"longest gap between adverts: {max(gaps(lan.capture.adverts(since=since))):.3f} s")
    assert instance(node)["state"] == "MASTER"


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def daemon_process(polluxd):
    """polluxd itself: `ip netns exec` becomes it."""
    return polluxd.process


def test_many_reloads_under_load_lose_nothing_and_leak_nothing(scene):
    polluxd = scene.polluxd
    stop = threading.Event()
    failures, answers = [], [0]

    def load():
        while not stop.is_set():
            result = scene.client.run("curl", "-s", "--max-time", "10", "-H", "Connection: close",
                                      f"{scene.url}[1-50]", check=False, timeout=120)
            answers[0] += len(result.stdout.split())
            if result.returncode != 0 or len(result.stdout.split()) != 50:
                failures.append(result.returncode)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        before = None
        for number in range(RELOADS):
            old, new = ("weight = 3", "weight = 4") if number % 2 == 0 else ("weight = 4",
                                                                            "weight = 3")
            edit(polluxd, old, new)
            polluxd.pollux("reload")
            if number == RELOADS // 4:  # caches are warm
                before = resident_kib(daemon_process(polluxd)), descriptors(daemon_process(polluxd))
    finally:
        stop.set()
        thread.join()
    assert failures == [] and answers[0] > 0
    after = resident_kib(daemon_process(polluxd)), descriptors(daemon_process(polluxd))
    print(f"{RELOADS} reloads, {answers[0]} answers, resident {before[0]} -> {after[0]} KiB")
    assert after[1] == before[1]
    assert after[0] - before[0] < 4096
    assert polluxd.show("status")["reloads"] == RELOADS
    assert run("kill", "-0", polluxd.process.pid).returncode == 0
