# SPDX-License-Identifier: Apache-2.0
"""A LAN for VRRP: polluxd nodes, Debian's keepalived as peer, and a station that writes down every
advert and every gratuitous ARP with the kernel's time stamps."""

import dataclasses
import ipaddress
import pathlib
import signal
import struct
import time

from forge import FORGED_MAC
from lab import Host, Polluxd, wait_until

ETHER_IPV4, ETHER_IPV6, ETHER_ARP = 0x0800, 0x86DD, 0x0806


@dataclasses.dataclass
class Advert:
    time: float
    source: str
    destination: str
    mac: str
    version: int
    vrid: int
    priority: int
    count: int


@dataclasses.dataclass
class Claim:
    """A gratuitous ARP or an unsolicited neighbour advertisement."""
    time: float
    address: str
    mac: str


def mac_text(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def parse_frame(when, frame):
    mac, kind = mac_text(frame[6:12]), struct.unpack("!H", frame[12:14])[0]
    if kind == ETHER_ARP and len(frame) >= 42:
        sender, target = frame[28:32], frame[38:42]
        return Claim(when, str(ipaddress.ip_address(sender)), mac_text(frame[22:28])) \
            if sender == target else None
    if kind == ETHER_IPV4 and frame[23] == 112:
        start = 14 + 4 * (frame[14] & 15)
        addresses = frame[26:30], frame[30:34]
    elif kind == ETHER_IPV6 and frame[20] == 112:
        start, addresses = 54, (frame[22:38], frame[38:54])
    elif kind == ETHER_IPV6 and frame[20] == 58 and len(frame) >= 78 and frame[54] == 136:
        solicited = frame[58] & 0x40
        return None if solicited else Claim(when, str(ipaddress.ip_address(frame[62:78])), mac)
    else:
        return None
    source, destination = (str(ipaddress.ip_address(raw)) for raw in addresses)
    return Advert(when, source, destination, mac, frame[start] >> 4, frame[start + 1],
                  frame[start + 2], frame[start + 3])


class Capture:
    """tcpdump on a station; `items` parses what has been written so far."""

    def __init__(self, host, interface="eth0"):
        # Without floods of forged frames (forge.py's MAC): the file is read again and again. Slots of
        # tcpdump's default length make its buffer hold eight frames only.
        self.path = pathlib.Path(host.lab.folder) / f"capture-{host.name}.pcap"
        self.process = host.spawn(
            "tcpdump", "-i", interface, "-n", "-U", "-w", self.path, "-Z", "root",
            "--immediate-mode", "-s", "2048", "-B", "16384",
            f"(arp or ip proto 112 or ip6) and not ether src {FORGED_MAC}")
        wait_until(lambda: self.path.exists() and self.path.stat().st_size >= 24,
                   "tcpdump captures")

    def items(self, kind, since=0.0):
        data = self.path.read_bytes()
        found, position = [], 24
        while position + 16 <= len(data):
            seconds, micros, length = struct.unpack("<III", data[position:position + 12])
            frame = data[position + 16:position + 16 + length]
            position += 16 + length
            if len(frame) < max(length, 34):
                continue
            item = parse_frame(seconds + micros / 1e6, frame)
            if isinstance(item, kind) and item.time >= since:
                found.append(item)
        return found

    def adverts(self, source=None, since=0.0, vrid=None):
        return [advert for advert in self.items(Advert, since)
                if source in (None, advert.source) and vrid in (None, advert.vrid)]

    def claims(self, address=None, mac=None, since=0.0):
        return [claim for claim in self.items(Claim, since)
                if address in (None, claim.address) and mac in (None, claim.mac)]


class Keepalived:
    """One keepalived (VRRP only) in a namespace of its own on the switch."""

    def __init__(self, lan, name, address, config, mac=None):
        self.host = lan.lab.host(name)
        self.address = address.split("/")[0]
        lan.switch.connect(self.host, addresses=[address, *lan.extra_addresses(name)], mac=mac)
        self.mac = mac_text(bytes.fromhex(
            self.host.run("cat", "/sys/class/net/eth0/address").stdout.strip().replace(":", "")))
        self.folder = pathlib.Path(lan.lab.folder) / f"keepalived-{name}"
        self.folder.mkdir()
        self.config = self.folder / "keepalived.conf"
        self.config.write_text(config)
        self.config.chmod(0o644)
        self.process = None
        self.start()

    def start(self):
        self.process = self.host.spawn(
            "keepalived", "-n", "-l", "-D", "-P", "-f", self.config, "-p", self.folder / "pid",
            "-r", self.folder / "vrrp-pid", "-c", self.folder / "checkers-pid",
            log=self.folder / "keepalived.log")

    def vrrp_pid(self):
        return int((self.folder / "vrrp-pid").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)

    def crash(self):
        """The VRRP process first: when the parent dies first, the child says priority 0."""
        self.host.run("kill", "-KILL", self.vrrp_pid(), self.process.pid)
        self.process.wait(timeout=10)

    def signal_vrrp(self, kind):
        self.host.run("kill", f"-{kind}", self.vrrp_pid())

    def holds(self, address):
        return f" {address}/" in self.host.ip("-o", "addr", "show").stdout

    def log(self):
        return (self.folder / "keepalived.log").read_text(errors="replace")


def keepalived_config(*, interface="eth0", state="BACKUP", vrid=51, priority=100, advert=1,
                      version=2, vips=("10.0.0.3",), global_defs="", instance="", more=""):
    """keepalived.conf with one instance, and `more` after it."""
    addresses = "\n".join(f"        {vip}" for vip in vips)
    return (f"global_defs {{\n    router_id peer\n    vrrp_version {version}\n{global_defs}\n}}\n"
            f"vrrp_instance VI_1 {{\n    state {state}\n    interface {interface}\n"
            f"    virtual_router_id {vrid}\n    priority {priority}\n    advert_int {advert}\n"
            f"{instance}\n    virtual_ipaddress {{\n{addresses}\n    }}\n}}\n{more}")


def pollux_config(lab, *, address="10.0.0.5/24", vrid=51, priority=100, advert="1s", version=2,
                  vips=("10.0.0.3",), instance="", more="", before="",
                  vdev="net_af_packet0,iface=l0"):
    """TOML with one port and one instance; a vip is an address or a whole inline table."""
    tables = []
    for vip in vips:
        table = vip if vip.startswith("{") else f'{{ address = "{vip}" }}'
        tables.append(f"    {table},")
    addresses = "\n".join(tables)
    own = ", ".join(f'"{each}"' for each in address.split(","))
    return f"""
[api]
control_socket = "@SOCKET@"
[dpdk]
file_prefix = "{lab.prefix}@NAME@"
hugepages = false
hugepage_mem = "192M"
worker_lcores = [1]
idle = "adaptive"
mbufs_per_port = 4096
{before}
[[dpdk.port]]
name = "wan"
vdev = "{vdev}"
rx_desc = 256
tx_desc = 256
address = [{own}]

[[vrrp_instance]]
name = "VI_1"
state = "BACKUP"
interface = "wan"
virtual_router_id = {vrid}
priority = {priority}
advert_int = "{advert}"
version = {version}
virtual_ipaddress = [
{addresses}
]
{instance}
{more}
"""


def plug_in(switch, node, interface, mac):
    """Plugs a net_af_packet port of a node into a switch; the kernel behind it hears nothing."""
    switch.connect(node.host, interface=interface, mac=mac)
    node.host.sysctl(**{f"net__ipv6__conf__{interface}__disable_ipv6": 1})
    node.host.run("nft", f"add table netdev {interface}; add chain netdev {interface} in "
                  f"{{ type filter hook ingress device {interface} priority 0; policy drop; }}")
    node.plug = f"p{switch.ports}"


class Lan:
    """A switch, an observer (10.0.0.7) with a running capture."""

    def __init__(self, lab, ipv6=False, hub=False):
        """`hub`: every frame goes to everybody, so that the observer sees unicast adverts."""
        self.lab = lab
        self.ipv6 = ipv6
        self.switch = lab.switch()
        if hub:
            self.switch.ip("link", "set", "br0", "type", "bridge", "ageing_time", "0")
        self.observer = lab.host("observer")
        self.switch.connect(self.observer, addresses=["10.0.0.7/24", *self.extra_addresses("o")])
        self.capture = Capture(self.observer)
        self.nodes = 0

    def extra_addresses(self, name):
        return [f"fd00::{sum(name.encode()) % 200 + 16:x}/64"] if self.ipv6 else []

    def pollux(self, name, *, wait=True, toml=None, **options):
        """A polluxd node on net_af_packet over a veth pair, so that it is on the LAN before it
        starts and its link can be cut; options are pollux_config's."""
        self.nodes += 1
        number = 4 + self.nodes
        options.setdefault("address", f"10.0.0.{number}/24")
        text = toml or pollux_config(self.lab, **options)
        node = Polluxd(self.lab, name, text.replace("@NAME@", name), {}, wait=False)
        node.address = options["address"].split(",")[0].split("/")[0]
        node.mac = f"02:00:00:00:00:{number:02x}"
        plug_in(self.switch, node, "l0", node.mac)
        if wait:
            node.start()
        return node

    def keepalived(self, name, address="10.0.0.6/24", mac="02:00:00:00:00:66", **options):
        node = Keepalived(self, name, address, keepalived_config(**options), mac=mac)
        node.plug = f"p{self.switch.ports}"
        return node

    def cut(self, node):
        """Pulls the cable: the node loses its carrier."""
        self.switch.ip("link", "set", node.plug, "down")

    def mend(self, node):
        self.switch.ip("link", "set", node.plug, "up")

    def isolate(self, node):
        """A switch that forwards nothing more to the node, with the carrier up."""
        self.switch.ip("link", "set", node.plug, "nomaster")

    def heal(self, node):
        self.switch.ip("link", "set", node.plug, "master", "br0")


def instance(node, name="VI_1"):
    """The instance's part of `pollux show vrrp --json`."""
    return next(each for each in node.show("vrrp")["instances"] if each["name"] == name)


def state(node, name="VI_1"):
    return instance(node, name)["state"]


def wait_state(node, wanted, name="VI_1", deadline=20.0):
    wait_until(lambda: state(node, name) == wanted, f"{node.name} {name} is {wanted}", deadline)


def tap_holds(node, address):
    return f" {address}/" in node.host.ip("-o", "addr", "show").stdout


def arp_answer(lan, address):
    """The MAC that a new question about the address gets; empty: no answer."""
    lan.observer.ip("neigh", "flush", "all", check=False)
    result = lan.observer.run("arping", "-c", "1", "-w", "1", "-I", "eth0", address, check=False)
    found = [word.strip("[]") for word in result.stdout.lower().split() if word.count(":") == 5]
    return found[0] if found else ""


# A second port, of a network with servers; plug_in(switch, node, "l1", mac) connects it.
INSIDE_PORT = """
[[dpdk.port]]
name = "lan"
vdev = "net_af_packet1,iface=l1"
rx_desc = 256
tx_desc = 256
address = ["10.1.0.5/24"]
"""


def gaps(adverts):
    return [later.time - earlier.time for earlier, later in zip(adverts, adverts[1:])]


def now():
    return time.time()
