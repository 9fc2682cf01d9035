# SPDX-License-Identifier: Apache-2.0
"""A name server's kind of traffic: one datagram asks, one answers.

    udp_names.py serve NAME PORT ADDRESS...     answers "NAME QUESTION" from the asked address
    udp_names.py ask ADDRESS PORT COUNT [SOURCE]  COUNT questions, each from a socket of its own; prints JSON:
                                                answers by name, lost, wrong
"""

import json
import selectors
import socket
import sys

PATIENCE = 3.0


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(name, port, *addresses):
    selector = selectors.DefaultSelector()
    for address in addresses:
        sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
        sock.bind((address, int(port)))
        selector.register(sock, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            question, client = key.fileobj.recvfrom(2048)
            key.fileobj.sendto(name.encode() + b" " + question, client)


def ask(address, port, count, source=""):
    result = {"answers": {}, "lost": 0, "wrong": 0}
    for number in range(int(count)):
        question = f"question {number}".encode()
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE)
            if source:
                sock.bind((source, 0))
            # Connected: an answer from any other address would not arrive.
            sock.connect((address, int(port)))
            sock.send(question)
            try:
                name, _, echo = sock.recv(2048).partition(b" ")
            except OSError:
                result["lost"] += 1
                continue
            if echo != question:
                result["wrong"] += 1
            answers = result["answers"]
            answers[name.decode()] = answers.get(name.decode(), 0) + 1
    print(json.dumps(result))


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
