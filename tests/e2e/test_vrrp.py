# SPDX-License-Identifier: Apache-2.0
"""VRRP of polluxd alone and of two polluxd as a pair."""

import signal

import pytest
from faults import stopped_thread
from lab import wait_until
from vrrp_lab import Lan, gaps, instance, now, state, tap_holds, wait_state

FAST = {"version": 3, "advert": "200ms"}
SLACK = 1.0  # what a loaded machine may add


@pytest.fixture
def lan(lab):
    return Lan(lab)


def start_pair(lan, **options):
    """Two nodes, the first with the higher priority and MASTER."""
    second = lan.pollux("b", priority=100, **{**FAST, **options})
    first = lan.pollux("a", priority=150, **{**FAST, **options})
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
    return first, second


def test_alone_it_becomes_master_after_the_dead_time(lan):
    node = lan.pollux("a")
    wait_state(node, "MASTER")
    adverts = wait_until(lambda: (found := lan.capture.adverts(source="10.0.0.5"))[3:] and found,
                         "four adverts")
    assert all(advert.priority == 100 and advert.version == 2 for advert in adverts)
    assert all(abs(gap - 1.0) < 0.3 for gap in gaps(adverts)), gaps(adverts)
    wait_until(lambda: tap_holds(node, "10.0.0.3"), "the kernel has the address")
    assert lan.observer.ping("10.0.0.3")
    claims = lan.capture.claims(address="10.0.0.3", mac=node.mac)
    assert len(claims) >= 5
    assert claims[0].time >= adverts[0].time


def test_killed_master_is_replaced_and_takes_its_place_again(lan):
    first, second = start_pair(lan)
    start = now()
    first.stop(signal.SIGKILL)
    wait_state(second, "MASTER")
    last = [each for each in lan.capture.adverts(source=first.address)][-1]
    taken = lan.capture.adverts(source=second.address, since=start)[0]
    dead_time = 0.6 + 0.2 * 156 / 256
    assert dead_time - 0.1 < taken.time - last.time < dead_time + SLACK
    assert not tap_holds(first, "10.0.0.3")
    wait_until(lambda: tap_holds(second, "10.0.0.3"), "the kernel has the address")
    first.start()
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
    wait_until(lambda: not tap_holds(second, "10.0.0.3"), "the second gives the address up")
    line = next(line for line in reversed(second.log.read_text().splitlines())
                if "vrrp transition" in line)
    for part in ("MASTER", "BACKUP", "higher priority master", first.address):
        assert part in line, line


def test_step_down_and_announce_are_the_operators(lan):
    first, second = start_pair(lan)
    before = len(lan.capture.claims(address="10.0.0.3", mac=first.mac))
    first.pollux("vrrp", "garp", "VI_1")
    wait_until(lambda: len(lan.capture.claims(address="10.0.0.3", mac=first.mac)) >= before + 5,
               "five more announcements")
    first.pollux("vrrp", "step-down", "VI_1")
    wait_state(first, "BACKUP")
    wait_state(second, "MASTER")
    assert instance(first)["cause"] == "step-down"
    heard = instance(first)["counters"]["advert_rcvd"]
    wait_until(lambda: instance(first)["counters"]["advert_rcvd"] >= heard + 10, "ten adverts")
    assert state(first) == "BACKUP"
    for command in ("garp", "step-down"):
        refused = first.pollux("vrrp", command, "VI_1", check=False)
        assert refused.returncode != 0 and "not MASTER" in refused.stderr
        unknown = first.pollux("vrrp", command, "VI_9", check=False)
        assert unknown.returncode != 0 and "VI_9" in unknown.stderr


SECOND = """
[[vrrp_instance]]
name = "VI_2"
state = "BACKUP"
interface = "wan"
virtual_router_id = 52
priority = {priority}
advert_int = "200ms"
version = 3
virtual_ipaddress = [{{ address = "10.0.0.4" }}]
"""


def test_two_instances_are_two_masters_and_the_survivor_takes_both(lan):
    first = lan.pollux("a", priority=150, more=SECOND.format(priority=100), **FAST)
    second = lan.pollux("b", priority=100, more=SECOND.format(priority=150), **FAST)
    wait_state(first, "MASTER")
    wait_state(second, "MASTER", "VI_2")
    wait_state(first, "BACKUP", "VI_2")
    wait_state(second, "BACKUP")
    first.stop(signal.SIGKILL)
    wait_state(second, "MASTER")
    assert state(second, "VI_2") == "MASTER"
    wait_until(lambda: tap_holds(second, "10.0.0.3") and tap_holds(second, "10.0.0.4"),
               "the kernel has both addresses")
    first.start()
    wait_state(first, "MASTER")
    wait_state(first, "BACKUP", "VI_2")
    wait_state(second, "BACKUP")


GROUP = '\n[[vrrp_sync_group]]\nname = "G"\ngroup = ["VI_1", "VI_2"]\n'


def test_sync_group_moves_as_one(lan):
    more = SECOND.format(priority=150) + '\n'
    first = lan.pollux("a", priority=150, more=more + GROUP, **FAST)
    second = lan.pollux("b", priority=100, more=SECOND.format(priority=100) + GROUP, **FAST)
    for name in ("VI_1", "VI_2"):
        wait_state(first, "MASTER", name)
        wait_state(second, "BACKUP", name)
    first.pollux("vrrp", "step-down", "VI_2")
    for name in ("VI_1", "VI_2"):
        wait_state(first, "BACKUP", name)
        wait_state(second, "MASTER", name)


def test_both_checksum_forms_are_heard_and_the_peers_is_followed(lan):
    first = lan.pollux("a", priority=150, instance='checksum_v3_ipv4 = "rfc9568"', **FAST)
    second = lan.pollux("b", priority=100, **FAST)
    wait_state(first, "MASTER")
    wait_until(lambda: instance(second)["counters"]["checksum_rfc9568_rcvd"] > 3, "adverts heard")
    assert state(second) == "BACKUP"
    first.stop()
    wait_state(second, "MASTER")
    first.start()
    wait_state(first, "MASTER")
    counters = instance(first)["counters"]
    assert counters["checksum_pseudo_header_rcvd"] == 0


def test_reload_moves_nobody_and_announces_only_what_is_new(lan):
    first, second = start_pair(lan)
    wait_until(lambda: len(lan.capture.claims(address="10.0.0.3", mac=first.mac)) >= 10,
               "both blocks of announcements are through")
    text = first.config.read_text()
    start = now()
    first.write_config(text.replace('{ address = "10.0.0.3" },',
                                    '{ address = "10.0.0.3" }, { address = "10.0.0.33" },'))
    first.reload()
    wait_until(lambda: lan.capture.claims(address="10.0.0.33", since=start), "the new one")
    wait_until(lambda: tap_holds(first, "10.0.0.33"), "the new address is on the TAP")
    assert state(first) == "MASTER" and state(second) == "BACKUP"
    assert not lan.capture.claims(address="10.0.0.3", since=start)
    first.write_config(text)
    first.reload()
    wait_until(lambda: not tap_holds(first, "10.0.0.33"), "the address is gone")
    assert state(first) == "MASTER" and state(second) == "BACKUP"
    assert instance(second)["counters"]["become_master"] <= 1


def test_reload_takes_an_instance_away_and_brings_it_back(lan):
    first, second = start_pair(lan)
    text = first.config.read_text()
    at = text.index("[[vrrp_instance]]")
    first.write_config(text[:at])
    first.reload()
    wait_state(second, "MASTER")
    wait_until(lambda: not tap_holds(first, "10.0.0.3"), "the address is gone")
    assert first.show("vrrp")["instances"] == []
    first.write_config(text)
    first.reload()
    wait_until(lambda: first.show("vrrp")["instances"], "the instance is back")
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")


def test_missing_address_of_the_port_is_a_fault_by_name(lan):
    node = lan.pollux("a", address="fd00::5/64", **FAST)
    wait_state(node, "FAULT")
    assert instance(node)["faults"] == ["no address"]
    node.host.ip("addr", "add", "10.0.0.5/24", "dev", "wan")
    wait_state(node, "MASTER")


def test_worker_that_stands_still_is_a_fault(lan):
    """Decision D13: a live control core over a dead data plane must not advertise."""
    first, second = start_pair(lan)
    with stopped_thread(first.process.pid, "pollux-w0"):
        wait_state(second, "MASTER")
        assert state(first) == "FAULT" and instance(first)["faults"] == ["worker stalled"]
        wait_until(lambda: not tap_holds(first, "10.0.0.3"), "the address is gone")
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
