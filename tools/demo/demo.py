#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`tools/dev demo`: Pollux balances real HTTP over real nginx servers, in network namespaces; then a
pair of it loses its master."""

import argparse
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from lab import Lab, LabError  # noqa: E402
import pair_scenes  # noqa: E402
import topology  # noqa: E402
from text import say, show_command, title  # noqa: E402

REQUESTS = 30


def count_answers(scene, requests):
    """Sends requests one by one; returns {server: answers} and the number of failures."""
    answers, failures = {}, 0
    for _ in range(requests):
        result = scene.client.run("curl", "-s", "--max-time", "10", scene.url, check=False)
        name = result.stdout.strip()
        if result.returncode == 0 and name:
            answers[name] = answers.get(name, 0) + 1
        else:
            failures += 1
    return answers, failures


SYN = "tcp[tcpflags] & tcp-syn != 0 and tcp[tcpflags] & tcp-ack == 0"


def start_capture(place, expression, packets):
    """tcpdump on the place's eth0, listening; returns the process and its log."""
    log = pathlib.Path(place.lab.folder) / f"dump-{place.name}"
    process = place.spawn("tcpdump", "-n", "-e", "-l", "-i", "eth0", "-c", str(packets), expression,
                          log=log)
    deadline = time.monotonic() + 5
    while "listening on" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process, log


def captured(log):
    """The packets of a capture, without time and without what follows the flags."""
    lines = [line for line in log.read_text().splitlines() if re.match(r"\d\d:\d\d:", line)]
    return [re.sub(r", (seq|options) .*", "", re.sub(r"^\S+ ", "", line)) for line in lines]


def one_packet_twice(scene):
    """The same SYN as the client sent it and as the first server got it; its source port tells."""
    server = scene.servers[0].host
    sending, sent_log = start_capture(scene.client, SYN, 100)
    getting, got_log = start_capture(server, f"({SYN}) and dst port {scene.server_port} and "
                                     f"not src host {scene.server_side_address}", 1)
    count_answers(scene, 6)
    try:
        getting.wait(timeout=5)
    except subprocess.TimeoutExpired:  # the capture is an illustration; its absence is told
        scene.client.lab.end(getting)
    scene.client.lab.end(sending)
    nothing = "(nothing captured)"
    got = next(iter(captured(got_log)), nothing)
    port = re.search(r"\.(\d+) > ", got)
    sent = [line for line in captured(sent_log) if port and f".{port.group(1)} > " in line]
    return sent[0] if sent else nothing, got


def scene_summary(scene, answers, failures, seconds):
    say(f"{sum(answers.values())} of {REQUESTS} requests answered, {failures} failed, "
        f"{seconds:.1f} s:")
    for name in sorted(answers):
        say(f"    {name}  {answers[name]:4}  {'#' * answers[name]}")


def play(scene, explanation):
    title(f"{scene.method}: {scene.headline}")
    say(explanation)
    say(f"\nclient# {REQUESTS} x curl {scene.url}")
    start = time.monotonic()
    answers, failures = count_answers(scene, REQUESTS)
    scene_summary(scene, answers, failures, time.monotonic() - start)
    say()
    show_command("balancer", "pollux show services", scene.polluxd.pollux("show", "services").stdout)
    say()
    say("One packet of a request, as the client sent it and as a real server got it (tcpdump):")
    sent, got = one_packet_twice(scene)
    say(f"    client sent  {sent}")
    say(f"    {scene.servers[0].host.name + ' got':11}  {got}")
    shares = ", ".join(f"{name} {count}" for name, count in sorted(answers.items()))
    return {"method": scene.method, "failed": failures + (len(answers) < 3),
            "line": f"{sum(answers.values())} answered, {failures} failed: {shares}"}


EXPLANATIONS = {
    "DR": "Direct routing: the balancer changes only the MAC addresses. Each server holds the VIP on lo\n"
          "(with arp_ignore=1 and arp_announce=2, so that it does not answer ARP for it) and answers the\n"
          "client directly.",
    "NAT": "NAT: the balancer rewrites address and port both ways. The servers know nothing of the VIP;\n"
           "their default route leads back through the balancer.",
}


def keep(client, url, nodes):
    """Leaves the last scene running until Ctrl-C."""
    title("Still running. Try (in another terminal)")
    say(f"  ip netns exec {client.namespace} curl {url}")
    for node in nodes:
        program = f"{node.lab.program('pollux')} --socket {node.socket}"
        if len(nodes) == 1:
            for what in ("services", "connections", "ports", "workers", "drops", "neighbours"):
                say(f"  {program} show {what}")
            say(f"  $EDITOR {node.config}; kill -HUP {node.process.pid}    # reload")
        else:
            say(f"  {program} show vrrp    # {node.name}; kill -9 {node.process.pid} kills it")
        say(f"  tail -f {node.log}")
    if len(nodes) > 1:
        say(f"  tcpdump -l -n -i eth0 'ip proto 112'    # in: ip netns exec {client.namespace}")
    say("\nCtrl-C ends it and removes everything.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        say()


def play_single(lab, name):
    say(f"\nsetting up namespaces: client, balancer, 3 nginx servers ({name.upper()}) ...")
    scene = topology.build(lab, name)
    result = play(scene, EXPLANATIONS[scene.method])
    return result, lambda: keep(scene.client, scene.url, [scene.polluxd])


def play_pair(lab, name):
    say("\nsetting up namespaces: client, two balancers, 3 nginx servers ...")
    act = pair_scenes.play_failover if name == "pair" else pair_scenes.play_two_masters
    result, pair = act(lab)
    return result, lambda: keep(pair.client, f"http://{pair.vips[0]}/", list(pair.nodes.values()))


SCENES = {"dr": play_single, "nat": play_single, "pair": play_pair, "two-masters": play_pair}


def main():
    parser = argparse.ArgumentParser(prog="tools/dev demo")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave the last scene running")
    parser.add_argument("--only", choices=list(SCENES), help="play one scene only")
    arguments = parser.parse_args()
    for kind in (signal.SIGTERM, signal.SIGHUP):  # also when the terminal is closed
        signal.signal(kind, lambda number, frame: sys.exit(128 + number))
    results = []
    scenes = [name for name in SCENES if arguments.only in (None, name)]
    try:
        for name in scenes:
            with Lab(arguments.programs) as lab:
                result, leave_running = SCENES[name](lab, name)
                results.append(result)
                if arguments.keep and name == scenes[-1]:
                    leave_running()
    except KeyboardInterrupt:
        say("\ninterrupted; everything was removed")
        return 130
    except LabError as error:
        say(f"\nerror: {error}")
        return 1
    title("Summary")
    for result in results:
        say(f"  {result['method']:12} {result['line']}")
    failed = any(result["failed"] for result in results)
    say("\nSomething went wrong above." if failed else
        "\nEvery request was answered. `tools/dev demo --keep` leaves the last scene running to play with;\n"
        "`--only dr|nat|pair|two-masters` plays one.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
