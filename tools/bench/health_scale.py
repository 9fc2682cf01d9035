#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of the health checks: many checks beside VRRP, and many servers that die at once.

    sudo POLLUX_BIN=build/bin tools/bench/health_scale.py [--checks 10000] [--seconds 30]

One polluxd in a network namespace checks N real servers (addresses of one host with nginx) with
TCP_CHECK, one try a second each, and advertises a virtual router every 200 ms. An observer records
the adverts. Then 1,000 servers stop answering at once. Prints one JSON object.
"""

import argparse
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "lab"))

from health_lab import HEAD  # noqa: E402
from lab import Lab, Nginx, Polluxd, wait_until  # noqa: E402
from vrrp_lab import Capture, gaps  # noqa: E402

ADVERT = 0.2
DYING = 1000
SERVERS_PER_SERVICE = 100
TIMING = 'delay_loop = "1s"\nconnect_timeout = "500ms"\nretry = 1\ndelay_before_retry = "500ms"\n'


def address(number):
    return f"10.77.{number // 250}.{number % 250 + 1}"


def config(lab, checks):
    text = [HEAD.format(prefix=lab.prefix), """
[log]
level = "warning"
[conntrack]
max_services = 1024
[[dpdk.port]]
name = "lan"
vdev = "net_tap0,iface=dtap0,mac=02:00:00:00:00:05"
address = ["10.0.0.5/24"]
[[route]]
to = "10.77.0.0/16"
via = "10.0.0.9"
[[vrrp_instance]]
name = "VI_1"
state = "BACKUP"
interface = "lan"
virtual_router_id = 51
priority = 100
version = 3
advert_int = "200ms"
virtual_ipaddress = [{ address = "10.0.0.3" }]
"""]
    for first in range(0, checks, SERVERS_PER_SERVICE):
        text.append(f'[[virtual_server]]\naddress = "10.0.0.3"\nport = {1000 + first // 100}\n'
                    f'protocol = "TCP"\nlvs_sched = "wlc"\nlvs_method = "NAT"\n{TIMING}')
        for number in range(first, min(first + SERVERS_PER_SERVICE, checks)):
            text.append(f'[[virtual_server.real_server]]\naddress = "{address(number)}"\nport = 80\n'
                        '[[virtual_server.real_server.check]]\ntype = "TCP_CHECK"\n')
    return "\n".join(text)


def loop(polluxd):
    return polluxd.show("status")["loop"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checks", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    with Lab() as lab:
        switch = lab.switch()
        observer, host = lab.host("observer"), lab.host("servers")
        switch.connect(observer, addresses=["10.0.0.7/24"])
        switch.connect(host, addresses=["10.0.0.9/24"])
        host.ip("route", "add", "local", "10.77.0.0/16", "dev", "lo")
        Nginx(host)
        capture = Capture(observer)
        polluxd = Polluxd(lab, "lb1", config(lab, options.checks), {"dtap0": switch})

        def up_and_running():
            first = polluxd.pollux("show", "checks", "--limit", 100000, "--json")
            rows = json.loads(first.stdout)["data"]["checks"]
            return all(row["decided"] for row in rows) and len(rows) == options.checks

        wait_until(up_and_running, "all checks have a verdict", 60)
        time.sleep(1)
        begin, tries = time.time(), polluxd.show("checks")
        time.sleep(options.seconds)
        end = time.time()
        after = polluxd.show("checks")
        adverts = [advert for advert in capture.adverts(since=begin) if advert.time <= end]
        done = sum(row["tries"] for row in after["checks"]) - sum(row["tries"]
                                                                 for row in tries["checks"])
        result = {
            "checks": options.checks,
            "tries_per_second": round(done / (end - begin) * options.checks / len(tries["checks"])),
            "late_tries": after["late_tries"] - tries["late_tries"],
            "adverts": len(adverts), "longest_advert_gap_intervals": max(gaps(adverts)) / ADVERT,
            "loop": loop(polluxd),
        }
        known = polluxd.show("events")["total"]
        # Nobody has died so far: what is more than a handful are tries that this machine starved.
        result["state_changes_before_deaths"] = known
        host.run("nft", "add table ip guard; add chain ip guard in "
                 "{ type filter hook input priority 0; }; add rule ip guard in ip daddr "
                 f"10.77.0.0-{address(DYING - 1)} drop")
        died = time.time()
        # One event a server, and one for each service that has lost all of its servers.
        wanted = known + DYING + DYING // SERVERS_PER_SERVICE
        wait_until(lambda: polluxd.show("events")["total"] >= wanted, "all deaths are found", 60)
        result["dead_at_once"] = DYING
        result["detection_seconds"] = round(time.time() - died, 2)
        result["detection_bound_seconds"] = 1.0 + 0.5 + 0.5
        time.sleep(2)
        adverts = capture.adverts(since=died)
        result["longest_advert_gap_intervals_meanwhile"] = max(gaps(adverts)) / ADVERT
        result["loop_after"] = loop(polluxd)
        print(json.dumps(result, indent=2))


main()
