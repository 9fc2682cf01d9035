# SPDX-License-Identifier: Apache-2.0
"""Virtual addresses while MASTER and after: in the kernel, in ARP and ND."""

import signal

import pytest
from lab import wait_until
from vrrp_lab import (INSIDE_PORT, Lan, arp_answer, gaps, instance, now, plug_in, tap_holds,
                      wait_state)

FAST = {"version": 3, "advert": "200ms"}


@pytest.fixture
def lan(lab):
    return Lan(lab)


def kernel_line(node, address):
    """The line of `ip -o addr` about the address."""
    lines = node.host.ip("-o", "addr", "show").stdout.splitlines()
    return next(line for line in lines if f" {address}/" in line)


FULL = """virtual_ipaddress_excluded = [
    { address = "10.0.0.44", dev = "wan" }, { address = "fd00::44", dev = "wan" } ]
virtual_route = [
    { to = "192.0.2.0/24", via = "10.0.0.7", src = "10.0.8.3", metric = 5, table = 77 },
    { to = "198.51.100.0/24", via = "10.0.0.7" } ]
virtual_rule = [ { from = "10.0.8.3", table = 77, priority = 1234 } ]
"""
LABELLED = ('{ address = "10.0.8.3/24", label = "wan:vip", broadcast = "10.0.8.255", '
            'scope = "link", no_prefix_route = true }')


def test_kernel_gets_addresses_routes_and_rules_and_loses_them(lan):
    node = lan.pollux("a", vips=(LABELLED,), instance=FULL, **FAST)
    wait_state(node, "MASTER")
    wait_until(lambda: tap_holds(node, "fd00::44"), "the last address is there")
    line = kernel_line(node, "10.0.8.3")
    for part in ("10.0.8.3/24", "brd 10.0.8.255", "scope link", "wan:vip", "noprefixroute"):
        assert part in line, line
    assert tap_holds(node, "10.0.0.44")

    def routes():
        return (node.host.ip("route", "show", "table", "77", check=False).stdout,
                node.host.ip("route", "show").stdout, node.host.ip("rule", "show").stdout)
    wait_until(lambda: "1234:" in routes()[2], "routes and rules are there")
    own, main, rules = routes()
    assert "192.0.2.0/24 via 10.0.0.7" in own and "src 10.0.8.3" in own and "metric 5" in own
    assert "198.51.100.0/24 via 10.0.0.7" in main
    assert "from 10.0.8.3 lookup 77" in rules
    # The excluded ones are announced and answered for, but not in the adverts.
    wait_until(lambda: lan.capture.claims(address="10.0.0.44"), "the excluded one is announced")
    assert lan.capture.adverts()[-1].count == 1

    lan.cut(node)
    wait_state(node, "FAULT")
    wait_until(lambda: not any(tap_holds(node, address)
                               for address in ("10.0.8.3", "10.0.0.44", "fd00::44")),
               "the addresses are gone")
    own, main, rules = routes()
    assert own == "" and "198.51.100.0" not in main and "1234:" not in rules

    lan.mend(node)
    wait_until(lambda: "1234:" in routes()[2], "routes and rules are there again")
    node.stop()  # the kernel would keep a rule for ever
    assert "1234:" not in routes()[2]


def test_only_a_master_answers_arp(lan):
    first = lan.pollux("a", priority=150, **FAST)
    second = lan.pollux("b", priority=100, **FAST)
    wait_state(first, "MASTER")
    wait_state(second, "BACKUP")
    assert arp_answer(lan, "10.0.0.3") == first.mac
    assert arp_answer(lan, second.address) == second.mac  # a BACKUP is a host all the same
    first.pollux("vrrp", "step-down", "VI_1")
    wait_state(second, "MASTER")
    assert arp_answer(lan, "10.0.0.3") == second.mac
    second.stop(signal.SIGKILL)
    first.stop()
    assert arp_answer(lan, "10.0.0.3") == ""


def test_own_address_of_a_port_is_announced_when_its_link_comes_up(lan):
    node = lan.pollux("a", **FAST)
    wait_until(lambda: lan.capture.claims(address=node.address), "announced at the start")
    wait_state(node, "MASTER")
    lan.cut(node)
    wait_state(node, "FAULT")
    cut = now()
    lan.mend(node)
    wait_until(lambda: lan.capture.claims(address=node.address, since=cut), "and with the link")


def test_address_lives_on_another_port_than_the_adverts(lan):
    inside = lan.lab.switch("inside")
    station = lan.lab.host("station")
    inside.connect(station, addresses=["10.1.0.7/24"])
    node = lan.pollux("a", before=INSIDE_PORT, wait=False,
                      vips=('{ address = "10.1.0.3", dev = "lan" }',), **FAST)
    plug_in(inside, node, "l1", "02:00:00:00:01:05")
    node.start()
    wait_state(node, "MASTER")
    assert station.ping("10.1.0.3")
    assert station.ip("neigh", "show", "10.1.0.3").stdout.split()[4] == "02:00:00:00:01:05"
    assert lan.capture.adverts(source=node.address)
    assert not lan.capture.claims(address="10.1.0.3")
    assert arp_answer(lan, "10.1.0.3") == ""


def test_without_accept_the_address_answers_arp_and_nothing_else(lan):
    node = lan.pollux("a", instance="accept = false", **FAST)
    wait_state(node, "MASTER")
    assert arp_answer(lan, "10.0.0.3") == node.mac
    assert not lan.observer.ping("10.0.0.3", deadline=2)
    assert lan.observer.ping(node.address)
    assert not tap_holds(node, "10.0.0.3")


def test_without_accept_neighbour_discovery_is_answered_all_the_same(lab):
    lan = Lan(lab, ipv6=True)
    node = lan.pollux("a", address="fd00::5/64", vips=("fe80::33", "fd00::3"),
                      instance="accept = false", **FAST)
    wait_state(node, "MASTER")
    assert not lan.observer.ping("fd00::3", deadline=2)
    assert lan.observer.ip("-6", "neigh", "show", "fd00::3").stdout.split()[4] == node.mac
    assert lan.observer.ping("fd00::5")
    assert not tap_holds(node, "fd00::3")


def many_addresses(count):
    return [f"10.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


def test_hundreds_of_addresses_do_not_delay_adverts(lan):
    """Finding: keepalived's announcements of 200 addresses held its adverts up for three seconds."""
    extra = many_addresses(580)
    listed = ",\n".join(f'{{ address = "{address}" }}' for address in extra)
    node = lan.pollux("a", vips=[f"10.0.0.{number}" for number in range(100, 120)],
                      instance=f"virtual_ipaddress_excluded = [\n{listed} ]", **FAST)
    wait_state(node, "MASTER", deadline=30)
    adverts = wait_until(lambda: (found := lan.capture.adverts(source=node.address))[25:] and found,
                         "25 adverts", deadline=30)
    wait_until(lambda: len({claim.address for claim in lan.capture.claims(mac=node.mac)
                            if claim.address != node.address}) == 600, "all are announced", 30)
    first = {}
    for claim in lan.capture.claims(mac=node.mac):
        first.setdefault(claim.address, claim.time)
    assert max(first[address] for address in extra) - adverts[0].time < 2.0
    assert max(gaps(adverts)) < 0.5, gaps(adverts)
    wait_until(lambda: node.host.ip("-o", "-4", "addr", "show", "dev", "wan").stdout.count("\n")
               == 601, "the kernel has all")
    start = now()
    node.pollux("vrrp", "step-down", "VI_1")
    released = wait_until(lambda: [each for each in lan.capture.adverts(since=start)
                                   if each.priority == 0], "priority 0")
    assert released[0].time - start < 1.0
    assert instance(node)["counters"]["stall"] == 0
