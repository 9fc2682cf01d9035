#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`tools/dev bench throughput`: frames a second through polluxd, measured by pollux-pktgen.

polluxd and pktgen at the two ends of net_memif, one worker and one CPU each; RFC 2544 search for the
highest rate without loss (NDR) and with 0.1 % (PDR). Every frame is verified. See
docs/benchmarking.md.
"""

import argparse
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from generator import GeneratorScene  # noqa: E402
from lab import Lab  # noqa: E402

CASES = {
    "dr": ("DR", "udp", "forward"),
    "nat": ("NAT", "udp", "forward"),
    "nat-tcp": ("NAT", "tcp", "both"),
    "fnat-tcp": ("FNAT", "tcp", "both"),
    "tun": ("TUN", "udp", "forward"),
}
SERVERS = [f"10.0.0.{n}" for n in range(11, 19)]
HUGE_PAGES = 400  # of 2 MiB, for both programs


def reserved_huge_pages():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("HugePages_Free:"):
            return int(line.split()[1])
    return 0


def adapted(text, huge):
    """The files of the end-to-end tests, for speed: each program polls on a CPU of its own."""
    changes = {
        'worker_lcores = "0"': 'worker_lcores = "1"',
        "worker_lcore = 1": "worker_lcore = 0",
        'idle = "adaptive"': 'idle = "poll"',
        "rsize=12": "rsize=14",
        "hugepages = false": f"hugepages = {'true' if huge else 'false'}",
        'hugepage_mem = "128M"': 'hugepage_mem = "320M"',
        "mbufs_per_port = 8192": "mbufs_per_port = 49_152",
        "max_connections = 16_384": "max_connections = 1_048_576",
        'warm_up_rate = "2k"': 'warm_up_rate = "100k"',
        'catch_up = "1s"': 'catch_up = "5ms"',
    }
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def measure(name, options):
    method, kind, direction = CASES[name]
    huge = reserved_huge_pages() >= HUGE_PAGES
    with Lab(options.programs) as lab:
        scene = GeneratorScene(lab, method, kind, direction, servers=SERVERS, fixed_macs=True,
                               adapt=lambda text: adapted(text, huge))
        status, report, messages = scene.generate(
            "search", "--flows", str(options.flows), "--highest", options.highest, "--lowest",
            "100k", "--resolution", "0.03", "--duration", options.duration, "--retries", "3",
            timeout=280)
        if report is None:
            sys.exit(f"{name}: pktgen ended with status {status}:\n{messages}")
        print(messages, file=sys.stderr)
        report["case"] = name
        report["hugepages"] = huge
        report["workers"] = scene.polluxd.show("workers")["workers"]
    return report


def row_of(report):
    at_ndr = [trial for trial in report["trials"]
              if trial["rate"] == report["ndr"] and trial["lost"] == 0 and trial["wrong"] == 0]
    latency = at_ndr[-1]["latency"] if at_ndr else {}
    lately = report["workers"][0]["lately"]
    return (f"{report['case']:10} {report['ndr'] / 1e6:8.2f} {report['pdr'] / 1e6:8.2f} "
            f"{sum(trial['wrong'] for trial in report['trials']):6} "
            + " ".join(f"{latency.get(key, 0) / 1e3:8.1f}" for key in ("p50", "p99", "maximum"))
            + f" {lately['cycles_per_packet']:8.0f} {100 * lately['busy_share']:5.0f}"
            + ("  generator" if report["generator_bound"] else ""))


def main():
    parser = argparse.ArgumentParser(prog="tools/dev bench throughput", description=__doc__)
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=CASES, action="append", help="default: all")
    parser.add_argument("--flows", type=int, default=10_000)
    parser.add_argument("--highest", default="9M", help="frames a second, tried first")
    parser.add_argument("--duration", default="500ms", help="of a trial")
    parser.add_argument("--json", metavar="FOLDER", type=pathlib.Path,
                        help="write pktgen's report of each case (for pollux-bench plot)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root (network namespaces, TAP devices)")
    reports = [measure(name, options) for name in options.case or CASES]
    pages = "reserved huge pages" if reports[0]["hugepages"] else (
        f"ordinary pages (fewer than {HUGE_PAGES} huge ones are free)")
    print(f"{options.flows} flows at random, 64-byte frames, {len(SERVERS)} servers, {pages}; the "
          "last three: polluxd's worker\nin its last second, and who could not go faster")
    print(f"{'case':10} {'NDR M/s':>8} {'PDR M/s':>8} {'wrong':>6} {'p50 us':>8} {'p99 us':>8} "
          f"{'max us':>8} {'cycles':>8} {'busy':>5}  limit")
    for report in reports:
        print(row_of(report))
        if options.json:
            options.json.mkdir(parents=True, exist_ok=True)
            file = options.json / f"{report['case']}.json"
            file.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
