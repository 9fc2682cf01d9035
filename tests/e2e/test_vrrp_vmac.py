# SPDX-License-Identifier: Apache-2.0
"""use_vmac: everything from a virtual address has the virtual MAC, whoever makes the frame: VRRP, the
ARP and ND answers, the kernel, the workers that forward for it."""

import signal

import pytest
from lab import Nginx, run, wait_until
from vrrp_lab import (INSIDE_PORT, Lan, arp_answer, instance, plug_in, state, tap_holds,
                      wait_state)

FAST = {"version": 3, "advert": "200ms"}
VMAC_V4, VMAC_V6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"  # VRID 51


@pytest.fixture
def lan(lab):
    return Lan(lab)


def captured_sources(lan, expression, action):
    """The source MACs of the packets that match while action() runs."""
    path = f"{lan.lab.folder}/sources-{len(lan.lab.processes)}.pcap"
    process = lan.observer.spawn("tcpdump", "-i", "eth0", "-n", "-p", "-U", "-w", path, "-Z",
                                 "root", "--immediate-mode", expression)
    wait_until(lambda: run("stat", "-c", "%s", path, check=False).stdout.strip() not in ("", "0"),
               "tcpdump captures")
    action()
    text = wait_until(lambda: run("tcpdump", "-e", "-n", "-r", path, check=False).stdout, "packets")
    lan.lab.end(process)
    return {line.split()[1] for line in text.splitlines()}


def test_virtual_mac_is_the_source_of_everything_from_the_address(lan):
    node = lan.pollux("a", instance="use_vmac = true", **FAST)
    wait_state(node, "MASTER")
    adverts = lan.capture.adverts(source=node.address)
    assert adverts and {advert.mac for advert in adverts} == {VMAC_V4}
    assert {claim.mac for claim in lan.capture.claims(address="10.0.0.3")} == {VMAC_V4}
    assert arp_answer(lan, "10.0.0.3") == VMAC_V4
    assert captured_sources(lan, "icmp and src host 10.0.0.3",
                            lambda: lan.observer.ping("10.0.0.3")) == {VMAC_V4}
    # What comes from the node's own address keeps the port's MAC.
    assert arp_answer(lan, node.address) == node.mac
    assert captured_sources(lan, f"icmp and src host {node.address}",
                            lambda: lan.observer.ping(node.address)) == {node.mac}
    # The node asks for neighbours on behalf of the address: with its MAC, too.
    lan.observer.ip("neigh", "flush", "all", check=False)
    node.host.ip("neigh", "flush", "all", check=False)
    asked = captured_sources(
        lan, "arp and arp[6:2] == 1 and arp[24:4] == 0x0a000007",
        lambda: node.host.run("ping", "-c1", "-w3", "-I", "10.0.0.3", "10.0.0.7", check=False))
    assert asked <= {VMAC_V4, node.mac}
    assert lan.observer.ip("neigh", "show", "10.0.0.3").stdout.split()[4] == VMAC_V4


def test_virtual_mac_stays_when_the_master_changes(lan):
    first = lan.pollux("a", priority=150, instance="use_vmac = true", **FAST)
    second = lan.pollux("b", priority=100, instance="use_vmac = true", **FAST)
    wait_state(first, "MASTER")
    assert lan.observer.ping("10.0.0.3")
    first.stop(signal.SIGKILL)
    wait_state(second, "MASTER")
    assert lan.observer.ping("10.0.0.3")
    assert lan.observer.ip("neigh", "show", "10.0.0.3").stdout.split()[4] == VMAC_V4
    # The switch has learnt where the virtual MAC is now.
    table = lan.switch.run("bridge", "fdb", "show", "br", "br0").stdout
    assert f"{VMAC_V4} dev {second.plug} " in table


def test_ipv6_addresses_are_announced_and_answered_with_the_virtual_mac(lab):
    lan = Lan(lab, ipv6=True)
    node = lan.pollux("a", address="fd00::5/64", vips=("fe80::33", "fd00::3"),
                      instance="use_vmac = true", **FAST)
    wait_state(node, "MASTER")
    assert lan.observer.ping("fd00::3")
    assert lan.observer.ip("-6", "neigh", "show", "fd00::3").stdout.split()[4] == VMAC_V6
    assert {claim.mac for claim in lan.capture.claims(address="fd00::3")} == {VMAC_V6}
    assert {advert.mac for advert in lan.capture.adverts()} == {VMAC_V6}
    # RFC 9568 section 7.4: the node's own link-local address comes from its own MAC.
    assert {advert.source for advert in lan.capture.adverts()} == {"fe80::ff:fe00:5"}
    lan.cut(node)
    wait_state(node, "FAULT")
    lan.observer.ip("-6", "neigh", "flush", "all", check=False)
    assert not lan.observer.ping("fd00::3", deadline=2)


SERVICE = """
[[virtual_server]]
address = "10.0.0.3"
port = 80
protocol = "TCP"
lvs_sched = "rr"
lvs_method = "{method}"
{more}
real_server = [{{ address = "10.1.0.20", port = 80 }}]
"""
LOCAL = '\n[[local_address]]\naddress = "10.1.0.5"\n'


@pytest.mark.parametrize("method", ("NAT", "FNAT"))
def test_forwarded_replies_leave_with_the_virtual_mac(lan, method):
    """The first reply to a station that is not known yet goes by the control core, the others are the
    workers' own."""
    inside = lan.lab.switch("inside")
    server = lan.lab.host("server")
    inside.connect(server, addresses=["10.1.0.20/24"])
    server.ip("route", "add", "default", "via", "10.1.0.5")
    Nginx(server)
    more = SERVICE.format(method=method, more="") + (LOCAL if method == "FNAT" else "")
    node = lan.pollux("a", before=INSIDE_PORT, instance="use_vmac = true", more=more, wait=False,
                      **FAST)
    plug_in(inside, node, "l1", "02:00:00:00:01:05")
    node.start()
    wait_state(node, "MASTER")

    def fetch():
        for _ in range(3):
            assert lan.observer.curl("http://10.0.0.3/") == "server\n"
    assert captured_sources(lan, "tcp and src host 10.0.0.3", fetch) == {VMAC_V4}
    # What does not come from the address keeps the port's MAC.
    assert captured_sources(lan, f"icmp and src host {node.address}",
                            lambda: lan.observer.ping(node.address)) == {node.mac}
    # Errors that a worker makes come from the address, too.
    node.pollux("server", "weight", "10.1.0.20:80", "0")
    wait_until(lambda: lan.observer.run("curl", "-s", "--max-time", "1", "http://10.0.0.3/",
                                        check=False).returncode != 0, "no server is left")
    assert captured_sources(
        lan, "icmp and src host 10.0.0.3",
        lambda: lan.observer.run("curl", "-s", "--max-time", "1", "http://10.0.0.3/",
                                 check=False)) == {VMAC_V4}


# A device that is not known to receive everything anyway; without a guest it has no link.
REFUSING = """
[[dpdk.port]]
name = "none"
vdev = "net_vhost0,iface=@FOLDER@/vhost.sock"
address = ["10.9.0.5/24"]
"""
ON_IT = """
[[vrrp_instance]]
name = "VI_N"
state = "BACKUP"
interface = "none"
virtual_router_id = 77
priority = 100
advert_int = "1s"
dont_track_primary = true
use_vmac = true
virtual_ipaddress = [{ address = "10.9.0.3" }]
"""


def refusing_node(lan, more=""):
    """A node whose port "none" refuses further MACs while the returned file exists."""
    node = lan.pollux("a", before=REFUSING, more=more, wait=False, **FAST)
    switch = node.folder / "refuse"
    node.environment = {"LD_PRELOAD": str(lan.lab.built("tests/dpdk/librefusing_port.so")),
                        "REFUSING_PORT": str(switch)}
    return node, switch


def test_a_port_that_cannot_receive_for_it_is_refused_at_start_and_reload(lan):
    node, refusal = refusing_node(lan)
    node.start()
    wait_state(node, "MASTER")
    text = node.config.read_text()
    refusal.touch()
    node.write_config(text + ON_IT)
    refused = node.pollux("reload", check=False)
    parts = ("VI_N", "use_vmac is not possible, port 'none'", "00:00:5e:00:01:4d", "promiscuous",
             "turn use_vmac off")
    for part in parts:
        assert refused.returncode != 0 and part in refused.stderr, refused.stderr
    assert state(node) == "MASTER" and len(node.show("vrrp")["instances"]) == 1
    node.stop()
    ended = node.host.run("env", *(f"{name}={value}" for name, value in node.environment.items()),
                          lan.lab.program("polluxd"), "--config", node.config, check=False)
    for part in parts:
        assert ended.returncode == 3 and part in ended.stderr, ended.stderr


def test_a_mac_that_is_refused_later_is_a_fault_until_it_is_taken(lan):
    node, refusal = refusing_node(lan, ON_IT)
    node.start()
    refusal.touch()
    wait_state(node, "FAULT", "VI_N")
    shown = instance(node, "VI_N")
    assert shown["faults"] == ["virtual MAC refused"]
    assert "promiscuous" in shown["virtual_mac_refused"]
    text = node.pollux("show", "vrrp").stdout
    assert "VI_N: FAULT because of virtual MAC refused" in text
    assert "VI_N: virtual MAC refused: " in text
    wait_until(lambda: not tap_holds(node, "10.9.0.3"), "the kernel has lost the address")
    refusal.unlink()
    wait_state(node, "MASTER", "VI_N", deadline=30)
    assert instance(node, "VI_N")["virtual_mac_refused"] is None
