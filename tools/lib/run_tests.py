#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test suites and adds their results up to one line: N passed, N failed."""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESON_SUITES = ["unit", "packet", "golden", "simulation", "concurrency", "dpdk"]
PYTEST_SUITES = ["tidy", "e2e"]


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

    def add_crash(self, name):
        self.failed += 1
        self.failures.append(name)


def meson_tests(build):
    """Names of the registered tests by suite."""
    listing = subprocess.run(["meson", "introspect", "--tests", build], check=True,
                             capture_output=True, text=True).stdout
    import json
    tests = []
    for test in json.loads(listing):
        suite = test["suite"][0].split(":")[-1]
        tests.append((suite, test))
    return tests


def run_meson_suite(build, suite, tests, totals):
    for test in tests:
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
        start = time.monotonic()
        environment = dict(os.environ, **test["env"])
        status = "ok"
        with open(log, "wb") as output:
            try:
                code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT,
                                      stdin=subprocess.DEVNULL,
                                      cwd=(test["workdir"] or build) if gtest else None,
                                      env=environment, timeout=test["timeout"] * 4).returncode
            except subprocess.TimeoutExpired:
                code, status = -1, "TIMED OUT"
        failed_before = totals.failed
        count = 0
        if gtest and xml.exists():
            count = totals.add_junit(xml, name)
            if count == 0:
                totals.add_crash(f"{name}: ran no test")
            elif code != 0 and totals.failed == failed_before:
                totals.add_crash(f"{name}: exit status {code}")
        elif code == 0 and not gtest:
            totals.passed += 1
            count = 1
        else:
            totals.add_crash(f"{name}: no result, exit status {code}")
        if totals.failed > failed_before:
            status = "FAILED" if status == "ok" else status
            tail = log.read_text(errors="replace").splitlines()[-60:]
            print("\n".join("    | " + line for line in tail))
        print(f"  {suite:12} {name:32} {count:5} tests {time.monotonic() - start:7.1f} s  {status}",
              flush=True)


def run_pytest_suite(build, suite, extra, totals):
    folder = ROOT / "tests" / suite
    if not folder.is_dir():
        return
    xml = pathlib.Path(build).resolve() / "logs" / f"{suite}.xml"
    xml.unlink(missing_ok=True)
    environment = dict(os.environ, POLLUX_BIN=str(pathlib.Path(build).resolve() / "bin"),
                       PYTHONDONTWRITEBYTECODE="1")
    start = time.monotonic()
    command = ["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short",
               "--durations=5", f"--junitxml={xml}", str(folder)] + extra
    code = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode
    failed_before = totals.failed
    count = totals.add_junit(xml, suite) if xml.exists() else 0
    if count == 0 or (code != 0 and totals.failed == failed_before):
        totals.add_crash(f"{suite}: pytest exit status {code}, {count} tests")
    print(f"  {suite:12} {'':32} {count:5} tests {time.monotonic() - start:7.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tools/dev test")
    parser.add_argument("--build", required=True)
    parser.add_argument("-k", help="pytest expression for the tidy and e2e suites")
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help="one or more of: " + " ".join(MESON_SUITES + PYTEST_SUITES))
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(MESON_SUITES + PYTEST_SUITES)
    if unknown:
        parser.error(f"unknown suite {', '.join(sorted(unknown))}")
    wanted = arguments.suites or MESON_SUITES + PYTEST_SUITES
    totals = Totals()
    tests = meson_tests(arguments.build)
    stray = sorted({suite for suite, _ in tests} - set(MESON_SUITES))
    if stray:
        totals.add_crash(f"meson suites that nobody runs: {', '.join(stray)}")
    start = time.monotonic()
    for suite in MESON_SUITES:
        if suite in wanted:
            run_meson_suite(arguments.build, suite, [t for s, t in tests if s == suite], totals)
    for suite in PYTEST_SUITES:
        if suite in wanted:
            run_pytest_suite(arguments.build, suite, ["-k", arguments.k] if arguments.k else [],
                             totals)
    print(f"took {time.monotonic() - start:.0f} s")
    for failure in totals.failures:
        print(f"FAILED {failure}")
    skipped = f", {totals.skipped} skipped" if totals.skipped else ""
    print(f"{totals.passed} passed, {totals.failed} failed{skipped}")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
