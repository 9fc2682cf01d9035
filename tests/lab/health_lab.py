# SPDX-License-Identifier: Apache-2.0
"""Scenes for health checks: two real servers, a sorry server, a client and one polluxd."""

import dataclasses

from lab import Nginx, Polluxd, wait_until
from topology import hide_vip

# One try every 500 ms, one retry: detection within 0.5 + 0.5 + 0.5 s when the server refuses.
TIMING = 'delay_loop = "500ms"\nwarmup = "100ms"\nconnect_timeout = "500ms"\nretry = 1\n' \
         'delay_before_retry = "250ms"\n'
BOUND = 1.5
# The first tries come before the lab has plugged the ports in: these do not mind.
PATIENT = TIMING.replace("retry = 1", "retry = 12")
# What a busy machine may add to it.
PATIENCE = 20.0

HEAD = """
[api]
control_socket = "@SOCKET@"
[dpdk]
file_prefix = "{prefix}"
worker_lcores = [1]
hugepages = false
hugepage_mem = "192M"
idle = "adaptive"
mbufs_per_port = 8192
"""


@dataclasses.dataclass
class HealthScene:
    method: str
    client: object
    polluxd: object
    servers: list
    sorry: object
    url: str
    server_address: list
    toml: object  # callable(check, service, more) -> text

    def fetch(self, count=6):
        """Names of the servers that answered, "" for a failure."""
        return [self.client.curl(self.url, "-H", "Connection: close", check=False).strip()
                for _ in range(count)]

    def server(self, number):
        """The server's row of `show servers`."""
        return self.polluxd.show("servers")["servers"][number]

    def state(self, number):
        return self.server(number)["state"]

    def wait_state(self, number, wanted):
        wait_until(lambda: self.state(number) == wanted, f"server {number} is {wanted}", PATIENCE)

    def events(self, kind=None):
        return [event for event in self.polluxd.show("events")["events"]
                if kind in (None, event["kind"])]


def real_server(address, port, check, more="", timing=TIMING):
    tables = "" if check is None else f"[[virtual_server.real_server.check]]\n{timing}{check}\n"
    return f'[[virtual_server.real_server]]\naddress = "{address}"\nport = {port}\n{more}\n{tables}'


def service_toml(vip, method, servers, service, sorry):
    return (f'[[virtual_server]]\naddress = "{vip}"\nport = 80\nprotocol = "TCP"\n'
            f'lvs_sched = "wrr"\nlvs_method = "{method}"\n{service}\n{sorry}\n' + "\n".join(servers))


def build(lab, method, check='type = "TCP_CHECK"', *, service="", sorry=True, server="",
          nginx_extra="", head="", start=True, timing=TIMING):
    """`check` may be a list with one entry a server."""
    if method == "dr":
        switches, vip, network, port = [lab.switch()], "192.168.10.10", "192.168.10.", 80
        ports = ('[[dpdk.port]]\nname = "lan"\nvdev = "net_tap0,iface=dtap0"\n'
                 'address = ["192.168.10.5/24", "192.168.10.10/32"]\n')
        devices, word, client_address = {"dtap0": switches[0]}, "DR", "192.168.10.100/24"
    else:
        switches = [lab.switch("outside"), lab.switch("inside")]
        vip, network, port = "20.20.20.11", "10.10.10.", 8080
        ports = ('[[dpdk.port]]\nname = "wan"\nvdev = "net_tap0,iface=dtap0"\n'
                 'address = ["20.20.20.11/24"]\n[[dpdk.port]]\nname = "lan"\n'
                 'vdev = "net_tap1,iface=dtap1"\naddress = ["10.10.10.11/24"]\n')
        devices, word = {"dtap0": switches[0], "dtap1": switches[1]}, "NAT"
        client_address = "20.20.20.100/24"
    client = lab.host("client")
    switches[0].connect(client, addresses=[client_address])
    hosts = []
    numbers = {"rs1": 11, "rs2": 12, "sorry": 19} if method == "dr" else \
        {"rs1": 21, "rs2": 22, "sorry": 29}
    for name, number in numbers.items():
        host = lab.host(name)
        switches[-1].connect(host, addresses=[f"{network}{number}/24"])
        if method == "dr":
            hide_vip(host, vip)
        else:
            host.ip("route", "add", "default", "via", "10.10.10.11")
        hosts.append(Nginx(host, port=port, extra=nginx_extra))

    def toml(new_check=None, new_service=None, new_server=None, new_head=None):
        checks = check if new_check is None else new_check
        if not isinstance(checks, list):
            checks = [checks, checks]
        more = server if new_server is None else new_server
        servers = [real_server(f"{network}{number}", port, each, more, timing)
                   for number, each in zip((numbers["rs1"], numbers["rs2"]), checks)]
        sorry_table, sorry_address = "", f"{network}{numbers['sorry']}"
        if sorry:
            sorry_table = (f'[virtual_server.sorry_server]\naddress = "{sorry_address}"\n'
                           f"port = {port}\n")
        return ((head if new_head is None else new_head) + HEAD.format(prefix=lab.prefix) + ports
                + service_toml(vip, word, servers, service if new_service is None else new_service,
                               sorry_table))

    polluxd = Polluxd(lab, "lb1", toml(), devices, wait=start)
    return HealthScene(word, client, polluxd, hosts[:2], hosts[2], f"http://{vip}/",
                       [f"{network}{numbers[name]}:{port}" for name in ("rs1", "rs2")], toml)


def write_script(polluxd, name, text):
    """An executable that script security accepts."""
    path = polluxd.folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def start_plugged_in(polluxd, text):
    """Starts with the ports alone, so that the checks' first tries find them plugged in."""
    polluxd.write_config(text[:text.index("[[virtual_server]]")])
    polluxd.start()
    polluxd.write_config(text)
    polluxd.reload()
    wait_until(lambda: polluxd.show("checks")["checks"], "the reload brings the checks")


def build_many(lab, checks, *, tables="", timing=TIMING):
    """One NAT service with a real server for each of {port: check}, all on one host ("many").

    A check may hold connect_ip of its own. Returns polluxd (not started) and the host.
    """
    switch = lab.switch()
    host = lab.host("many")
    switch.connect(host, addresses=["10.10.10.21/24", "fd00:10::21/64"])
    ports = ('[[dpdk.port]]\nname = "lan"\nvdev = "net_tap0,iface=dtap0"\n'
             'address = ["10.10.10.11/24", "10.10.10.12/32", "fd00:10::11/64"]\n')
    servers = [f'[[virtual_server.real_server]]\naddress = "10.10.10.21"\nport = {port}\n'
               f"[[virtual_server.real_server.check]]\n"
               f'{timing if "MISC" not in check and "FILE" not in check else SCRIPT_TIMING}{check}\n'
               for port, check in checks.items()]
    text = (HEAD.format(prefix=lab.prefix) + tables + ports
            + service_toml("10.10.10.12", "NAT", servers, "", ""))
    return Polluxd(lab, "lb1", text, {"dtap0": switch}, wait=False), host


SCRIPT_TIMING = TIMING.replace('connect_timeout = "500ms"\n', "")


def verdicts(polluxd):
    """{port: (state, what the last try saw)} of all checks that have a verdict."""
    return {int(row["servers"][0]["server"].rsplit(":", 1)[1]): (row["state"], row["last"])
            for row in polluxd.show("checks")["checks"] if row["decided"]}
