# SPDX-License-Identifier: Apache-2.0
"""Servers that want to hurt a health check: hostile.py MODE:PORT..."""

import socket
import sys
import threading
import time
import zlib

CHUNK = b"x" * 65536


def head(more=b"", status=b"200 OK"):
    return b"HTTP/1.0 " + status + b"\r\n" + more + b"\r\n"


def endless_body(connection):
    connection.sendall(head())
    while True:
        connection.sendall(CHUNK)


def slow_body(connection):
    connection.sendall(head(b"Content-Length: 100000\r\n"))
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def huge_headers(connection):
    connection.sendall(b"HTTP/1.0 200 OK\r\n")
    while True:
        connection.sendall(b"X-Header: " + b"y" * 1000 + b"\r\n")


def one_huge_header(connection):
    connection.sendall(b"HTTP/1.0 200 OK\r\nX-Header: ")
    while True:
        connection.sendall(CHUNK)


def redirect_loop(connection):
    connection.sendall(head(b"Location: /again\r\n", b"302 Found"))


def bad_status(connection):
    connection.sendall(b"\x00\xff GARBAGE \x1b[2J\r\n\r\n" * 100)


def gzip_bomb(connection):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(64)) + packer.flush()
    connection.sendall(head(b"Content-Encoding: gzip\r\nTransfer-Encoding: gzip\r\n") + bomb)


def regex_bomb(connection):
    connection.sendall(head() + b"a" * 200000 + b"b")


def tls_garbage(connection):
    connection.sendall(b"\x16\x03\x01\xff\xff" + b"\xaa" * 65536)
    time.sleep(30)


def silent(connection):
    time.sleep(60)


def smtp_half_open(connection):
    connection.sendall(b"220-wait\r\n" * 3 + b"220-")
    time.sleep(60)


def smtp_endless(connection):
    while True:
        connection.sendall(b"220-more\r\n" * 1000)


def serve(mode, port):
    listener = socket.create_server(("0.0.0.0", port), backlog=64)

    def talk(connection):
        try:
            connection.settimeout(10)
            if not mode.startswith(("smtp", "silent", "tls")):
                connection.recv(4096)
            globals()[mode](connection)
        except OSError:
            pass
        finally:
            connection.close()

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def main():
    for word in sys.argv[1:]:
        mode, port = word.split(":")
        threading.Thread(target=serve, args=(mode, int(port)), daemon=True).start()
    while True:
        time.sleep(3600)


main()
