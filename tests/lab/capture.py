# SPDX-License-Identifier: Apache-2.0
"""Captures in a namespace by tcpdump, and their TCP headers."""

import pathlib
import struct

from lab import wait_until

TCP = 6


class Capture:
    """A running tcpdump on a host's eth0; `expression` is its filter."""

    def __init__(self, host, expression):
        folder = pathlib.Path(host.lab.folder)
        self.host = host
        self.file = folder / f"{host.name}-{len(host.lab.processes)}.pcap"
        log = self.file.with_suffix(".log")
        self.process = host.spawn("tcpdump", "-i", "eth0", "-n", "-U", "-Z", "root", "-w", self.file,
                                  *expression.split(), log=log)
        wait_until(lambda: "listening on" in log.read_text(), "tcpdump listens")

    def stop(self):
        self.host.lab.end(self.process)

    def tcp(self):
        """(flags, {kind: contents}) of each TCP packet so far."""
        return [header for frame in frames(self.file.read_bytes())
                if (header := tcp_header(frame)) is not None]


def frames(data):
    """The frames of a pcap file in this machine's byte order; a cut-off one at the end is left out."""
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        if at + 16 + length > len(data):
            return
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def tcp_header(frame):
    ip = frame[14:]
    if ip[0] >> 4 == 4:
        protocol, tcp = ip[9], ip[4 * (ip[0] & 15):]
    else:
        protocol, tcp = ip[6], ip[40:]
    if protocol != TCP:
        return None
    options, at, end = {}, 20, 4 * (tcp[12] >> 4)
    while at < end and tcp[at] != 0:
        if tcp[at] == 1:
            at += 1
            continue
        options[tcp[at]] = tcp[at + 2:at + tcp[at + 1]]
        at += tcp[at + 1]
    return tcp[13], options
