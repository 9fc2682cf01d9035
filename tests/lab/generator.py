# SPDX-License-Identifier: Apache-2.0
"""pollux-pktgen and a polluxd at the two ends of net_memif links, in one namespace."""

import json

from lab import Polluxd

POLLUXD = """
[api]
control_socket = "@SOCKET@"

[dpdk]
file_prefix = "{prefix}"
control_lcore = 0
worker_lcores = "0"
hugepages = false
hugepage_mem = "128M"
mbufs_per_port = 8192
idle = "adaptive"

[[dpdk.port]]
name = "wan"
vdev = "net_memif0,role=server,id=0,socket-abstract=no,socket=@FOLDER@/wan.sock,rsize=12"
address = ["203.0.113.1/24", "203.0.113.80/32"]

[[dpdk.port]]
name = "lan"
vdev = "net_memif1,role=server,id=1,socket-abstract=no,socket=@FOLDER@/lan.sock,rsize=12"
address = ["10.0.0.1/24"]

[[route]]
to = "198.51.100.0/24"
via = "203.0.113.9"

[[local_address]]
address = "10.0.0.2"

[conntrack]
max_connections = 16_384

{neighbours}
[[virtual_server]]
address = "203.0.113.80"
port = 80
protocol = "{protocol}"
lvs_sched = "rr"
lvs_method = "{method}"
{servers}"""

SERVER = """
  [[virtual_server.real_server]]
  address = "{address}"
  port = {port}
"""

NEIGHBOUR = """
[[neighbour]]
address = "{address}"
mac = "02:00:00:00:05:{last}"
dev = "lan"
"""

TRAFFIC = """
[dpdk]
control_lcore = 0
worker_lcore = 1
hugepages = false
hugepage_mem = "128M"
mbufs_per_port = 8192
file_prefix = "{prefix}-generator"

[[port]]
name = "clients"
vdev = "net_memif0,role=client,id=0,socket-abstract=no,socket={folder}/wan.sock,rsize=12"
carries = "clients"
address = "203.0.113.9"

[[port]]
name = "servers"
vdev = "net_memif1,role=client,id=1,socket-abstract=no,socket={folder}/lan.sock,rsize=12"
carries = "servers"
address = "10.0.0.9"
next_hop = "10.0.0.1"

[service]
address = "203.0.113.80"
port = 80
lvs_method = "{method}"
{servers}
[traffic]
kind = "{kind}"
flows = 200
clients = "198.51.100.0/24"
rate = "2k"
duration = "1s"
drain = "2s"
catch_up = "1s"
warm_up_rate = "2k"
warm_up_limit = "{limit}"
direction = "{direction}"
"""


class GeneratorScene:
    """A polluxd with two servers behind it that pktgen plays, and pktgen's traffic file."""

    def __init__(self, lab, method, kind, direction="forward", fixed_macs=False,
                 servers=("10.0.0.11", "10.0.0.12"), adapt=lambda text: text):
        """`fixed_macs`: the balancer knows its servers' MACs without asking. `adapt` changes the two
        files before they are written."""
        self.lab = lab
        self.adapt = adapt
        self.port = 80 if method in ("DR", "TUN") else 8080
        self.servers = list(servers)
        protocol = "UDP" if kind == "udp" else "TCP"
        rows = "".join(SERVER.format(address=address, port=self.port) for address in self.servers)
        neighbours = "".join(NEIGHBOUR.format(address=address, last=address[-2:])
                             for address in self.servers if fixed_macs)
        self.polluxd = Polluxd(lab, "lb1", adapt(POLLUXD.format(
            prefix=lab.prefix, protocol=protocol, method=method, servers=rows,
            neighbours=neighbours)), {})
        self.values = {"prefix": lab.prefix, "folder": self.polluxd.folder, "method": method,
                       "kind": kind, "direction": direction, "limit": "20s"}
        self.file = self.polluxd.folder / "traffic.toml"
        self.expect_servers(self.servers)

    def expect_servers(self, addresses):
        """The servers that pktgen believes in."""
        rows = "".join(f'\n[[server]]\naddress = "{address}"\nport = {self.port}\n'
                       f'mac = "02:00:00:00:05:{address[-2:]}"\n' for address in addresses)
        self.file.write_text(self.adapt(TRAFFIC.format(servers=rows, **self.values)))

    def generate(self, *arguments, timeout=120):
        """Runs pktgen; returns its exit status, its JSON (None without) and its messages."""
        report = self.polluxd.folder / "report.json"
        report.unlink(missing_ok=True)
        verb, *options = arguments or ("run",)
        result = self.polluxd.host.run(self.lab.program("pollux-pktgen"), verb, self.file,
                                       "--json", report, *options, check=False, timeout=timeout)
        found = json.loads(report.read_text()) if report.exists() else None
        return result.returncode, found, result.stderr
