#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test suites and adds their results up to one line: N passed, N failed."""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
# These run two at a time; one that needs the machine for itself (namespaces, EAL) does not.
PARALLEL_SUITES = ["unit", "packet", "golden", "simulation", "concurrency"]
MESON_SUITES = PARALLEL_SUITES + ["dpdk"]
PYTEST_SUITES = ["tidy", "e2e"]
ALL_SUITES = MESON_SUITES + ["instructions"] + PYTEST_SUITES


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.failures = []

    def add_junit(self, path, suite):
        """Adds one JUnit file; returns how many tests it held."""
        count = 0
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{suite}: {case.get('classname', '')}.{case.get('name', '')}"
            count += 1
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
                self.failures.append(name)
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                self.skipped += 1
            else:
                self.passed += 1
        return count

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def add_crash(self, name):
        self.failed += 1
        self.failures.append(name)


def meson_tests(build):
    """Names of the registered tests by suite."""
    listing = subprocess.run(["meson", "introspect", "--tests", build], check=True,
                             capture_output=True, text=True).stdout
    tests = []
    for test in json.loads(listing):
        suite = test["suite"][0].split(":")[-1]
        tests.append((suite, test))
    return tests


# `meson test` does not run twice at a time in one build directory.
meson_lock = threading.Lock()


def run_program(build, suite, test):
    """Runs one registered test; returns its Totals, for which it has printed a line."""
    totals = Totals()
    name = test["name"]
    xml = pathlib.Path(build).resolve() / "logs" / f"{suite}-{name.replace('/', '_')}.xml"
    log = xml.with_suffix(".log")
    xml.unlink(missing_ok=True)
    command = test["cmd"]
    gtest = test.get("protocol") == "gtest"
    if gtest:
        command = command + [f"--gtest_output=xml:{xml}"]
    else:  # meson knows which tests shall fail
        command = ["meson", "test", "-C", build, "--no-rebuild", "--suite", suite, name]
    status = "ok"
    with contextlib.nullcontext() if gtest else meson_lock, open(log, "wb") as output:
        start = time.monotonic()
        try:
            code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL,
                                  cwd=(test["workdir"] or build) if gtest else None,
                                  env=dict(os.environ, **test["env"]),
                                  timeout=test["timeout"] * 4).returncode
        except subprocess.TimeoutExpired:
            code, status = -1, "TIMED OUT"
    count = 0
    if gtest and xml.exists():
        count = totals.add_junit(xml, name)
        if count == 0:
            totals.add_crash(f"{name}: ran no test")
        elif code != 0 and not totals.failed:
            totals.add_crash(f"{name}: exit status {code}")
    elif code == 0 and not gtest:
        totals.passed += 1
        count = 1
    else:
        totals.add_crash(f"{name}: no result, exit status {code}")
    text = f"  {suite:12} {name:32} {count:5} tests {time.monotonic() - start:7.1f} s  "
    if totals.failed:
        status = "FAILED" if status == "ok" else status
        tail = log.read_text(errors="replace").splitlines()[-60:]
        text = "\n".join("    | " + line for line in tail) + "\n" + text
    print(text + status, flush=True)
    return totals


def run_with_junit(build, suite, command, capture):
    """Runs a suite that is one command which writes JUnit; returns its Totals."""
    totals = Totals()
    xml = pathlib.Path(build).resolve() / "logs" / f"{suite}.xml"
    xml.unlink(missing_ok=True)
    environment = dict(os.environ, POLLUX_BIN=str(pathlib.Path(build).resolve() / "bin"),
                       PYTHONDONTWRITEBYTECODE="1")
    start = time.monotonic()
    result = subprocess.run([*command, f"--junitxml={xml}"], cwd=ROOT, env=environment, text=True,
                            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT if capture else None,
                            stdout=subprocess.PIPE if capture else None)
    count = totals.add_junit(xml, suite) if xml.exists() else 0
    if count == 0 or (result.returncode != 0 and not totals.failed):
        totals.add_crash(f"{suite}: exit status {result.returncode}, {count} tests")
    text = f"  {suite:12} {'':32} {count:5} tests {time.monotonic() - start:7.1f} s"
    print((result.stdout or "") + text, flush=True)
    return totals


def run_pytest_suite(build, suite, extra, capture):
    return run_with_junit(build, suite, ["/usr/bin/python3", "-m", "pytest", "-p",
                                         "no:cacheprovider", "-q", "--tb=short", "--durations=5",
                                         str(ROOT / "tests" / suite), *extra], capture)


def run_instructions(build):
    return run_with_junit(build, "instructions",
                          ["/usr/bin/python3", str(ROOT / "tools/lib/instructions.py"), "--build",
                           build], True)


def run_suites(arguments, wanted, tests):
    """Runs the wanted suites: what does not mind company first and at the same time."""
    build, totals = arguments.build, Totals()
    extra = ["-k", arguments.k] if arguments.k else []
    jobs = [(run_program, build, suite, test) for suite in PARALLEL_SUITES if suite in wanted
            for test_suite, test in tests if test_suite == suite]
    # The longest first, so that it does not run alone at the end.
    jobs.sort(key=lambda job: -job[3]["timeout"])
    if "instructions" in wanted:
        jobs.insert(0, (run_instructions, build))
    if "tidy" in wanted:
        jobs.insert(0, (run_pytest_suite, build, "tidy", extra, True))
    with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count(), 4)) as pool:
        for future in [pool.submit(*job) for job in jobs]:
            totals.add(future.result())
    if "dpdk" in wanted:
        for suite, test in tests:
            if suite == "dpdk":
                totals.add(run_program(build, suite, test))
    if "e2e" in wanted:
        # They wait more than they work, and each has namespaces of its own.
        totals.add(run_pytest_suite(build, "e2e", ["-n", "2", *extra], False))
    return totals


def main():
    parser = argparse.ArgumentParser(prog="tools/dev test")
    parser.add_argument("--build", required=True)
    parser.add_argument("-k", help="pytest expression for the tidy and e2e suites")
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help="one or more of: " + " ".join(ALL_SUITES))
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(ALL_SUITES)
    if unknown:
        parser.error(f"unknown suite {', '.join(sorted(unknown))}")
    wanted = arguments.suites or ALL_SUITES
    (pathlib.Path(arguments.build) / "logs").mkdir(exist_ok=True)
    tests = meson_tests(arguments.build)
    start = time.monotonic()
    totals = run_suites(arguments, wanted, tests)
    stray = sorted({suite for suite, _ in tests} - set(MESON_SUITES))
    if stray:
        totals.add_crash(f"meson suites that nobody runs: {', '.join(stray)}")
    print(f"took {time.monotonic() - start:.0f} s")
    for failure in totals.failures:
        print(f"FAILED {failure}")
    skipped = f", {totals.skipped} skipped" if totals.skipped else ""
    print(f"{totals.passed} passed, {totals.failed} failed{skipped}")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
