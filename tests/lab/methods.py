# SPDX-License-Identifier: Apache-2.0
"""Scenes for every forwarding method, dual-stack: a client, one polluxd, three real servers with nginx
and a UDP responder. Tests say which services there are, in the configuration's words."""

import dataclasses
import json
import pathlib
import sys

from lab import Nginx, Polluxd, wait_until

LAB = pathlib.Path(__file__).resolve().parent
UDP_PORT = 53
GUE_PORT = 6080

HEAD = """
[api]
control_socket = "@SOCKET@"

[dpdk]
file_prefix = "{prefix}"
control_lcore = 0
worker_lcores = "0-1"
hugepages = false
hugepage_mem = "256M"
idle = "adaptive"

[conntrack]
max_connections = 65_536
{conntrack}
"""

PORT = """
[[dpdk.port]]
name = "{name}"
vdev = "net_tap{number},iface=dtap{number}"
address = {addresses}
"""


@dataclasses.dataclass
class Server:
    """One real server; `v4` and `v6` are its own addresses."""
    host: object
    nginx: object
    v4: str
    v6: str

    @property
    def name(self):
        return self.host.name


@dataclasses.dataclass
class Scene:
    client: object
    polluxd: object
    servers: list
    vip4: str
    vip6: str

    def vip(self, family):
        return {4: self.vip4, 6: self.vip6}[family]

    def fetch(self, family=4, port=80, count=60, source=None):
        """`count` requests, each on a connection of its own: {server: answers}, failures."""
        vip = self.vip(family)
        host = f"[{vip}]" if family == 6 else vip
        options = ["--interface", source] if source else []
        result = self.client.run("curl", "-s", "-g", "--noproxy", "*", "--max-time", "5", "-H",
                                 "Connection: close", *options, *[f"http://{host}:{port}/"] * count,
                                 check=False, timeout=300)
        answers = {}
        for line in result.stdout.split():
            answers[line] = answers.get(line, 0) + 1
        return answers, count - sum(answers.values())

    def ask(self, family=4, count=30, port=UDP_PORT, source=None):
        """`count` datagrams that must each be answered."""
        result = self.client.run(sys.executable, LAB / "udp_names.py", "ask", self.vip(family), port,
                                 count, *([source] if source else []), timeout=120)
        return json.loads(result.stdout)


def service(vip, method, servers, **options):
    """A [[virtual_server]] in TOML. `servers` are addresses; options are keys with TOML values, `tunnel`
    an inline table, `server_port` the servers' port when it is not the service's."""
    keys = {"port": 80, "protocol": '"TCP"', "lvs_sched": '"rr"', **options}
    server_port = keys.pop("server_port", keys["port"])
    head = f'fwmark = {keys["fwmark"]}' if "fwmark" in keys else f'address = "{vip}"'
    if keys.pop("fwmark", None):
        del keys["port"], keys["protocol"]
    lines = ["[[virtual_server]]", head, f'lvs_method = "{method}"']
    lines += [f"{key} = {value}" for key, value in keys.items()]
    rows = ", ".join(f'{{ address = "{address}", port = {server_port} }}' for address in servers)
    return "\n".join([*lines, f"real_server = [{rows}]"]) + "\n"


def spawn_ready(host, *command):
    """A program of the lab that prints "ready" when it is."""
    log = pathlib.Path(host.lab.folder) / f"{host.name}-{pathlib.Path(command[0]).stem}.log"
    host.spawn(sys.executable, *command, log=log)
    wait_until(lambda: log.exists() and "ready" in log.read_text(), f"{command[0]} of {host.name}")
    return log


def hide(server, *vips):
    """A DR or TUN real server: it has the VIPs, and nobody learns so by ARP."""
    for scope in ("all", "lo", "eth0"):
        server.sysctl(**{f"net__ipv4__conf__{scope}__arp_ignore": 1,
                         f"net__ipv4__conf__{scope}__arp_announce": 2})
    for vip in vips:
        plen, extra = (128, ["nodad"]) if ":" in vip else (32, [])
        server.ip("addr", "add", f"{vip}/{plen}", "dev", "lo", *extra)


def add_servers(lab, switch, network4, network6, port, vips=()):
    servers = []
    for number in (1, 2, 3):
        v4, v6 = f"{network4}.{20 + number}", f"{network6}::{20 + number}"
        host = lab.host(f"rs{number}")
        switch.connect(host, addresses=[f"{v4}/24", f"{v6}/64"])
        hide(host, *vips)
        spawn_ready(host, LAB / "udp_names.py", "serve", host.name, UDP_PORT, *(vips or (v4, v6)))
        servers.append(Server(host, Nginx(host, port=port), v4, v6))
    return servers


def start(lab, ports, services, conntrack=""):
    """`ports`: (name, switch, addresses) each; `conntrack`: further lines of that table."""
    toml = HEAD.format(prefix=lab.prefix, conntrack=conntrack)
    for number, (name, _, addresses) in enumerate(ports):
        toml += PORT.format(name=name, number=number, addresses=json.dumps(addresses))
    places = {f"dtap{number}": switch for number, (_, switch, _) in enumerate(ports)}
    polluxd = Polluxd(lab, "lb1", toml + "\n" + services, places)
    # It asked for its servers before the lab plugged its ports in.
    wait_until(lambda: all(row["mac"] for row in polluxd.show("neighbours")["neighbours"]
                           if row["wanted"]), "the servers' MAC addresses")
    return polluxd


VIP4, VIP6 = "192.168.10.10", "fd00:10::10"


def build_one_network(lab, services, tunnel=False):
    """DR and TUN: everybody on one network, the servers answer directly. `services` gets the servers."""
    switch = lab.switch()
    client = lab.host("client")
    switch.connect(client, addresses=["192.168.10.100/24", "fd00:10::100/64"])
    servers = add_servers(lab, switch, "192.168.10", "fd00:10", 80, (VIP4, VIP6))
    if tunnel:
        for server in servers:
            spawn_ready(server.host, LAB / "decapsulate.py", "tun0", GUE_PORT)
            for scope in ("all", "tun0"):
                server.host.sysctl(**{f"net__ipv4__conf__{scope}__rp_filter": 0})
    addresses = ["192.168.10.5/24", f"{VIP4}/32", "fd00:10::5/64", f"{VIP6}/128"]
    polluxd = start(lab, [("lan", switch, addresses)], services(servers))
    return Scene(client, polluxd, servers, VIP4, VIP6)


LOCAL4, LOCAL6 = "10.10.10.100", "fd00:30::100"


def build_two_networks(lab, services, gateway=True, conntrack=""):
    """NAT and FullNAT: the servers are on a network of their own and listen on port 8080. With
    `gateway` Pollux is their default route; FullNAT needs none."""
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client = lab.host("client")
    outside.connect(client, addresses=["20.20.20.100/24", "fd00:20::100/64"])
    servers = add_servers(lab, inside, "10.10.10", "fd00:30", 8080)
    if gateway:
        for server in servers:
            server.host.ip("route", "add", "default", "via", "10.10.10.11")
            server.host.ip("-6", "route", "add", "default", "via", "fd00:30::11")
    lan = ["10.10.10.11/24", f"{LOCAL4}/32", "fd00:30::11/64", f"{LOCAL6}/128"]
    polluxd = start(lab, [("wan", outside, ["20.20.20.11/24", "fd00:20::11/64"]),
                          ("lan", inside, lan)], services(servers), conntrack)
    return Scene(client, polluxd, servers, "20.20.20.11", "fd00:20::11")
