# SPDX-License-Identifier: Apache-2.0
"""Every forwarding method with real servers: HTTP over nginx and a UDP responder, IPv4 and IPv6."""

import hashlib
import ipaddress

import methods
import pytest
from capture import Capture
from lab import wait_until

METHODS = {4: "v4", 6: "v6"}
ALL = {"rs1", "rs2", "rs3"}


def addresses(servers, family):
    return [getattr(server, METHODS[family]) for server in servers]


def both_families(vips, method, **options):
    """HTTP and UDP services for both families."""
    def services(servers):
        text = ""
        for family, vip in vips.items():
            there = addresses(servers, family)
            text += methods.service(vip, method, there, **options)
            udp = {key: value for key, value in options.items() if key != "server_port"}
            text += methods.service(vip, method, there, port=methods.UDP_PORT, protocol='"UDP"',
                                    **udp)
        return text
    return services


def assert_serves(scene, family, count=60):
    """Each server gets its share of HTTP and UDP, and nothing is lost."""
    answers, failures = scene.fetch(family, count=count)
    assert failures == 0, answers
    assert set(answers) == ALL and max(answers.values()) - min(answers.values()) <= 2, answers
    datagrams = scene.ask(family)
    assert datagrams["lost"] == datagrams["wrong"] == 0, datagrams
    assert set(datagrams["answers"]) == ALL, datagrams


def service_row(scene, vip, protocol="TCP"):
    for row in scene.polluxd.show("services")["services"]:
        if row.get("address") == vip and row["protocol"] == protocol:
            return row
    raise AssertionError(f"no {protocol} service for {vip}")


ONE_NETWORK = {4: methods.VIP4, 6: methods.VIP6}
TWO_NETWORKS = {4: "20.20.20.11", 6: "fd00:20::11"}


def test_dr(lab):
    scene = methods.build_one_network(lab, both_families(ONE_NETWORK, "DR"))
    for family in (4, 6):
        assert_serves(scene, family)
        assert service_row(scene, scene.vip(family))["packets_out"] == 0


def test_nat(lab):
    scene = methods.build_two_networks(lab, both_families(TWO_NETWORKS, "NAT", server_port=8080))
    for family in (4, 6):
        assert_serves(scene, family)
        assert service_row(scene, scene.vip(family))["packets_out"] > 0


@pytest.mark.parametrize("tunnel", [
    '{ type = "ipip" }',
    '{ type = "ipip", spread_source = true }',
    f'{{ type = "gue", port = {methods.GUE_PORT} }}',
    f'{{ type = "gue", port = {methods.GUE_PORT}, checksum = true }}',
    '{ type = "gre" }',
    '{ type = "gre", checksum = true }',
])
def test_tunnel(lab, tunnel):
    scene = methods.build_one_network(lab, both_families(ONE_NETWORK, "TUN", tunnel=tunnel),
                                      tunnel=True)
    for family in (4, 6):
        assert_serves(scene, family, count=30)
    for log in scene.polluxd.folder.parent.glob("rs*-decapsulate.log"):
        assert "malformed" not in log.read_text()


@pytest.mark.parametrize("tunnel", [
    '{ type = "ipip" }', f'{{ type = "gue", port = {methods.GUE_PORT} }}', '{ type = "gre" }',
])
def test_tunnel_whose_outer_packet_is_of_the_other_family(lab, tunnel):
    def services(servers):
        return (methods.service(methods.VIP4, "TUN", addresses(servers, 6), tunnel=tunnel)
                + methods.service(methods.VIP6, "TUN", addresses(servers, 4), tunnel=tunnel))

    scene = methods.build_one_network(lab, services, tunnel=True)
    for family in (4, 6):
        answers, failures = scene.fetch(family, count=30)
        assert failures == 0 and set(answers) == ALL, answers


LOCAL_ADDRESSES = "".join(f'[[local_address]]\naddress = "{address}"\nports = "40000-50000"\n'
                          for address in (methods.LOCAL4, methods.LOCAL6))


def with_local_addresses(services):
    return lambda servers: LOCAL_ADDRESSES + services(servers)


def clients_in_log(server):
    lines = (server.nginx.folder / "access.log").read_text().splitlines()
    return {line.split(" ")[0] for line in lines} - {"127.0.0.1"}


def test_full_nat_hides_clients_and_needs_no_route_back(lab):
    services = with_local_addresses(both_families(TWO_NETWORKS, "FNAT", server_port=8080))
    scene = methods.build_two_networks(lab, services, gateway=False)
    for family in (4, 6):
        assert_serves(scene, family)
    for server in scene.servers:
        assert clients_in_log(server) == {methods.LOCAL4, methods.LOCAL6}


def test_full_nat_joins_clients_and_servers_of_different_families(lab):
    def services(servers):
        text = LOCAL_ADDRESSES
        for family, vip in TWO_NETWORKS.items():
            there = addresses(servers, 10 - family)
            text += methods.service(vip, "FNAT", there, server_port=8080)
            text += methods.service(vip, "FNAT", there, port=methods.UDP_PORT, protocol='"UDP"')
        return text

    scene = methods.build_two_networks(lab, services, gateway=False)
    for server in scene.servers:
        (server.nginx.folder / "www" / "blob").write_bytes(bytes(range(256)) * 4000)
    for family in (4, 6):
        assert_serves(scene, family)
        vip = scene.vip(family)
        host = f"[{vip}]" if family == 6 else vip
        digest = scene.client.run("sh", "-c", f"curl -sg --max-time 20 http://{host}/files/blob | md5sum",
                                  timeout=40).stdout.split()[0]
        assert digest == hashlib.md5(bytes(range(256)) * 4000).hexdigest()
    for server in scene.servers:
        assert clients_in_log(server) == {methods.LOCAL4, methods.LOCAL6}


@pytest.mark.parametrize("family, client", [(4, "20.20.20.100"), (6, "fd00:20::100")])
def test_toa_tells_the_servers_who_the_client_is(lab, family, client):
    services = with_local_addresses(both_families(TWO_NETWORKS, "FNAT", server_port=8080))
    scene = methods.build_two_networks(lab, services, gateway=False, conntrack="fullnat_toa = true")
    capture = Capture(scene.servers[0].host, "tcp and dst port 8080 and not host 127.0.0.1")
    assert_serves(scene, family, count=6)
    syn, push = 0x02, 0x18
    wait_until(lambda: {syn, push} <= {flags for flags, _ in capture.tcp()}, "whole connections")
    for flags, options in capture.tcp():
        if flags not in (syn, push):
            continue
        toa = options[254]
        assert ipaddress.ip_address(toa[2:]) == ipaddress.ip_address(client)
        assert int.from_bytes(toa[:2], "big") >= 1024


def test_clients_with_persistence_stay_with_their_server(lab):
    def services(servers):
        return methods.service(methods.VIP4, "DR", addresses(servers, 4),
                               persistence_timeout='"60s"')

    scene = methods.build_one_network(lab, services)
    chosen = {}
    for number in range(3):
        source = f"192.168.10.{110 + number}"
        scene.client.ip("addr", "add", f"{source}/24", "dev", "eth0")
        answers, failures = scene.fetch(count=20, source=source)
        assert failures == 0 and len(answers) == 1, (source, answers)
        chosen[source] = next(iter(answers))
    assert set(chosen.values()) == ALL, chosen


def test_persistence_granularity_makes_a_network_one_client(lab):
    def services(servers):
        return methods.service(methods.VIP4, "DR", addresses(servers, 4),
                               persistence_timeout='"60s"',
                               persistence_granularity='"255.255.255.0"')

    scene = methods.build_one_network(lab, services)
    seen = set()
    for number in range(3):
        source = f"192.168.10.{110 + number}"
        scene.client.ip("addr", "add", f"{source}/24", "dev", "eth0")
        answers, failures = scene.fetch(count=5, source=source)
        assert failures == 0
        seen |= set(answers)
    assert len(seen) == 1, seen


def add_second_web_port(scene):
    for server in scene.servers:
        methods.Nginx(server.host, name=f"{server.name}b", port=8081, body=f"{server.name}\\n")


@pytest.mark.parametrize("kind", ["mark", "port-0"])
def test_ports_that_belong_together_share_the_server(lab, kind):
    """A client's connections to port 80 and 8081 reach one server: by a firewall mark, or by a service
    on every port."""
    def services(servers):
        there = addresses(servers, 4)
        if kind == "port-0":
            return methods.service(methods.VIP4, "DR", there, port=0, persistence_timeout='"60s"')
        marks = "".join(f'[[mark]]\ndestination = "{methods.VIP4}/32"\nprotocol = "TCP"\n'
                        f'destination_port = {port}\nmark = 7\n' for port in (80, 8081))
        return marks + methods.service(methods.VIP4, "DR", there, fwmark=7, server_port=0,
                                       persistence_timeout='"60s"')

    scene = methods.build_one_network(lab, services)
    add_second_web_port(scene)
    used = set()
    for number in range(3):
        source = f"192.168.10.{110 + number}"
        scene.client.ip("addr", "add", f"{source}/24", "dev", "eth0")
        first, failed = scene.fetch(port=80, count=5, source=source)
        second, failed_too = scene.fetch(port=8081, count=5, source=source)
        assert failed == failed_too == 0, (first, second)
        assert set(first) == set(second) and len(first) == 1, (first, second)
        used |= set(first)
    assert used == ALL


def test_marked_datagrams_and_connections_are_scheduled_without_persistence(lab):
    def services(servers):
        marks = (f'[[mark]]\ndestination = "{methods.VIP4}/32"\nprotocol = "TCP"\n'
                 'destination_port = "80-90"\nmark = 9\n')
        return marks + methods.service(methods.VIP4, "DR", addresses(servers, 4), fwmark=9,
                                       server_port=0)

    scene = methods.build_one_network(lab, services)
    answers, failures = scene.fetch(count=30)
    assert failures == 0 and set(answers) == ALL, answers
    marked = [row for row in scene.polluxd.show("services")["services"] if row.get("fwmark") == 9]
    assert marked[0]["connections"] == 30


def test_one_packet_scheduling_chooses_for_each_datagram(lab):
    def services(servers):
        return methods.service(methods.VIP4, "DR", addresses(servers, 4), port=methods.UDP_PORT,
                               protocol='"UDP"', ops="true")

    scene = methods.build_one_network(lab, services)
    result = scene.ask(count=30)
    assert result["lost"] == 0
    assert set(result["answers"].values()) == {10}, result
    assert scene.polluxd.show("connections")["connections"] == []
