# SPDX-License-Identifier: Apache-2.0
"""The bash completion of pollux: what it offers is what the program knows.

    completion.py PROGRAM COMPLETION
"""

import os
import subprocess
import sys

PROGRAM, COMPLETION = map(os.path.abspath, sys.argv[1:])


def complete(*words):
    """What bash would offer for the last of `words`."""
    line = " ".join(f"'{word}'" for word in (PROGRAM, *words))
    script = (f"source {COMPLETION}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _pollux; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                            cwd="/proc/self")
    assert result.stderr == "", result.stderr
    return set(result.stdout.split())


def main():
    commands = complete("")
    assert {"show", "reload", "server", "vrrp", "ipvs", "check", "help"} <= commands, commands
    assert {"services", "connections", "workers"} <= complete("show", ""), complete("show", "")
    assert complete("show", "serv") == {"servers", "services"}
    assert complete("server", "") == {"drain", "enable", "weight"}
    assert complete("--socket", "/x", "server", "d") == {"drain"}
    assert {"--limit", "--client", "--json"} <= complete("show", "connections", "--")
    assert {"--diff", "--discard-runtime"} <= complete("reload", "--d")
    # Words of no command: files.
    assert "status" in complete("check", "stat")


if __name__ == "__main__":
    main()
