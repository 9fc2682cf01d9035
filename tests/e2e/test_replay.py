# SPDX-License-Identifier: Apache-2.0
"""pollux-replay: captures in, captures and decisions out, without root or network card."""

import json
import pathlib

import pytest
from lab import run
from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, Raw, rdpcap, wrpcap

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
CLIENT, VIP = "20.20.20.100", "20.20.20.11"
CLIENT_MAC, WAN_MAC, LAN_MAC = "02:00:00:00:0c:01", "02:00:00:00:0d:01", "02:00:00:00:0d:02"


def program():
    import os
    return pathlib.Path(os.environ["POLLUX_BIN"]) / "pollux-replay"


def from_client(port, flags, **fields):
    return (Ether(src=CLIENT_MAC, dst=WAN_MAC) / IP(src=CLIENT, dst=VIP, ttl=64, id=7) /
            TCP(sport=port, dport=80, flags=flags, seq=1000, **fields))


def capture(path, frames, start=1_700_000_000.0, gap=0.001):
    for number, frame in enumerate(frames):
        frame.time = start + number * gap
    wrpcap(str(path), frames)
    return path


def replay(folder, wan, lan=None, name="run"):
    out = {"wan": folder / f"{name}-wan.pcap", "lan": folder / f"{name}-lan.pcap",
           "json": folder / f"{name}.json"}
    command = [program(), "--config", CONFIGS / "lvs-nat.toml", "--in", f"wan={wan}",
               "--out", f"wan={out['wan']}", "--out", f"lan={out['lan']}", "--json", out["json"],
               "--mac", f"wan={WAN_MAC}", "--mac", f"lan={LAN_MAC}"]
    if lan:
        command += ["--in", f"lan={lan}"]
    run(*command)
    decisions = [json.loads(line) for line in out["json"].read_text().splitlines()]
    return out, decisions


def test_same_input_gives_the_same_bytes(tmp_path):
    frames = [from_client(1000 + number, flags) for number in range(50) for flags in ("S", "A", "FA")]
    wan = capture(tmp_path / "in.pcap", frames)
    first, decisions = replay(tmp_path, wan, name="first")
    second, _ = replay(tmp_path, wan, name="second")
    assert len(decisions) == 150
    for key in ("wan", "lan", "json"):
        assert first[key].read_bytes() == second[key].read_bytes()
    assert first["lan"].stat().st_size > 150 * 54


def test_a_decision_tells_what_became_of_each_packet(tmp_path):
    wan = capture(tmp_path / "in.pcap", [from_client(1000, "S"), from_client(1000, "A"),
                                         from_client(1001, "A")])
    _, (syn, ack, stray) = replay(tmp_path, wan)
    assert syn["verdict"] == "transmit" and syn["connection"]["event"] == "created"
    server = syn["out"][0]["changed"]["ip.dst"]
    assert server[0] == VIP and server[1] in ("10.10.10.21", "10.10.10.22", "10.10.10.23")
    assert syn["out"][0]["port"] == "lan"
    assert syn["out"][0]["changed"]["l4.dport"] == [80, 8080]
    assert syn["out"][0]["changed"]["ip.ttl"] == [64, 63]
    assert syn["connection"]["server"] == server[1]
    assert ack["connection"]["event"] == "found"
    assert ack["out"][0]["changed"]["ip.dst"] == server
    # Not the start of a connection: the kernel answers with a reset.
    assert stray["verdict"] == "punt" and stray["punt_reason"] == "local-address"


def test_rewritten_frames_are_whole_and_correct(tmp_path):
    wan = capture(tmp_path / "in.pcap", [from_client(1000, "S", options=[("MSS", 1460)])])
    out, _ = replay(tmp_path, wan)
    (sent,) = rdpcap(str(out["lan"]))
    expected = from_client(1000, "S", options=[("MSS", 1460)])
    expected[IP].dst, expected[IP].ttl, expected[TCP].dport = sent[IP].dst, 63, 8080
    expected[Ether].src, expected[Ether].dst = LAN_MAC, sent[Ether].dst
    assert bytes(sent) == bytes(expected)  # scapy computes both checksums anew
    # The documented stand-in for a neighbour that no capture names.
    last = [int(octet) for octet in sent[IP].dst.split(".")]
    assert sent[Ether].dst == "02:fe:" + ":".join(f"{octet:02x}" for octet in last)


def test_replies_go_back_translated(tmp_path):
    wan = capture(tmp_path / "wan.pcap", [from_client(1000, "S")])
    _, (syn,) = replay(tmp_path, wan, name="probe")
    server = syn["out"][0]["changed"]["ip.dst"][1]
    answer = (Ether(src="02:00:00:00:05:01", dst=LAN_MAC) / IP(src=server, dst=CLIENT, ttl=64) /
              TCP(sport=8080, dport=1000, flags="SA"))
    lan = capture(tmp_path / "lan.pcap", [answer], start=1_700_000_000.5)
    out, (_, reply) = replay(tmp_path, wan, lan)
    assert reply["connection"]["event"] == "found" and reply["out"][0]["port"] == "wan"
    (sent,) = rdpcap(str(out["wan"]))
    assert (sent[IP].src, sent[TCP].sport, sent[Ether].dst) == (VIP, 80, CLIENT_MAC)


def test_virtual_time_expires_connections(tmp_path):
    # TCP SYN_RECV lasts 60 s: after 61 s of the capture's time the connection is unknown.
    wan = capture(tmp_path / "in.pcap", [from_client(1000, "S"), from_client(1000, "A")], gap=61.0)
    _, (_, late) = replay(tmp_path, wan)
    assert late["verdict"] == "punt" and "connection" not in late


def test_malformed_and_foreign_frames_are_named(tmp_path):
    bad = from_client(1000, "S")
    bad[IP].ihl = 4
    frames = [bad, Ether(dst="ff:ff:ff:ff:ff:ff", src=CLIENT_MAC) / ARP(psrc=CLIENT, pdst=VIP),
              Ether(src=CLIENT_MAC, dst="02:00:00:00:99:99") / IP(src=CLIENT, dst=VIP) /
              UDP(sport=1, dport=2) / Raw(b"x" * 20),
              Ether(src=CLIENT_MAC, dst=WAN_MAC) / IP(src=CLIENT, dst=VIP) / ICMP()]
    _, decisions = replay(tmp_path, capture(tmp_path / "in.pcap", frames))
    assert decisions[0]["drop_reason"] == "ipv4-bad-header-length"
    assert decisions[1]["punt_reason"] == "arp"
    assert decisions[2]["drop_reason"] == "not-our-mac"
    assert decisions[3]["punt_reason"] == "local-address"


@pytest.mark.parametrize("arguments, message", [
    (["--in", "moon=x.pcap"], "no port moon"),
    (["--in", "wan=/nonexistent.pcap"], "cannot read the capture"),
    (["--in", "wan"], "is not PORT=VALUE"),
    ([], "--in"),
])
def test_misuse_is_explained(arguments, message):
    result = run(program(), "--config", CONFIGS / "lvs-nat.toml", *arguments, check=False)
    assert result.returncode != 0
    assert message in result.stderr


def test_a_file_of_two_nodes_is_read_as_the_named_one(tmp_path):
    frame = (Ether(src=CLIENT_MAC, dst=LAN_MAC) / IP(src="192.168.10.100", dst="192.168.10.10") /
             TCP(sport=40000, dport=80, flags="S"))
    command = [program(), "--config", CONFIGS / "vrrp-pair.toml", "--json", tmp_path / "out.json",
               "--in", f"lan={capture(tmp_path / 'in.pcap', [frame])}"]
    stranger = run(*command, "--node", "nobody", check=False)
    assert stranger.returncode != 0 and "choose with --node NAME" in stranger.stderr
    run(*command, "--node", "lb1")
    assert json.loads((tmp_path / "out.json").read_text())["verdict"] == "transmit"
