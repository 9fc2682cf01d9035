#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`tools/dev bench vrrp`: how fast and how steady VRRP is, measured from the adverts on the wire.

Each figure comes from polluxd nodes in network namespaces and a capture on a third station, with the
kernel's time stamps. Prints a table, or JSON with --json. See docs/benchmarking.md.
"""

import argparse
import dataclasses
import pathlib
import signal
import statistics
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from forge import FORGED_MAC, advert, checksum, packed  # noqa: E402
from figure_report import NO_GOAL, report  # noqa: E402
from lab import Lab, wait_until  # noqa: E402
from vrrp_lab import Lan, gaps, instance, state, wait_state  # noqa: E402

MASTER, BACKUP = 150, 100
FORGER = "10.0.0.9"
WORKER_CPU = 1  # vrrp_lab.pollux_config


def words(interval):
    return {"version": 3, "advert": f"{round(interval * 1000)}ms"}


def dead_time(interval, priority=BACKUP):
    return 3 * interval + interval * (256 - priority) / 256


def start_pair(lan, interval, **options):
    """(backup, master), settled."""
    backup = lan.pollux("b", priority=BACKUP, **words(interval), **options)
    master = lan.pollux("a", priority=MASTER, **words(interval), **options)
    wait_state(master, "MASTER", deadline=40)
    wait_state(backup, "BACKUP", deadline=40)
    return backup, master


def milliseconds(values):
    return [round(value * 1000, 1) for value in values]


def row(name, values, goal, unit="ms"):
    """Median, smallest and largest of the runs; `goal` is what the median may reach."""
    return {"figure": name, "runs": len(values), "median": statistics.median(values),
            "min": min(values), "max": max(values), "goal": goal, "unit": unit, "at_least": False,
            "met": statistics.median(values) <= goal}


def row_at_least(name, values, goal, unit):
    """The same with a goal that the median must reach."""
    return {**row(name, values, goal, unit), "at_least": True,
            "met": statistics.median(values) >= goal}


# --- failover ---------------------------------------------------------------------------------

def failover(lab, interval, runs, kind):
    """From the last advert (SIGKILL) or from priority 0 (SIGTERM) to the successor's first."""
    lan = Lan(lab)
    backup, master = start_pair(lan, interval)
    values = []
    for _ in range(runs):
        wait_until(lambda: len(lan.capture.adverts(source=master.address)) > 3, "adverts")
        start = time.time()
        master.stop(kind)
        wait_state(backup, "MASTER", deadline=40)
        ours = lan.capture.adverts(source=master.address)
        end = [each for each in ours if each.priority == 0 and each.time > start] or ours
        taken = lan.capture.adverts(source=backup.address, since=start)[0]
        values.append(taken.time - end[-1].time)
        master.start()
        wait_state(master, "MASTER", deadline=40)
        wait_state(backup, "BACKUP", deadline=40)
    return values


def crash_rows(programs, runs):
    for interval, count in ((1.0, max(runs // 2, 3)), (0.1, runs), (0.01, runs)):
        with Lab(programs) as lab:
            values = failover(lab, interval, count, signal.SIGKILL)
        goal = dead_time(interval) + 0.05
        yield row(f"crash failover, adverts each {interval:g} s", milliseconds(values),
                  round(goal * 1000, 1))


def stop_rows(programs, runs):
    interval = 0.1
    with Lab(programs) as lab:
        values = failover(lab, interval, runs, signal.SIGTERM)
    goal = interval * (256 - BACKUP) / 256 + 0.02
    yield row(f"planned stop, adverts each {interval:g} s", milliseconds(values),
              round(goal * 1000, 1))


# --- many addresses ---------------------------------------------------------------------------

def quiet_rows(programs, runs):
    """What the machine alone does to adverts: the other figures cannot be better than this."""
    interval = 0.1
    with Lab(programs) as lab:
        lan = Lan(lab)
        node = lan.pollux("a", **words(interval))
        wait_state(node, "MASTER", deadline=40)
        wait_until(lambda: len(lan.capture.adverts()) > 100 * runs, "adverts", 30 * runs)
        found = gaps(lan.capture.adverts())
    parts = [max(found[start:start + 100]) for start in range(0, 100 * runs, 100)]
    yield row("one VIP: longest gap of 100 adverts, each 0.1 s", milliseconds(parts), 110.0)


def fastest_rows(programs, seconds):
    """The shortest interval that version 3 knows: does the pair keep still?"""
    interval = 0.01
    with Lab(programs) as lab:
        lan = Lan(lab)
        backup, master = start_pair(lan, interval)
        before, start = steadiness(lan, master, backup, 0, interval)[1], time.time()
        wait_until(lambda: time.time() > start + seconds, "the time is over", seconds + 30, 0.5)
        late, changes = steadiness(lan, master, backup, start, interval)
    name = f"adverts each 0.01 s for {seconds:g} s"
    yield row(f"{name}: longest gap", milliseconds([late + interval]), NO_GOAL)
    yield row(f"{name}: changes of state", [changes - before], 0, "changes")


def address_rows(programs, runs):
    interval, shown, hidden = 0.1, 20, 580
    latest, longest, told = [], [], []
    extra = [f"10.0.{1 + number // 250}.{1 + number % 250}" for number in range(hidden)]
    listed = ",\n".join(f'{{ address = "{address}" }}' for address in extra)
    for _ in range(max(runs // 2, 3)):
        with Lab(programs) as lab:
            lan = Lan(lab)
            node = lan.pollux("a", vips=[f"10.0.0.{100 + number}" for number in range(shown)],
                              instance=f"virtual_ipaddress_excluded = [\n{listed} ]",
                              **words(interval))
            wait_state(node, "MASTER", deadline=40)
            wait_until(lambda: len(lan.capture.adverts(source=node.address)) > 80, "80 adverts", 60)
            adverts = lan.capture.adverts(source=node.address)
            first = {}
            for claim in lan.capture.claims(mac=node.mac):
                first.setdefault(claim.address, claim.time)
            told.append(sum(address in first for address in extra))
            latest.append(max(first[address] for address in extra) - adverts[0].time)
            longest.append(max(gaps(adverts)))
    yield row("600 VIPs: longest gap between adverts, each 0.1 s", milliseconds(longest), 110.0)
    yield row("600 VIPs: until the last one is announced", milliseconds(latest), 1000.0)
    yield row("600 VIPs: not announced", [hidden - count for count in told], 0, "addresses")


# --- floods -----------------------------------------------------------------------------------

def udp_frame(destination_mac, source, destination, port):
    payload = bytes(18)
    udp = struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, packed(source),
                         packed(destination))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return bytes.fromhex((destination_mac + FORGED_MAC).replace(":", "") + "0800") + header + udp


class Flood:
    """Frames from the observer for some seconds; tells how many a second the node's interface got."""

    def __init__(self, lan, node, frame, rate, seconds):
        self.node = node
        self.before = self._received()
        self.start = time.time()
        self.process = lan.observer.spawn(lan.lab.built("tests/lab/flood"), "eth0", frame.hex(), rate, seconds)

    def _received(self):
        return int(self.node.host.run("cat", "/sys/class/net/l0/statistics/rx_packets").stdout)

    def wait(self, seconds):
        wait_until(lambda: self.process.poll() is not None, "the flood is over", seconds + 30, 0.2)
        return (self._received() - self.before) / (time.time() - self.start)


def steadiness(lan, master, backup, since, interval):
    """(lateness of the latest advert in seconds, changes of state). The observer's own losses count
    as well: compare `sent` and `seen`."""
    adverts = lan.capture.adverts(source=master.address, since=since)
    changes = (instance(backup)["counters"]["become_master"] +
               instance(master)["counters"]["release_master"])
    return max(gaps(adverts)) - interval, changes


@dataclasses.dataclass
class FloodPlan:
    name: str
    make_frame: object  # of the node that is flooded
    rate: float         # frames a second at least; 0: all that the generator can
    overload: float = 0  # times what the workers take at least; 0: they shall take all
    hogged: float = 0    # share of the workers' CPU that is taken from them


def worker_frames(node):
    return sum(worker["received"] for worker in node.show("workers")["workers"])


def flood_rows(programs, plan, seconds):
    interval = 0.2
    service = """
[[virtual_server]]
address = "10.0.0.3"
port = 9
protocol = "UDP"
lvs_sched = "rr"
lvs_method = "DR"
real_server = [{ address = "10.0.0.7", port = 9 }]
"""
    with Lab(programs) as lab:
        lan = Lan(lab)
        # As deep as the receive queue of a card: what is lost there no program can save.
        backup, master = start_pair(lan, interval, more=service,
                                    vdev="net_af_packet0,iface=l0,framecnt=8192")
        before = steadiness(lan, master, backup, 0, interval)[1]
        sent = instance(master)["counters"]["advert_sent"]
        if plan.hogged:
            lab.spawn(sys.executable, ROOT / "tests/lab/hog.py", WORKER_CPU, plan.hogged, seconds)
        taken, start = worker_frames(master), time.time()
        got = Flood(lan, master, plan.make_frame(master), plan.rate, seconds).wait(seconds)
        took = (worker_frames(master) - taken) / (time.time() - start)
        late, changes = steadiness(lan, master, backup, start, interval)
        sent = instance(master)["counters"]["advert_sent"] - sent
        seen = len(lan.capture.adverts(source=master.address, since=start))
        ok = state(master) == "MASTER"
    name = plan.name
    # The generator's own pace is within a percent of what it was asked for.
    yield row_at_least(f"{name}: frames a second at the port", [round(got)], 0.99 * plan.rate, "1/s")
    if plan.overload:
        yield row_at_least(f"{name}: times what the workers took", [round(got / took, 1)],
                           plan.overload, "x")
    yield row(f"{name}: latest advert, each 0.2 s", milliseconds([late]), 20.0)
    yield row(f"{name}: adverts sent and not seen", [max(sent - seen, 0)], 0, "adverts")
    yield row(f"{name}: changes of state", [changes - before + (not ok)], 0, "changes")


def forged_rows(programs, seconds):
    frame = advert(source=FORGER, priority=250, interval=0.2, spoil_checksum=True)
    return flood_rows(programs, FloodPlan("forged adverts", lambda unused: frame, 100_000), seconds)


def overload_rows(programs, seconds):
    return flood_rows(programs, FloodPlan(
        "overload", lambda node: udp_frame(node.mac, "10.0.0.7", "10.0.0.3", 9), 0, overload=10,
        hogged=0.97), seconds)


# --- reloads ----------------------------------------------------------------------------------

def reload_rows(programs, count):
    interval = 0.2
    with Lab(programs) as lab:
        lan = Lan(lab)
        backup, master = start_pair(lan, interval)
        # Five at once, five because the other one yielded, five again later.
        wait_until(lambda: len(lan.capture.claims(address="10.0.0.3", mac=master.mac)) >= 15,
                   "all blocks of announcements are through")
        text = master.config.read_text()
        other = text.replace("[[dpdk.port]]", '[log]\nlevel = "warning"\n[[dpdk.port]]', 1)
        before = steadiness(lan, master, backup, 0, interval)[1]
        start, costs = time.time(), []
        for number in range(count):
            master.write_config(other if number % 2 else text)
            begin = time.time()
            master.pollux("reload")
            costs.append(time.time() - begin)
        late, changes = steadiness(lan, master, backup, start, interval)
        claims = len(lan.capture.claims(address="10.0.0.3", mac=master.mac, since=start))
        seconds = time.time() - start
        refreshes = int(seconds // 60) + 1
    name = f"{count} reloads"
    yield row(f"{name}: each", milliseconds([statistics.median(costs)]), NO_GOAL)
    yield row(f"{name}: longest gap between adverts, each 0.2 s", milliseconds([late + interval]),
              220.0)
    yield row(f"{name}: changes of state", [changes - before], 0, "changes")
    yield row(f"{name}: announcements beyond the refreshes", [max(claims - refreshes, 0)], 0,
              "frames")


# --- report -----------------------------------------------------------------------------------

PARTS = {
    "quiet": lambda arguments: quiet_rows(arguments.programs, arguments.runs),
    "fastest": lambda arguments: fastest_rows(arguments.programs, arguments.seconds),
    "crash": lambda arguments: crash_rows(arguments.programs, arguments.runs),
    "stop": lambda arguments: stop_rows(arguments.programs, arguments.runs),
    "addresses": lambda arguments: address_rows(arguments.programs, arguments.runs),
    "forged": lambda arguments: forged_rows(arguments.programs, arguments.seconds),
    "overload": lambda arguments: overload_rows(arguments.programs, arguments.seconds),
    "reloads": lambda arguments: reload_rows(arguments.programs, arguments.reloads),
}


def line(each):
    without = each["goal"] in (NO_GOAL, 0.0) and each["met"] and (each["at_least"] or each["goal"])
    goal = "-" if without else (">=" if each["at_least"] else "<=") + f"{each['goal']:g}"
    verdict = "" if without else "ok" if each["met"] else "MISSED"
    return (f"{each['figure']:58} {each['runs']:4} {each['median']:10g} {each['min']:10g} "
            f"{each['max']:10g} {goal:>9} {each['unit']:9} {verdict}")


def main():
    parser = argparse.ArgumentParser(prog="tools/dev bench vrrp")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=list(PARTS), action="append", help="this part only")
    parser.add_argument("--runs", type=int, default=7, help="of each failover")
    parser.add_argument("--seconds", type=float, default=60, help="of each flood")
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    heading = f"{'figure':58} {'runs':>4} {'median':>10} {'min':>10} {'max':>10} {'goal':>9} unit"
    return report(PARTS, arguments, heading, line)


if __name__ == "__main__":
    sys.exit(main())
