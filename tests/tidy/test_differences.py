# SPDX-License-Identifier: Apache-2.0
"""Each deliberate difference from the kernel names a test that asserts it, and the test exists."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [path.read_text() for pattern in ("*.cpp", "*.py")
           for path in (ROOT / "tests").rglob(pattern)]


def rows():
    text = (ROOT / "docs/lvs-compatibility.md").read_text()
    table = text.split("## Deliberate differences")[1].split("\n## ")[0]
    return [line for line in table.splitlines() if line.startswith("| ")][1:]


def exists(name):
    """`Suite.Name`, a case of a table `Rule.name`, or a function of pytest."""
    suite, _, test = name.rpartition(".")
    definition = (rf"^def {test}\(" if not suite else
                  rf'\bCase{{"{test}"' if suite == "Rule" else
                  rf"^TEST(_[FP])?\({suite}, {test}\)")
    return any(re.search(definition, source, re.MULTILINE) for source in SOURCES)


def test_every_difference_from_the_kernel_has_a_test():
    assert len(rows()) > 20
    for row in rows():
        brackets = re.search(r"\(([^()]*)\) \|$", row)
        names = re.findall(r"`([^`]+)`", brackets.group(1)) if brackets else []
        assert names, f"no test is named: {row}"
        assert [name for name in names if not exists(name)] == [], row
