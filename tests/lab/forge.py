#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Forged frames: VRRP adverts and ARP claims, sent from a station of the laboratory.

Run as a program inside a namespace it sends one frame, given in hexadecimal, again and again.
"""

import argparse
import ipaddress
import socket
import struct
import sys
import time

GROUP = "224.0.0.18"
FORGED_MAC = "02:00:00:00:00:77"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def advert(*, source, vrid=51, priority=100, version=3, interval=0.2, vips=("10.0.0.3",), ttl=255,
           kind=1, password=None, spoil_checksum=False, mac=FORGED_MAC):
    """A whole IPv4 frame to the multicast group; version 3 with the pseudo-header checksum."""
    auth = (password or "").encode().ljust(8, b"\0") if version == 2 else b""
    timing = (struct.pack("!BB", 1 if password else 0, round(interval)) if version == 2
              else struct.pack("!H", round(interval * 100)))
    body = struct.pack("!BBBB", version << 4 | kind, vrid, priority, len(vips)) + timing
    tail = b"".join(packed(vip) for vip in vips) + auth
    pseudo = b"" if version == 2 else packed(source) + packed(GROUP) + struct.pack(
        "!HH", 112, len(body) + 2 + len(tail))
    total = checksum(pseudo + body + b"\0\0" + tail) ^ (0x1234 if spoil_checksum else 0)
    message = body + struct.pack("!H", total) + tail
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(message), 1, 0, ttl, 112, 0,
                         packed(source), packed(GROUP))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    ethernet = bytes.fromhex("01005e000012" + mac.replace(":", "") + "0800")
    return ethernet + header + message


def arp_claim(address, mac):
    """A gratuitous ARP reply: `address` is at `mac`."""
    raw = bytes.fromhex(mac.replace(":", ""))
    return (b"\xff" * 6 + raw + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 2) + raw +
            packed(address) + raw + packed(address))


class Forger:
    """Sends frames from a station."""

    def __init__(self, host, interface="eth0"):
        self.host = host
        self.interface = interface

    def send(self, frame, count=1):
        self.host.run(sys.executable, __file__, self.interface, frame.hex(), "--count", count)

    def keep_sending(self, frame, interval):
        """Returns the process; 0: as fast as possible."""
        return self.host.spawn(sys.executable, __file__, self.interface, frame.hex(), "--count",
                               10**9, "--interval", interval)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("frame")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--interval", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0, help="frames a second, in bursts")
    arguments = parser.parse_args()
    frame = bytes.fromhex(arguments.frame)
    output = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    output.bind((arguments.interface, 0))
    start, sent = time.monotonic(), 0
    while sent < arguments.count:
        due = arguments.count
        if arguments.rate:
            due = min(due, int((time.monotonic() - start) * arguments.rate) + 1)
            if due == sent:
                time.sleep(0.0005)
        else:
            due = sent + 1
        while sent < due:
            try:
                output.send(frame)
            except OSError:  # the queue is full
                time.sleep(0.0001)
            sent += 1
        if arguments.interval:
            time.sleep(arguments.interval)


if __name__ == "__main__":
    main()
