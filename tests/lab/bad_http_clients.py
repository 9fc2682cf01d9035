# SPDX-License-Identifier: Apache-2.0
"""Holds all connections of a small HTTP server on loopback: bad_http_clients.py PORT

Prints "refused" when one more is closed at once, "closed" when all that say nothing are closed in time.
"""

import socket
import sys
import time

LIMIT = 16
ADDRESS = ("127.0.0.1", int(sys.argv[1]))


def closed_within(client, seconds):
    client.settimeout(seconds)
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


start = time.monotonic()
silent = [socket.create_connection(ADDRESS) for _ in range(LIMIT)]
silent[0].sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
one_more = socket.create_connection(ADDRESS)
print("refused" if closed_within(one_more, 1.5) and time.monotonic() - start < 1.8 else "taken")
# 2 s, and what a busy machine adds.
print("closed" if all(closed_within(client, 10) for client in silent) else "open")
