# SPDX-License-Identifier: Apache-2.0
"""Two balancers with VRRP in front of three nginx servers, and what a client sees of them."""

import dataclasses
import json
import pathlib
import signal
import sys
import time

from lab import LabError, Nginx, Polluxd, wait_until
from topology import SERVER_COUNT, hide_vip, lab_config
from vrrp_lab import Capture, instance, plug_in, state

NODES = {"lb1": "192.168.10.5", "lb2": "192.168.10.6"}
MEGABYTE = 1_000_000


@dataclasses.dataclass
class Reign:
    """A time in which one node advertised as the MASTER of a virtual router."""
    node: str
    vrid: int
    start: float
    end: float
    released: bool  # it said goodbye (priority 0)


class Pair:
    """One network with a client, three DR servers, lb1 and lb2, by a shipped configuration."""

    def __init__(self, lab, config, vips):
        self.lab = lab
        self.vips = vips
        self.switch = lab.switch()
        self.client = lab.host("client")
        self.switch.connect(self.client, addresses=["192.168.10.100/24"])
        self.servers = [self._server(number) for number in range(1, SERVER_COUNT + 1)]
        self.capture = Capture(self.client)
        toml = lab_config(lab, config)
        self.nodes = {name: self._node(name, toml) for name in NODES}

    def _server(self, number):
        host = self.lab.host(f"rs{number}")
        self.switch.connect(host, addresses=[f"192.168.10.{10 + number}/24"])
        for vip in self.vips:
            hide_vip(host, vip)
        return Nginx(host)

    def _node(self, name, toml):
        number = list(NODES).index(name) + 1
        node = Polluxd(self.lab, name, toml.replace(self.lab.prefix, self.lab.prefix + name), {},
                       wait=False, arguments=("--node", name))
        plug_in(self.switch, node, "l0", f"02:00:00:00:00:{number:02x}")
        return node

    def start(self):
        for node in self.nodes.values():
            node.start()
        return self

    def wait_settled(self, owners, deadline=30.0):
        """`owners`: {"VI_1": "lb1"}; each instance is MASTER there and BACKUP elsewhere."""
        def settled():
            return all(state(node, name) == ("MASTER" if owner == node.name else "BACKUP")
                       for name, owner in owners.items() for node in self.running())
        wait_until(settled, f"the masters are {owners}", deadline)

    def running(self):
        return [node for node in self.nodes.values()
                if node.process is not None and node.process.poll() is None]

    def kill(self, name):
        """kill -9; returns when."""
        when = time.time()
        self.nodes[name].stop(signal.SIGKILL)
        return when

    def offer_file(self, megabytes):
        for server in self.servers:
            with open(server.folder / "www" / "big.bin", "wb") as file:
                file.truncate(megabytes * MEGABYTE)

    def reigns(self, since):
        """Who was MASTER when, by the adverts on the network; the last one may go on."""
        names = {address: name for name, address in NODES.items()}
        reigns = {}
        found = []
        for each in self.capture.adverts(since=since):
            name = names.get(each.source)
            if name is None:
                continue
            current = reigns.get((each.vrid, name))
            if current is None or current.released or each.time - current.end > 0.5:
                if each.priority == 0:
                    continue
                current = reigns[each.vrid, name] = Reign(name, each.vrid, each.time, each.time,
                                                          False)
                found.append(current)
            current.end = each.time
            current.released = each.priority == 0
        # The one advert with which a master yields, within the reign of its successor, is none.
        return [reign for reign in found if reign.end > reign.start or not any(
            other.vrid == reign.vrid and other.start < reign.start <= other.end
            for other in found)]

    def counters(self, name, instance_name="VI_1"):
        return instance(self.nodes[name], instance_name)["counters"]


class RequestLoop:
    """Requests from the client in a background process."""

    def __init__(self, pair, vip):
        self.pair = pair
        self.vip = vip
        self.output = pathlib.Path(pair.lab.folder) / f"requests-{vip}-{time.time():.3f}"
        self.process = pair.client.spawn(
            sys.executable, pathlib.Path(__file__).with_name("request_loop.py"), vip,
            log=self.output)
        wait_until(lambda: len(self.results()) >= 10, f"requests to {vip} are answered")

    def results(self):
        lines = self.output.read_text(errors="replace").splitlines()
        if lines and not lines[-1].endswith("}"):
            lines.pop()
        return [json.loads(line) for line in lines]

    def stop(self):
        self.pair.lab.end(self.process, deadline=10)
        return self.results()


class Download:
    """One long transfer from the client through the VIP, slowed down to last."""

    def __init__(self, pair, vip, megabytes, seconds):
        pair.offer_file(megabytes)
        self.pair = pair
        self.size = megabytes * MEGABYTE
        self.output = pathlib.Path(pair.lab.folder) / f"download-{time.time():.3f}"
        self.process = pair.client.spawn(
            "curl", "-sS", "--noproxy", "*", "-o", "/dev/null", "--limit-rate",
            int(self.size / seconds), "--max-time", "120",
            "-w", "%{size_download} %{time_total} %{num_connects}\\n",
            f"http://{vip}/files/big.bin", log=self.output)

    def finish(self, deadline=100):
        """(bytes received, seconds, connections)."""
        try:
            self.process.wait(timeout=deadline)
        except Exception as error:
            raise LabError(f"the download did not end: {self.output.read_text()}") from error
        words = self.output.read_text().split()
        if len(words) != 3:
            raise LabError(f"the download failed: {' '.join(words)}")
        return int(words[0]), float(words[1]), int(words[2])


def outage(results, around):
    """The longest time without any answer among those that contain or follow `around`, as
    (seconds, start)."""
    ends = sorted(each["start"] + each["seconds"] for each in results if each["server"])
    pairs = [(later - earlier, earlier) for earlier, later in zip(ends, ends[1:])
             if later >= around]
    return max(pairs, default=(0.0, around))
