#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per packet of the data plane, counted by callgrind: a figure without noise.

Each case runs pollux-bench twice, with few and with more samples, and counts what
Worker::process_burst and all below it execute; the difference of the two runs is packets of the
steady state alone, as set-up and warm-up cancel out. The CPU baseline is the build's (-Dmarch), and
glibc is told to choose no newer code, so the count depends on compiler and sources only.

The recorded counts are in tests/bench/instructions.json. A case that needs more than the tolerance
beyond its record fails; one that needs as much less asks for a new record.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = ROOT / "tests" / "bench" / "instructions.json"
TOLERANCE = 0.03
RECORD_COMMAND = "tools/dev bench --instructions --record"

MEASURED_FUNCTION = "pollux::lb::Worker::process_burst*"
# glibc picks string functions by CPU; without these every CPU gets the SSE2 ones.
TUNABLES = "glibc.cpu.hwcaps=" + ",".join("-" + name for name in (
    "AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "BMI2", "ERMS", "FSRM", "SSSE3", "SSE4_1",
    "SSE4_2", "Fast_Unaligned_Copy", "AVX_Fast_Unaligned_Load"))

FEW, MORE = 10, 30  # samples of the two runs; pollux-bench takes at least 10
FLOWS = 1000

CASES = {
    "dr forward v4": ["pipeline", "--method", "dr"],
    "nat forward v4": ["pipeline", "--method", "nat"],
    "nat reply v4": ["pipeline", "--method", "nat", "--direction", "reply"],
    "nat forward v6": ["pipeline", "--method", "nat", "--family", "v6"],
    "fnat forward v4": ["pipeline", "--method", "fnat"],
    "tun forward v4": ["pipeline", "--method", "tun"],
    "connect nat v4": ["connect", "--method", "nat"],
}


class MeasurementError(Exception):
    """The count could not be taken."""


def units_of(samples, verb):
    """Packets (connections) that a run with so many samples measures, warm-up included."""
    # As many connections as are timed are opened untimed before; callgrind counts both.
    per_sample = {"pipeline": 4096, "connect": 2 * 512}[verb]
    return (samples + samples // 10 + 1) * per_sample


def count(bench, arguments, samples):
    """Instructions within the measured function in one run."""
    with tempfile.TemporaryDirectory(prefix="pollux-callgrind-") as folder:
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no",
                   f"--toggle-collect={MEASURED_FUNCTION}", "--callgrind-out-file=" + folder + "/out",
                   str(bench), *arguments, "--flows", str(FLOWS), "--samples", str(samples)]
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                env=dict(os.environ, GLIBC_TUNABLES=TUNABLES))
    if result.returncode != 0:
        raise MeasurementError(f"{' '.join(command)}: exit status {result.returncode}\n"
                               + (result.stdout + result.stderr)[-2000:])
    collected = re.search(r"Collected : (\d+)", result.stderr)
    if collected is None or int(collected.group(1)) == 0:
        raise MeasurementError(f"callgrind saw no {MEASURED_FUNCTION}; is it inlined or renamed?")
    return int(collected.group(1))


def measure(bench, name):
    arguments = CASES[name]
    few, more = (count(bench, arguments, samples) for samples in (FEW, MORE))
    units = units_of(MORE, arguments[0]) - units_of(FEW, arguments[0])
    return round((more - few) / units, 1)


def compiler_of(build):
    """Name and version, for example "g++ 12.2.0"."""
    commands = json.loads((pathlib.Path(build) / "compile_commands.json").read_text())
    words = [word for word in shlex.split(commands[0]["command"]) if "ccache" not in word]
    first_line = subprocess.run([words[0], "--version"], check=True, capture_output=True,
                                text=True).stdout.splitlines()[0]
    version = re.search(r"\d+\.\d+\.\d+", first_line.split(")")[-1]).group()
    return f"{pathlib.Path(words[0]).name} {version}"


def build_facts(build):
    """What the count depends on besides the sources."""
    listing = subprocess.run(["meson", "introspect", "--buildoptions", build], check=True,
                             capture_output=True, text=True).stdout
    options = {option["name"]: option["value"] for option in json.loads(listing)}
    return {"compiler": compiler_of(build), "optimization": options["optimization"],
            "march": options["march"], "sanitize": options["b_sanitize"]}


def judge(measured, recorded):
    """(verdict, explanation) of one case; the verdict is ok, better, worse or new."""
    if recorded is None:
        return "new", f"{measured:.1f}, not recorded; run {RECORD_COMMAND}"
    change = measured / recorded - 1
    text = f"{measured:.1f}, recorded {recorded:.1f} ({change:+.1%})"
    if change > TOLERANCE:
        return "worse", f"{text}: more than {TOLERANCE:.0%} above the record"
    if change < -TOLERANCE:
        return "better", f"{text}: the record is outdated, run {RECORD_COMMAND}"
    return "ok", text


def write_junit(path, rows):
    suite = ElementTree.Element("testsuite", name="instructions")
    for name, kind, text in rows:
        case = ElementTree.SubElement(suite, "testcase", classname="instructions", name=name)
        if kind in ("worse", "new", "error"):
            ElementTree.SubElement(case, "failure", message=text)
        elif kind == "skipped":
            ElementTree.SubElement(case, "skipped", message=text)
    ElementTree.ElementTree(suite).write(path)


def record(facts, counts):
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps({"build": facts, "instructions per packet": counts}, indent=2)
                      + "\n")
    print(f"recorded in {RECORD.relative_to(ROOT)}; commit it with the change that caused it")


def compare(facts, measure_all):
    """Rows (case, verdict, explanation)."""
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {"build": facts}
    if known["build"] != facts:
        difference = ", ".join(f"{key} {facts[key]} instead of {known['build'].get(key)}"
                               for key in facts if facts[key] != known["build"].get(key))
        return [(name, "skipped", f"the record is of another build: {difference}")
                for name in CASES]
    rows = []
    for name, result in measure_all():
        if isinstance(result, MeasurementError):
            rows.append((name, "error", str(result)))
        else:
            rows.append((name, *judge(result, known.get("instructions per packet", {}).get(name))))
    return rows


def main():
    parser = argparse.ArgumentParser(prog="tools/dev bench --instructions")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--junitxml", help=argparse.SUPPRESS)
    parser.add_argument("--record", action="store_true", help="write the counts as the new record")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("error: valgrind is missing; tools/dev bench --instructions installs it",
              file=sys.stderr)
        return 1
    bench = pathlib.Path(arguments.build).resolve() / "bin" / "pollux-bench"
    facts = build_facts(arguments.build)

    def measure_all():
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            futures = {name: pool.submit(measure, bench, name) for name in CASES}
            for name, future in futures.items():
                try:
                    yield name, future.result()
                except MeasurementError as error:
                    yield name, error

    if arguments.record:
        counts = dict(measure_all())
        errors = [str(value) for value in counts.values() if isinstance(value, MeasurementError)]
        if errors:
            print("error: " + "\n".join(errors), file=sys.stderr)
            return 1
        for name, value in counts.items():
            print(f"  {name:16} {value:8.1f}")
        record(facts, counts)
        return 0
    rows = compare(facts, measure_all)
    for name, kind, text in rows:
        print(f"  {name:16} {kind:8} {text}")
    if arguments.junitxml:
        write_junit(arguments.junitxml, rows)
    if any(kind == "worse" for _, kind, _ in rows):
        print(f"Is the cost wanted? Then record it with its reason: {RECORD_COMMAND}")
    return 1 if any(kind in ("worse", "new", "error") for _, kind, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
