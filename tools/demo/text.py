# SPDX-License-Identifier: Apache-2.0
"""How the demo talks."""

import sys

BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def say(text=""):
    print(text, flush=True)


def title(text):
    say(f"\n{BOLD}=== {text}{PLAIN}")


def show_command(where, command, output):
    say(f"{where}# {command}")
    for line in output.rstrip().splitlines():
        say(f"    {line}")
