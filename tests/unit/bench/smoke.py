#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each measurement of pollux-bench on a small table: it ends well and its JSON has every field."""

import json
import subprocess
import sys
import tempfile
import xml.dom.minidom

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


def result_of(*arguments):
    output = subprocess.run([PROGRAM, *arguments, "--samples", "20", "--json"], check=True,
                            capture_output=True, text=True)
    return json.loads(output.stdout)


schedulers = result_of("scheduler", "--servers", "16")["schedulers"]
assert len(schedulers) == 14 and all(row["p10"] > 0 for row in schedulers), schedulers
[mh] = [row for row in schedulers if row["scheduler"] == "mh"]
assert mh["moved_by_leave"] < 0.2, mh
flood = result_of("flood", "--method", "nat", "--flows", "1000")["flood"]
assert flood["survived"] == 1000 and flood["syns"] == 20 * 2048 and flood["opened"] > 0, flood
expire = result_of("expire", "--flows", "1000", "--idle", "1000")["expire"]
assert expire["removed"] == 1000 and expire["during"]["iterations"] > 0, expire
assert expire["alone"]["p10"] > 0 and expire["with_idle"]["p10"] > 0, expire
beside = subprocess.run([PROGRAM, "table", "--connections", "2000", "--samples", "20", "--json"],
                        check=True, capture_output=True, text=True)
rows = {row["what"]: row for row in json.loads(beside.stdout)["results"]}
assert len(rows) == 12 and all(row["p10"] > 0 for row in rows.values()), rows
assert all(row["ratio"] > 0 and row["rte_hash"]["p10"] > 0 for row in rows.values()), rows
alone = subprocess.run([PROGRAM, "table", "--connections", "2000", "--samples", "20", "--alone"],
                       check=True, capture_output=True, text=True)
assert "miss" in alone.stdout and "# rte_hash" not in alone.stdout, alone.stdout
scale = result_of("scale", "--workers", "2", "--flows", "1000")["scale"]["figures"]
assert [len(row["cycles"]) for row in scale] == [1, 2], scale
with tempfile.TemporaryDirectory() as folder:
    report, page = f"{folder}/report.json", f"{folder}/page.html"
    with open(report, "w") as file:
        json.dump(result_of("pipeline", "--method", "nat", "--flows", "1000"), file)
    subprocess.run([PROGRAM, "plot", report, "--html", page, "--svg", folder], check=True,
                   capture_output=True)
    for name in (page, f"{folder}/pipeline.svg"):
        with open(name) as file:
            text = file.read()
        assert "<svg" in text and "http" not in text.replace("http://www.w3.org/2000/svg", ""), name
    xml.dom.minidom.parse(f"{folder}/pipeline.svg")
    nothing = subprocess.run([PROGRAM, "plot", page, "--html", page], capture_output=True,
                             text=True)
    assert nothing.returncode == 1 and "neither a report" in nothing.stderr, nothing
refused = subprocess.run([PROGRAM, "pipeline", "--flows", "none"], capture_output=True, text=True)
assert refused.returncode == 2 and "--flows" in refused.stderr, refused
