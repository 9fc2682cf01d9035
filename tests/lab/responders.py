# SPDX-License-Identifier: Apache-2.0
"""Small UDP servers for health checks: responders.py MODE:PORT..."""

import socket
import sys
import threading


def answer(mode, request):
    if mode == "echo":
        return request
    flags = {"dns": b"\x81\x80", "servfail": b"\x81\x82"}.get(mode)
    if flags:
        return request[:2] + flags + request[4:]
    # Another id: somebody else's answer.
    return bytes([request[0] ^ 0xFF]) + request[1:2] + b"\x81\x80" + request[4:]


def serve(mode, port):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", port))
    while True:
        request, client = server.recvfrom(2048)
        server.sendto(answer(mode, request), client)


threads = [threading.Thread(target=serve, args=(word.split(":")[0], int(word.split(":")[1])))
           for word in sys.argv[1:]]
for thread in threads:
    thread.start()
