# SPDX-License-Identifier: Apache-2.0
"""Misconfigured or misused: one clear message with the remedy, a failing status, nothing left."""

import os
import pathlib
import signal
import subprocess
import time

import pytest
import topology
from lab import run, wait_until


def start(lab, host, *arguments, **options):
    """polluxd run to its (expected, early) end."""
    return subprocess.run(["ip", "netns", "exec", host.namespace, str(lab.program("polluxd")),
                           *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, **options)


def config_file(lab, name="lvs-dr", **replace):
    text = topology.lab_config(lab, name).replace("@SOCKET@", f"{lab.folder}/control.sock")
    for before, after in replace.values():
        assert before in text
        text = text.replace(before, after)
    path = f"{lab.folder}/{name}.toml"
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


@pytest.mark.parametrize("edit, message", [
    (('lvs_sched = "rr"', 'lvs_sched = "lbrcr"'), "lblcr"),
    (('lvs_method = "DR"', 'lvs_methode = "DR"'), "did you mean `lvs_method`?"),
    (("port = 80\nprotocol", 'port = "80"\nprotocol'), "port"),
    (('  address = "192.168.10.11"\n  port = 80', '  address = "192.168.10.11"\n  port = 8080'), "8080"),
])
def test_a_wrong_file_is_refused_with_place_and_caret(lab, edit, message):
    path = config_file(lab, edit=edit)
    result = run(lab.program("polluxd"), "--check", path, check=False)
    assert result.returncode == 1
    text = result.stdout + result.stderr
    assert "error[E" in text and f"{path}:" in text and "^" in text
    assert message in text


def test_a_file_that_is_not_there(lab):
    result = run(lab.program("polluxd"), "--check", f"{lab.folder}/none.toml", check=False)
    assert result.returncode == 3
    assert "none.toml" in result.stdout + result.stderr


def test_a_wrong_file_starts_nothing(lab):
    host = lab.host("lb")
    path = config_file(lab, edit=('lvs_sched = "rr"', 'lvs_sched = "fast"'))
    result = start(lab, host, "--config", path)
    assert result.returncode == 1 and "error[E" in result.stderr
    assert host.ip("-o", "link", "show").stdout.count("\n") == 1


def test_no_root(lab):
    path = config_file(lab)
    os.chmod(path, 0o644)
    result = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         str(lab.program("polluxd")), "--config", path], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert "root" in result.stderr or "permission" in result.stderr.lower()


def test_hugepages_that_are_not_reserved(lab):
    with open("/proc/sys/vm/nr_hugepages") as file:
        if int(file.read()) != 0:
            pytest.skip("this host has huge pages reserved")
    host = lab.host("lb")
    path = config_file(lab, edit=("hugepages = false", "hugepages = true"))
    result = start(lab, host, "--config", path)
    assert result.returncode != 0
    assert "huge" in result.stderr and "nr_hugepages" in result.stderr
    assert host.ip("-o", "link", "show").stdout.count("\n") == 1


def test_a_second_instance_is_refused_and_the_first_goes_on(lab):
    scene = topology.build(lab, "dr")
    result = start(lab, scene.polluxd.host, "--config", scene.polluxd.config)
    assert result.returncode != 0
    assert str(scene.polluxd.socket) in result.stderr
    assert scene.client.curl(scene.url).startswith("rs")


def test_a_port_whose_interface_is_in_use_is_refused_and_its_user_goes_on(lab):
    scene = topology.build(lab, "dr")
    host = scene.polluxd.host
    links = host.ip("-o", "link", "show").stdout
    text = scene.polluxd.config.read_text().replace(str(scene.polluxd.socket),
                                                    f"{lab.folder}/other.sock")
    other = scene.polluxd.folder / "other.toml"
    other.write_text(text.replace(f'file_prefix = "{lab.prefix}"', f'file_prefix = "{lab.prefix}b"'))
    other.chmod(0o600)
    result = start(lab, host, "--config", other)
    assert result.returncode != 0
    assert "an interface named lan exists already" in result.stderr
    assert "[dpdk.port.exception]" in result.stderr
    assert not os.path.exists(f"{lab.folder}/other.sock")
    assert host.ip("-o", "link", "show").stdout == links
    assert scene.client.curl(scene.url).startswith("rs")


def test_a_port_device_that_does_not_exist(lab):
    host = lab.host("lb")
    path = config_file(lab, edit=('vdev = "net_tap0,iface=dtap0"',
                                  'vdev = "net_af_packet0,iface=nosuchdev"'))
    result = start(lab, host, "--config", path)
    assert result.returncode != 0
    assert "nosuchdev" in result.stderr


def test_a_refused_reload_changes_nothing(lab):
    scene = topology.build(lab, "dr")
    good = scene.polluxd.config.read_text()
    scene.polluxd.config.write_text(good.replace("192.168.10.13", "192.168.10.333"))
    result = scene.polluxd.pollux("reload", check=False)
    assert result.returncode == 1
    assert "192.168.10.333" in result.stdout + result.stderr
    servers = scene.polluxd.show("services")["services"][0]["servers"]
    assert [server["address"] for server in servers] == ["192.168.10.11", "192.168.10.12",
                                                         "192.168.10.13"]
    assert scene.client.curl(scene.url).startswith("rs")


def test_keys_that_need_a_restart_are_refused_by_name(lab):
    scene = topology.build(lab, "dr")
    good = scene.polluxd.config.read_text()
    scene.polluxd.config.write_text(good.replace("max_connections = 65_536",
                                                 "max_connections = 131_072"))
    result = scene.polluxd.pollux("reload", check=False)
    assert result.returncode == 1
    assert "max_connections" in result.stdout + result.stderr


def test_kill_minus_nine_leaves_no_vip_and_a_restart_works(lab):
    scene = topology.build(lab, "dr")
    scene.polluxd.process.kill()
    for pid in run("ip", "netns", "pids", scene.polluxd.host.namespace).stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    scene.polluxd.process.wait(timeout=10)
    assert "192.168.10.10" not in scene.polluxd.host.ip("addr", "show").stdout
    for device in scene.polluxd.ports:
        scene.switches[0].ip("link", "del", device, check=False)
    scene.polluxd.start()
    assert scene.client.curl(scene.url).startswith("rs")


def test_a_feature_that_is_not_there_yet_is_refused_at_start_and_reload(lab):
    scene = topology.build(lab, "dr")
    good = scene.polluxd.config.read_text()
    scene.polluxd.config.write_text(good.replace(
        "[api]", '[api]\nmetrics_listen = "127.0.0.1:9165"\nstatus_page = true'))
    result = scene.polluxd.pollux("reload", check=False)
    assert result.returncode == 1
    assert "status_page" in result.stderr + result.stdout
    assert scene.client.curl(scene.url).startswith("rs")
    refused = start(lab, lab.host("lb2"), "--config", scene.polluxd.config)
    assert refused.returncode != 0 and "status_page" in refused.stderr


def test_signals_of_keepalived_are_harmless_and_named_in_the_log(lab):
    scene = topology.build(lab, "dr")
    helper = run("pgrep", "-P", scene.polluxd.process.pid, "pollux-scripts").stdout.split()
    for pid in [scene.polluxd.process.pid, *map(int, helper)]:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
            os.kill(pid, number)
    wait_until(lambda: scene.polluxd.log.read_text().count("signal ignored") == 2,
               "one line for each of SIGUSR1 and SIGUSR2")
    log = scene.polluxd.log.read_text()
    assert 'signal=SIGUSR1 instead="pollux show' in log and 'signal=SIGUSR2 instead="pollux show' in log
    assert len(helper) == 1 and os.path.exists(f"/proc/{helper[0]}")
    assert "helper has died" not in log
    assert scene.client.curl(scene.url).startswith("rs")


def start_slowly(lab):
    """A polluxd that takes some 100 ms for its table, as soon as its control socket is there."""
    host = lab.host("lb")
    path = config_file(lab, edit=("max_connections = 65_536", "max_connections = 20_000_000"))
    log = pathlib.Path(lab.folder) / "slow.log"
    process = host.spawn(lab.program("polluxd"), "--config", path, log=log)
    wait_until(lambda: os.path.exists(f"{lab.folder}/control.sock"), "the start begins", pause=0.001)
    return process, log


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_the_start_ends_cleanly(lab, kind):
    process, log = start_slowly(lab)
    process.send_signal(kind)
    assert process.wait(timeout=30) == 0
    assert "event=stopped" in log.read_text() and "event=running" not in log.read_text()
    assert not os.path.exists(f"{lab.folder}/control.sock")
    assert not os.path.exists(f"/var/run/dpdk/{lab.prefix}")


def test_a_stop_at_any_time_leaves_nothing(lab):
    host = lab.host("lb")
    path = config_file(lab)
    for delay in (0.06, 0.12, 0.25, 0.5):
        process = host.spawn(lab.program("polluxd"), "--config", path)
        # Before it is polluxd, and while its libraries are loaded, nothing is there yet.
        wait_until(lambda: blocks_term(process.pid), "it holds the signals", pause=0.001)
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert not os.path.exists(f"{lab.folder}/control.sock")
        assert not os.path.exists(f"/var/run/dpdk/{lab.prefix}")


def blocks_term(pid):
    with open(f"/proc/{pid}/status") as file:
        masks = {line.split(":")[0]: line.split()[1] for line in file if line.startswith("Sig")}
    return int(masks["SigBlk"], 16) >> (signal.SIGTERM - 1) & 1


def test_a_hangup_during_the_start_is_a_reload_after_it(lab):
    process, log = start_slowly(lab)
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: "event=reloaded" in log.read_text(), "the reload", deadline=30)
    assert log.read_text().index("event=running") < log.read_text().index("event=reloaded")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_only_a_regular_file_is_a_configuration_to_run(lab, kind):
    scene = topology.build(lab, "dr")
    path = scene.polluxd.config
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    cause = "it is a directory" if kind == "directory" else "it is not a regular file"
    for _ in range(2):
        refused = scene.polluxd.pollux("reload", check=False)
        assert refused.returncode == 1 and cause in refused.stderr, refused.stderr
    refused = start(lab, lab.host("lb2"), "--config", path)
    assert refused.returncode == 3 and cause in refused.stderr
    assert scene.polluxd.stop() == 0


def test_a_secret_in_a_fifo_is_refused(lab):
    fifo = f"{lab.folder}/secret"
    os.mkfifo(fifo, 0o600)
    path = config_file(lab, name="vrrp-pair")
    text = pathlib.Path(path).read_text()
    assert "[[vrrp_instance]]\n" in text
    pathlib.Path(path).write_text(text.replace(
        "[[vrrp_instance]]\n", f'[[vrrp_instance]]\nauthentication = {{ auth_type = "PASS", '
        f'password_file = "{fifo}" }}\n', 1))
    refused = start(lab, lab.host("lb"), "--config", path)
    assert refused.returncode == 1 and "it is not a regular file" in refused.stderr, refused.stderr


def test_check_reads_a_pipe(lab):
    text = topology.lab_config(lab, "lvs-dr").replace("@SOCKET@", f"{lab.folder}/control.sock")
    for program in (["pollux", "check"], ["polluxd", "--check"]):
        result = subprocess.run([lab.program(program[0]), program[1], "/dev/stdin"], input=text,
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 0 and "no errors" in result.stdout, result.stderr


def outcome_of(lab, shell, *arguments):
    """Exit status and standard error of a line of shell."""
    result = subprocess.run(["bash", "-c", shell, "bash", *map(str, arguments)],
                            capture_output=True, text=True, timeout=60)
    return result.returncode, result.stderr


def test_output_that_cannot_be_written_is_a_failure(lab):
    path = config_file(lab)
    keepalived = pathlib.Path(lab.folder) / "keepalived.conf"
    keepalived.write_text("global_defs {\n}\n")
    pollux, polluxd = lab.program("pollux"), lab.program("polluxd")
    for command in ([pollux, "rs-setup", "--method", "dr", "--vip", "192.0.2.1"],
                    [pollux, "import", "keepalived", keepalived], [pollux, "check", path],
                    [pollux, "help"], [polluxd, "--check", path], [polluxd, "--version"]):
        code, text = outcome_of(lab, '"$@" > /dev/full', *command)
        assert code == 1 and "cannot write the output: No space left on device" in text, command
        assert outcome_of(lab, '"$@" > /dev/null', *command)[0] == 0
        # A reader that goes: quiet, whether SIGPIPE ends the program or not.
        for trap in ("", "trap '' PIPE; "):
            assert "cannot write" not in outcome_of(lab, trap + '"$@" | true', *command)[1]


def test_an_answer_that_cannot_be_written_is_a_failure(lab):
    scene = topology.build(lab, "dr")
    for words in ("ipvs -S -n", "show services --json", "show services"):
        code, text = outcome_of(lab, f'"$@" {words} > /dev/full', lab.program("pollux"), "--socket",
                                scene.polluxd.socket)
        assert code == 1 and "cannot write the output" in text, words
