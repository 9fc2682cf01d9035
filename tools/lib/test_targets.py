#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the ninja targets that the tests of the given suites run: test_targets.py BUILD SUITE..."""

import json
import pathlib
import subprocess
import sys


def introspect(build, what):
    return json.loads(subprocess.run(["meson", "introspect", what, build], check=True,
                                     capture_output=True, text=True).stdout)


def main():
    build, suites = pathlib.Path(sys.argv[1]).resolve(), set(sys.argv[2:])
    files = {target["id"]: target["filename"] for target in introspect(build, "--targets")}
    targets = set()
    for test in introspect(build, "--tests"):
        if test["suite"][0].split(":")[-1] in suites:
            for target in test["depends"]:
                targets.update(pathlib.Path(name).relative_to(build).as_posix()
                               for name in files[target])
    print("\n".join(sorted(targets)))
    return 0 if targets else 1


if __name__ == "__main__":
    sys.exit(main())
