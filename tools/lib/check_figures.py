#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`tools/dev bench checks`: health checks at scale, and large reloads, beside VRRP.

One polluxd in a network namespace checks N real servers (addresses of a second namespace, where one
nginx listens) once a second and advertises a virtual router on another port. Then servers die all
at once. Prints a table, or JSON with --json. See docs/benchmarking.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import resource
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from figure_report import NO_GOAL, report  # noqa: E402
from lab import Host, Lab, Nginx, Polluxd, wait_until  # noqa: E402
from vrrp_lab import Capture, gaps  # noqa: E402

ADVERT = 0.2
DYING = 1000
SERVERS_PER_SERVICE = 100
# delay_loop + retry x max(delay_before_retry, connect_timeout) + connect_timeout
BOUND = 1.0 + 0.5 + 0.5
TIMING = 'delay_loop = "1s"\nconnect_timeout = "500ms"\nretry = 1\ndelay_before_retry = "500ms"\n'
SERVICES, SERVERS = 2277, 37205


class Farm(Host):
    """The servers: 65,536 addresses with one web server, at the other end of polluxd's port."""

    def __init__(self, lab):
        super().__init__(lab, "servers")
        self.ip("route", "add", "local", "10.77.0.0/16", "dev", "lo")
        self.sysctl(net__ipv4__tcp_max_syn_backlog=65536, net__core__somaxconn=65536)
        # A thousand may connect in the same moment: nginx's usual queue takes 511, and a process
        # of the usual limits has 1,024 files.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        Nginx(self, listen="backlog=16384")

    def adopt(self, owner, device):
        owner.ip("link", "set", device, "netns", self.namespace)
        self.ip("link", "set", device, "address", "02:ee:00:00:00:77")
        self.ip("addr", "add", "10.0.1.9/24", "dev", device)
        # As deep as a card's queues: what is lost here no program can save.
        self.ip("link", "set", device, "txqueuelen", "16384", "up")
        # Whatever the farm does shall not count as work of polluxd's control core, CPU 0.
        queues = f"/sys/class/net/{device}/queues"
        self.run("sh", "-c", f"for each in {queues}/rx-*/rps_cpus; do echo 2 > $each; done",
                 check=False)

    def kill(self, first, last, verdict):
        self.run("nft", "add table ip guard; add chain ip guard in "
                 "{ type filter hook input priority 0; }; add rule ip guard in ip daddr "
                 f"{address(first)}-{address(last)} {verdict}")

    def revive(self):
        self.run("nft", "delete table ip guard")


def address(number):
    return f"10.77.{number // 250}.{number % 250 + 1}"


def head(lab):
    return f"""
[api]
control_socket = "@SOCKET@"
[log]
level = "warning"
[dpdk]
file_prefix = "{lab.prefix}"
worker_lcores = [1]
hugepages = false
hugepage_mem = "192M"
idle = "adaptive"
mbufs_per_port = 8192
[conntrack]
max_services = 4096
max_servers = 131072
[[dpdk.port]]
name = "lan"
vdev = "net_tap0,iface=dtap0,mac=02:00:00:00:01:05"
address = ["10.0.1.5/24"]
[[dpdk.port]]
name = "wan"
vdev = "net_tap1,iface=dtap1,mac=02:00:00:00:00:05"
address = ["10.0.0.5/24"]
[[route]]
to = "10.77.0.0/16"
via = "10.0.1.9"
[[vrrp_instance]]
name = "VI_1"
state = "BACKUP"
interface = "wan"
virtual_router_id = 51
priority = 100
version = 3
advert_int = "200ms"
virtual_ipaddress = [{{ address = "10.0.0.3" }}]
"""


def check_table(kind, number):
    # Those that die are tried in the same moment, so that they also time out in the same one.
    warmup = "1ms" if number < DYING else "1s"
    page = 'url = [{ path = "/", status_code = 200 }]\n' if kind == "HTTP_GET" else ""
    return (f'[[virtual_server.real_server.check]]\ntype = "{kind}"\nwarmup = "{warmup}"\n{page}')


def checked(lab, kind, checks):
    text = [head(lab)]
    for first in range(0, checks, SERVERS_PER_SERVICE):
        text.append(f'[[virtual_server]]\naddress = "10.0.0.3"\nport = {1000 + first // 100}\n'
                    f'protocol = "TCP"\nlvs_sched = "wlc"\nlvs_method = "NAT"\n{TIMING}')
        for number in range(first, min(first + SERVERS_PER_SERVICE, checks)):
            text.append(f'[[virtual_server.real_server]]\naddress = "{address(number)}"\nport = 80\n'
                        + check_table(kind, number))
    return "\n".join(text)


def large(lab, weight, checks):
    """2,277 services with 37,205 servers, each with a check once a minute if `checks`."""
    lines = [head(lab)]
    timing = 'delay_loop = "60s"\nwarmup = "60s"\n' if checks else ""
    check = ', check = [{ type = "TCP_CHECK" }]' if checks else ""
    for number in range(SERVICES):
        count = SERVERS // SERVICES + (number < SERVERS % SERVICES)
        rows = ", ".join(f'{{ address = "10.77.{number // 10}.{number % 10 * 20 + each + 1}", '
                         f'port = 80, weight = {weight}{check} }}' for each in range(count))
        lines.append(f'[[virtual_server]]\naddress = "10.9.{number // 250}.{number % 250 + 1}"\n'
                     f'port = 80\nprotocol = "TCP"\nlvs_sched = "wrr"\nlvs_method = "NAT"\n{timing}'
                     f'real_server = [{rows}]\n')
    return "\n".join(lines)


# --- one polluxd under observation --------------------------------------------------------------

class Scene:
    def __init__(self, lab, text):
        switch = lab.switch()
        observer = lab.host("observer")
        switch.connect(observer, addresses=["10.0.0.7/24"])
        self.farm = Farm(lab)
        self.capture = Capture(observer)
        self.polluxd = Polluxd(lab, "lb1", text, {"dtap0": self.farm, "dtap1": switch})
        wait_until(lambda: len(self.capture.adverts()) > 5, "adverts")
        # CPU 0 is for the control core alone.
        for process in [os.getpid(), *(each.pid for each in lab.processes)]:
            if process != self.polluxd.process.pid:
                os.sched_setaffinity(process, {1})

    def checks(self):
        """The totals; the rows cost the daemon time, so none are asked for."""
        return self.polluxd.show("checks", "--limit", "1")

    def mark(self):
        thread = pathlib.Path(f"/proc/{self.polluxd.process.pid}/task/{self.polluxd.process.pid}")
        return {"time": time.time(), "checks": self.checks(),
                "status": self.polluxd.show("status"),
                "cpu": int((thread / "schedstat").read_text().split()[0]) / 1e9}

    def rows_since(self, name, before):
        """What the loop and the adverts did since the mark."""
        after = self.mark()
        seconds = after["time"] - before["time"]
        longer = {limit: count - before["status"]["loop"]["callbacks_longer_than_ms"][limit]
                  for limit, count in after["status"]["loop"]["callbacks_longer_than_ms"].items()}
        yield row(f"{name}: callbacks over 10 ms", longer["10"], "callbacks", 0)
        yield row(f"{name}: callbacks over 5 ms", longer["5"], "callbacks")
        adverts = [each for each in self.capture.adverts(since=before["time"])
                   if each.time <= after["time"]]
        late = sorted(each - ADVERT for each in gaps(adverts))
        yield row(f"{name}: adverts late by, median", milliseconds(late[len(late) // 2]), "ms")
        yield row(f"{name}: adverts late by, most", milliseconds(late[-1]), "ms",
                  milliseconds(ADVERT * 0.1))
        yield row(f"{name}: control thread's share of a CPU",
                  round(100 * (after["cpu"] - before["cpu"]) / seconds), "%")
        yield row(f"{name}: snapshots", after["status"]["generation"]
                  - before["status"]["generation"], "snapshots")

    def try_rows(self, name, before, checks):
        after = self.mark()
        seconds = after["time"] - before["time"]
        tries, failures, stretched = (after["checks"][key] - before["checks"][key]
                                      for key in ("tries", "failures", "stretched_tries"))
        yield row(f"{name}: good tries a second", round((tries - failures) / seconds), "1/s",
                  checks * 0.99, least=True)
        yield row(f"{name}: failed tries, all servers well", failures, "tries", 0)
        yield row(f"{name}: tries whose limit grew", stretched, "tries")
        late = {step: count - before["checks"]["lateness"][step]
                for step, count in after["checks"]["lateness"].items()}
        for share in (0.5, 0.99, 1.0):
            yield row(f"{name}: tries late by, {share:.0%} of them at most",
                      quantile(late, share), "ms")

    def deaths(self, first, last, verdict):
        """Seconds from the death to each finding, from the events' own time stamps. Services whose
        servers all die have events, too, so that the log, which keeps 1,000, may lose the first: those
        count like the earliest that it still has."""
        subjects = {f"{address(number)}:80 of" for number in range(first, last + 1)}
        seen, found = self.polluxd.show("events")["total"], {}
        down = self.checks()["down"]
        died = time.time()
        self.farm.kill(first, last, verdict)

        def all_found():
            for event in self.polluxd.show("events", "--limit", "1000")["events"]:
                subject = event["subject"].partition(" of")[0] + " of"
                if event["number"] > seen and event["after"] == "DOWN" and subject in subjects:
                    found[subject] = when(event["time"]) - died
            return len(found) == len(subjects) or self.checks()["down"] >= down + len(subjects)

        wait_until(all_found, "all deaths are found", 60, pause=0.1)
        all_found()  # the last ones were not in the log when it was read, if the checks said so
        return [min(found.values())] * (len(subjects) - len(found)) + sorted(found.values())


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def quantile(counts, share):
    """The step that at least `share` of the counted things reached."""
    wanted, reached = share * sum(counts.values()), 0
    for step in sorted(counts, key=lambda each: NO_GOAL if each == "more" else int(each)):
        reached += counts[step]
        if reached >= wanted:
            return NO_GOAL if step == "more" else int(step)
    return 0


def milliseconds(seconds):
    return round(seconds * 1000, 1)


def row(figure, value, unit, goal=NO_GOAL, least=False):
    met = goal == NO_GOAL or (value >= goal if least else value <= goal)
    return {"figure": figure, "value": value, "goal": None if goal == NO_GOAL else goal,
            "unit": unit, "met": met}


# --- parts --------------------------------------------------------------------------------------

def check_rows(arguments, kind, checks):
    name = f"{checks} {kind}"
    os.sched_setaffinity(0, {0, 1})
    with Lab(arguments.programs) as lab:
        scene = Scene(lab, checked(lab, kind, checks))
        # The first tries come before the farm is plugged in.
        wait_until(lambda: scene.polluxd.show("checks", "--limit", "1")["tries"] > 4 * checks,
                   "checks settle", 90, pause=0.5)
        wait_until(lambda: all_up(scene), "all servers are up", 60, pause=0.5)
        before = scene.mark()
        time.sleep(arguments.seconds)
        yield from scene.try_rows(name, before, checks)
        yield from scene.rows_since(name, before)
        for word, verdict in (("silent", "drop"), ("refusing", "reject with tcp reset")):
            before = scene.mark()
            found = scene.deaths(0, DYING - 1, verdict)
            part = f"{name}, {DYING} turn {word}"
            yield row(f"{part}: half of them found after", milliseconds(found[DYING // 2]), "ms")
            yield row(f"{part}: all found after", milliseconds(found[-1]), "ms", BOUND * 1000)
            yield from scene.rows_since(part, before)
            down = scene.checks()["down"]
            yield row(f"{part}: others that went down", down - DYING, "servers", 0)
            scene.farm.revive()
            wait_until(lambda: all_up(scene), "all servers are up again", 60, pause=0.5)


def all_up(scene):
    checks = scene.checks()
    return checks["down"] == 0 and checks["undecided"] == 0


def reload_rows(arguments, checks):
    name = f"reload of {SERVERS} servers" + (" with checks" if checks else "")
    os.sched_setaffinity(0, {0, 1})
    with Lab(arguments.programs) as lab:
        scene = Scene(lab, large(lab, 1, checks))
        for what, weight in (("nothing new", 1), ("all weights new", 2)):
            scene.polluxd.write_config(large(lab, weight, checks))
            before = scene.mark()
            start = time.time()
            scene.polluxd.pollux("reload")
            took = time.time() - start
            wait_until(lambda since=time.time(): len(scene.capture.adverts(since=since)) > 4,
                       "adverts go on")
            part = f"{name}, {what}"
            yield row(f"{part}: took", milliseconds(took), "ms", 1000)
            yield from scene.rows_since(part, before)


def floor_rows(arguments):
    """What a bare loop on this machine does: connect, epoll, reset; no polluxd."""
    with Lab(arguments.programs) as lab:
        farm, client = Farm(lab), lab.host("client")
        switch = lab.switch()
        switch.connect(farm, addresses=["10.0.1.9/24"])
        switch.connect(client, addresses=["10.0.1.5/24"])
        client.ip("route", "add", "10.77.0.0/16", "via", "10.0.1.9")
        done = client.run("taskset", "-c", "0", lab.program("pollux-bench"), "connects",
                          "10.77.0.1", "10000", "5")
        yield row("bare loop over a veth: connections a second and core",
                  round(json.loads(done.stdout)["per_second"]), "1/s")


PARTS = {
    "floor": floor_rows,
    "tcp": lambda arguments: check_rows(arguments, "TCP_CHECK", arguments.checks),
    "http": lambda arguments: check_rows(arguments, "HTTP_GET", arguments.http),
    "reload": lambda arguments: reload_rows(arguments, False),
    "reload-checks": lambda arguments: reload_rows(arguments, True),
}


def line(each):
    goal = "-" if each["goal"] is None else f"{each['goal']:g}"
    verdict = "" if each["goal"] is None else "ok" if each["met"] else "MISSED"
    return f"{each['figure']:70} {each['value']:>9} {goal:>8} {each['unit']:11} {verdict}"


def main():
    parser = argparse.ArgumentParser(prog="tools/dev bench checks")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=list(PARTS), action="append", help="this part only")
    parser.add_argument("--checks", type=int, default=10000, help="TCP_CHECKs, at least 1000")
    parser.add_argument("--http", type=int, default=1500, help="HTTP_GETs, at least 1000")
    parser.add_argument("--seconds", type=float, default=10, help="of each steady phase")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    heading = f"{'figure':70} {'value':>9} {'goal':>8} unit"
    return report(PARTS, arguments, heading, line)


if __name__ == "__main__":
    sys.exit(main())
