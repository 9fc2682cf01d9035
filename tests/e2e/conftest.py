# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests. They need root and the built programs ($POLLUX_BIN)."""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from lab import Lab  # noqa: E402


def pytest_configure(config):
    # A terminated run must clean its namespaces up, too.
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + call.when, outcome.get_result())


@pytest.fixture
def lab(request):
    if os.geteuid() != 0:
        pytest.fail("the end-to-end tests need root: run sudo tools/dev test")
    with Lab() as laboratory:
        yield laboratory
        report = getattr(request.node, "report_call", None)
        if report is not None and report.failed:
            for log in sorted(pathlib.Path(laboratory.folder).rglob("*.log")):
                if log.name != "access.log" and log.stat().st_size:
                    tail = log.read_text(errors="replace").splitlines()[-40:]
                    print(f"--- {log.name}\n" + "\n".join(tail))
