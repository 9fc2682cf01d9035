#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each measurement of pollux-bench on a small table: it ends well and its JSON has every field."""

import json
import subprocess
import sys

PROGRAM = sys.argv[1]
SMALL = ["--flows", "1000", "--samples", "20", "--json"]
RUNS = [["pipeline", "--method", method, "--family", family]
        for method in ("dr", "nat", "fnat", "tun") for family in ("v4", "v6")]
RUNS += [["pipeline", "--method", method, "--direction", "reply"] for method in ("nat", "fnat")]
RUNS += [["connect", "--method", "nat"], ["connect", "--method", "fnat", "--life"]]


def check(run):
    output = subprocess.run([PROGRAM, *run, *SMALL], check=True, capture_output=True, text=True)
    report = json.loads(output.stdout)
    assert report["program"] == "pollux-bench", report
    assert report["machine"]["counter_ghz"] > 0, report
    [figure] = report["figures"]
    assert figure["what"] == ("life" if "--life" in run else run[0]), figure
    assert figure["method"] == run[run.index("--method") + 1], figure
    assert figure["connections"] == 1000, figure
    cycles = figure["cycles"]
    assert 0 < cycles["minimum"] <= cycles["p10"] <= cycles["median"], figure
    assert figure["calibration"]["ratio"] >= 1, figure


for each in RUNS:
    check(each)
refused = subprocess.run([PROGRAM, "pipeline", "--flows", "none"], capture_output=True, text=True)
assert refused.returncode == 2 and "--flows" in refused.stderr, refused
