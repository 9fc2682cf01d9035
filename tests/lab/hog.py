#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hog.py CPU SHARE SECONDS: takes that share of a CPU, in slices of four milliseconds, ahead of
everybody else there. What runs on it is a slower machine's: how a worker is overloaded tenfold where
no generator could send ten times what it takes."""

import os
import sys
import time

PERIOD = 0.004


def main():
    cpu, share, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    os.sched_setaffinity(0, {cpu})
    os.nice(-20)
    end = time.monotonic() + seconds
    due = time.monotonic()
    while due < end:
        while time.monotonic() < due + share * PERIOD:
            pass
        due += PERIOD
        time.sleep(max(due - time.monotonic(), 0.0001))


if __name__ == "__main__":
    main()
