#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests a page again and again, one connection each, until it is ended by SIGTERM.

One JSON line per request: start (seconds since the epoch), seconds, server ("" when it failed).
"""

import argparse
import json
import signal
import socket
import sys
import threading
import time

REQUEST = b"GET / HTTP/1.0\r\nHost: vip\r\n\r\n"


def one_request(address, patience):
    """The body of the answer, or "" when none came in time."""
    try:
        with socket.create_connection((address, 80), timeout=patience) as connection:
            connection.settimeout(patience)
            connection.sendall(REQUEST)
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
        return answer.partition(b"\r\n\r\n")[2].decode(errors="replace").strip()
    except OSError:
        return ""


def loop(address, pause, patience, ended):
    while not ended.is_set():
        start = time.time()
        server = one_request(address, patience)
        line = {"start": start, "seconds": time.time() - start, "server": server}
        sys.stdout.write(json.dumps(line) + "\n")
        ended.wait(pause)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.04, help="seconds between two requests")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds; more is a failure")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *unused: ended.set())
    threads = [threading.Thread(target=loop, args=(arguments.address, arguments.pause,
                                                   arguments.patience, ended))
               for _ in range(arguments.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
