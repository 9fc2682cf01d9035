# SPDX-License-Identifier: Apache-2.0
"""Real servers watched: who is dead serves nobody, who is back serves again."""

import os
import time

import health_lab
import pytest
from health_lab import BOUND, TIMING, build, start_plugged_in, write_script
from lab import Nginx, wait_until
from vrrp_lab import Lan, state, wait_state


@pytest.mark.parametrize("method", ["dr", "nat"])
def test_a_dead_server_is_taken_out_and_comes_back(lab, method):
    scene = build(lab, method)
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")
    assert set(scene.fetch()) == {"rs1", "rs2"}
    died = time.time()
    scene.servers[0].stop()
    scene.wait_state(0, "DOWN")
    down = scene.events("server")[-1]
    assert down["subject"].startswith(scene.server_address[0] + " of TCP")
    assert (down["before"], down["after"]) == ("UP", "DOWN")
    assert "connection refused" in down["cause"]
    assert scene.fetch() == ["rs2"] * 6
    found = time.time() - died
    assert found < BOUND + health_lab.PATIENCE
    scene.servers[0] = type(scene.servers[0])(scene.servers[0].host, name="rs1-again",
                                              port=80 if method == "dr" else 8080)
    scene.wait_state(0, "UP")
    wait_until(lambda: set(scene.fetch()) == {"rs1-again", "rs2"}, "rs1 serves again")


def test_without_quorum_the_sorry_server_serves(lab):
    scene = build(lab, "nat")
    for server in scene.servers:
        server.stop()
    wait_until(lambda: scene.fetch(1) == ["sorry"], "the sorry server answers", 20)
    assert scene.fetch() == ["sorry"] * 6
    service = scene.events("service")[-1]
    assert (service["before"], service["after"]) == ("UP", "DOWN")
    assert [row["quorum"] for row in scene.polluxd.show("servers")["servers"]] == ["LOST", "LOST"]
    type(scene.sorry)(scene.servers[1].host, name="back", port=8080)
    wait_until(lambda: scene.fetch(1) == ["back"], "a real server answers again", 20)
    assert scene.fetch() == ["back"] * 6


def test_a_page_that_answers_500_takes_the_server_out(lab):
    extra = "location = /health { if (-f $document_root/sick) { return 500; } return 200 'fine'; }"
    scene = build(lab, "dr", 'type = "HTTP_GET"\nurl = [{ path = "/health", status_code = 200, '
                  'regex = "^fine$" }]', nginx_extra=extra)
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")
    assert scene.state(0) == "UP"
    sick = scene.servers[0].folder / "www" / "sick"
    sick.write_text("")
    scene.wait_state(0, "DOWN")
    assert "/health: status 500" in scene.server(0)["cause"]
    assert scene.fetch() == ["rs2"] * 6
    sick.unlink()
    scene.wait_state(0, "UP")


def test_a_script_sets_the_weight(lab):
    scene = build(lab, "nat", None, start=False)
    script = write_script(scene.polluxd, "weigh.sh",
                          f"exit $(cat {scene.polluxd.folder}/status-$1)\n")
    for name, status in (("a", 12), ("b", 4)):
        (scene.polluxd.folder / f"status-{name}").write_text(str(status))
    scene.polluxd.write_config(scene.toml(
        [f'type = "MISC_CHECK"\nmisc_path = ["{script}", "{name}"]\nmisc_dynamic = true\n'
         'misc_timeout = "5s"' for name in "ab"]).replace('connect_timeout = "500ms"\n', ""))
    scene.polluxd.start()
    wait_until(lambda: [scene.server(number)["weight"] for number in (0, 1)] == [10, 2],
               "weights 10 and 2", 20)
    service = scene.polluxd.show("services")["services"][0]
    assert [server["weight"] for server in service["servers"]] == [10, 2]
    (scene.polluxd.folder / "status-a").write_text("1")
    scene.wait_state(0, "DOWN")
    assert "exit status 1" in scene.server(0)["cause"]


def test_notify_commands_tell_server_and_quorum(lab):
    scene = build(lab, "nat", start=False)
    record = scene.polluxd.folder / "record"
    record.write_text("")
    record.chmod(0o666)
    script = write_script(scene.polluxd, "note.sh", f'echo "$@" >> {record}\n')
    service = "\n".join(f'{key} = ["{script}", "{key}"]' for key in ("quorum_up", "quorum_down"))
    server = "\n".join(f'{key} = ["{script}", "{key}"]' for key in ("notify_up", "notify_down"))
    fifo = scene.polluxd.folder / "lvs.fifo"
    head = f'[global]\nlvs_notify_fifo = "{fifo}"\n'
    start_plugged_in(scene.polluxd,
                     scene.toml(new_service=service, new_server=server, new_head=head))
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")
    assert record.read_text() == "", "nothing has changed yet"
    for number in (0, 1):
        scene.servers[number].stop()
        scene.wait_state(number, "DOWN")
    wait_until(lambda: record.read_text().split() == ["notify_down", "notify_down", "quorum_down"]
               or sorted(record.read_text().split()) ==
               ["notify_down", "notify_down", "quorum_down"], "three commands ran", 20)
    type(scene.sorry)(scene.servers[1].host, name="back", port=8080)
    scene.wait_state(1, "UP")
    wait_until(lambda: sorted(record.read_text().split()[3:]) == ["notify_up", "quorum_up"],
               "two more ran", 20)
    with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        lines = (file.read() or b"").decode().splitlines()
    first, second = (address.replace(":", "]:tcp:") for address in scene.server_address)
    vip = "[20.20.20.11]:tcp:80"
    assert lines == [f"RS [{first} {vip} DOWN", f"RS [{second} {vip} DOWN", f"VS {vip} DOWN",
                     f"RS [{second} {vip} UP", f"VS {vip} UP"]


def test_omega_runs_the_down_commands_at_the_end(lab):
    scene = build(lab, "nat", start=False)
    record = scene.polluxd.folder / "record"
    record.write_text("")
    record.chmod(0o666)
    script = write_script(scene.polluxd, "note.sh", f'echo "$@" >> {record}\n')
    service = f'quorum_down = ["{script}", "quorum_down"]\n'
    server = f'notify_down = ["{script}", "notify_down"]\n'
    text = scene.toml(new_service=service + "omega = true", new_server=server)
    start_plugged_in(scene.polluxd, text)
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")
    assert record.read_text() == ""
    assert scene.polluxd.stop() == 0
    wait_until(lambda: len(record.read_text().split()) >= 3, "the commands ran", 20)
    assert sorted(record.read_text().split()) == ["notify_down", "notify_down", "quorum_down"]


def test_checks_are_suspended_while_the_address_is_elsewhere(lab):
    def service(address, port, more=""):
        return (f'[[virtual_server]]\naddress = "{address}"\nport = 80\nprotocol = "TCP"\n'
                f'lvs_method = "NAT"\n{more}[[virtual_server.real_server]]\naddress = "10.0.0.7"\n'
                f"port = {port}\n[[virtual_server.real_server.check]]\ntype = \"TCP_CHECK\"\n{TIMING}")

    lan = Lan(lab)
    Nginx(lan.observer, name="rs1", port=81)
    services = service("10.0.0.3", 81, "ha_suspend = true\n") + service("10.0.0.4", 82) + \
        service("10.0.0.6", 83, "ha_suspend = true\n")
    fast = {"version": 3, "advert": "200ms"}
    master = lan.pollux("a", priority=150, **fast)
    wait_state(master, "MASTER")
    # 10.0.0.6 is the node's own, so always here.
    backup = lan.pollux("b", priority=100, more=services, **fast)

    def check(port):
        return next(row for row in backup.show("checks")["checks"]
                    if row["check"].endswith(f":{port}"))

    wait_until(lambda: check(82)["tries"] >= 3 and check(83)["tries"] >= 3, "the others are tried")
    assert (check(81)["state"], check(81)["tries"]) == ("SUSPENDED", 0)
    master.stop()
    wait_until(lambda: check(81)["state"] == "UP" and check(81)["decided"], "it is tried now")
    assert state(backup) == "MASTER"
    master.start()
    wait_state(backup, "BACKUP")
    wait_until(lambda: check(81)["state"] == "SUSPENDED", "it is suspended again")


def test_the_first_checks_of_all_may_come_by_a_reload(lab):
    scene = build(lab, "nat", start=False)
    start_plugged_in(scene.polluxd, scene.toml())
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")


def test_a_reload_keeps_states_and_checks_run_on_demand(lab):
    scene = build(lab, "nat")
    scene.servers[0].stop()
    scene.wait_state(0, "DOWN")
    since = scene.server(0)["since_seconds"]
    scene.polluxd.write_config(scene.toml(new_service="quorum = 2"))
    scene.polluxd.reload()
    wait_until(lambda: scene.server(0)["quorum"] == "LOST", "quorum 2 is lost after the reload")
    assert scene.server(0)["state"] == "DOWN"
    assert scene.server(0)["since_seconds"] > since
    run = scene.polluxd.pollux("checks", "run", scene.server_address[1])
    assert f"TCP_CHECK {scene.server_address[1]}: good" in run.stdout
    missing = scene.polluxd.pollux("checks", "run", "10.9.9.9", check=False)
    assert missing.returncode == 1 and "show checks" in missing.stderr
    for what in ("checks", "servers", "events"):
        assert scene.server_address[0] in scene.polluxd.pollux("show", what).stdout
