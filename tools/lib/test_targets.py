#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the ninja targets that the tests of the given suites run: test_targets.py BUILD SUITE..."""

import json
import os
import pathlib
import subprocess
import sys


def main():
    build, suites = pathlib.Path(sys.argv[1]).resolve(), set(sys.argv[2:])
    listing = subprocess.run(["meson", "introspect", "--tests", build], check=True,
                             capture_output=True, text=True).stdout
    targets = set()
    for test in json.loads(listing):
        if test["suite"][0].split(":")[-1] not in suites:
            continue
        for word in test["cmd"]:
            path = pathlib.Path(os.path.normpath(word))
            if build in path.parents:
                targets.add(path.relative_to(build).as_posix())
    print("\n".join(sorted(targets)))
    return 0 if targets else 1


if __name__ == "__main__":
    sys.exit(main())
