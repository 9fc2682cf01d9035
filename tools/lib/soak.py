#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The soak campaign: rounds of everything that time and chance may break, for as long as asked.

A round simulates VRRP on lossy networks with seeds never used before, stresses the tables with
threads, and runs real traffic through polluxd (DR, NAT, NAT with replies on the other worker) while
the configuration is reloaded every 100 ms; then kills the daemon with signal 9 and starts it again.
After each: no request failed, received = transmitted + punted + dropped, memory does not grow.
"""

import argparse
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from lab import Lab, LabError, wait_until  # noqa: E402
import topology  # noqa: E402

SCENES = ["dr", "nat", "nat-af-packet"]
SEEDS_PER_ROUND = 3000
TABLE_REPEATS = 2
REQUESTS_PER_CURL = 2000  # one curl process; few enough for its time limit on a loaded machine
RELOAD_PAUSE = 0.1
# What a daemon may need on top of its first measurement, in KiB: allocators round up and the
# connection list that `pollux show` renders passes through the heap.
MEMORY_SLACK_KIB = 4096


class SoakError(Exception):
    """An invariant did not hold."""


def duration(text):
    match = re.fullmatch(r"(\d+)(s|m|h|)", text)
    if not match or int(match.group(1)) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration; give 90s, 30m or 8h")
    return int(match.group(1)) * {"s": 1, "m": 60, "h": 3600, "": 1}[match.group(2)]


class Progress:
    def __init__(self):
        self.start = time.monotonic()
        self.round = 0

    def say(self, text):
        print(f"[{time.monotonic() - self.start:7.0f} s, round {self.round}] {text}", flush=True)


# --- programs that bring their own checks

def run_program(command, environment, what):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, env=dict(os.environ, **environment))
    if result.returncode != 0:
        raise SoakError(f"{what}: exit status {result.returncode}\n{result.stdout[-4000:]}"
                        f"{result.stderr[-2000:]}")
    return result.stdout


def simulate_vrrp(build, first_seed):
    output = run_program([build / "tests/simulation/test_vrrp_simulation",
                          "--gtest_filter=VrrpSimulation.InvariantsHoldForEverySeed"],
                         {"POLLUX_SIMULATION_SEEDS": str(SEEDS_PER_ROUND),
                          "POLLUX_SIMULATION_FIRST_SEED": str(first_seed)}, "VRRP simulation")
    return next(line for line in output.splitlines() if "seeds from" in line)


def stress_tables(build):
    output = run_program([build / "tests/concurrency/tables/tables_concurrency_test",
                          f"--gtest_repeat={TABLE_REPEATS}", "--gtest_break_on_failure"],
                         {}, "table stress")
    return f"tables: {output.count('[       OK ]')} tests"


# --- traffic

class Traffic:
    """One scene that lives through all rounds, so that growth has time to show."""

    def __init__(self, lab, method):
        self.method = method
        self.scene = topology.build(lab, method)
        self.memory = None

    @property
    def polluxd(self):
        return self.scene.polluxd

    def pid(self):
        """polluxd itself, not the `ip netns exec` that became it."""
        return self.polluxd.process.pid

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status).group(1))

    def fetch(self, count):
        """Requests, each on a connection of its own; raises when one was not answered."""
        result = self.scene.client.run(
            "curl", "-sS", "--max-time", "10", "-H", "Connection: close",
            f"{self.scene.url}[1-{count}]", check=False, timeout=600)
        answered = len(result.stdout.split())
        if answered != count:
            raise SoakError(f"{self.method}: {count - answered} of {count} requests failed:\n"
                            + result.stderr[-2000:])

    def fetch_under_reloads(self, count):
        stop = threading.Event()
        reloads = [0]

        def reload_again_and_again():
            while not stop.wait(RELOAD_PAUSE):
                self.polluxd.reload()
                reloads[0] += 1

        thread = threading.Thread(target=reload_again_and_again)
        thread.start()
        try:
            self.fetch(count)
        finally:
            stop.set()
            thread.join()
        return reloads[0]

    def check_accounts(self):
        def balanced():
            workers = self.polluxd.show("workers")["workers"]
            received = sum(worker["received"] for worker in workers)
            ended = sum(worker["transmitted"] + worker["punted"] + worker["dropped"]
                        for worker in workers)
            return received > 0 and received == ended

        wait_until(balanced, f"{self.method}: received == transmitted + punted + dropped")

    def check_memory(self):
        """The first round fills caches and pools; later ones must not need more."""
        now = self.resident_kib()
        if self.memory is None:
            self.memory = now
        elif now > self.memory + MEMORY_SLACK_KIB:
            raise SoakError(f"{self.method}: polluxd grew from {self.memory} to {now} KiB")
        return now

    def kill_and_restart(self):
        self.polluxd.process.send_signal(signal.SIGKILL)
        self.polluxd.process.wait(timeout=10)
        addresses = self.polluxd.host.ip("addr", "show").stdout
        vip = re.search(r"//([^/]+)/", self.scene.url).group(1)
        if vip in addresses:
            raise SoakError(f"{self.method}: the VIP {vip} stayed after kill -9")
        for device, place in self.polluxd.ports.items():
            place.ip("link", "del", device, check=False)
        self.polluxd.start()
        self.memory = None

    def play(self, requests):
        reloads = 0
        for _ in range(requests // REQUESTS_PER_CURL):
            self.fetch(REQUESTS_PER_CURL)
            reloads += self.fetch_under_reloads(REQUESTS_PER_CURL)
        self.check_accounts()
        return (f"{self.method}: {requests // REQUESTS_PER_CURL * REQUESTS_PER_CURL} requests "
                f"undisturbed and as many under {reloads} reloads, 0 failed; "
                f"{self.check_memory()} KiB")


def play_round(progress, arguments, build, scenes, first_seed):
    progress.round += 1
    progress.say(simulate_vrrp(build, first_seed))
    progress.say(stress_tables(build))
    for traffic in scenes:
        progress.say(traffic.play(arguments.requests))
    # Every other round, so that memory is compared over rounds of one process, too.
    if progress.round % 4 == 0:
        for traffic in scenes:
            traffic.kill_and_restart()
            traffic.fetch(100)
        progress.say("killed with signal 9 and started again, answers come")


def main():
    parser = argparse.ArgumentParser(prog="tools/dev soak")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--requests", type=int, default=REQUESTS_PER_CURL,
                        help="of each kind per scene and round (default %(default)s)")
    parser.add_argument("--first-seed", type=int, default=int(time.time()) * 1000,
                        help="of the VRRP simulation (default: from the clock)")
    parser.add_argument("--scene", choices=SCENES, action="append", help="only these")
    parser.add_argument("duration", nargs="?", type=duration, default=600,
                        help="90s, 30m, 8h (default 10m); a started round is finished")
    arguments = parser.parse_args()
    if arguments.requests < REQUESTS_PER_CURL:
        parser.error(f"--requests must be at least {REQUESTS_PER_CURL}")
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    build = pathlib.Path(arguments.build).resolve()
    progress = Progress()
    progress.say(f"soaking for {arguments.duration} s, first seed {arguments.first_seed}")
    try:
        with contextlib.ExitStack() as labs:
            scenes = [Traffic(labs.enter_context(Lab(build / "bin")), name)
                      for name in arguments.scene or SCENES]
            while progress.round == 0 or \
                    time.monotonic() - progress.start < arguments.duration:
                seed = arguments.first_seed + progress.round * SEEDS_PER_ROUND
                play_round(progress, arguments, build, scenes, seed)
    except KeyboardInterrupt:
        progress.say("interrupted; everything was removed")
        return 130
    except (SoakError, LabError, subprocess.TimeoutExpired) as error:
        progress.say(f"FAILED: {error}")
        return 1
    progress.say(f"{progress.round} rounds, nothing failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
