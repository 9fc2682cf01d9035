# SPDX-License-Identifier: Apache-2.0
"""A real server's end of LVS's tunnels, in user space, for kernels without ipip, gre and fou.

Takes IPIP, GRE and GUE packets (outer IPv4 and IPv6), checks what their headers promise, and hands the
inner packet to the kernel through a TUN device. Runs until it is ended; prints "ready" once it listens.

    decapsulate.py DEVICE GUE_PORT
"""

import fcntl
import os
import selectors
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
UDP_NO_CHECK6_RX = 102  # as `udp6zerocsumrx` of a kernel's tunnel
IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE = 4, 41, 47
ETHERTYPES = {0x0800: 4, 0x86DD: 6}


class Malformed(Exception):
    """The packet is not what its header says."""


def internet_sum(data):
    """One's complement sum of 16-bit words; 0xffff over data that contains its own checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def check_version(packet, version):
    if not packet or packet[0] >> 4 != version:
        raise Malformed(f"the inner packet is not of IP version {version}")
    return packet


def take_gre(payload):
    """RFC 2784: flags, protocol, and with flag C a checksum over header and payload."""
    flags, ethertype = struct.unpack_from("!HH", payload)
    if flags & ~0x8000:
        raise Malformed(f"GRE flags {flags:#06x}")
    length = 4
    if flags & 0x8000:
        length = 8
        if internet_sum(payload) != 0xFFFF:
            raise Malformed("GRE checksum")
    if ethertype not in ETHERTYPES:
        raise Malformed(f"GRE protocol {ethertype:#06x}")
    return check_version(payload[length:], ETHERTYPES[ethertype])


def take_gue(payload):
    """GUE variant 0: version, C bit and length of the options, protocol, flags. An option for the
    remote checksum (flag P, then 8 bytes) is skipped."""
    first, protocol = payload[0], payload[1]
    if first >> 5:
        raise Malformed("GUE version or control bit")
    versions = {IPPROTO_IPIP: 4, IPPROTO_IPV6: 6}
    if protocol not in versions:
        raise Malformed(f"GUE protocol {protocol}")
    return check_version(payload[4 + 4 * (first & 0x1F):], versions[protocol])


def without_outer_v4(packet):
    """A raw IPv4 socket gives the outer header, too; a raw IPv6 socket does not."""
    return packet[4 * (packet[0] & 0x0F):]


def open_device(name):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    os.system(f"ip link set {name} up")
    return device


def raw(family, protocol):
    return socket.socket(family, socket.SOCK_RAW, protocol)


def udp(family, port):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)
    sock.bind(("", port))
    return sock


def sources(gue_port):
    """Sockets, each with the function that turns what it receives into the inner packet."""
    v4, v6 = socket.AF_INET, socket.AF_INET6
    yield raw(v4, IPPROTO_IPIP), lambda data: check_version(without_outer_v4(data), 4)
    yield raw(v4, IPPROTO_IPV6), lambda data: check_version(without_outer_v4(data), 6)
    yield raw(v4, IPPROTO_GRE), lambda data: take_gre(without_outer_v4(data))
    yield raw(v6, IPPROTO_IPIP), lambda data: check_version(data, 4)
    yield raw(v6, IPPROTO_IPV6), lambda data: check_version(data, 6)
    yield raw(v6, IPPROTO_GRE), take_gre
    yield udp(v4, gue_port), take_gue
    yield udp(v6, gue_port), take_gue


def main():
    device = open_device(sys.argv[1])
    selector = selectors.DefaultSelector()
    for sock, unwrap in sources(int(sys.argv[2])):
        selector.register(sock, selectors.EVENT_READ, unwrap)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            data = key.fileobj.recv(65535)
            try:
                os.write(device, key.data(data))
            except (Malformed, IndexError, struct.error) as problem:
                print("malformed:", problem, data.hex(), flush=True)


if __name__ == "__main__":
    main()
