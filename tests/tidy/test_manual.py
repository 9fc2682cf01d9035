# SPDX-License-Identifier: Apache-2.0
"""The manual pages know every command and option of the programs."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def page(name):
    return (ROOT / "docs/man" / f"{name}.8.scd").read_text()


def commands_of(text):
    """Commands in bold, "*show status*|*services*" being two of them."""
    found = set()
    for group in re.findall(r"\*[a-z-]+(?: [a-z-]+)?\*(?:\|\*[a-z-]+\*)*", text):
        first, *others = [item.strip("*") for item in group.split("|")]
        prefix = first.split(" ")[0] + " " if " " in first else ""
        found |= {first} | {prefix + other for other in others}
    return found


def test_every_command_of_pollux_is_in_its_manual_page():
    rows = (ROOT / "tools/pollux/command_rows.cpp").read_text()
    local = (ROOT / "tools/pollux/cli.cpp").read_text()
    words = re.findall(r'CommandRow\{\s*"([^"]+)"', rows) + re.findall(r'LocalRow\{"([^"]+)"', local)
    assert len(words) > 25, "the tables of commands were not found"
    missing = set(words) | {"ipvs", "help"}
    missing -= commands_of(page("pollux"))
    assert not missing, "not in docs/man/pollux.8.scd: " + ", ".join(sorted(missing))


def test_every_option_of_the_commands_without_daemon_is_in_the_manual_page():
    local = (ROOT / "tools/pollux/cli.cpp").read_text()
    rows = local[local.index("kLocalRows = {"):local.index("kIpvsHelp =")]
    rows = re.sub(r'LocalRow\{"bench-profile".*?\},\n', "", rows, flags=re.S)  # its help lists them
    usage = re.search(r"kImportUsage =(.*?);", (ROOT / "tools/pollux/import.h").read_text(), re.S)
    options = set(re.findall(r"--[a-z][a-z-]*", rows + usage.group(1)))
    assert len(options) > 8, "the usage texts were not found"
    missing = {option for option in options if f"*{option}*" not in page("pollux")}
    assert not missing, "not in docs/man/pollux.8.scd: " + ", ".join(sorted(missing))


def test_every_option_of_polluxd_is_in_its_manual_page():
    text = (ROOT / "control/daemon/options.cpp").read_text()
    options = {f"--{name}" for name in re.findall(r'\("([a-z-]+)(?:,[a-z])?"', text)}
    assert len(options) > 4, "the options were not found"
    missing = {option for option in options if f"*{option}*" not in page("polluxd")}
    assert not missing, "not in docs/man/polluxd.8.scd: " + ", ".join(sorted(missing))
