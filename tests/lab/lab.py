# SPDX-License-Identifier: Apache-2.0
"""A laboratory of network namespaces: switches, hosts, nginx servers and polluxd processes.

Used by the end-to-end tests and by the demo. Everything that a Lab makes (namespaces, processes,
files) is gone when it closes, also after a failure. All traffic stays inside its namespaces.
"""

import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time


class LabError(Exception):
    """Something that the laboratory needs did not come about in time."""


def wait_until(condition, what, deadline=20.0, pause=0.02):
    """Waits until condition() is true and returns its value; LabError after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"not within {deadline:g} s: {what}")
        time.sleep(pause)


def run(*command, check=True, timeout=60, **options):
    """Runs a command to its end and returns the CompletedProcess with text output."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            timeout=timeout, stdin=subprocess.DEVNULL, **options)
    if check and result.returncode != 0:
        raise LabError(f"{' '.join(map(str, command))}: exit status {result.returncode}\n"
                       f"{result.stdout}{result.stderr}")
    return result


class Host:
    """One network namespace."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.namespace = f"{lab.prefix}-{name}"
        run("ip", "netns", "add", self.namespace)
        lab.hosts.append(self)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.namespace, *arguments, check=check)

    def run(self, *command, check=True, timeout=60, **options):
        return run("ip", "netns", "exec", self.namespace, *command, check=check, timeout=timeout,
                   **options)

    def spawn(self, *command, log=None, **options):
        """Starts a process in the namespace; the lab ends it at close."""
        return self.lab.spawn("ip", "netns", "exec", self.namespace, *command, log=log,
                              name=f"{self.name}-{pathlib.Path(str(command[0])).name}", **options)

    def sysctl(self, **values):
        for key, value in values.items():
            self.run("sysctl", "-qw", f"{key.replace('__', '.')}={value}")

    def curl(self, url, *options, timeout=5, check=True):
        """The body of one request."""
        return self.run("curl", "-sS", "--noproxy", "*", "--max-time", timeout, *options, url,
                        check=check, timeout=timeout + 10).stdout

    def ping(self, address, count=1, deadline=5):
        """True when at least one answer came."""
        return self.run("ping", "-n", "-c", count, "-w", deadline, address, check=False,
                        timeout=deadline + 5).returncode == 0


class Switch(Host):
    """A namespace with one learning bridge; hosts and polluxd ports hang on it."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
        self.ip("link", "set", "br0", "up")
        self.sysctl(net__ipv6__conf__br0__disable_ipv6=1)
        self.ports = 0

    def connect(self, host, interface="eth0", addresses=(), mac=None):
        """Joins a host by a veth pair. Checksums are complete on the wire (no partial ones)."""
        self.ports += 1
        peer = f"p{self.ports}"
        run("ip", "-n", host.namespace, "link", "add", interface, *(["address", mac] if mac else []),
            "type", "veth", "peer", "name", peer, "netns", self.namespace)
        for namespace, device in ((host.namespace, interface), (self.namespace, peer)):
            run("ip", "netns", "exec", namespace, "ethtool", "-K", device, "tx", "off", check=False)
        self.sysctl(**{f"net__ipv6__conf__{peer}__disable_ipv6": 1})
        self.ip("link", "set", peer, "master", "br0", "up")
        for address in addresses:
            extra = ["nodad"] if ":" in address else []
            host.ip("addr", "add", address, "dev", interface, *extra)
        host.ip("link", "set", interface, "up")

    def adopt(self, owner, device):
        """Takes the kernel end of a net_tap port out of `owner` and plugs it into the bridge.

        The kernel end gets another MAC address: with the port's own the bridge would keep the
        frames for itself.
        """
        self.ports += 1
        owner.ip("link", "set", device, "netns", self.namespace)
        self.sysctl(**{f"net__ipv6__conf__{device}__disable_ipv6": 1})
        self.ip("link", "set", device, "address", f"02:ee:00:00:00:{self.ports:02x}")
        self.ip("link", "set", device, "master", "br0", "up")


class Nginx:
    """A web server that answers every request with its name."""

    def __init__(self, host, name=None, port=80, body=None, extra="", listen=""):
        self.host = host
        self.name = name or host.name
        self.folder = pathlib.Path(host.lab.folder) / f"nginx-{self.name}-{port}"
        (self.folder / "tmp").mkdir(parents=True)
        (self.folder / "www").mkdir()
        for path in (self.folder, self.folder / "tmp", self.folder / "www"):
            path.chmod(0o755)
        listen = f"listen {port} {listen}; listen [::]:{port} {listen};"
        temporary = "".join(f"{kind}_temp_path {self.folder}/tmp/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.folder / "nginx.conf"
        answer = body if body is not None else f"{self.name}\\n"
        config.write_text(
            f"daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            "events { worker_connections 4096; }\n"
            f"http {{ {temporary} access_log {self.folder}/access.log; keepalive_requests 100000;\n"
            f"server {{ {listen} root {self.folder}/www;\n"
            f"location / {{ default_type text/plain; return 200 \"{answer}\"; }}\n"
            f"location /files/ {{ alias {self.folder}/www/; }}\n{extra} }} }}\n")
        self.process = host.spawn("nginx", "-c", config, "-p", self.folder)
        wait_until(lambda: host.run("curl", "-s", "--max-time", "1", f"http://127.0.0.1:{port}/",
                                    check=False).returncode == 0,
                   f"nginx of {self.name} answers")
        (self.folder / "access.log").write_text("")

    def stop(self):
        self.host.lab.end(self.process)

    def requests(self):
        """Served requests, without those of the server's own host (the readiness probe)."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return sum(not line.startswith("127.0.0.1 ") for line in lines)


class Polluxd:
    """One daemon in its own namespace.

    `ports` maps a net_tap kernel device (named in the TOML's vdev) to the Switch or Host where its
    kernel end shall be.
    """

    def __init__(self, lab, name, toml, ports, wait=True, arguments=()):
        self.lab = lab
        self.host = Host(lab, name)
        self.name = name
        self.folder = pathlib.Path(lab.folder) / f"polluxd-{name}"
        self.folder.mkdir()
        self.socket = self.folder / "control.sock"
        self.config = self.folder / "pollux.toml"
        self.log = self.folder / "polluxd.log"
        self.arguments = arguments
        self.ports = ports
        self.environment = {}  # beyond this process's
        self.write_config(toml)
        self.process = None
        if wait:
            self.start()

    def write_config(self, toml):
        text = toml.replace("@SOCKET@", str(self.socket)).replace("@FOLDER@", str(self.folder))
        temporary = self.config.with_suffix(".new")
        temporary.write_text(text)
        temporary.chmod(0o600)
        temporary.rename(self.config)

    def start(self):
        self.process = self.host.spawn(self.lab.program("polluxd"), "--config", self.config,
                                       *self.arguments, log=self.log,
                                       env={**os.environ, **self.environment})
        wait_until(self._ready, f"polluxd {self.name} is ready; its log:\n{self.log}", deadline=30)
        for device, place in self.ports.items():
            place.adopt(self.host, device)
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise LabError(f"polluxd {self.name} ended with status {self.process.returncode}:\n"
                           f"{self.log.read_text()}")
        return self.socket.exists() and self.pollux("show", "status", check=False).returncode == 0

    def pollux(self, *arguments, check=True):
        """Runs the operator's command against this daemon."""
        return run(self.lab.program("pollux"), "--socket", self.socket, *arguments, check=check)

    def show(self, *what):
        """`pollux show WHAT --json`, decoded."""
        return json.loads(self.pollux("show", *what, "--json").stdout)["data"]

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, kind=signal.SIGTERM, deadline=15):
        """Ends the daemon and returns its exit status."""
        self.process.send_signal(kind)
        return self.process.wait(timeout=deadline)


class Lab:
    """Context manager; `programs` is the folder with the built programs."""

    serial = 0

    def __init__(self, programs=None):
        Lab.serial += 1
        self.prefix = f"plx{os.getpid()}x{Lab.serial}"
        self.programs = pathlib.Path(programs or os.environ["POLLUX_BIN"])
        self.folder = tempfile.mkdtemp(prefix="pollux-lab-")
        os.chmod(self.folder, 0o755)
        self.hosts = []
        self.processes = []
        self.closed = False
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def built(self, path):
        """A program or library of the tests; the path is that of its source's folder, and its name."""
        return self.programs.resolve().parent / path

    def program(self, name):
        return self.programs / name

    def host(self, name):
        return Host(self, name)

    def switch(self, name="switch"):
        return Switch(self, name)

    def spawn(self, *command, log=None, name="process", **options):
        output = open(log or pathlib.Path(self.folder) / f"{name}-{len(self.processes)}.log", "ab")
        process = subprocess.Popen([str(part) for part in command], stdout=output,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True, **options)
        output.close()
        self.processes.append(process)
        return process

    def end(self, process, kind=signal.SIGTERM, deadline=5):
        """Ends a spawned process and everything in its session."""
        for step, wait in ((kind, deadline), (signal.SIGKILL, 5)):
            try:
                os.killpg(process.pid, step)
            except ProcessLookupError:
                pass
            try:
                process.wait(timeout=wait)
                break
            except subprocess.TimeoutExpired:
                continue

    def close(self):
        if self.closed:
            return
        self.closed = True
        atexit.unregister(self.close)
        for process in reversed(self.processes):
            if process.poll() is None:
                self.end(process)
        for host in self.hosts:
            pids = run("ip", "netns", "pids", host.namespace, check=False).stdout.split()
            for pid in pids:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            run("ip", "netns", "del", host.namespace, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
