#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The profiles of `pollux bench-profile` pass the checkers of their languages: luac, Python's
compiler, and pollux-pktgen itself. argv: pollux, pollux-pktgen, a configuration, another."""

import os
import py_compile
import shutil
import subprocess
import sys
import tempfile

POLLUX, PKTGEN, *CONFIGS = sys.argv[1:]
COMMON = ["--balancer-mac", "02:00:00:00:00:01", "--address", "192.0.2.9", "--server-address",
          "192.0.2.10", "--pci", "0000:03:00.0", "--server-pci", "0000:03:00.1"]


def profile(tool, config, folder, suffix):
    text = subprocess.run([POLLUX, "bench-profile", "--tool", tool, *COMMON, config], check=True,
                          capture_output=True, text=True).stdout
    name = os.path.join(folder, tool + suffix)
    with open(name, "w") as file:
        file.write(text)
    return name


luac = shutil.which("luac") or shutil.which("luac5.4")
with tempfile.TemporaryDirectory() as folder:
    for config in CONFIGS:
        lua = profile("pktgen", config, folder, ".lua")
        if luac:
            subprocess.run([luac, "-p", lua], check=True)
        py_compile.compile(profile("trex", config, folder, ".py"), doraise=True)
        traffic = profile("pollux-pktgen", config, folder, ".toml")
        subprocess.run([PKTGEN, "check", traffic], check=True, capture_output=True)
        for line in open(profile("dperf", config, folder, ".conf")):
            assert line.startswith("#") or len(line.split()) >= 2 or line == "rss\n", line
print("without luac: the Lua profile was not checked" if luac is None else "checked")
