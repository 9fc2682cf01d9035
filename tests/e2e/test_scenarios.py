# SPDX-License-Identifier: Apache-2.0
"""Each scenario file in configs/ does what its first lines promise: who serves, what moves when what
dies, and what the LVS table then shows. LVS-DR and LVS-NAT are in test_balancing, the pairs that the
demo shows in test_pair."""

import re
import signal
import sys

import scenarios
from lab import Nginx, run, wait_until
from scenarios import Pair, client_on, fetch, single, table, web_servers
from topology import CONFIGS

LAB = CONFIGS.parent / "tests" / "lab"


def test_every_file_is_a_good_configuration_and_says_what_it_shows(lab):
    for path in sorted(CONFIGS.glob("*.toml")):
        text = path.read_text()
        for node in sorted(set(re.findall(r'node = "(\w+)"', text))) or ["any"]:
            checked = run(lab.program("pollux"), "check", "--node", node, path, check=False)
            assert checked.returncode == 0, f"{path.name}, {node}:\n{checked.stdout}"
        if path.name != "reference.toml":
            assert "You will see:" in text.split("\n[", 1)[0], path.name


def test_tunnel_servers_answer_directly(lab):
    switch = lab.switch()
    client = client_on(lab, switch, "192.168.10.100/24")
    servers = web_servers(lab, switch, [f"192.168.10.{n}/24" for n in (11, 12, 13)],
                          vip="192.168.10.10")
    for server in servers:
        # Kernels without ipip: the same in user space.
        log = server.folder / "decapsulate.log"
        server.host.spawn(sys.executable, LAB / "decapsulate.py", "tun0", "6080", log=log)
        wait_until(lambda log=log: log.exists() and "ready" in log.read_text(), "tunnel's end")
        server.host.sysctl(net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__tun0__rp_filter=0)
    polluxd = single(lab, "lvs-tun", switch)
    assert fetch(client, "http://192.168.10.10/") == {"rs1": 4, "rs2": 4, "rs3": 4}
    assert table(polluxd)["192.168.10.10:80"] == {
        f"192.168.10.{n}:80": ("Tunnel", 1) for n in (11, 12, 13)}


def test_full_nat_needs_no_route_back_and_hides_clients(lab):
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client = client_on(lab, outside, "20.20.20.100/24")
    servers = web_servers(lab, inside, [f"10.10.10.{n}/24" for n in (21, 22, 23)], port=8080)
    single(lab, "lvs-fullnat", outside, inside)
    assert fetch(client, "http://20.20.20.11/") == {"rs1": 4, "rs2": 4, "rs3": 4}
    for server in servers:
        clients = {line.split()[0] for line in
                   (server.folder / "access.log").read_text().splitlines()}
        assert clients - {"127.0.0.1"} == {"10.10.10.100"}


def test_persistence_by_client_port_and_mark(lab):
    switch = lab.switch()
    sources = ["192.168.10.100", "192.168.10.101"]
    client = client_on(lab, switch, *[f"{source}/24" for source in sources])
    vips = [f"192.168.10.{n}" for n in (10, 20, 30, 31)]
    servers = web_servers(lab, switch, [f"192.168.10.{n}/24" for n in (11, 12, 13)], vip=vips)
    for server in servers:
        Nginx(server.host, port=443)
    polluxd = single(lab, "persistence", switch)

    def chosen(vip, port, source):
        answers = fetch(client, f"http://{vip}:{port}/", 6, source)
        assert len(answers) == 1 and "-" not in answers, (vip, port, source, answers)
        return next(iter(answers))

    # By client: one server for all ports, another client another one.
    by_client = [{chosen(vips[0], port, source) for port in (80, 443)} for source in sources]
    assert [len(each) for each in by_client] == [1, 1] and by_client[0] != by_client[1]
    # By port: each port for itself; two services in turn begin with the same server.
    by_port = [chosen(vips[1], 80, source) for source in sources]
    assert by_port[0] != by_port[1]
    chosen(vips[1], 443, sources[0])
    # By mark: two addresses and two ports are one service.
    by_mark = [{chosen(vip, port, source) for vip in vips[2:] for port in (80, 443)}
               for source in sources]
    assert [len(each) for each in by_mark] == [1, 1] and by_mark[0] != by_mark[1]
    shown = polluxd.pollux("ipvs", "-Ln", "--persistent-conn").stdout
    assert "FWM  1 rr persistent 120" in shown, shown


def test_two_levels_choose_by_host_name(lab):
    switch = lab.switch()
    client = client_on(lab, switch, "10.10.10.100/24")
    web_servers(lab, switch, [f"10.10.10.{n}/24" for n in (14, 15, 16)])
    proxies = []
    sites = {"www.demo1.com": ("10.10.10.14", "10.10.10.15"), "www.demo2.com": ("10.10.10.16",)}
    pools = "".join(f"upstream {site} {{ {''.join(f'server {each}:80; ' for each in pool)} }}\n"
                    f"server {{ listen 80; server_name {site};\n"
                    f"location / {{ proxy_pass http://{site}; }} }}\n"
                    for site, pool in sites.items())
    for number in (12, 13):
        host = lab.host(f"ngx{number}")
        switch.connect(host, addresses=[f"10.10.10.{number}/24"])
        scenarios.hide_vip(host, "10.10.10.10")
        # `extra` is inside of a server block: it ends there, and the last one is left open.
        proxies.append(Nginx(host, extra="}\n" + pools + "server { listen 81; "))
    polluxd = single(lab, "multi-level", switch)
    url = "http://10.10.10.10/"
    assert fetch(client, url, 8, header="Host: www.demo1.com") == {"rs1": 4, "rs2": 4}
    assert fetch(client, url, 4, header="Host: www.demo2.com") == {"rs3": 4}
    assert [proxy.requests() for proxy in proxies] == [6, 6]
    assert set(table(polluxd)["10.10.10.10:80"]) == {"10.10.10.12:80", "10.10.10.13:80"}


def test_dr_pair_serves_through_everything_that_dies(lab):
    switch = lab.switch()
    client = client_on(lab, switch, "10.10.10.100/24")
    servers = web_servers(lab, switch, ["10.10.10.12/24", "10.10.10.13/24"], vip="10.10.10.10")
    pair = Pair(lab, "lvs-dr-pair", switch).wait_master("lb01", "VI_1")
    url = "http://10.10.10.10/"
    wait_until(lambda: fetch(client, url, 4) == {"rs1": 2, "rs2": 2}, "both servers serve")
    # A web server dies and comes back: the table of both nodes follows.
    servers[1].stop()
    for node in ("lb01", "lb02"):
        wait_until(lambda node=node: set(table(pair[node])["10.10.10.10:80"]) == {"10.10.10.12:80"},
                   f"{node} drops the dead server")
    assert fetch(client, url, 4) == {"rs1": 4}
    servers[1] = Nginx(servers[1].host, name="rs2-again")
    wait_until(lambda: set(fetch(client, url, 4)) == {"rs1", "rs2-again"}, "the server is back")
    # The master stops in order, and returns.
    assert pair["lb01"].stop() == 0
    pair.wait_master("lb02", "VI_1")
    assert pair.holds("lb02", "10.10.10.10")
    wait_until(lambda: "-" not in fetch(client, url, 4), "lb02 serves")
    pair["lb01"].start()
    pair.wait_master("lb01", "VI_1")
    wait_until(lambda: "-" not in fetch(client, url, 4), "lb01 serves again")
    # The master crashes: nothing is left of its address.
    pair["lb01"].stop(signal.SIGKILL)
    assert not pair.holds("lb01", "10.10.10.10")
    pair.wait_master("lb02", "VI_1")
    wait_until(lambda: "-" not in fetch(client, url, 4), "lb02 serves after the crash")


def test_nopreempt_leaves_the_address_where_it_is(lab):
    switch = lab.switch()
    client = client_on(lab, switch, "10.0.0.7/24")
    pair = Pair(lab, "nopreempt", switch)
    # Whoever came first has it; then lb01 shall have it.
    wait_until(lambda: len(pair.masters("vip_3")) == 1, "one MASTER")
    if pair.masters("vip_3") == ["lb02"]:
        pair["lb02"].stop()
        pair.wait_master("lb01", "vip_3")
        pair["lb02"].start()
    pair["lb01"].stop()
    pair.wait_master("lb02", "vip_3")
    pair["lb01"].start()
    # Longer than the time after which lb01 would have taken it.
    wait_until(lambda: heard_since_start(pair["lb01"]) >= 5, "lb01 hears lb02's adverts")
    assert pair.masters("vip_3") == ["lb02"]
    assert client.ping("10.0.0.3")
    pair["lb02"].stop()
    pair.wait_master("lb01", "vip_3")


def heard_since_start(node):
    return node.show("vrrp")["instances"][0]["counters"]["advert_rcvd"]


def test_the_address_follows_the_script_that_watches_nginx(lab):
    switch = lab.switch()
    client = client_on(lab, switch, "10.0.0.7/24")
    check = scenarios.script(lab.folder, "check_web.sh",
                             "#!/bin/sh\nexec curl -sf --max-time 1 http://127.0.0.1/ -o /dev/null\n")

    def edit(text):
        return text.replace("/etc/pollux/check_nginx.sh", str(check)).replace(
            "[global.scripts]", "[global.scripts]\nenable_script_security = false")

    pair = Pair(lab, "nginx-pair", switch, edit)
    web = {node: Nginx(pair[node].host) for node in ("lb01", "lb02")}
    pair.wait_master("lb01", "vip_3")
    wait_until(lambda: fetch(client, "http://10.0.0.3/", 2) == {"lb01": 2}, "lb01's nginx serves")
    web["lb01"].stop()
    pair.wait_master("lb02", "vip_3")
    assert pair.state("lb01", "vip_3") == "FAULT"
    wait_until(lambda: fetch(client, "http://10.0.0.3/", 2) == {"lb02": 2}, "lb02's nginx serves")
    Nginx(pair["lb01"].host, name="lb01-again")
    pair.wait_master("lb01", "vip_3")
    wait_until(lambda: fetch(client, "http://10.0.0.3/", 2) == {"lb01-again": 2}, "lb01 is back")


def test_the_sorry_server_serves_while_nobody_else_does(lab):
    outside, inside = lab.switch("outside"), lab.switch("inside")
    client = client_on(lab, outside, "20.20.20.100/24")
    servers = web_servers(lab, inside, ["10.10.10.21/24", "10.10.10.22/24", "10.10.10.29/24"],
                          gateway="10.10.10.11")
    polluxd = single(lab, "sorry-server", outside, inside)
    url = "http://20.20.20.11/"

    def serves(expected, what):
        wait_until(lambda: fetch(client, url, 4) == expected, what)

    serves({"rs1": 2, "rs2": 2}, "both serve")
    servers[0].stop()
    serves({"rs2": 4}, "the other one serves")
    servers[1].stop()
    serves({"rs3": 4}, "the sorry server serves alone")
    assert table(polluxd)["20.20.20.11:80"] == {"10.10.10.29:80": ("Masq", 1)}
    Nginx(servers[0].host, name="rs1-again")
    serves({"rs1-again": 4}, "the first server that answers takes over")
    assert set(table(polluxd)["20.20.20.11:80"]) == {"10.10.10.21:80"}
