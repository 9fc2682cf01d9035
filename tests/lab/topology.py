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


def config(name, **edits):
    """The text of configs/NAME.toml for the lab: its own control socket and file prefix."""
    text = (CONFIGS / f"{name}.toml").read_text()
    for before, after in edits.items():
        assert before in text, f"{name}.toml has no {before}"
        text = text.replace(before, after)
    return text


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


def build_nat(lab, toml=None):
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client = lab.host("client")
    outside.connect(client, addresses=["20.20.20.100/24"])
    servers = []
    for number in range(1, SERVER_COUNT + 1):
        server = lab.host(f"rs{number}")
        inside.connect(server, addresses=[f"10.10.10.{20 + number}/24"])
        server.ip("route", "add", "default", "via", "10.10.10.11")
        servers.append(Nginx(server, port=8080))
    polluxd = Polluxd(lab, "lb1", toml or lab_config(lab, "lvs-nat"),
                      {"dtap0": outside, "dtap1": inside})
    return Scene("NAT", "two networks, addresses rewritten both ways", client, polluxd, servers,
                 "http://20.20.20.11/", 8080, "10.10.10.11", [outside, inside])


def build(lab, name, toml=None):
    return {"dr": build_dr, "nat": build_nat}[name](lab, toml)
