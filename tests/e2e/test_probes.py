# SPDX-License-Identifier: Apache-2.0
"""Every check type against servers that work, that fail, and that are hostile."""

import pathlib

import pytest
from capture import Capture
from health_lab import build, build_many, verdicts
from lab import LabError, Nginx, run, wait_until
from test_mail import certificate

LAB = pathlib.Path(__file__).resolve().parents[1] / "lab"


def expect_verdicts(polluxd, wanted):
    """`wanted`: {port: (check, state, what the last try saw contains)}. The first tries may come
    before the port is plugged in, so the states are waited for."""
    def wrong():
        seen = verdicts(polluxd)
        return {port: seen.get(port) for port, (_, state, last) in wanted.items()
                if port not in seen or seen[port][0] != state or last not in seen[port][1]}
    try:
        wait_until(lambda: not wrong(), "all checks tell what they should", 40)
    except LabError:
        assert not wrong()


def test_every_check_type_tells_good_from_bad(lab):
    number = lab.folder + "/number"
    pathlib.Path(number).write_text("0\n")
    wanted = {
        1001: ('type = "PING_CHECK"', "UP", "echo reply"),
        1002: ('type = "PING_CHECK"\nconnect_ip = "10.10.10.99"', "DOWN", ""),
        1003: ('type = "UDP_CHECK"\npayload = "00ff"\nrequire_reply = true\nmin_reply_length = 2',
               "UP", "an answer of 2 bytes"),
        1004: ('type = "UDP_CHECK"', "DOWN", "connection refused"),
        1005: ('type = "UDP_CHECK"\nconnect_port = 1003\nrequire_reply = true\n'
               "min_reply_length = 100", "DOWN", "an answer of 16 bytes"),
        1006: ('type = "DNS_CHECK"\ndns_type = "A"\ndns_name = "www.example.com"', "UP", "NOERROR"),
        1007: ('type = "DNS_CHECK"', "DOWN", "SERVFAIL"),
        1008: ('type = "DNS_CHECK"', "DOWN", "no answer within 500 ms"),
        1009: ('type = "SMTP_CHECK"\nhelo_name = "lb01"', "UP", "HELO accepted"),
        1010: ('type = "SMTP_CHECK"\nconnect_port = 80', "DOWN", ""),
        1011: ('type = "TCP_CHECK"\nconnect_port = 80\nbindto = "10.10.10.11"', "UP", "connected"),
        1012: ('type = "TCP_CHECK"\nconnect_ip = "10.10.10.98"', "DOWN", ""),
        1013: ('type = "FILE_CHECK"\ntrack_file = "number"', "UP", "value 0"),
        1014: ('type = "MISC_CHECK"\nmisc_path = ["/bin/false"]\nmisc_timeout = "5s"', "DOWN",
               "exit status 1"),
        1015: ('type = "MISC_CHECK"\nmisc_path = ["/bin/sleep", "60"]\nmisc_timeout = "200ms"',
               "DOWN", "timed out"),
        1016: ('type = "HTTP_GET"\nconnect_port = 80\nhttp_protocol = "1.1"\n'
               'url = [{ path = "/a" }, { path = "/b", regex = "^many" }]', "UP", "/b: status 200"),
        1017: ('type = "HTTP_GET"\nconnect_port = 80\nurl = [{ path = "/a" }, { path = "/b", '
               'digest = "00000000000000000000000000000000" }]', "DOWN", "/b: digest "),
        1018: ('type = "PING_CHECK"\nconnect_ip = "fd00:10::21"', "UP", "echo reply"),
        1019: ('type = "PING_CHECK"\nconnect_ip = "fd00:10::99"', "DOWN", ""),
        1020: ('type = "SMTP_CHECK"\nconnect_ip = "fd00:10::21"\nconnect_port = 1009', "UP",
               "HELO accepted"),
        1021: ('type = "SMTP_CHECK"\nconnect_ip = "fd00:10::21"\nconnect_port = 1', "DOWN",
               "connection refused"),
    }
    polluxd, host = build_many(
        lab, {port: row[0] for port, row in wanted.items()},
        tables=f'[[vrrp_track_file]]\nname = "number"\nfile = "{number}"\n')
    Nginx(host)
    host.spawn("/usr/bin/python3", LAB / "responders.py", "echo:1003", "dns:1006", "servfail:1007",
               "other:1008")
    host.spawn("/usr/bin/python3", LAB / "mail_sink.py", lab.folder + "/kept", "1009")
    wait_until(lambda: host.run("ss", "-Hltn", "sport = :1009").stdout.strip() and
               host.run("ss", "-Hlun", "sport = :1008").stdout.strip(), "the servers listen")
    polluxd.start()
    expect_verdicts(polluxd, wanted)
    pathlib.Path(number).write_text("3\n")
    wait_until(lambda: verdicts(polluxd)[1013] == ("DOWN", "value 3"), "the file's number counts")


def test_ssl_get_verifies_chain_name_and_end_of_the_certificate(lab):
    def check(more):
        return ('type = "SSL_GET"\nconnect_port = 443\nvirtualhost = "web.test"\n'
                f'url = [{{ path = "/" }}]\n{more}')
    folder = pathlib.Path(lab.folder)
    cert, key = certificate(folder, "web.test")
    other, _ = certificate(folder, "other.test")
    trusted = f'ca_file = "{cert}"'
    wanted = {
        1001: (check(trusted), "UP", "status 200"),
        1002: (check(f'ca_file = "{other}"'), "DOWN", "certificate"),
        1003: (check(""), "DOWN", "certificate"),
        1004: (check("verify = false"), "UP", "status 200"),
        1005: (check(trusted).replace('"web.test"', '"wrong.test"'), "DOWN", ""),
        1006: (check(trusted + "\ncert_min_days = 30"), "UP", "status 200"),
        1007: (check(trusted + "\ncert_min_days = 60"), "DOWN", "cert_min_days is 60"),
        1008: (check(trusted + "\nenable_sni = false"), "DOWN", "unrecognized name"),
        1009: (check(trusted).replace("443", "80"), "DOWN", ""),
    }
    polluxd, host = build_many(lab, {port: row[0] for port, row in wanted.items()})
    Nginx(host, extra=f"}} server {{ listen 443 ssl; server_name web.test; ssl_certificate {cert}; "
                      f"ssl_certificate_key {key}; return 200 'fine'; }} server {{ listen 443 ssl "
                      "default_server; ssl_reject_handshake on; ")
    polluxd.start()
    expect_verdicts(polluxd, wanted)
    days = {row["certificate_days"] for row in polluxd.show("checks")["checks"]
            if row["state"] == "UP"}
    assert days <= {39, 40}, days


def resident_kib(polluxd):
    pids = run("ip", "netns", "pids", polluxd.host.namespace).stdout.split()
    sizes = [int(line.split()[1]) for pid in pids
             for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
             if line.startswith("VmRSS:")]
    return max(sizes)


def test_hostile_servers_cost_neither_time_nor_memory(lab):
    http = 'type = "HTTP_GET"\nurl = [{ path = "/", regex = "(a+)+$" }]'
    modes = {
        "endless_body": (http, "a body of more than"),
        "slow_body": (http, "timed out"),
        "huge_headers": (http, ""),
        "one_huge_header": (http, ""),
        "redirect_loop": (http, "status 302"),
        "bad_status": (http, ""),
        "gzip_bomb": (http, ""),
        "regex_bomb": (http, "the regex takes too long"),
        "silent": ('type = "HTTP_GET"\nurl = [{ path = "/" }]', ""),
        "tls_garbage": ('type = "SSL_GET"\nurl = [{ path = "/" }]', ""),
        "smtp_half_open": ('type = "SMTP_CHECK"', "no answer within 500 ms"),
        "smtp_endless": ('type = "SMTP_CHECK"', "not an SMTP reply"),
    }
    ports = {mode: 2001 + index for index, mode in enumerate(modes)}
    polluxd, host = build_many(lab, {ports[mode]: row[0] for mode, row in modes.items()})
    host.spawn("/usr/bin/python3", LAB / "hostile.py", *(f"{mode}:{port}" for mode, port in ports.items()))
    wait_until(lambda: host.run("ss", "-Hltn", f"sport = :{max(ports.values())}").stdout.strip(),
               "the servers listen")
    polluxd.start()
    before = resident_kib(polluxd)
    expect_verdicts(polluxd, {ports[mode]: (check, "DOWN", last)
                              for mode, (check, last) in modes.items()})
    # A few more rounds of all of them.
    wait_until(lambda: min(row["tries"] for row in polluxd.show("checks")["checks"]) >= 6,
               "six tries each", 40)
    assert resident_kib(polluxd) - before < 16 * 1024
    text = polluxd.pollux("show", "checks").stdout + polluxd.log.read_text()
    assert "\x1b" not in text and "\x00" not in text
    assert polluxd.process.poll() is None


@pytest.mark.parametrize("method", ["dr", "nat"])
def test_a_server_that_comes_back_starts_slowly(lab, method):
    scene = build(lab, method, service='slow_start = "6s"')
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")
    scene.servers[0].stop()
    scene.wait_state(0, "DOWN")
    Nginx(scene.servers[0].host, name="again", port=80 if method == "dr" else 8080)
    scene.wait_state(0, "UP")

    def weights():
        servers = scene.polluxd.show("services")["services"][0]["servers"]
        return {server["address"].rsplit(".", 1)[1]: server["weight"] for server in servers
                if not server["removed"]}

    first, second = (address.split(":")[0].rsplit(".", 1)[1] for address in scene.server_address)
    seen = []

    def ramped():
        now = weights()
        if not seen or seen[-1] != now:
            seen.append(now)
        return now == {first: 1, second: 1} and len(seen) > 2

    wait_until(ramped, "the ramp ends", 40)
    ramp = [row[first] for row in seen[:-1] if row.get(second) == 20]
    assert ramp and ramp == sorted(ramp) and ramp[-1] <= 20 and len(ramp) > 2, seen


def test_a_tcp_check_is_three_segments_and_the_server_program_never_sees_it(lab):
    polluxd, host = build_many(lab, {80: 'type = "TCP_CHECK"'})
    nginx = Nginx(host)
    capture = Capture(host, "tcp port 80")
    polluxd.start()
    wait_until(lambda: verdicts(polluxd).get(80, ("",))[0] == "UP", "the check is good")
    good = polluxd.show("checks")["tries"]
    wait_until(lambda: polluxd.show("checks")["tries"] >= good + 5, "five more tries")
    capture.stop()
    flags = [header[0] for header in capture.tcp()]
    fin, syn, rst, ack = 1, 2, 4, 16
    assert not [each for each in flags if each & fin]
    opened = sum(each & (syn | ack) == syn | ack for each in flags)
    assert opened >= 5
    # The last one may be under way; a loop that is late lets the kernel's ACK go before the reset.
    assert sum(bool(each & rst) for each in flags) >= opened - 1
    assert nginx.requests() == 0
