# SPDX-License-Identifier: Apache-2.0
"""What the verbs that measure a running polluxd have in common: their parts one after the other, figures
printed beside their goals as they come, or all of them as JSON."""

import json
import os
import signal
import socket
import sys

NO_GOAL = float("inf")


def report(parts, arguments, heading, line):
    """Runs the parts that arguments.only names (all if none); `line` formats a row. The exit status: 1
    if a goal was missed."""
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    if not arguments.json:
        print(f"{socket.gethostname()}, {os.cpu_count()} cores, load average "
              f"{os.getloadavg()[0]:.1f}\n{heading}", flush=True)
    rows = []
    for name in arguments.only or parts:
        for each in parts[name](arguments):
            rows.append(each)
            if not arguments.json:
                print(line(each), flush=True)
    if arguments.json:
        for each in rows:
            each["goal"] = None if each["goal"] == NO_GOAL else each["goal"]
        print(json.dumps({"schema": 1, "load": os.getloadavg()[0], "figures": rows}, indent=1))
    return 0 if all(each["met"] for each in rows) else 1
