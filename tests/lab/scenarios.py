# SPDX-License-Identifier: Apache-2.0
"""The shipped scenario files (configs/) in the laboratory: as shipped but for the lab's socket and
prefix, with the hosts that their first lines describe."""

import pathlib
import re

from lab import Nginx, Polluxd, wait_until
from topology import CONFIGS, hide_vip


def shipped(lab, name, node=""):
    """The text of configs/NAME.toml for a daemon in this lab."""
    lines = []
    for line in (CONFIGS / f"{name}.toml").read_text().splitlines():
        if line.startswith("control_socket"):
            line = 'control_socket = "@SOCKET@"'
        if line.startswith("file_prefix"):
            line = f'file_prefix = "{lab.prefix}{node}"'
        lines.append(line)
    return "\n".join(lines) + "\n"


def single(lab, name, *switches):
    """One polluxd whose net_tap ports dtap0, dtap1, ... are on the switches."""
    ports = {f"dtap{number}": switch for number, switch in enumerate(switches)}
    return Polluxd(lab, "lb1", shipped(lab, name), ports)


def client_on(lab, switch, *addresses):
    client = lab.host("client")
    switch.connect(client, addresses=addresses)
    return client


def web_servers(lab, switch, addresses, vip=None, gateway=None, port=80):
    """nginx servers rs1, rs2, ... that answer with their names; with `vip` as DR servers."""
    servers = []
    for number, address in enumerate(addresses, 1):
        host = lab.host(f"rs{number}")
        switch.connect(host, addresses=[address])
        for each in [vip] if isinstance(vip, str) else vip or []:
            hide_vip(host, each)
        if gateway:
            host.ip("route", "add", "default", "via", gateway)
        servers.append(Nginx(host, port=port))
    return servers


def fetch(client, url, count=12, source=None, header=None):
    """`count` requests on connections of their own: {answer: times}; failures count as "-"."""
    options = [*(["--interface", source] if source else []), *(["-H", header] if header else [])]
    result = client.run("curl", "-s", "--noproxy", "*", "--max-time", "5", "-H", "Connection: close",
                        *options, *[url] * count, check=False, timeout=300)
    answers = {}
    for line in result.stdout.split():
        answers[line] = answers.get(line, 0) + 1
    lost = count - sum(answers.values())
    return {**answers, "-": lost} if lost else answers


def table(polluxd):
    """`pollux ipvs -Ln` as {service: {server: (method, weight)}}."""
    services, current = {}, None
    for line in polluxd.pollux("ipvs", "-Ln").stdout.splitlines():
        if match := re.match(r"(TCP|UDP|FWM)\s+(\S+)", line):
            current = services.setdefault(match[2], {})
        elif match := re.match(r"\s+-> (\S+)\s+(\w+)\s+(\d+)", line):
            if current is not None:
                current[match[1]] = (match[2], int(match[3]))
    return services


class Pair:
    """Nodes lb01 and lb02 with one shared file."""

    def __init__(self, lab, name, switch, edit=lambda text: text):
        self.nodes = {}
        self.switch = switch
        for node in ("lb01", "lb02"):
            # Both kernel ends are plugged into one switch: each has its own name.
            toml = edit(shipped(lab, name, node)).replace("iface=dtap0", f"iface=d-{node}")
            self.nodes[node] = Polluxd(lab, node, toml, {f"d-{node}": switch},
                                       arguments=("--node", node))

    def __getitem__(self, node):
        return self.nodes[node]

    def state(self, node, instance):
        daemon = self.nodes[node]
        if daemon.process.poll() is not None:
            return "GONE"
        rows = daemon.show("vrrp")["instances"]
        return next(row["state"] for row in rows if row["name"] == instance)

    def masters(self, instance):
        return [node for node in self.nodes if self.state(node, instance) == "MASTER"]

    def wait_master(self, node, instance, deadline=30):
        wait_until(lambda: self.masters(instance) == [node], f"{node} alone is MASTER of {instance}",
                   deadline)
        return self

    def holds(self, node, address):
        """The kernel of the node has the address, as `ip address` shows."""
        return f" {address}/" in self.nodes[node].host.ip("-o", "addr", "show").stdout


def script(folder, name, text):
    """An executable script that everybody may run."""
    path = pathlib.Path(folder) / name
    path.write_text(text)
    path.chmod(0o755)
    return path
