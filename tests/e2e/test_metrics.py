# SPDX-License-Identifier: Apache-2.0
"""/metrics: read by the parsers of Prometheus' own client library, and by clients that mean no good."""

import pathlib
import re
import sys
import time

from health_lab import TIMING, build
from lab import Nginx, wait_until
from prometheus_client import parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from vrrp_lab import Lan, wait_state

LAB = pathlib.Path(__file__).resolve().parents[1] / "lab"
URL = "http://127.0.0.1:9165/metrics"
OPEN = "Accept: application/openmetrics-text; version=1.0.0, text/plain; q=0.5"
SERVICE, SERVER = "TCP 10.0.0.3:80", "10.0.0.7:8080"


def with_metrics(toml, more=""):
    return toml.replace("[api]\n", f'[api]\nmetrics_listen = "127.0.0.1:9165"\n{more}', 1)


def start_node(lan, more=""):
    """A MASTER with one NAT service in front of a web server on the observer."""
    Nginx(lan.observer, name="rs1", port=8080)
    services = ('[[virtual_server]]\naddress = "10.0.0.3"\nport = 80\nprotocol = "TCP"\n'
                'lvs_method = "FNAT"\n[[virtual_server.real_server]]\naddress = "10.0.0.7"\n'
                "port = 8080\n[[virtual_server.real_server.check]]\ntype = \"TCP_CHECK\"\n" + TIMING +
                '[[local_address]]\naddress = "10.0.0.5"\n')
    node = lan.pollux("a", version=3, advert="200ms", more=services, wait=False)
    node.write_config(with_metrics(node.config.read_text(), more))
    node.start()
    wait_state(node, "MASTER")
    return node


def scrape(node, *options):
    return node.host.curl(URL, *options)


def samples(families):
    return {(sample.name, *sorted(sample.labels.values())): sample.value
            for family in families for sample in family.samples}


def test_both_formats_are_what_prometheus_understands(lab):
    lan = Lan(lab)
    node = start_node(lan)
    client = lan.lab.host("client")
    lan.switch.connect(client, addresses=["10.0.0.9/24"])
    for _ in range(5):
        assert client.curl("http://10.0.0.3/").strip() == "rs1"
    wait_until(lambda: "pollux_server_up" in scrape(node) and
               node.show("checks")["checks"][0]["decided"], "the check has a verdict")
    # Figures are kept for a second.
    wanted = ("pollux_service_connections_total", SERVICE)
    wait_until(lambda: samples(parser.text_string_to_metric_families(scrape(node)))
               .get(wanted) == 5, "five connections are told")
    plain = list(parser.text_string_to_metric_families(scrape(node)))
    strict = list(open_families(scrape(node, "-H", OPEN)))
    for families in (plain, strict):
        values = samples(families)
        assert values["pollux_server_connections_total", SERVER, SERVICE] == 5
        assert values["pollux_server_up", SERVER, SERVICE] == 1
        assert values["pollux_service_quorum", SERVICE] == 1
        assert values["pollux_vrrp_state", "MASTER", "VI_1"] == 1
        assert values["pollux_vrrp_advert_sent_total", "VI_1"] >= 1
        assert values["pollux_port_link_up", "wan"] == 1
        assert values["pollux_check_tries_total",] > 0
        assert values["pollux_dropped_packets_total", "no-route"] >= 0
        assert sum(value for key, value in values.items()
                   if key[0] == "pollux_worker_received_packets_total") > 20
    # Both tell the same, and each series is there once.
    assert samples(plain).keys() == samples(strict).keys()
    for families in (plain, strict):
        names = [(sample.name, tuple(sorted(sample.labels.items())))
                 for family in families for sample in family.samples]
        assert len(names) == len(set(names)) > 100
        for family in families:
            assert family.documentation and family.name.startswith("pollux_")
            assert family.type in ("counter", "gauge"), family.name
            assert family.type != "counter" or all(
                sample.name.endswith("_total") for sample in family.samples), family.name
    counters = [key for key in samples(strict) if key[0].endswith("_total")]
    later = samples(open_families(scrape(node, "-H", OPEN)))
    assert all(later[key] >= samples(strict)[key] for key in counters)
    # What the daemon tells of itself is what the commands tell.
    node.pollux("reload")
    status = node.show("status")
    wait_until(lambda: samples(parser.text_string_to_metric_families(scrape(node)))
               ["pollux_reloads_total",] == status["reloads"] == 1, "one reload is told")
    values = samples(parser.text_string_to_metric_families(scrape(node)))
    assert values["pollux_snapshot_generation",] == node.show("status")["generation"] > 0
    assert values["pollux_build_info", status["version"]] == 1
    assert values["pollux_uptime_seconds",] > 0 and values["pollux_events_total",] > 0
    # Of the drop reasons all that the command knows.
    reasons = {row["reason"] for row in node.show("drops", "--all")["drops"]}
    assert {key[1] for key in samples(plain) if key[0] == "pollux_dropped_packets_total"} == reasons


def test_servers_can_be_left_out(lab):
    node = start_node(Lan(lab), more="metrics_servers = false\n")
    text = scrape(node)
    assert "pollux_server_" not in text and "pollux_service_up_servers" in text


def test_clients_that_mean_no_good_cost_nobody_else(lab):
    lan = Lan(lab)
    node = start_node(lan)
    status = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert scrape(node, *status) == "200"
    assert scrape(node, *status, "-X", "POST") == "405"
    assert scrape(node, *status, "-X", "BREW") in ("400", "405")
    assert node.host.curl(URL.replace("metrics", "etc/passwd"), *status) == "404"
    assert scrape(node, *status, "-H", "X: " + "y" * 9000) == "431"
    head = scrape(node, "--head")
    length = int(re.search(r"content-length: (\d+)", head.lower()).group(1))
    assert length > 5000 and "pollux_" not in head
    start = time.time()
    report = node.host.run(sys.executable, LAB / "bad_http_clients.py", 9165, timeout=60).stdout
    # 16 that say nothing hold all places, the next is turned away, all are gone after 2 s.
    assert report.split() == ["refused", "closed"], report
    assert scrape(node, *status) == "200"
    # Adverts went out all the time.
    adverts = lan.capture.adverts(source="10.0.0.5", since=start)
    gaps = [later.time - earlier.time for earlier, later in zip(adverts, adverts[1:])]
    assert len(adverts) > 5 and max(gaps) < 0.6, max(gaps)
    assert node.pollux("show", "status").returncode == 0
    assert node.stop() == 0


def test_an_address_that_is_taken_is_refused_at_start(lab):
    scene = build(lab, "nat", start=False)
    script = ("import socket, time; s = socket.create_server(('127.0.0.1', 9165)); print('ready', "
              "flush=True); time.sleep(60)")
    log = pathlib.Path(lab.folder) / "taken.log"
    scene.polluxd.host.spawn(sys.executable, "-c", script, log=log)
    wait_until(lambda: log.exists() and "ready" in log.read_text(), "the port is taken")
    scene.polluxd.write_config(with_metrics(scene.toml()))
    result = scene.polluxd.host.run(lab.program("polluxd"), "--config", scene.polluxd.config,
                                    check=False)
    assert result.returncode == 3, result
    assert "127.0.0.1:9165" in result.stderr and "metrics_listen" in result.stderr
