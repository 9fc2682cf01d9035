# SPDX-License-Identifier: Apache-2.0
"""The walk of docs/migration.md: a tutorial's keepalived.conf is imported, Pollux runs beside the
keepalived that still has the address, takes it over, gives it back, and takes it for good."""

import pathlib

from lab import Nginx, Polluxd, run, wait_until
from topology import hide_vip
from vrrp_lab import Keepalived, Lan, instance, plug_in, tap_holds, wait_state

TUTORIAL = pathlib.Path(__file__).resolve().parents[1] / "unit/import/tutorials/lvs-dr-master.conf"
VIP = "10.10.10.100"


def imported(lab, tmp_path):
    """What `pollux import` makes of the tutorial's file, on ordinary pages and shared CPUs."""
    output = tmp_path / "pollux.toml"
    options = ["--port", "enp0s3=net_af_packet0,iface=l0", "--address", "enp0s3=10.10.10.14/24"]
    refused = run(lab.program("pollux"), "import", "keepalived", *options, TUTORIAL, check=False)
    assert refused.returncode == 1 and refused.stderr.count("unknown word `nb_get_retry`") == 2
    run(lab.program("pollux"), "import", "keepalived", "--lenient", *options, "-o", output, TUTORIAL)
    assert output.stat().st_mode & 0o777 == 0o600
    assert run(lab.program("pollux"), "check", output).returncode == 0
    text = output.read_text().replace("[dpdk]", f"""[api]
control_socket = "@SOCKET@"

[dpdk]
file_prefix = "{lab.prefix}"
hugepages = false
hugepage_mem = "192M"
idle = "adaptive"
mbufs_per_port = 8192""", 1)
    return text.replace("priority = 80", "priority = 20")


def test_from_keepalived_and_back_and_over(lab, tmp_path):
    lan = Lan(lab)
    lan.observer.ip("addr", "add", "10.10.10.7/24", "dev", "eth0")
    servers = []
    for number in (12, 13):
        host = lab.host(f"rs{number}")
        lan.switch.connect(host, addresses=[f"10.10.10.{number}/24"])
        hide_vip(host, VIP)
        servers.append(Nginx(host))
    old = Keepalived(lan, "old", "10.10.10.11/24",
                     TUTORIAL.read_text().replace("enp0s3", "eth0"))
    wait_until(lambda: old.holds(VIP), "keepalived has the address")
    node = Polluxd(lab, "new", imported(lab, tmp_path), {}, wait=False)
    plug_in(lan.switch, node, "l0", "02:00:00:00:00:14")
    node.start()

    # In parallel: Pollux waits, and knows who is master.
    wait_state(node, "BACKUP")
    wait_until(lambda: (instance(node)["master"] or {}).get("priority") == 80,
               "Pollux hears keepalived")
    assert old.holds(VIP) and not tap_holds(node, VIP)

    def raise_priority():
        node.write_config(node.config.read_text().replace("priority = 20", "priority = 120"))
        assert "vrrp_instance VI_1" in node.pollux("reload", "--diff").stdout

    def serves():
        answers = lan.observer.run("curl", "-s", "--max-time", "5", "-H", "Connection: close",
                                   *[f"http://{VIP}/"] * 4, check=False).stdout.split()
        return sorted(answers) == ["rs12", "rs12", "rs13", "rs13"]

    # Over, not confirmed: it comes back by itself.
    raise_priority()
    node.pollux("reload", "--confirm", "6s")
    wait_state(node, "MASTER")
    wait_state(node, "BACKUP")
    wait_until(lambda: old.holds(VIP), "keepalived has the address again")
    # Over for good.
    node.pollux("reload", "--confirm", "600s")
    wait_state(node, "MASTER")
    wait_until(lambda: not old.holds(VIP), "keepalived gave the address up")
    wait_until(serves, "both servers answer through Pollux")
    node.pollux("confirm")
    # And back once more, as an operator would.
    node.pollux("rollback")
    wait_state(node, "BACKUP")
    wait_until(lambda: old.holds(VIP), "keepalived has the address")
    # A Pollux that stops leaves nothing behind.
    node.pollux("rollback")
    wait_state(node, "MASTER")
    assert node.stop() == 0
    wait_until(lambda: old.holds(VIP), "keepalived takes over")
