# SPDX-License-Identifier: Apache-2.0
"""Mail about state changes, to a mail server of the test's own."""

import email
import json
import pathlib
import time

import pytest
from health_lab import PATIENT, build
from lab import run, wait_until
from vrrp_lab import Lan, wait_state

SINK = pathlib.Path(__file__).resolve().parents[1] / "lab" / "mail_sink.py"


def certificate(folder, name="mail.test"):
    """A self-made certificate; returns its PEM file and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "40", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
        "-keyout", key, "-out", cert)
    return cert, key


def start_sink(scene, port, *options):
    host = scene.sorry.host
    kept = scene.polluxd.folder / f"mails-{port}"
    kept.write_text("")
    host.spawn("/usr/bin/python3", SINK, kept, port, *options)
    wait_until(lambda: host.run("ss", "-Hltn", f"sport = :{port}").stdout.strip(),
               "the mail server listens")
    return kept


def mails(kept):
    return [json.loads(line) for line in kept.read_text().splitlines()]


def email_table(server, more=""):
    return (f'[global.email]\nto = ["ops@example.com", "night@example.com"]\n'
            f'from = "lb01@example.com"\nserver = "{server}"\nsmtp_alert = true\n'
            f'retry_interval = "1s"\nhelo_name = "lb01"\n{more}\n')


def test_a_dead_server_is_mailed_and_a_test_mail_can_be_sent(lab):
    scene = build(lab, "nat", start=False, timing=PATIENT)
    kept = start_sink(scene, 2525)
    scene.polluxd.write_config(scene.toml(new_head=email_table("10.10.10.29:2525")))
    scene.polluxd.start()
    answer = scene.polluxd.pollux("test-mail")
    assert "took the mail for ops@example.com, night@example.com" in answer.stdout
    first = mails(kept)[0]
    assert (first["from"], first["to"], first["helo"]) == (
        "lb01@example.com", ["ops@example.com", "night@example.com"], "lb01")
    wait_until(lambda: all(row["decided"] for row in scene.polluxd.show("checks")["checks"]),
               "both checks have a verdict")
    scene.servers[0].stop()
    wait_until(lambda: len(mails(kept)) == 2, "a mail about the dead server", 20)
    message = email.message_from_string(mails(kept)[1]["text"])
    assert message["Subject"].endswith(f"server {scene.server_address[0]} of TCP 20.20.20.11:80: DOWN")
    assert "UP -> DOWN" in message.get_payload()
    assert "connection refused" in message.get_payload()
    assert scene.polluxd.show("status")["mail"]["sent"] == 1


# As the tutorials' smtp.163.com: port 465 with TLS and an account; or 587 with STARTTLS.
@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_mail_with_tls_and_an_account(lab, tls):
    scene = build(lab, "nat", start=False, timing=PATIENT)
    cert, key = certificate(scene.polluxd.folder)
    options = ["--implicit"] if tls == "tls" else []
    kept = start_sink(scene, 4465, "--cert", cert, "--key", key, "--user", "lb01",
                      "--password", "correct horse", *options)
    secret = scene.polluxd.folder / "secret"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    account = f'tls = "{tls}"\nuser = "lb01"\npassword_file = "{secret}"\n'
    scene.polluxd.write_config(
        scene.toml(new_head=email_table("10.10.10.29:4465", account + "verify = false")))
    scene.polluxd.start()
    scene.polluxd.pollux("test-mail")
    assert (mails(kept)[0]["tls"], mails(kept)[0]["user"]) == (True, "lb01")
    # With verification the self-made certificate is refused, and said to be the reason.
    scene.polluxd.write_config(scene.toml(new_head=email_table("10.10.10.29:4465", account)))
    scene.polluxd.pollux("reload")
    refused = scene.polluxd.pollux("test-mail", check=False)
    assert refused.returncode == 1 and "certificate" in refused.stderr
    secret.write_text("wrong\n")
    scene.polluxd.write_config(
        scene.toml(new_head=email_table("10.10.10.29:4465", account + "verify = false")))
    scene.polluxd.pollux("reload")
    refused = scene.polluxd.pollux("test-mail", check=False)
    assert refused.returncode == 1 and "535" in refused.stderr
    assert "correct horse" not in scene.polluxd.log.read_text()


def test_what_waits_is_sent_at_the_end_in_bounded_time(lab):
    scene = build(lab, "nat", start=False, timing=PATIENT)
    kept = start_sink(scene, 2525)
    hold = 'digest_interval = "1h"\n'
    scene.polluxd.write_config(scene.toml(new_head=email_table("10.10.10.29:2525", hold)))
    scene.polluxd.start()
    scene.servers[0].stop()
    scene.wait_state(0, "DOWN")
    assert scene.polluxd.show("status")["mail"]["waiting"] == 1
    assert mails(kept) == []
    assert scene.polluxd.stop() == 0
    assert f"server {scene.server_address[0]}" in mails(kept)[0]["text"]
    assert "before the end" not in scene.polluxd.log.read_text()
    # A mail server that says nothing does not keep the daemon.
    scene.sorry.host.spawn("/usr/bin/python3", SINK.with_name("hostile.py"), "smtp_half_open:2526")
    wait_until(lambda: scene.sorry.host.run("ss", "-Hltn", "sport = :2526").stdout.strip(),
               "the silent mail server listens")
    scene.polluxd.write_config(scene.toml(new_head=email_table("10.10.10.29:2526", hold)))
    scene.polluxd.start()
    scene.wait_state(0, "DOWN")
    start = time.monotonic()
    assert scene.polluxd.stop(deadline=30) == 0
    # 3 s, up to one more until libcurl asks, and what a busy machine adds.
    assert time.monotonic() - start < 12
    assert "mail not sent before the end" in scene.polluxd.log.read_text()


def test_a_sync_group_sends_mail(lab):
    lan = Lan(lab)
    kept = pathlib.Path(lab.folder) / "mails"
    kept.write_text("")
    lan.observer.spawn("/usr/bin/python3", SINK, kept, 2525)
    wait_until(lambda: lan.observer.run("ss", "-Hltn", "sport = :2525").stdout.strip(),
               "the mail server listens")
    quiet = email_table("10.0.0.7:2525").replace("smtp_alert = true", "smtp_alert = false")
    group = quiet + '[[vrrp_sync_group]]\nname = "G1"\ngroup = ["VI_1", "VI_2"]\n' \
        "smtp_alert = true\n"
    second = ('[[vrrp_instance]]\nname = "VI_2"\ninterface = "wan"\nvirtual_router_id = 52\n'
              'version = 3\nadvert_int = "200ms"\n'
              'virtual_ipaddress = [{ address = "10.0.0.4" }]\n')
    node = lan.pollux("a", version=3, advert="200ms", before=group, more=second)
    wait_state(node, "MASTER")
    wait_until(lambda: "sync group G1  BACKUP" in kept.read_text(), "a mail about the group", 20)
    # At most one a minute about the same group, but none is lost at the end.
    assert node.stop() == 0
    assert "sync group G1  MASTER" in kept.read_text()
    assert "vrrp VI_" not in kept.read_text()


def test_mail_waits_for_a_server_that_is_away(lab):
    scene = build(lab, "nat", start=False, timing=PATIENT)
    scene.polluxd.write_config(scene.toml(new_head=email_table("10.10.10.29:2525")))
    scene.polluxd.start()
    for number in (0, 1):
        scene.servers[number].stop()
        scene.wait_state(number, "DOWN")
    wait_until(lambda: scene.polluxd.show("status")["mail"]["failures"] > 0, "a failed attempt")
    assert "connect" in scene.polluxd.show("status")["mail"]["last_problem"]
    kept = start_sink(scene, 2525)
    wait_until(lambda: scene.polluxd.show("status")["mail"]["waiting"] == 0, "the queue is empty", 20)
    text = "".join(mail["text"] for mail in mails(kept))
    for wanted in (*scene.server_address, "service TCP 20.20.20.11:80  UP -> DOWN"):
        assert wanted in text
