# SPDX-License-Identifier: Apache-2.0
"""Real HTTP over real nginx through one polluxd with two workers."""

import signal
import threading

import pytest
import topology
from lab import run, wait_until

REQUESTS = 2000


def fetch_many(scene, count):
    """`count` requests, each on a connection of its own; returns {server: answers}, failures."""
    result = scene.client.run("curl", "-s", "--max-time", "5", "-H", "Connection: close", "-w", "",
                              f"{scene.url}[1-{count}]", check=False, timeout=300)
    answers = {}
    for line in result.stdout.split():
        answers[line] = answers.get(line, 0) + 1
    return answers, count - sum(answers.values())


@pytest.mark.parametrize("method", ["dr", "nat"])
def test_every_request_is_answered_and_shares_follow_the_weights(lab, method):
    scene = topology.build(lab, method)
    answers, failures = fetch_many(scene, REQUESTS)
    assert failures == 0
    weights = {"dr": {"rs1": 1, "rs2": 1, "rs3": 1}, "nat": {"rs1": 1, "rs2": 2, "rs3": 3}}[method]
    total = sum(weights.values())
    for name, weight in weights.items():
        assert answers[name] == pytest.approx(REQUESTS * weight / total, rel=0.02), answers
    for server in scene.servers:
        assert server.requests() == answers[server.name]


@pytest.mark.parametrize("method", ["dr", "nat"])
def test_reloads_disturb_no_connection(lab, method):
    scene = topology.build(lab, method)
    stop = threading.Event()
    reloads = [0]

    def reload_again_and_again():
        while not stop.wait(0.1):
            scene.polluxd.process.send_signal(signal.SIGHUP)
            reloads[0] += 1

    thread = threading.Thread(target=reload_again_and_again)
    thread.start()
    try:
        answers, failures = fetch_many(scene, REQUESTS)
    finally:
        stop.set()
        thread.join()
    assert failures == 0, answers
    assert reloads[0] > 0
    assert scene.polluxd.process.poll() is None


def test_nat_replies_are_translated_by_whichever_worker_gets_them(lab):
    scene = topology.build(lab, "nat-af-packet")
    answers, failures = fetch_many(scene, 500)
    assert failures == 0, answers
    workers = scene.polluxd.show("workers")["workers"]
    assert len(workers) == 2
    assert all(worker["connection_hits"] > 0 for worker in workers), workers


def test_dr_forwards_without_seeing_the_answers(lab):
    scene = topology.build(lab, "dr")
    fetch_many(scene, 30)
    service = scene.polluxd.show("services")["services"][0]
    assert service["connections"] == 30
    assert service["packets_out"] == 0


def test_nat_translates_both_directions(lab):
    scene = topology.build(lab, "nat")
    fetch_many(scene, 30)
    service = scene.polluxd.show("services")["services"][0]
    assert service["connections"] == 30
    assert service["packets_in"] > 0 and service["packets_out"] > 0


@pytest.mark.parametrize("method", ["dr", "nat"])
def test_every_received_packet_is_accounted_for(lab, method):
    scene = topology.build(lab, method)
    fetch_many(scene, 200)

    def balanced():
        workers = scene.polluxd.show("workers")["workers"]
        received = sum(worker["received"] for worker in workers)
        ended = sum(worker["transmitted"] + worker["punted"] + worker["dropped"]
                    for worker in workers)
        return received > 600 and received == ended

    wait_until(balanced, "received == transmitted + punted + dropped")


def test_port_address_and_vip_answer_ping(lab):
    scene = topology.build(lab, "dr")
    assert scene.client.ping("192.168.10.5")
    assert scene.client.ping("192.168.10.10")


def test_connections_are_listed_while_they_live(lab):
    scene = topology.build(lab, "nat")
    fetch_many(scene, 5)
    connections = scene.polluxd.show("connections")["connections"]
    assert len(connections) == 5
    for connection in connections:
        assert connection["client"] == "20.20.20.100"
        assert (connection["virtual"], connection["virtual_port"]) == ("20.20.20.11", 80)
        assert connection["server_port"] == 8080
        assert connection["state"] in ("TIME_WAIT", "CLOSE_WAIT", "FIN_WAIT", "CLOSE")


def test_large_download_arrives_intact(lab):
    scene = topology.build(lab, "nat")
    for server in scene.servers:
        with open(server.folder / "www" / "blob", "wb") as blob:
            blob.write(bytes(range(256)) * 80_000)
    digest = scene.client.run("sh", "-c", f"curl -s --max-time 60 {scene.url}files/blob | sha256sum",
                              timeout=90).stdout.split()[0]
    expected = run("sha256sum", scene.servers[0].folder / "www" / "blob").stdout.split()[0]
    assert digest == expected


def test_a_clean_stop_leaves_nothing_behind(lab):
    scene = topology.build(lab, "dr")
    assert scene.polluxd.stop() == 0
    assert not scene.polluxd.socket.exists()
    links = scene.polluxd.host.ip("-o", "link", "show").stdout
    assert [line.split(":")[1].strip() for line in links.splitlines()] == ["lo"]
