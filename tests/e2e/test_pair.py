# SPDX-License-Identifier: Apache-2.0
"""Two balancers in front of nginx by the shipped configurations, seen from the client."""

import time

from lab import wait_until
from pair import Download, Pair, RequestLoop, outage

VIP, SECOND_VIP = "192.168.10.10", "192.168.10.20"


def test_killed_master_costs_a_pause_but_no_request_and_no_download(lab):
    pair = Pair(lab, "vrrp-pair", [VIP]).start()
    pair.wait_settled({"VI_1": "lb1"})
    settled = time.time()
    requests = RequestLoop(pair, VIP)
    download = Download(pair, VIP, megabytes=40, seconds=6)
    wait_until(lambda: pair.reigns(settled), "the master that will be killed is heard")
    killed = pair.kill("lb1")
    pair.wait_settled({"VI_1": "lb2"})
    pair.nodes["lb1"].start()
    pair.wait_settled({"VI_1": "lb1"})
    size, _, connections = download.finish()
    results = requests.stop()
    assert (size, connections) == (download.size, 1)
    assert [each for each in results if not each["server"]] == []
    assert {each["server"] for each in results} == {"rs1", "rs2", "rs3"}
    # A SYN that nobody answers is repeated after 1 s, the second time after 3 s.
    assert outage(results, killed)[0] < 4
    reigns = pair.reigns(settled)
    assert [each.node for each in reigns] == ["lb1", "lb2", "lb1"]
    assert pair.counters("lb1")["split_brain"] == 0 and pair.counters("lb2")["split_brain"] == 0


def test_two_masters_share_the_work_and_the_survivor_takes_all(lab):
    pair = Pair(lab, "vrrp-dual-master", [VIP, SECOND_VIP]).start()
    pair.wait_settled({"VI_1": "lb1", "VI_2": "lb2"})
    settled = time.time()
    loops = [RequestLoop(pair, vip) for vip in (VIP, SECOND_VIP)]
    wait_until(lambda: len(pair.reigns(settled)) == 2, "both masters are heard")
    killed = pair.kill("lb2")
    pair.wait_settled({"VI_1": "lb1", "VI_2": "lb1"})
    pair.nodes["lb2"].start()
    pair.wait_settled({"VI_1": "lb1", "VI_2": "lb2"})
    untouched, moved = (loop.stop() for loop in loops)
    assert not [each for each in untouched + moved if not each["server"]]
    assert outage(untouched, killed)[0] < 1.0
    owners = {vrid: [each.node for each in pair.reigns(settled) if each.vrid == vrid]
              for vrid in (51, 52)}
    assert owners == {51: ["lb1"], 52: ["lb2", "lb1", "lb2"]}
