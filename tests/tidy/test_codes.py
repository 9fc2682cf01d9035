# SPDX-License-Identifier: Apache-2.0
"""Each message about the configuration is brought about by a test."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def codes(folder, pattern):
    return {code for path in (ROOT / folder).glob("*.cpp")
            for code in re.findall(pattern, path.read_text())}


def test_every_code_of_the_configuration_has_a_test():
    reported = codes("control/config", r'"([EW]0\d\d\d)"')
    tested = codes("tests/unit/config", r"([EW]0\d\d\d)")
    assert len(reported) > 80
    assert reported - tested == set()
