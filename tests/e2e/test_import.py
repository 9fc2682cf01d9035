# SPDX-License-Identifier: Apache-2.0
"""`pollux import keepalived` beside Debian's `keepalived -t`: it knows every word that keepalived
knows, and refuses every file that keepalived refuses."""

import pathlib
import re
import shutil

import pytest

from lab import Host, run

KEEPALIVED = shutil.which("keepalived", path="/usr/sbin:/usr/bin:/sbin:/bin")

# keepalived's exit status for good files: 0, and 6 for scripts without enable_script_security.
GOOD = (0, 6)

BLOCKS = {
    "global_defs": ("global_defs {\n", "}\n"),
    "the top level": ("", ""),
    "vrrp_script": ("vrrp_script s {\n", "}\n"),
    "track_file": ("track_file s {\n", "}\n"),
    "vrrp_track_process": ("vrrp_track_process s {\n", "}\n"),
    "vrrp_sync_group": ("vrrp_sync_group s {\n", "}\n"),
    "garp_group": ("garp_group {\n", "}\n"),
    "bfd_instance": ("bfd_instance b {\n", "}\n"),
    "vrrp_instance": ("vrrp_instance s {\n", "}\n"),
    "authentication": ("vrrp_instance s {\nauthentication {\n", "}\n}\n"),
    "virtual_server": ("virtual_server 10.0.0.3 80 {\n", "}\n"),
    "real_server": ("virtual_server 10.0.0.3 80 {\nreal_server 10.0.0.4 80 {\n", "}\n}\n"),
    "SSL": ("SSL {\n", "}\n"),
    "url": ("virtual_server 10.0.0.3 80 {\nreal_server 10.0.0.4 80 {\nHTTP_GET {\nurl {\n",
            "}\n}\n}\n}\n"),
    "host": ("virtual_server 10.0.0.3 80 {\nreal_server 10.0.0.4 80 {\nSMTP_CHECK {\nhost {\n",
             "}\n}\n}\n}\n"),
}
for check in ("TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "MISC_CHECK",
              "BFD_CHECK", "PING_CHECK", "UDP_CHECK", "FILE_CHECK"):
    BLOCKS[check] = (f"virtual_server 10.0.0.3 80 {{\nreal_server 10.0.0.4 80 {{\n{check} {{\n",
                     "}\n}\n}\n")

# Where else the rows of a block are.
ALSO = {name: ("a check",) for name in
        ("TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "PING_CHECK", "UDP_CHECK",
         "host")}
ALSO["SSL_GET"] += ("HTTP_GET",)


def instance(lines=""):
    return ("vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n" + lines +
            "\nvirtual_ipaddress {\n10.0.0.3\n}\n}\n")


def service(lines="", server=""):
    return ("virtual_server 10.0.0.3 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n" + lines +
            "\nreal_server 10.0.0.12 80 {\nweight 1\n" + server + "\n}\n}\n")


FILES = {
    "instance": instance(),
    "braces on lines of their own": "vrrp_instance V\n{\ninterface eth0\nvirtual_router_id 1\n"
                                    "virtual_ipaddress { 10.0.0.3 }\n}\n",
    "all of an instance": instance(
        "state BACKUP\npriority 150\nadvert_int 2\nnopreempt\nmcast_src_ip 10.0.0.5\n"
        "authentication {\nauth_type PASS\nauth_pass 1111\n}\ntrack_interface {\neth1 weight 3\n}\n"
        "virtual_ipaddress_excluded {\n10.0.0.9 dev eth1 label eth1:1\n}\n"
        "virtual_routes {\n10.9.0.0/16 via 10.0.0.1 dev eth0\n}\ngarp_master_delay 3"),
    "quotes": instance("notify \"/bin/true 'a b' c\""),
    "parameters": "$N=7\n~SEQ(V, 1, 2) $UNUSED=${V}\n" + instance("priority 1${N}"),
    "service": service("delay_loop 6\npersistence_timeout 50\nquorum 1"),
    "checks": service("", "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nnb_get_retry 3\n}\n"
                          "TCP_CHECK {\nconnect_timeout 3\n}\nMISC_CHECK {\nmisc_path /bin/true\n}"),
    "tunnel": service("", "").replace("lvs_method NAT", "lvs_method TUN type gue port 6080"),
    "mark": "virtual_server fwmark 3 {\nlvs_sched rr\nlvs_method NAT\n"
            "real_server 10.0.0.12 80 {\nweight 1\n}\n}\n",
    "noreempt": instance("noreempt"),
    "SLAVE": instance("state SLAVE"),
    "lower case": instance("state master"),
    "nopreempt of a MASTER": instance("state MASTER\nnopreempt"),
    "VRID 0": instance().replace("51", "0"),
    "VRID 256": instance().replace("51", "256"),
    "VRID abc": instance().replace("51", "abc"),
    "priority 0": instance("priority 0"),
    "priority 256": instance("priority 256"),
    "advert_int 0": instance("advert_int 0"),
    "advert_int 300": instance("advert_int 300"),
    "half a second": instance("advert_int 0.5"),
    "41 with version 3": instance("version 3\nadvert_int 41"),
    "long password": instance("authentication {\nauth_type PASS\nauth_pass 123456789012\n}"),
    "MD5": instance("authentication {\nauth_type MD5\nauth_pass 1234\n}"),
    "version 3 with a password": instance(
        "version 3\nauthentication {\nauth_type PASS\nauth_pass 1234\n}"),
    "no address": "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\n}\n",
    "bad address": instance().replace("10.0.0.3", "10.0.0.333"),
    "length 33": instance().replace("10.0.0.3", "10.0.0.3/33"),
    "two families": instance().replace("10.0.0.3", "10.0.0.3\nfd00::1"),
    "one VRID twice": instance() + instance().replace("VI_1", "VI_2").replace(".3", ".4"),
    "one name twice": instance() + instance().replace("51", "52").replace(".3", ".4"),
    "unknown script": instance("track_script {\nnone\n}"),
    "no closing brace": instance()[:-2],
    "one brace too many": instance() + "}\n",
    "no value": instance("priority"),
    "stray dots": "global_defs {\nnotification_email\n...\n}\n" + instance(),
    "dev without interface": instance(
        "virtual_ipaddress_excluded {\n10.0.0.9 dev label eth1:1\n}"),
    "VMAC": instance("use_vmac XX:XX:XX:XX:XX"),
    "lbrcr": service().replace("lvs_sched rr", "lvs_sched lbrcr"),
    "dr": service().replace("lvs_method NAT", "lvs_method dr"),
    "FULLNAT": service().replace("lvs_method NAT", "lvs_method FULLNAT"),
    "no protocol": service().replace("protocol TCP\n", ""),
    "no scheduler": service().replace("lvs_sched rr\n", ""),
    "another port with DR": service().replace("NAT", "DR").replace("12 80", "12 8080"),
    "another sorry port with DR": service("sorry_server 10.0.0.9 81").replace("NAT", "DR"),
    "weight -1": service("", "weight -1"),
    "digest": service("", "HTTP_GET {\nurl {\npath /\ndigest abc\n}\n}"),
    "status 700": service("", "HTTP_GET {\nurl {\npath /\nstatus_code 700\n}\n}"),
    "HTTP_GET without url": service("", "HTTP_GET {\n}"),
    "nb_get_retry in TCP_CHECK": service("", "TCP_CHECK {\nnb_get_retry 3\n}"),
    "SMTP_CHEKC": service("", "SMTP_CHEKC {\n}"),
    "MSIC_CHECK": service("", "MSIC_CHECK {\n}"),
    "nat_mask": service("nat_mask 255.255.255.0"),
    "port after a colon": service().replace("10.0.0.3 80", "10.0.0.3:80"),
}

# What keepalived refuses and Pollux finds only by the rules of its own configuration.
BY_CHECK = {"one VRID twice", "one name twice"}


@pytest.fixture
def node(lab):
    """A namespace with eth0 and eth1, as the files need them."""
    if KEEPALIVED is None:
        pytest.fail("keepalived is missing: sudo tools/dev deps")
    host = Host(lab, "node")
    host.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    host.ip("link", "set", "eth0", "up")
    host.ip("link", "set", "eth1", "up")
    host.ip("address", "add", "10.0.0.5/24", "dev", "eth0")
    return host


def judge(host, path):
    """keepalived's exit status and text."""
    result = host.run(KEEPALIVED, "-t", "-f", path, check=False)
    return result.returncode, result.stdout + result.stderr


def test_every_word_that_keepalived_knows_has_a_row(node, tmp_path):
    rows = {}
    for line in run(node.lab.program("pollux"), "import", "keywords").stdout.splitlines():
        block, word, *unused = line.split("\t")
        rows.setdefault(block, set()).add(word)
    assert sum(map(len, rows.values())) >= 400
    binary = pathlib.Path(KEEPALIVED).read_bytes()
    words = {match.decode() for match in re.findall(rb"[A-Za-z_][A-Za-z0-9_-]{2,40}", binary)}
    # The linker stores a word that ends another one only once.
    words |= {word[match.end():] for word in words for match in re.finditer("_", word)}
    words = sorted(word for word in words
                   if len(word) > 2 and not word.startswith("include"))

    def unknown_to_keepalived(block, part):
        head, tail = BLOCKS[block]
        path = tmp_path / "words.conf"
        path.write_text(head + "".join(f"{word} zz\n" for word in part) + tail)
        return set(re.findall(r"Unknown keyword '([^']+)'", judge(node, path)[1]))

    missing = []
    for block in BLOCKS:
        ours = rows.get(block, set()).union(*(rows[other] for other in ALSO.get(block, ())))
        rest = [word for word in words if word not in ours]
        for start in range(0, len(rest), 1500):
            part = rest[start:start + 1500]
            suspects = set(part) - unknown_to_keepalived(block, part)
            missing += [f"{block}: {word}" for word in sorted(suspects)
                        if word not in unknown_to_keepalived(block, [word])]
    assert missing == []


def test_what_keepalived_refuses_is_refused(node, tmp_path):
    wrong = []
    for name, text in FILES.items():
        path = tmp_path / "keepalived.conf"
        path.write_text(text)
        output = tmp_path / "pollux.toml"
        output.unlink(missing_ok=True)
        status, said = judge(node, path)
        result = run(node.lab.program("pollux"), "import", "keepalived", "--port", "eth0=0000:3b:00.0",
                     "--port", "eth1=0000:3b:00.1", "-o", output, path, check=False)
        refused = result.returncode == 1
        if result.returncode == 0 and name in BY_CHECK:
            refused = run(node.lab.program("pollux"), "check", output, check=False).returncode == 1
        if refused != (status not in GOOD):
            wrong.append(f"{name}: keepalived {status}, pollux {result.returncode}\n{said}"
                         f"{result.stderr}")
    assert wrong == [], "\n".join(wrong)


def test_good_files_pass_the_check(node, tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "keepalived.conf"
        path.write_text(text)
        if judge(node, path)[0] not in GOOD:
            continue
        output = tmp_path / "pollux.toml"
        output.unlink(missing_ok=True)
        run(node.lab.program("pollux"), "import", "keepalived", "--port", "eth0=0000:3b:00.0", "--port",
            "eth1=0000:3b:00.1", "-o", output, path)
        checked = run(node.lab.program("pollux"), "check", output, check=False)
        assert checked.returncode == 0, f"{name}:\n{checked.stdout}\n{output.read_text()}"
