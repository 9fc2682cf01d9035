# SPDX-License-Identifier: Apache-2.0
"""pollux-pktgen against a real polluxd over net_memif: frames arrive rewritten right, and it says so
when they do not."""

import pytest
from generator import GeneratorScene
from lab import run


@pytest.mark.parametrize("method, kind, direction", [
    ("NAT", "udp", "both"),
    ("NAT", "tcp", "both"),
    ("DR", "tcp", "forward"),
    ("TUN", "udp", "forward"),
    ("FNAT", "tcp", "both"),
])
def test_every_frame_arrives_rewritten_right(lab, method, kind, direction):
    scene = GeneratorScene(lab, method, kind, direction)
    status, report, messages = scene.generate()
    assert status == 0, messages
    assert report["passed"]
    trial = report["trials"][0]
    assert trial["arrived"] == trial["offered"]
    assert trial["offered"]["forward"] > 100
    assert (trial["offered"]["reply"] > 100) == (direction == "both")
    assert trial["wrong"] == 0 and trial["lost"] == 0
    assert trial["latency"]["count"] == trial["arrived"]["forward"] + trial["arrived"]["reply"]
    # Round robin over 200 flows; the frames pick their flows at random.
    assert all(server["frames"] > 0 for server in trial["servers"])
    counted = sum(worker["connections_created"]
                  for worker in scene.polluxd.show("workers")["workers"])
    assert counted == 200


def test_a_server_that_is_not_expected_is_noticed(lab):
    scene = GeneratorScene(lab, "NAT", "udp", fixed_macs=True)
    scene.values["limit"] = "10s"
    scene.expect_servers(["10.0.0.11", "10.0.0.13"])
    status, report, messages = scene.generate()
    assert status == 2 and report is None
    assert "100 of 200 flows does not get through" in messages
    assert "wrong-server" in messages


def test_a_wrong_port_of_the_servers_is_noticed(lab):
    scene = GeneratorScene(lab, "NAT", "udp")
    scene.port = 8081
    scene.values["limit"] = "15s"
    scene.expect_servers(scene.servers)
    status, _, messages = scene.generate()
    assert status == 2
    assert "wrong-port" in messages


def test_search_reports_the_rates(lab):
    scene = GeneratorScene(lab, "DR", "udp")
    status, report, messages = scene.generate("search", "--lowest", "100", "--highest", "1000",
                                              "--resolution", "0.5", "--duration", "200ms",
                                              "--retries", "5")
    assert status == 0, messages
    assert 100 <= report["ndr"] <= report["pdr"] <= 1000
    assert "NDR" in messages


def test_the_profile_of_the_balancers_own_file_works(lab):
    scene = GeneratorScene(lab, "NAT", "udp")
    profile = scene.lab.program("pollux")
    text = run(profile, "bench-profile", "--tool", "pollux-pktgen", "--server-address", "10.0.0.9",
               "--flows", "100", scene.polluxd.config).stdout
    scene.file.write_text(text)
    status, report, messages = scene.generate(
        "run", "--hugepages", "false", "--hugepage-mem", "128M", "--mbufs-per-port", "8192",
        "--file-prefix", f"{lab.prefix}-generator", "--rate", "1k", "--duration", "500ms",
        "--drain", "2s", "--catch-up", "1s", "--warm-up-rate", "1k", "--warm-up-limit", "20s")
    assert status == 0, messages
    assert report["trials"][0]["offered"]["forward"] > 50
