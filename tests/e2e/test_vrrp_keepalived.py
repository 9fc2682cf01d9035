# SPDX-License-Identifier: Apache-2.0
"""polluxd and Debian's keepalived as one virtual router, in both roles."""

import dataclasses
import signal

import pytest
from forge import Forger, advert
from lab import wait_until
from vrrp_lab import Lan, gaps, instance, now, state, tap_holds, wait_state

SLACK = 1.0  # what a loaded machine may add to a takeover; the measured figures are in docs/vrrp.md


@pytest.fixture
def lan(lab):
    return Lan(lab)


@dataclasses.dataclass
class Dialect:
    """How both ends speak: keys of pollux_config and of keepalived_config."""
    pollux: dict
    keepalived: dict
    interval: float = 0.2
    ipv6: bool = False
    hub: bool = False
    vip: str = "10.0.0.3"

    def skew(self, priority):
        unit = 1.0 if self.pollux["version"] == 2 else self.interval
        return unit * (256 - priority) / 256

    def dead_time(self, priority):
        return 3 * self.interval + self.skew(priority)


V2 = Dialect({"version": 2, "advert": "1s"}, {"version": 2, "advert": 1}, interval=1.0)
V3 = {"version": 3, "advert": "200ms"}, {"version": 3, "advert": 0.2}
PASS_POLLUX = '[vrrp_instance.authentication]\ntype = "PASS"\npassword = "s3cret"\n'
PASS_KEEPALIVED = "    authentication {\n auth_type PASS\n auth_pass s3cret\n }\n"

DIALECTS = {
    "v2": V2,
    "v2-pass": Dialect({**V2.pollux, "instance": PASS_POLLUX},
                       {**V2.keepalived, "instance": PASS_KEEPALIVED}, interval=1.0),
    "v3-ipv4": Dialect(*V3),
    "v3-ipv6": Dialect({**V3[0], "vips": ("fe80::3", "fd00::3"),
                        "address": "fd00::5/64,fe80::5/64"},
                       {**V3[1], "vips": ("fe80::3", "fd00::3"), "address": "fd00::6/64"},
                       ipv6=True, vip="fd00::3"),
    "v3-unicast": Dialect({**V3[0], "instance": 'unicast_peer = ["10.0.0.6"]'},
                          {**V3[1], "instance": "    unicast_peer {\n 10.0.0.5\n }\n"},
                          hub=True),
}


@pytest.fixture(params=DIALECTS, ids=str)
def dialect(request):
    return DIALECTS[request.param]


def start_pair(lab, dialect, *, pollux, keepalived, more_pollux="", more_keepalived=""):
    """Both nodes with these priorities; extra lines of the instance for either. The better one
    comes second and preempts."""
    lan = Lan(lab, ipv6=dialect.ipv6, hub=dialect.hub)
    theirs = dict(dialect.keepalived)
    theirs["instance"] = theirs.get("instance", "") + more_keepalived
    ours = dict(dialect.pollux)
    ours["instance"] = more_pollux + "\n" + ours.get("instance", "")
    if "nopreempt" in more_pollux:
        node = lan.pollux("px", priority=pollux, **ours)
        wait_state(node, "MASTER")
        return lan, node, lan.keepalived("ka", priority=keepalived, **theirs)
    peer = lan.keepalived("ka", priority=keepalived, **theirs)
    node = lan.pollux("px", priority=pollux, **ours)
    return lan, node, peer


def wait_owner(owner, other, vip):
    """One holds the address in its kernel and the other does not."""
    def settled():
        mine, yours = ((node.holds(vip) if hasattr(node, "holds") else tap_holds(node, vip))
                       for node in (owner, other))
        return mine and not yours
    wait_until(settled, f"{vip} is on one node only", deadline=20)


def last_advert(lan, mac, before):
    return [each for each in lan.capture.adverts() if each.mac == mac and each.time < before][-1]


def first_advert(lan, mac, since):
    def found():
        return [each for each in lan.capture.adverts(since=since)
                if each.mac == mac and each.priority > 0]
    return wait_until(found, f"an advert from {mac}", deadline=20)[0]


def test_polluxd_rules_and_keepalived_takes_over(lab, dialect):
    """Higher priority: preempts; SIGTERM hands over within the skew; kill -9 leaves no address."""
    lan, node, peer = start_pair(lab, dialect, pollux=150, keepalived=100)
    wait_state(node, "MASTER")
    wait_owner(node, peer, dialect.vip)
    assert lan.observer.ping(dialect.vip)
    start = now()
    assert node.stop() == 0
    release = wait_until(lambda: [each for each in lan.capture.adverts(since=start)
                                  if each.mac == node.mac and each.priority == 0], "priority 0")[0]
    taken = first_advert(lan, peer.mac, start)
    assert taken.time - release.time < dialect.skew(100) + SLACK
    wait_owner(peer, node, dialect.vip)

    node.start()
    wait_state(node, "MASTER")
    wait_owner(node, peer, dialect.vip)
    start = now()
    node.stop(signal.SIGKILL)
    assert not tap_holds(node, dialect.vip)
    last = last_advert(lan, node.mac, now())
    taken = first_advert(lan, peer.mac, start)
    assert taken.time - last.time < dialect.dead_time(100) + SLACK
    assert all(each.priority > 0 for each in lan.capture.adverts(since=start)
               if each.mac == node.mac)


def test_keepalived_rules_and_polluxd_takes_over(lab, dialect):
    lan, node, peer = start_pair(lab, dialect, pollux=50, keepalived=100)
    wait_until(lambda: peer.holds(dialect.vip), "keepalived is MASTER")
    wait_until(lambda: (instance(node)["master"] or {}).get("priority") == 100,
               "polluxd hears keepalived")
    assert state(node) == "BACKUP" and not tap_holds(node, dialect.vip)
    assert instance(node)["mismatches"] == []
    start = now()
    peer.stop()
    taken = first_advert(lan, node.mac, start)
    release = [each for each in lan.capture.adverts(since=start) if each.priority == 0][0]
    assert taken.time - release.time < dialect.skew(50) + SLACK
    wait_owner(node, peer, dialect.vip)
    assert lan.capture.claims(address=dialect.vip, mac=node.mac, since=taken.time)

    peer.start()
    wait_state(node, "BACKUP")
    wait_owner(peer, node, dialect.vip)
    assert instance(node)["cause"] == "higher priority master"
    start = now()
    peer.crash()
    last = last_advert(lan, peer.mac, now())
    taken = first_advert(lan, node.mac, start)
    assert taken.time - last.time < dialect.dead_time(50) + SLACK
    assert taken.time - last.time > dialect.dead_time(50) - 0.1
    # keepalived's own leftover is why its address does not count here.
    wait_until(lambda: tap_holds(node, dialect.vip), "the kernel has the address")


def test_nopreempt_leaves_the_address_where_it_is(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=100,
                                 more_pollux="nopreempt = true")
    wait_owner(node, peer, "10.0.0.3")
    node.stop()
    wait_owner(peer, node, "10.0.0.3")
    node.start()
    wait_until(lambda: instance(node)["counters"]["advert_rcvd"] >= 10, "ten adverts are heard")
    assert state(node) == "BACKUP"
    assert instance(node)["counters"]["become_master"] == 0
    peer.stop()
    wait_owner(node, peer, "10.0.0.3")


def test_keepalived_nopreempt_leaves_it_to_polluxd(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=50, keepalived=100,
                                 more_keepalived="    nopreempt\n")
    wait_owner(peer, node, "10.0.0.3")
    peer.stop()
    wait_owner(node, peer, "10.0.0.3")
    peer.start()
    sent = instance(node)["counters"]["advert_sent"]
    wait_until(lambda: instance(node)["counters"]["advert_sent"] >= sent + 15, "more adverts")
    assert state(node) == "MASTER" and not peer.holds("10.0.0.3")


def test_preempt_delay_waits_and_then_takes(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=100,
                                 more_pollux='preempt_delay = "2s"')
    first = wait_until(lambda: lan.capture.adverts(source=peer.address), "keepalived's adverts")[0]
    wait_owner(node, peer, "10.0.0.3")
    taken = lan.capture.adverts(source=node.address)[0]
    started = next(each.time for each in lan.capture.adverts(source=peer.address))
    assert taken.time - max(first.time, started) >= 1.5


def test_frozen_polluxd_comes_back_as_backup_and_says_nothing(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=100,
                                 more_pollux="nopreempt = true")
    wait_owner(node, peer, "10.0.0.3")
    node.process.send_signal(signal.SIGSTOP)
    frozen = now()
    taken = first_advert(lan, peer.mac, frozen)
    node.process.send_signal(signal.SIGCONT)
    wait_state(node, "BACKUP")
    assert instance(node)["cause"] == "stalled"
    assert not [each for each in lan.capture.adverts(source=node.address, since=taken.time)]
    assert not lan.capture.claims(mac=node.mac, since=taken.time)
    wait_until(lambda: not tap_holds(node, "10.0.0.3"), "the address is gone")


def test_frozen_keepalived_is_replaced_and_told_of_at_its_return(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=200)
    wait_owner(peer, node, "10.0.0.3")
    peer.signal_vrrp("STOP")
    wait_state(node, "MASTER")
    peer.signal_vrrp("CONT")
    wait_state(node, "BACKUP")
    wait_owner(peer, node, "10.0.0.3")


def test_cut_link_is_a_fault_and_the_peer_takes_over(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=100)
    wait_owner(node, peer, "10.0.0.3")
    lan.cut(node)
    wait_state(node, "FAULT")
    assert instance(node)["faults"] == ["interface down"]
    wait_owner(peer, node, "10.0.0.3")
    lan.mend(node)
    wait_owner(node, peer, "10.0.0.3")


def test_polluxd_takes_over_from_a_keepalived_without_a_link(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=100, keepalived=150)
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived is MASTER")
    wait_until(lambda: (instance(node)["master"] or {}).get("priority") == 150, "polluxd hears it")
    lan.cut(peer)
    wait_state(node, "MASTER")
    wait_owner(node, peer, "10.0.0.3")
    lan.mend(peer)
    wait_state(node, "BACKUP")
    wait_owner(peer, node, "10.0.0.3")


def test_healed_partition_has_one_master_that_announces_again(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=100)
    wait_owner(node, peer, "10.0.0.3")
    lan.isolate(node)
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived takes over")
    assert state(node) == "MASTER"
    healed = now()
    lan.heal(node)
    wait_owner(node, peer, "10.0.0.3")
    # Whether polluxd hears the loser once more is a matter of who speaks first; when it does, the
    # addresses are announced again.
    if instance(node)["counters"]["other_master"]:
        wait_until(lambda: lan.capture.claims(address="10.0.0.3", mac=node.mac, since=healed),
                   "the winner announces")


def test_partition_with_the_better_peer_ends_with_its_rule(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=100, keepalived=150)
    wait_owner(peer, node, "10.0.0.3")
    lan.isolate(node)
    wait_state(node, "MASTER")
    lan.heal(node)
    wait_state(node, "BACKUP")
    # The yielding node's last advert makes keepalived announce, whoever spoke first.
    healed = now()
    wait_until(lambda: lan.capture.claims(address="10.0.0.3", mac=peer.mac, since=healed - 1),
               "keepalived announces again")
    wait_owner(peer, node, "10.0.0.3")


def test_virtual_mac_moves_between_both(lan):
    """use_vmac on both sides. keepalived's node answers ARP with the physical MAC, too, so only
    what polluxd's neighbours learn is a matter of this test."""
    vmac = "00:00:5e:00:01:33"
    peer = lan.keepalived("ka", priority=150, version=3, advert=0.2, instance="    use_vmac\n")
    node = lan.pollux("px", priority=100, version=3, advert="200ms", instance="use_vmac = true")
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived is MASTER")
    wait_state(node, "BACKUP")
    peer.stop()
    wait_state(node, "MASTER")
    assert lan.observer.ping("10.0.0.3")
    assert lan.observer.ip("neigh", "show", "10.0.0.3").stdout.split()[4] == vmac
    peer.start()
    wait_state(node, "BACKUP")
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived has it again")
    assert {each.mac for each in lan.capture.adverts()} == {vmac}


def test_keepalived_is_told_apart_by_its_addresses(lab):
    """Version 3 tolerates another list (RFC 9568 section 7.1) and names both."""
    lan = Lan(lab)
    peer = lan.keepalived("ka", priority=150, version=3, advert=0.2, vips=("10.0.0.30",))
    node = lan.pollux("px", priority=100, version=3, advert="200ms")
    wait_until(lambda: instance(node)["mismatches"], "a mismatch is seen")
    assert state(node) == "BACKUP"
    (seen,) = instance(node)["mismatches"]
    assert (seen["what"], seen["ours"], seen["theirs"]) == ("addresses", "10.0.0.3", "10.0.0.30")
    assert seen["peer"] == peer.address
    assert "vrrp mismatch" in node.log.read_text()


OTHER_PASS = PASS_KEEPALIVED.replace("s3cret", "other")
MISMATCHES = {
    "version": ({"version": 3}, "", "2", "3"),
    "auth type": ({"version": 2, "instance": PASS_KEEPALIVED}, "", "none", "PASS"),
    "password": ({"version": 2, "instance": OTHER_PASS}, PASS_POLLUX, "(configured)", "(another)"),
    "advert interval": ({"version": 2, "advert": 2}, "", "1000ms", "2000ms"),
    "addresses": ({"version": 2, "vips": ("10.0.0.30",)}, "", "10.0.0.3", "10.0.0.30"),
}


@pytest.mark.parametrize("what", MISMATCHES)
def test_version_2_mismatches_are_named_with_both_values(lan, what):
    theirs, ours, our_value, their_value = MISMATCHES[what]
    lan.keepalived("ka", priority=150, **theirs)
    node = lan.pollux("px", priority=100, instance=ours)

    def named():
        return [each for each in instance(node)["mismatches"] if each["what"] == what]
    seen = wait_until(named, f"a mismatch of {what}", deadline=30)[0]
    assert (seen["ours"], seen["theirs"]) == (our_value, their_value)
    text = node.pollux("show", "vrrp").stdout
    assert what in text and our_value in text and their_value in text


def test_equal_priorities_are_elected_by_the_address_and_named(lab):
    """keepalived at 10.0.0.6 has the higher address: it keeps the role after a partition."""
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=100, keepalived=100)
    lan.isolate(node)
    wait_state(node, "MASTER")
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived is MASTER, too")
    lan.heal(node)
    wait_state(node, "BACKUP")
    assert instance(node)["cause"] == "equal priority master with higher address"
    assert "equal priority" in [each["what"] for each in instance(node)["mismatches"]]
    wait_owner(peer, node, "10.0.0.3")


def forge_rejected_adverts(lan):
    frame = advert(source="10.0.0.9", priority=250, interval=0.2, spoil_checksum=True)
    return Forger(lan.observer).keep_sending(frame, 0.1)


def test_forged_adverts_do_not_starve_polluxd_beside_keepalived(lab):
    """keepalived starts its timer anew with each packet that it rejects: it would be silent here."""
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=150, keepalived=100)
    wait_state(node, "MASTER")
    wait_owner(node, peer, "10.0.0.3")
    start = now()
    rival = forge_rejected_adverts(lan)
    adverts = wait_until(lambda: (found := lan.capture.adverts(source=node.address, since=start))[15:]
                         and found, "fifteen adverts")
    lan.lab.end(rival)
    assert max(gaps(adverts)) < 0.4, gaps(adverts)
    assert instance(node)["counters"]["chk_err"] >= 10
    assert not [each for each in lan.capture.adverts(since=start) if each.mac == peer.mac]
    assert instance(node)["counters"]["become_master"] == 1


def test_polluxd_takes_over_from_a_keepalived_that_forged_adverts_starve(lab):
    lan, node, peer = start_pair(lab, DIALECTS["v3-ipv4"], pollux=100, keepalived=150)
    wait_until(lambda: peer.holds("10.0.0.3"), "keepalived is MASTER")
    wait_until(lambda: (instance(node)["master"] or {}).get("priority") == 150, "polluxd hears it")
    rival = forge_rejected_adverts(lan)
    wait_until(lambda: instance(node)["counters"]["become_master"] >= 1, "polluxd has taken over")
    lan.lab.end(rival)
    wait_state(node, "BACKUP")
    wait_owner(peer, node, "10.0.0.3")


def test_stranger_on_the_lan_is_listed(lan):
    lan.keepalived("ka", vrid=77, priority=150, version=3, advert=0.2, vips=("10.0.0.77",))
    node = lan.pollux("px", version=3, advert="200ms")
    (stranger,) = wait_until(lambda: node.show("vrrp")["strangers"], "the stranger is heard")
    assert stranger["virtual_router_id"] == 77 and stranger["addresses"] == ["10.0.0.77"]
    wait_state(node, "MASTER")
    assert all(gap < 0.6 for gap in gaps(lan.capture.adverts(source=node.address)))
