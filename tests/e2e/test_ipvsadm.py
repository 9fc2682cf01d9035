# SPDX-License-Identifier: Apache-2.0
"""`pollux` under the name ipvsadm, as LVS operators and their scripts use it, on a running polluxd."""

import os
import re
import signal

import methods
import pytest
from lab import run, wait_until

VIP = "20.20.20.11"
SERVERS = ["10.10.10.21", "10.10.10.22", "10.10.10.23"]
TITLE = ("IP Virtual Server version 1.2.1 (size=65536)\n"
         "Prot LocalAddress:Port Scheduler Flags\n"
         "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n")


class Ipvsadm:
    def __init__(self, lab, polluxd):
        self.polluxd = polluxd
        self.path = polluxd.folder / "ipvsadm"
        self.path.symlink_to(lab.program("pollux"))
        self.environment = {**os.environ, "POLLUX_SOCKET": str(polluxd.socket)}

    def result(self, line, rules=None):
        """One command line; `rules` is what -R reads."""
        return self.polluxd.host.run("sh", "-c", f"exec {self.path} {line}", check=False,
                                     env={**self.environment, "RULES": rules or ""})

    def __call__(self, line):
        """One command line that must succeed silently; returns what it printed."""
        result = self.result(line)
        assert (result.returncode, result.stderr) == (0, ""), (line, result.stderr)
        return result.stdout

    def restore(self, rules):
        """Feeds rules to -R."""
        file = self.polluxd.folder / "rules"
        file.write_text(rules)
        result = self.result(f"-R < {file}")
        assert (result.returncode, result.stderr) == (0, ""), result.stderr


def build(lab, services=lambda servers: ""):
    scene = methods.build_two_networks(lab, services)
    return scene, Ipvsadm(lab, scene.polluxd)


def add_web_service(ipvsadm):
    ipvsadm(f"-A -t {VIP}:80 -s wrr")
    for weight, server in enumerate(SERVERS, 1):
        ipvsadm(f"-a -t {VIP}:80 -r {server}:8080 -m -w {weight}")


def test_a_whole_session(lab):
    scene, ipvsadm = build(lab)
    assert ipvsadm("-Ln") == TITLE
    add_web_service(ipvsadm)

    answers, failures = scene.fetch(count=60)
    assert (answers, failures) == ({"rs1": 10, "rs2": 20, "rs3": 30}, 0)
    expected = TITLE + (
        "TCP  20.20.20.11:80 wrr\n"
        "  -> 10.10.10.21:8080             Masq    1      0          10        \n"
        "  -> 10.10.10.22:8080             Masq    2      0          20        \n"
        "  -> 10.10.10.23:8080             Masq    3      0          30        \n")
    wait_until(lambda: ipvsadm("-Ln") == expected, "the closed connections are inactive")
    assert ipvsadm("") == ipvsadm("-L")
    assert "TCP  20.20.20.11:http wrr\n  -> 10.10.10.21:http-alt " in ipvsadm("-L")

    stats = ipvsadm(f"-Ln --stats --exact -t {VIP}:80").splitlines()
    figures = [int(word) for word in stats[2].split()[2:]]
    assert figures[0] == 60 and all(figure > 240 for figure in figures[1:]), stats
    connections = ipvsadm("-Lnc").splitlines()
    assert connections[:2] == [
        "IPVS connection entries",
        "pro expire state       source             virtual            destination"]
    assert len(connections) == 62
    assert all(re.fullmatch(r"TCP 0\d:\d\d  [A-Z_]+ +20\.20\.20\.100:\d+ +20\.20\.20\.11:80 +"
                            r"10\.10\.10\.2[123]:8080", line) for line in connections[2:])

    saved = ipvsadm("-S -n")
    assert saved == (f"-A -t {VIP}:80 -s wrr\n" + "".join(
        f"-a -t {VIP}:80 -r {server}:8080 -m -w {weight}\n"
        for weight, server in enumerate(SERVERS, 1)))
    ipvsadm("-C")
    assert ipvsadm("-Ln") == TITLE
    assert scene.fetch(count=3)[1] == 3
    generation = scene.polluxd.show("status")["generation"]
    ipvsadm.restore(saved)
    assert scene.polluxd.show("status")["generation"] == generation + 1
    assert ipvsadm("-S -n") == saved
    assert scene.fetch(count=6) == ({"rs1": 1, "rs2": 2, "rs3": 3}, 0)


def test_changes_count_for_the_next_connection(lab):
    scene, ipvsadm = build(lab)
    add_web_service(ipvsadm)
    ipvsadm(f"-e -t {VIP}:80 -r {SERVERS[2]}:8080 -m -w 0")
    assert scene.fetch(count=9) == ({"rs1": 3, "rs2": 6}, 0)
    ipvsadm(f"-E -t {VIP}:80 -s rr")
    ipvsadm(f"-d -t {VIP}:80 -r {SERVERS[2]}:8080")
    assert scene.fetch(count=10) == ({"rs1": 5, "rs2": 5}, 0)
    ipvsadm(f"-E -t {VIP}:80 -s rr -p 60")
    assert len(scene.fetch(count=5)[0]) == 1
    assert re.search(r"TCP 0\d:\d\d  ASSURED     20\.20\.20\.100:0 ", ipvsadm("-Lnc"))
    assert "rr persistent 60\n" in ipvsadm("-Ln")
    ipvsadm(f"-D -t {VIP}:80")
    assert scene.fetch(count=2)[1] == 2


def test_counters_rates_and_timeouts(lab):
    scene, ipvsadm = build(lab)
    add_web_service(ipvsadm)
    scene.fetch(count=60)

    def rate():
        line = ipvsadm(f"-Ln --rate -t {VIP}:80").splitlines()[2]
        return [int(word) for word in line.split()[2:]]

    wait_until(lambda: rate()[1] > 0 and rate()[4] > 0, "the rates are sampled")
    ipvsadm("-Z")
    line = ipvsadm(f"-Ln --stats -t {VIP}:80").splitlines()[2]
    assert line.split()[2:] == ["0", "0", "0", "0", "0"]
    # -Z is for ipvsadm's listings; what monitoring reads only grows.
    assert scene.polluxd.show("services")["services"][0]["connections"] == 60
    wait_until(lambda: rate() == [0, 0, 0, 0, 0], "the rates fade", deadline=90)

    ipvsadm("--set 1000 0 77")
    assert ipvsadm("-L --timeout") == "Timeout (tcp tcpfin udp): 1000 120 77\n"


@pytest.mark.parametrize("line, status, message", [
    (f"-A -t {VIP}:80 -s nosuch", 255, "Scheduler or persistence engine not found\n"),
    (f"-a -t {VIP}:80 -r {SERVERS[0]}:8080 -m -w 70000", 2, "illegal weight specified\n"),
    (f"-A -t [fd00:20::11]:80 -p -M 129", 2, "illegal ipv6 netmask specified\n"),
    (f"-A -t {VIP}:80 -p -M 255.0.255.0", 2,
     "illegal virtual server persistent mask specified\n"),
    (f"-D -t {VIP}:81", 255, "No such service\n"),
    (f"-Ln -t {VIP}:81", 1, "No such service\n"),
    (f"-a -t {VIP}:80 -r {SERVERS[0]}:8080 --fullnat", 255, "Service not defined\n"),
    ("--nonsense", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"),
    ("-L --nonsense", 255, "--nonsense: unknown option\n"),
    ("--start-daemon master", 255,
     "Pollux has no sync daemon: it does not exchange connections with LVS\n"),
])
def test_refusals(ipvsadm_alone, line, status, message):
    result = ipvsadm_alone.result(line)
    assert (result.returncode, result.stderr, result.stdout) == (status, message, "")
    assert ipvsadm_alone("-S -n") == ""


@pytest.fixture(scope="module")
def ipvsadm_alone():
    """A polluxd that nothing but the command talks to."""
    from lab import Lab
    with Lab() as laboratory:
        switch = laboratory.switch()
        polluxd = methods.start(laboratory, [("lan", switch, ["10.10.10.11/24"])], "")
        yield Ipvsadm(laboratory, polluxd)


def test_without_a_daemon_or_the_right(lab):
    scene, ipvsadm = build(lab)
    refused = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                  ipvsadm.path, "-Ln", check=False, env=ipvsadm.environment)
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        "Can't initialize ipvs: Permission denied (you must be root)\n"), refused.stderr
    assert scene.polluxd.stop() == 0
    gone = ipvsadm.result("-Ln")
    assert gone.returncode == 2
    assert gone.stderr.startswith("Can't initialize ipvs: no connection to polluxd at ")
    assert "is polluxd running?" in gone.stderr
    assert ipvsadm("--version").startswith("ipvsadm v1.31 ")


def file_service(weights):
    def services(servers):
        rows = ", ".join(f'{{ address = "{address}", port = 8080, weight = {weight} }}'
                         for address, weight in zip(SERVERS, weights))
        return (f'[[virtual_server]]\naddress = "{VIP}"\nport = 80\nprotocol = "TCP"\n'
                f'lvs_sched = "wrr"\nlvs_method = "NAT"\nreal_server = [{rows}]\n')
    return services


def reload(scene):
    before = scene.polluxd.show("status")["reloads"]
    scene.polluxd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: scene.polluxd.show("status")["reloads"] > before, "the reload")


def origins(scene):
    service = scene.polluxd.show("services")["services"][0]
    return [service["defined_by"]] + [
        f'{row["address"]}={row["weight"]} {row["defined_by"]}' for row in service["servers"]]


def test_run_time_changes_and_the_file(lab):
    scene, ipvsadm = build(lab, file_service([1, 1, 1]))
    ipvsadm(f"-e -t {VIP}:80 -r {SERVERS[0]}:8080 -m -w 5")
    ipvsadm(f"-d -t {VIP}:80 -r {SERVERS[1]}:8080")
    ipvsadm(f"-a -t {VIP}:80 -r 10.10.10.99:8080 -m -w 0")
    changed = ["file", "10.10.10.21=5 changed", "10.10.10.23=1 file", "10.10.10.99=0 runtime"]
    assert origins(scene) == changed
    shown = scene.polluxd.pollux("show", "services").stdout
    assert "10.10.10.99:8080             Masq    0      0          0  (runtime)\n" in shown
    assert f"deleted at run time: TCP {VIP}:80 real_server {SERVERS[1]}:8080\n" in shown
    assert "3 changes at run time" in scene.polluxd.pollux("show", "status").stdout
    answers, failures = scene.fetch(count=12)
    assert (answers, failures) == ({"rs1": 10, "rs3": 2}, 0)

    reload(scene)
    assert origins(scene) == changed

    text = scene.polluxd.config.read_text()
    scene.polluxd.write_config(text.replace(f'"{SERVERS[0]}", port = 8080, weight = 1',
                                            f'"{SERVERS[0]}", port = 8080, weight = 2'))
    assert "run-time change given up" in scene.polluxd.pollux("reload", "--diff").stdout
    reload(scene)
    assert origins(scene) == ["file", "10.10.10.21=2 file"] + changed[2:]

    scene.polluxd.pollux("server", "drain", "10.10.10.23")
    scene.polluxd.pollux("server", "weight", "10.10.10.99", "7")
    wait_until(lambda: origins(scene) == ["file", "10.10.10.21=2 file", "10.10.10.23=0 changed",
                                          "10.10.10.99=7 runtime"], "the weights")
    scene.polluxd.pollux("server", "enable", "10.10.10.23")
    scene.polluxd.pollux("reload", "--discard-runtime")
    assert origins(scene) == ["file", "10.10.10.21=2 file", "10.10.10.22=1 file",
                              "10.10.10.23=1 file"]


def test_a_deleted_service_of_the_file(lab):
    scene, ipvsadm = build(lab, file_service([1, 1, 1]))
    ipvsadm("-C")
    assert scene.fetch(count=2)[1] == 2
    reload(scene)
    assert ipvsadm("-Ln") == TITLE
    assert scene.polluxd.show("services")["deleted_at_runtime"] == [f"TCP {VIP}:80"]
    add_web_service(ipvsadm)
    assert scene.fetch(count=6) == ({"rs1": 1, "rs2": 2, "rs3": 3}, 0)
    assert origins(scene)[0] == "runtime"
