# SPDX-License-Identifier: Apache-2.0
"""Ready-made scenes: a client, one polluxd, real servers; one function a forwarding method."""

import dataclasses
import pathlib

from lab import Nginx, Polluxd

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
SERVER_COUNT = 3


@dataclasses.dataclass
class Scene:
    method: str
    headline: str
    client: object
    polluxd: object
    servers: list
    url: str
    server_port: int
    server_side_address: str
    switches: list


def hide_vip(server, vip):
    """The tutorials' set-up of a DR or TUN real server: VIP on lo, silent in ARP."""
    for scope in ("all", "lo", "eth0"):
        server.sysctl(**{f"net__ipv4__conf__{scope}__arp_ignore": 1,
                         f"net__ipv4__conf__{scope}__arp_announce": 2})
    server.ip("addr", "add", f"{vip}/32", "dev", "lo", "label", "lo:0")


def lab_config(lab, name):
    """A shipped configuration with the lab's socket; everything else as shipped."""
    lines = []
    for line in (CONFIGS / f"{name}.toml").read_text().splitlines():
        if line.startswith("control_socket"):
            line = 'control_socket = "@SOCKET@"'
        if line.startswith("file_prefix"):
            line = f'file_prefix = "{lab.prefix}"'
        lines.append(line)
    return "\n".join(lines) + "\n"


def build_dr(lab, toml=None):
    switch = lab.switch()
    client = lab.host("client")
    switch.connect(client, addresses=["192.168.10.100/24"])
    servers = []
    for number in range(1, SERVER_COUNT + 1):
        server = lab.host(f"rs{number}")
        switch.connect(server, addresses=[f"192.168.10.{10 + number}/24"])
        hide_vip(server, "192.168.10.10")
        servers.append(Nginx(server))
    polluxd = Polluxd(lab, "lb1", toml or lab_config(lab, "lvs-dr"), {"dtap0": switch})
    return Scene("DR", "one network, the servers answer directly", client, polluxd, servers,
                 "http://192.168.10.10/", 80, "192.168.10.5", [switch])


def add_nat_servers(lab, inside):
    servers = []
    for number in range(1, SERVER_COUNT + 1):
        server = lab.host(f"rs{number}")
        inside.connect(server, addresses=[f"10.10.10.{20 + number}/24"])
        server.ip("route", "add", "default", "via", "10.10.10.11")
        servers.append(Nginx(server, port=8080))
    return servers


def build_nat(lab, toml=None):
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client = lab.host("client")
    outside.connect(client, addresses=["20.20.20.100/24"])
    servers = add_nat_servers(lab, inside)
    polluxd = Polluxd(lab, "lb1", toml or lab_config(lab, "lvs-nat"),
                      {"dtap0": outside, "dtap1": inside})
    return Scene("NAT", "two networks, addresses rewritten both ways", client, polluxd, servers,
                 "http://20.20.20.11/", 8080, "10.10.10.11", [outside, inside])


def build_nat_af_packet(lab, toml=None):
    """NAT over net_af_packet with two queues, which hashes the two directions of a NAT connection to
    different workers (net_tap learns to steer them to the same one)."""
    toml = toml or lab_config(lab, "lvs-nat")
    for number in (0, 1):
        toml = toml.replace(f'"net_tap{number},iface=dtap{number}"',
                            f'"net_af_packet{number},iface=l{number},qpairs=2"')
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client = lab.host("client")
    outside.connect(client, addresses=["20.20.20.100/24"])
    servers = add_nat_servers(lab, inside)
    polluxd = Polluxd(lab, "lb1", toml, {}, wait=False)
    for number, switch in enumerate((outside, inside)):
        switch.connect(polluxd.host, interface=f"l{number}")
        # The kernel behind the port must neither answer nor forward what polluxd handles.
        polluxd.host.run("nft", f"add table netdev guard{number}; add chain netdev guard{number} in "
                         f"{{ type filter hook ingress device l{number} priority 0; policy drop; }}")
    polluxd.start()
    return Scene("NAT", "replies reach the other worker", client, polluxd, servers,
                 "http://20.20.20.11/", 8080, "10.10.10.11", [outside, inside])


def build(lab, name, toml=None):
    builders = {"dr": build_dr, "nat": build_nat, "nat-af-packet": build_nat_af_packet}
    return builders[name](lab, toml)
