# SPDX-License-Identifier: Apache-2.0
"""check_via = "service": checks that go the way of the service's packets."""

import pathlib

import pytest
from lab import Nginx, wait_until
from methods import GUE_PORT, hide, spawn_ready
from vrrp_lab import Lan, wait_state

LAB = pathlib.Path(__file__).resolve().parents[1] / "lab"
VIPS = {4: "10.0.0.100", 6: "fd00::100"}
SERVERS = {"rs1": {4: "10.0.0.21", 6: "fd00::1:21"}, "rs2": {4: "10.0.0.22", 6: "fd00::1:22"}}
TIMING = 'delay_loop = "500ms"\nwarmup = "100ms"\nconnect_timeout = "1s"\nretry = 1\n' \
         'delay_before_retry = "250ms"\n'
UDP_PORT, SMTP_PORT = 53, 1009
# By the word that `show checks` begins with.
CHECKS = {
    "TCP_CHECK": "",
    "HTTP_GET": 'url = [{ path = "/", regex = "^rs" }]\n',
    "SSL_GET": 'connect_port = 443\nverify = false\nurl = [{ path = "/" }]\n',
    "SMTP_CHECK": f"connect_port = {SMTP_PORT}\n",
    "UDP_CHECK": f"connect_port = {UDP_PORT}\nrequire_reply = true\n",
    "PING_CHECK": "",
}


def check(kind, keys, via):
    return (f'[[virtual_server.real_server.check]]\ntype = "{kind}"\ncheck_via = "{via}"\n'
            f"{TIMING}{keys}")


def service(family, method, servers, checks, *, port=80, protocol="TCP", more=""):
    """`checks`: texts that every server gets. `servers`: addresses."""
    text = (f'[[virtual_server]]\naddress = "{VIPS[family]}"\nport = {port}\n'
            f'protocol = "{protocol}"\nlvs_method = "{method}"\n{more}')
    for address in servers:
        text += f'[[virtual_server.real_server]]\naddress = "{address}"\nport = {port}\n'
        text += "".join(checks)
    return text


def through_service():
    return [check(kind, keys, "service") for kind, keys in CHECKS.items()]


def vrrp():
    """VI_1 of pollux_config has the IPv4 address, this the IPv6 one."""
    return ('[[vrrp_instance]]\nname = "VI_6"\nstate = "BACKUP"\ninterface = "wan"\n'
            "virtual_router_id = 52\npriority = @PRIORITY@\nadvert_int = \"200ms\"\nversion = 3\n"
            f'virtual_ipaddress = [{{ address = "{VIPS[6]}" }}]\n')


def start_node(lan, name, number, priority, services):
    return lan.pollux(name, priority=priority, version=3, advert="200ms", vips=[VIPS[4]],
                      address=f"10.0.0.{number}/24,fd00::{number}/64",
                      more=vrrp().replace("@PRIORITY@", str(priority)) + services)


def add_server(lan, name, vips=()):
    host = lan.lab.host(name)
    lan.switch.connect(host, addresses=[f"{SERVERS[name][4]}/24", f"{SERVERS[name][6]}/64"])
    hide(host, *vips)
    folder = pathlib.Path(lan.lab.folder)
    key, certificate = folder / "key.pem", folder / "cert.pem"
    if not key.exists():
        host.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                 "/CN=web.test", "-keyout", key, "-out", certificate)
    Nginx(host, extra=f"}} server {{ listen 443 ssl; listen [::]:443 ssl; ssl_certificate "
                      f"{certificate}; ssl_certificate_key {key}; return 200 'fine'; ")
    spawn_ready(host, LAB / "udp_names.py", "serve", name, UDP_PORT,
                *(vips or SERVERS[name].values()))
    host.spawn("/usr/bin/python3", LAB / "mail_sink.py", folder / f"mail-{name}", SMTP_PORT)
    wait_until(lambda: host.run("ss", "-Hltn", f"sport = :{SMTP_PORT}").stdout.strip(),
               f"mail of {name}")
    return host


def states(node):
    """{(type, service's address, server, "direct" or "service"): state}"""
    found = {}
    for row in node.show("checks")["checks"]:
        if not row["decided"] or ":9 " in row["check"]:
            continue
        for each in row["servers"]:
            server = each["server"].rsplit(":", 1)[0].strip("[]")
            vip = each["service"].split()[-1].rsplit(":", 1)[0].strip("[]")
            found[row["type"], vip, server, row["via"]] = row["state"]
    return found


def refused(node, seen={}):
    """Services whose probe was ever told that nobody listens (a kernel sends one such error a second)."""
    known = seen.setdefault(node.name, set())
    known.update(VIPS[6] if "fd00" in row["check"] else VIPS[4]
                 for row in node.show("checks")["checks"]
                 if ":9 " in row["check"] and row["last"] == "connection refused")
    return known


def wait_states(node, wanted):
    def wrong():
        now = states(node)
        return {key: now.get(key) for key, state in wanted.items() if now.get(key) != state}
    try:
        wait_until(lambda: not wrong(), "the checks tell what they should", 40)
    except Exception as problem:
        rows = [(row["check"], row["state"], row["last"]) for row in node.show("checks")["checks"]]
        raise AssertionError(f"{node.name}: {wrong()}\n{rows}") from problem


@pytest.fixture
def lan(lab):
    return Lan(lab, ipv6=True)


def test_dr_finds_a_server_without_the_address_on_master_and_backup(lan):
    services = "".join(
        service(family, "DR", [SERVERS[name][family] for name in SERVERS],
                [check("TCP_CHECK", "", "direct"), *through_service()]) for family in VIPS)
    # The address is there, the port is closed: ICMP tells.
    services += "".join(
        service(family, "DR", [SERVERS["rs1"][family]], [check("UDP_CHECK", "require_reply = true\n", "service")],
                port=9, protocol="UDP") for family in VIPS)
    add_server(lan, "rs1", VIPS.values())
    forgetful = add_server(lan, "rs2")
    nodes = [start_node(lan, "a", 5, 150, services), start_node(lan, "b", 6, 100, services)]
    for name in ("VI_1", "VI_6"):
        wait_state(nodes[0], "MASTER", name)
        wait_state(nodes[1], "BACKUP", name)

    def wanted(second):
        table = {}
        for family, vip in VIPS.items():
            first_address, second_address = (SERVERS[name][family] for name in SERVERS)
            for kind in CHECKS:
                table[kind, vip, first_address, "service"] = "UP"
                table[kind, vip, second_address, "service"] = second
            for address in (first_address, second_address):
                table["TCP_CHECK", vip, address, "direct"] = "UP"
        return table

    for node in nodes:
        wait_states(node, wanted("DOWN"))
        wait_until(lambda: refused(node) == set(VIPS.values()), "ICMP errors reach the probes")
        # No packet of theirs is a connection of the data plane's.
        assert not node.show("connections")["connections"]
    # A server that sends what it gets on to the address's owner, the balancer, does not have it.
    forgetful.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                     net__ipv4__conf__all__send_redirects=0, net__ipv4__conf__eth0__send_redirects=0)
    for node in nodes:
        before = {row["check"]: row["tries"] for row in node.show("checks")["checks"]}
        wait_until(lambda: all(row["tries"] >= before[row["check"]] + 3
                               for row in node.show("checks")["checks"]), "three more tries each")
        wait_states(node, wanted("DOWN"))
    hide(forgetful, *VIPS.values())
    spawn_ready(forgetful, LAB / "udp_names.py", "serve", "again", UDP_PORT, *VIPS.values())
    for node in nodes:
        wait_states(node, wanted("UP"))


def test_tun_finds_a_server_without_the_tunnel(lan):
    kinds = {80: 'type = "ipip"', 81: 'type = "gre"\nchecksum = true',
             82: f'type = "gue"\nport = {GUE_PORT}\nchecksum = true'}
    # IPv6 services over IPv4 servers, too.
    ways = {(4, 4): 0, (6, 6): 0, (6, 4): 10}
    services = ""
    for port, tunnel in kinds.items():
        for (family, outer), shift in ways.items():
            services += service(
                family, "TUN", [SERVERS[name][outer] for name in SERVERS],
                [check("HTTP_GET", CHECKS["HTTP_GET"] + "connect_port = 80\n", "service"),
                 check("PING_CHECK", "", "direct")],
                port=port + shift, more=f"[virtual_server.tunnel]\n{tunnel}\n")
    servers = [add_server(lan, name, VIPS.values()) for name in SERVERS]
    spawn_ready(servers[0], LAB / "decapsulate.py", "tun0", GUE_PORT)
    for scope in ("all", "tun0"):
        servers[0].sysctl(**{f"net__ipv4__conf__{scope}__rp_filter": 0})
    node = start_node(lan, "a", 5, 150, services)
    wanted = {}
    for family, outer in ways:
        for name, state in (("rs1", "UP"), ("rs2", "DOWN")):
            wanted["HTTP_GET", VIPS[family], SERVERS[name][outer], "service"] = state
            wanted["PING_CHECK", VIPS[family], SERVERS[name][outer], "direct"] = "UP"
    wait_state(node, "MASTER")
    wait_states(node, wanted)
    # Every kind of tunnel, not only the last of each server.
    def rows():
        return [row for row in node.show("checks")["checks"] if row["type"] == "HTTP_GET"]

    def wrong():
        return [(row["check"], row["servers"], row["last"]) for row in rows()
                if (row["state"] == "UP") != row["check"].endswith(("0.21", "1:21"))]

    assert len(rows()) == len(kinds) * len(ways) * 2
    wait_until(lambda: not wrong(), "every tunnel is told apart")


def test_a_reload_brings_and_removes_the_way(lan):
    direct = service(4, "DR", [SERVERS["rs1"][4]], [check("TCP_CHECK", "", "direct")])
    through = service(4, "DR", [SERVERS["rs1"][4]], [check("TCP_CHECK", "", "service")])
    add_server(lan, "rs1", [VIPS[4]])
    node = start_node(lan, "a", 5, 150, direct)
    text = node.config.read_text()

    def links():
        return node.host.ip("-br", "link").stdout

    assert "pollux-via" not in links()
    for _ in range(2):
        node.write_config(text.replace(direct, through))
        node.pollux("reload")
        wait_states(node, {("TCP_CHECK", VIPS[4], SERVERS["rs1"][4], "service"): "UP"})
        assert "pollux-via" in links()
        assert node.show("checks")["service_checks"]["stand_ins"] == 1
        node.write_config(text)
        node.pollux("reload")
        wait_states(node, {("TCP_CHECK", VIPS[4], SERVERS["rs1"][4], "direct"): "UP"})
        wait_until(lambda: "pollux-via" not in links(), "the interface is gone")
    # Somebody else's route is not taken over.
    node.host.ip("route", "add", "blackhole", "240.112.3.0/24")
    wait_until(lambda: "240.112.3.0/24" in node.pollux("show", "routes", check=False).stdout,
               "polluxd knows the route")
    node.write_config(text.replace(direct, through))
    refused = node.pollux("reload", check=False)
    assert refused.returncode == 1
    assert "240.112.3.0/24" in refused.stdout + refused.stderr
    assert "stand_in_ipv4" in refused.stdout + refused.stderr
