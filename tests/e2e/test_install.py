# SPDX-License-Identifier: Apache-2.0
"""`meson install` gives a host all that it needs to run Pollux as a service."""

import os
import pathlib

import pytest
from lab import run

BUILD = pathlib.Path(os.environ["POLLUX_BIN"]).parent


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder, timeout=120)
    return folder / "usr/local"


def test_the_installed_programs_start(root):
    for program in ("sbin/polluxd", "bin/pollux", "bin/pollux-replay", "bin/pollux-bench"):
        result = run(root / program, "--help")
        assert "usage" in (result.stdout + result.stderr).lower() or "Options" in result.stdout


def test_the_unit_names_the_installed_programs(root):
    unit = (root / "lib/systemd/system/polluxd.service").read_text()
    lines = dict(line.split("=", 1) for line in unit.splitlines() if line.startswith("Exec"))
    assert lines["ExecStart"].split()[0] == "/usr/local/sbin/polluxd"
    assert lines["ExecReload"].split()[0] == "/usr/local/bin/pollux"
    assert "@" not in unit


def test_the_installed_reference_configuration_is_good(root):
    reference = root / "share/doc/pollux/configs/reference.toml"
    reference.chmod(0o600)
    assert run(root / "bin/pollux", "check", reference).returncode == 0


def test_the_manual_pages_are_there(root):
    for page in ("polluxd.8", "pollux.8"):
        assert ".TH" in (root / "share/man/man8" / page).read_text()
