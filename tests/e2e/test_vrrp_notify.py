# SPDX-License-Identifier: Apache-2.0
"""Tracking, notify commands and FIFOs, the fence, and split brain."""

import os
import pathlib
import signal

import pytest
from forge import Forger, advert, arp_claim
from lab import run, wait_until
from vrrp_lab import INSIDE_PORT, Lan, gaps, instance, now, plug_in, state, tap_holds, wait_state

FAST = {"version": 3, "advert": "200ms"}


@pytest.fixture
def lan(lab):
    return Lan(lab)


class Words:
    """Scripts that write their arguments into a file that every user may write."""

    def __init__(self, lab, name):
        self.folder = pathlib.Path(lab.folder) / f"words-{name}"
        self.folder.mkdir()
        self.written = self.folder / "written"
        self.written.touch()
        self.written.chmod(0o666)
        self.script = self.make("say.sh", f'echo "$@" >> {self.written}\n')

    def make(self, name, body):
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(0o755)
        return path

    def lines(self):
        return self.written.read_text().splitlines()


def quoted(*words):
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


# --- tracking ---------------------------------------------------------------------------------

def test_failed_script_is_a_fault_until_it_succeeds(lan):
    words = Words(lan.lab, "check")
    mark = words.folder / "bad"
    check = words.make("check.sh", f"test ! -e {mark} || {{ echo it is bad; exit 3; }}\n")
    node = lan.pollux("a", instance='track_script = [ { name = "web" } ]', before=f"""
[[vrrp_script]]
name = "web"
script = ["{check}"]
interval = "100ms"
timeout = "5s"
fall = 2
""", **FAST)
    wait_state(node, "MASTER")
    mark.touch()
    wait_state(node, "FAULT")
    assert instance(node)["faults"] == ["tracked script"]
    assert not [each for each in lan.capture.adverts()[-1:] if each.priority != 0]
    (track,) = node.show("vrrp")["tracks"]
    assert (track["name"], track["good"], track["last"]) == ("web", False, "exit status 3")
    assert "it is bad" in node.log.read_text()
    mark.unlink()
    wait_state(node, "MASTER")


def test_a_helper_that_is_stopped_makes_scripts_fail_until_it_goes_on(lan):
    words = Words(lan.lab, "check")
    before = f"""
[[vrrp_script]]
name = "web"
script = ["{words.make("check.sh", "exit 0" + chr(10))}"]
interval = "100ms"
timeout = "1s"
fall = 2
"""
    # Many that wait for their turn longer than for any answer are no reason to give up.
    slow = words.make("slow.sh", "sleep 0.9\n")
    before += "".join(f"""
[[vrrp_script]]
name = "s{number}"
script = ["{slow}"]
interval = "100ms"
timeout = "5s"
""" for number in range(30))
    tracked = ", ".join(f'{{ name = "{name}" }}' for name in
                        ["web", *(f"s{number}" for number in range(30))])
    node = lan.pollux("a", instance=f"track_script = [ {tracked} ]",
                      before="[global.scripts]\nmax_concurrent = 2\n" + before, **FAST)
    wait_state(node, "MASTER", deadline=40)
    assert "does not answer" not in node.log.read_text()
    helper = int(run("pgrep", "-P", node.process.pid, "pollux-scripts").stdout)
    os.kill(helper, signal.SIGSTOP)
    try:
        wait_state(node, "FAULT", deadline=40)
        assert node.log.read_text().count("the script helper does not answer, scripts") == 1
    finally:
        os.kill(helper, signal.SIGCONT)
    wait_state(node, "MASTER", deadline=40)
    assert "the script helper answers again" in node.log.read_text()


def test_weights_of_files_and_processes_move_the_address(lan):
    number = pathlib.Path(lan.lab.folder) / "number"
    number.write_text("0")
    before = f"""
[[vrrp_track_file]]
name = "load"
file = "{number}"
weight = 10
[[vrrp_track_process]]
name = "sleeper"
process = ["sleep", "98765"]
full_command = true
weight = -60
"""
    sleeper = lan.lab.spawn("sleep", "98765")
    first = lan.pollux("a", priority=150, before=before, **FAST,
                       instance='track_file = [ { name = "load" } ]\n'
                                'track_process = [ { name = "sleeper" } ]')
    second = lan.pollux("b", priority=100, **FAST)
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
    number.write_text("-8")
    wait_state(second, "MASTER")
    assert instance(first)["priority"] == 70
    number.write_text("2")
    wait_state(first, "MASTER")
    assert instance(first)["priority"] == 170
    number.write_text("0")
    lan.lab.end(sleeper, signal.SIGKILL)
    wait_state(second, "MASTER")
    assert instance(first)["priority"] == 90 and state(first) == "BACKUP"
    number.unlink()
    wait_state(first, "FAULT")
    assert instance(first)["faults"] == ["tracked file"]


def test_tracked_interface_is_another_ports_link(lan):
    node = lan.pollux("a", before=INSIDE_PORT, wait=False, **FAST,
                      instance='track_interface = [ { name = "lan" } ]')
    plug_in(lan.switch, node, "l1", "02:00:00:00:01:05")
    node.start()
    wait_state(node, "MASTER")
    lan.cut(node)
    wait_state(node, "FAULT")
    assert instance(node)["faults"] == ["tracked interface"]
    lan.mend(node)
    wait_state(node, "MASTER")


def test_an_interface_made_anew_is_not_the_ports(lan):
    node = lan.pollux("a", **FAST)
    wait_state(node, "MASTER")
    node.host.ip("link", "del", "l0")
    wait_state(node, "FAULT")
    plug_in(lan.switch, node, "l0", node.mac)  # the port's queues are not attached to this one
    wait_until(lambda: "restart" in " ".join(node.show("ports")["ports"][0]["notes"]), "a note")
    # The daemon has looked at the new link, and again and again since: longer than a takeover.
    looked = node.show("status")["loop"]["callbacks"]
    wait_until(lambda: node.show("status")["loop"]["callbacks"] > looked + 300, "turns of the loop")
    assert state(node) == "FAULT" and not node.show("ports")["ports"][0]["link_up"]
    node.stop()
    node.start()
    wait_state(node, "MASTER")


def test_hundreds_of_hanging_scripts_do_not_move_adverts(lan):
    words = Words(lan.lab, "hang")
    hang = words.make("hang.sh", "trap '' TERM; sleep 1000 & wait; sleep 1000\n")
    scripts = "\n".join(f"""
[[vrrp_script]]
name = "s{number}"
script = ["{hang}"]
interval = "500ms"
timeout = "1s"
fall = 10000
""" for number in range(300))
    tracked = ", ".join(f'{{ name = "s{number}" }}' for number in range(300))
    node = lan.pollux("a", before="[global.scripts]\nmax_concurrent = 64\n" + scripts,
                      instance=f"track_script = [ {tracked} ]", **FAST)
    wait_state(node, "MASTER")
    start = now()
    adverts = wait_until(lambda: (found := lan.capture.adverts(source=node.address, since=start))[25:]
                         and found, "25 adverts")
    assert max(gaps(adverts)) < 0.5, gaps(adverts)
    assert node.show("vrrp")["scripts_running"] >= 32
    assert node.stop() == 0
    wait_until(lambda: not [pid for pid in os.listdir("/proc")
                            if pid.isdigit() and str(hang) in command_of(pid)],
               "no script is left")


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_script_that_others_can_change_is_refused_at_start(lan):
    words = Words(lan.lab, "insecure")
    words.script.chmod(0o777)
    node = lan.pollux("a", wait=False, **FAST, before=f"""
[[vrrp_script]]
name = "web"
script = {quoted(words.script)}
""", instance='track_script = [ { name = "web" } ]')
    started = node.host.run(lan.lab.program("polluxd"), "--config", node.config, check=False,
                            timeout=20)
    assert started.returncode == 3
    assert "E0712" in started.stderr and "can be changed by others than root" in started.stderr


# --- notify -----------------------------------------------------------------------------------

KINDS = ("master", "backup", "fault", "stop")


def read_fifo(lab, path, name):
    """A reader that copies the FIFO's lines into a file."""
    os.mkfifo(path)
    os.chmod(path, 0o666)
    output = pathlib.Path(lab.folder) / f"fifo-{name}"
    lab.spawn("sh", "-c", f"exec cat {path} > {output}", name=f"fifo-{name}")
    return output


def live_through(lan, node, holds, told):
    """start, MASTER, lost link, link, MASTER, better master, MASTER, stop; each step is told of before
    the next comes, as both drop what is out of date"""
    def step(condition, state, what):
        wait_until(condition, what)
        wait_until(lambda: told()[-1:] == [state], f"{state} is told")

    step(lambda: holds(node), "MASTER", "MASTER")
    lan.cut(node)
    step(lambda: not holds(node), "FAULT", "FAULT")
    lan.mend(node)
    step(lambda: holds(node), "MASTER", "MASTER again")
    Forger(lan.observer).send(advert(source="10.0.0.7", priority=200, interval=0.2))
    wait_until(lambda: not holds(node), "BACKUP")
    step(lambda: holds(node), "MASTER", "MASTER once more")
    node.stop()


def test_notify_commands_and_fifo_are_keepalived_s(lan):
    """The same history, told by the real keepalived and by polluxd, word for word."""
    told = {}
    for name in ("keepalived", "polluxd"):
        words = Words(lan.lab, name)
        special = Words(lan.lab, name + "-special")
        fifo = words.folder / "fifo"
        lines = read_fifo(lan.lab, fifo, name)

        def states(words=words):
            return [line.split()[-2] for line in words.lines()]

        if name == "keepalived":
            notify = "".join(f'    notify_{kind} "{special.script} {kind}"\n' for kind in KINDS)
            node = lan.keepalived(
                "ka", version=3, advert=0.2, instance=notify + f'    notify "{words.script} x y"\n',
                global_defs=f"    script_user root\n    vrrp_notify_fifo {fifo}\n")
            live_through(lan, node, lambda each: each.holds("10.0.0.3"), states)
        else:
            notify = "".join(f"notify_{kind} = {quoted(special.script, kind)}\n" for kind in KINDS)
            node = lan.pollux("px", before=f'[global]\nvrrp_notify_fifo = "{fifo}"\n', **FAST,
                              instance=notify + f'notify = {quoted(words.script, "x", "y")}\n')
            live_through(lan, node, lambda each: tap_holds(each, "10.0.0.3"), states)
        wait_until(lambda: any("STOP" in line for line in words.lines()), f"{name} tells of STOP")
        wait_until(lambda: "stop" in special.lines(), f"{name} runs notify_stop")
        wait_until(lambda: "STOP" in lines.read_text(), f"{name}'s FIFO tells of STOP")
        told[name] = (words.lines(), special.lines(), lines.read_text().splitlines())
    assert told["polluxd"] == told["keepalived"]
    assert told["polluxd"][0][0] == "x y INSTANCE VI_1 BACKUP 100"
    assert len(told["polluxd"][1]) == 8


def test_group_notify_commands_are_keepalived_s(lan):
    """Two instances in a group: who is told what about the group, by both."""
    told = {}
    second = {"keepalived": "vrrp_instance VI_2 {\n state BACKUP\n interface eth0\n virtual_router_id 52\n"
                            " priority 100\n advert_int 0.2\n virtual_ipaddress {\n 10.0.0.4\n }\n}\n",
              "polluxd": '[[vrrp_instance]]\nname = "VI_2"\ninterface = "wan"\nversion = 3\n'
                         'virtual_router_id = 52\nadvert_int = "200ms"\n'
                         'virtual_ipaddress = [{ address = "10.0.0.4" }]\n'}
    for name in ("keepalived", "polluxd"):
        words = Words(lan.lab, name)
        if name == "keepalived":
            group = (f'vrrp_sync_group G {{\n group {{\n VI_1\n VI_2\n }}\n notify "{words.script}"\n'
                     "}\n")
            node = lan.keepalived("ka", version=3, advert=0.2, global_defs="    script_user root\n",
                                  more=second[name] + group)
            wait_until(lambda: node.holds("10.0.0.3") and node.holds("10.0.0.4"), "both are MASTER")
            lan.cut(node)
            wait_until(lambda: not node.holds("10.0.0.3"), "FAULT")
        else:
            group = ('[[vrrp_sync_group]]\nname = "G"\ngroup = ["VI_1", "VI_2"]\n'
                     f"notify = {quoted(words.script)}\n")
            node = lan.pollux("px", more=second[name] + group, **FAST)
            wait_state(node, "MASTER")
            wait_state(node, "MASTER", "VI_2")
            lan.cut(node)
            wait_state(node, "FAULT")
        wait_until(lambda: any("FAULT" in line for line in words.lines()), f"{name} tells of FAULT")
        node.stop()
        wait_until(lambda: any("STOP" in line for line in words.lines()), f"{name} tells of STOP")
        told[name] = words.lines()
    assert told["polluxd"] == told["keepalived"]


def test_weight_that_moves_nothing_is_told_when_it_acts(lan):
    number = pathlib.Path(lan.lab.folder) / "number"
    number.write_text("0")
    before = f'[[vrrp_track_file]]\nname = "load"\nfile = "{number}"\nweight = 5\n'
    second = lan.pollux("b", priority=100, **FAST)
    wait_state(second, "MASTER")
    first = lan.pollux("a", priority=150, before=before, **FAST,
                       instance='track_file = [ { name = "load" } ]\npreempt_delay = "500ms"')
    wait_state(first, "MASTER")
    number.write_text("-1")
    wait_until(lambda: instance(first)["priority"] == 145, "the priority falls")
    assert "not below the other node's: the addresses stay" in first.log.read_text()
    number.write_text("-20")
    wait_state(second, "MASTER")


def test_fifo_reader_gets_the_path_and_the_lines(lan):
    words = Words(lan.lab, "reader")
    reader = words.make("reader.sh", f'echo "started $@" >> {words.written}\n'
                        f'exec cat "$2" >> {words.written}\n')
    fifo = words.folder / "events"
    words.folder.chmod(0o755)
    node = lan.pollux("a", before=f'[global]\nnotify_fifo = "{fifo}"\n'
                      f'notify_fifo_script = {quoted(reader, "extra")}\n', **FAST)
    wait_state(node, "MASTER")
    wait_until(lambda: 'INSTANCE "VI_1" MASTER 100' in words.lines(), "the line is read")
    assert words.lines()[0] == f"started extra {fifo}"
    node.stop()
    wait_until(lambda: 'INSTANCE "VI_1" STOP 100' in words.lines(), "the last line is read")
    assert not fifo.exists()


def test_slow_notify_command_skips_what_is_superseded(lan):
    words = Words(lan.lab, "slow")
    slow = words.make("slow.sh", f'echo "$3" >> {words.written}; sleep 3\n')
    node = lan.pollux("a", instance=f"notify = {quoted(slow)}", **FAST)
    wait_state(node, "MASTER")  # BACKUP's command still sleeps
    for _ in range(2):
        node.pollux("vrrp", "step-down", "VI_1", "--hold", "0s")
        wait_state(node, "MASTER")
    wait_until(lambda: words.lines()[-1:] == ["MASTER"], "the last word is the state", deadline=20)
    assert words.lines() == ["BACKUP", "MASTER"]
    assert node.show("vrrp")["notify_coalesced"] >= 3


# --- split brain ------------------------------------------------------------------------------

def test_lasting_second_master_raises_the_alarm_and_is_fenced_once(lan):
    words = Words(lan.lab, "fence")
    node = lan.pollux("a", instance=f"fence = {quoted(words.script, 'off')}", **FAST)
    wait_state(node, "MASTER")
    wait_until(lambda: len(lan.capture.claims(address="10.0.0.3", mac=node.mac)) >= 10,
               "both blocks of announcements are through")
    start = now()
    rival = Forger(lan.observer).keep_sending(
        advert(source="10.0.0.7", priority=50, interval=0.2), 0.2)
    wait_until(lambda: words.lines(), "the fence command runs")
    assert instance(node)["split_brain"] and state(node) == "MASTER"
    assert "SPLIT BRAIN, another master is heard: 10.0.0.7 (50)" in node.pollux("show", "vrrp").stdout
    assert lan.capture.claims(address="10.0.0.3", mac=node.mac, since=start)
    heard = instance(node)["counters"]["other_master"]
    wait_until(lambda: instance(node)["counters"]["other_master"] > heard + 10, "it goes on")
    lan.lab.end(rival)
    assert words.lines() == ["off INSTANCE VI_1 MASTER_RX_LOWER_PRI 100"]
    assert instance(node)["counters"]["split_brain"] == 1
    assert "vrrp split brain" in node.log.read_text()
    wait_until(lambda: not instance(node)["split_brain"], "it is over")


def test_ordinary_takeover_is_no_split_brain(lan):
    words = Words(lan.lab, "quiet")
    second = lan.pollux("b", priority=100, **FAST)
    wait_state(second, "MASTER")
    first = lan.pollux("a", priority=150, instance=f"fence = {quoted(words.script)}", **FAST)
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
    sent = instance(first)["counters"]["advert_sent"]
    wait_until(lambda: instance(first)["counters"]["advert_sent"] > sent + 10, "ten adverts")
    assert instance(first)["counters"]["split_brain"] == 0
    assert words.lines() == [] and "split brain" not in first.log.read_text()


def test_address_on_another_station_raises_the_alarm(lan):
    node = lan.pollux("a", **FAST)
    wait_state(node, "MASTER")
    wait_until(lambda: instance(node)["since_seconds"] > 0.5, "the hand-over is over")
    start = now()
    Forger(lan.observer).send(arp_claim("10.0.0.3", "02:00:00:00:00:99"))
    wait_until(lambda: instance(node)["counters"]["foreign_claim"] == 1, "the claim is counted")
    log = node.log.read_text()
    assert "another station claims a virtual address" in log and "02:00:00:00:00:99" in log
    wait_until(lambda: lan.capture.claims(address="10.0.0.3", mac=node.mac, since=start),
               "the address is announced again")


def test_address_that_a_dead_keepalived_left_behind_is_found(lan):
    """keepalived killed hard leaves its address in the kernel, which goes on answering ARP."""
    peer = lan.keepalived("ka", version=3, advert=0.2, priority=150)
    node = lan.pollux("a", **FAST)
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived is MASTER")
    wait_state(node, "BACKUP")
    peer.crash()
    wait_state(node, "MASTER")
    assert peer.holds("10.0.0.3")
    wait_until(lambda: instance(node)["counters"]["foreign_claim"] > 0, "the leftover answers")
    assert peer.mac in node.log.read_text()


# --- forged adverts ---------------------------------------------------------------------------

FORGERIES = {
    "bad-checksum": {"spoil_checksum": True, "priority": 250},
    "ttl-254": {"ttl": 254, "priority": 250},
    "type-2": {"kind": 2, "priority": 250},
    "version-2": {"version": 2, "priority": 250, "interval": 1},
    "interval-0": {"interval": 0, "priority": 250},
    "no-address": {"vips": (), "priority": 250},
}


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_forged_adverts_change_nothing(lan, forgery):
    """keepalived starves: it restarts its timer for every packet, even for one that it rejects."""
    node = lan.pollux("a", **FAST)
    wait_state(node, "MASTER")
    start = now()
    frame = advert(source="10.0.0.7", **{"interval": 0.2, **FORGERIES[forgery]})
    rival = Forger(lan.observer).keep_sending(frame, 0.1)
    adverts = wait_until(lambda: (found := lan.capture.adverts(source=node.address, since=start))[12:]
                         and found, "a dozen adverts")
    lan.lab.end(rival)
    assert max(gaps(adverts)) < 0.4, gaps(adverts)
    assert instance(node)["counters"]["become_master"] == 1 and state(node) == "MASTER"
    errors = {name: value for name, value in instance(node)["counters"].items()
              if name.endswith("err") or name == "invalid_type_rcvd"}
    assert sum(errors.values()) >= 8, errors


def test_flood_of_forged_adverts_does_not_push_the_masters_out(lan):
    """The peers' adverts have a way of their own to the control core (decision D12)."""
    # As deep as the receive queue of a card: what is lost before polluxd no program can save.
    deep = {"vdev": "net_af_packet0,iface=l0,framecnt=8192"}
    second = lan.pollux("b", priority=100, **FAST, **deep)
    first = lan.pollux("a", priority=150, **FAST, **deep)
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
    heard = instance(second)["counters"]["advert_rcvd"]
    wait_until(lambda: instance(second)["counters"]["advert_rcvd"] >= heard + 3, "three adverts")
    before = [instance(node)["counters"]["become_master"] for node in (first, second)]
    frame = advert(source="10.0.0.7", priority=250, interval=0.2, spoil_checksum=True)
    rival = lan.observer.spawn(lan.lab.built("tests/lab/flood"), "eth0", frame.hex(), 30_000, 60)
    heard = instance(second)["counters"]["advert_rcvd"]
    wait_until(lambda: instance(second)["counters"]["advert_rcvd"] >= heard + 20, "twenty adverts")
    lan.lab.end(rival)
    assert instance(second)["counters"]["chk_err"] > 10_000
    assert [instance(node)["counters"]["become_master"] for node in (first, second)] == before
