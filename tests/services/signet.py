"""A running Signet for the scripts that test or measure it: the real program, its own data, its own port."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request


class Failure(Exception):
    """Something a person has to read."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Signet:
    """`signet serve` below `directory`, with nothing but the settings given here. Use it in a `with` statement."""

    def __init__(self, program, directory, settings=None, config=None, port=None, tls=None):
        self.program = os.path.abspath(program)
        if not os.access(self.program, os.X_OK):
            raise Failure(f"{program} is not there; `make build` and `make bench` build it")
        self.directory = directory
        self.port = port or free_port()
        self.tls = tls  # its certificate and its key, as files
        self.issuer = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.process = None
        self.lines = []
        os.makedirs(directory, exist_ok=True)
        # No variable of the caller's shell may change what is tested.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")}
        self.environment |= {
            "SIGNET_DATA_DIR": os.path.join(directory, "data"),
            "SIGNET_LISTEN": f"127.0.0.1:{self.port}",
            "SIGNET_ISSUER": self.issuer,
            **({"SIGNET_TLS_CERTIFICATE": tls[0], "SIGNET_TLS_KEY": tls[1]} if tls else {}),
            **(settings or {}),
        }
        if config is not None:
            path = os.path.join(directory, "signet.toml")
            with open(path, "w") as file:
                file.write(config)
            self.environment["SIGNET_CONFIG"] = path

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, seconds=60):
        """Starts the server and returns the seconds until it answered its first request."""
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [self.program, "serve"], env=self.environment, cwd=self.directory, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        while not self._answers():
            if self.process.poll() is not None:
                raise Failure(f"signet serve ended with {self.process.returncode} while it was starting\n{self.log()}")
            if time.monotonic() - begun > seconds:
                self.stop()
                raise Failure(f"signet serve did not answer within {seconds} seconds\n{self.log()}")
            time.sleep(0.001)
        return time.monotonic() - begun

    def _answers(self):
        try:
            with self._connect() as connection:
                connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def _connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        if not self.tls:
            return connection
        context = ssl.create_default_context(cafile=self.tls[0])
        return context.wrap_socket(connection, server_hostname="localhost")

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip("\n"))

    def log(self, last=40):
        return "\n".join(f"    signet: {line}" for line in self.lines[-last:])

    def stop(self):
        """As an operator stops it; by force when that takes longer than its own limit."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def set_up_link(self):
        """The one-time link for the first administrator, from the standard output, which is read beside."""
        begun = time.monotonic()
        while time.monotonic() - begun < 10:
            for line in list(self.lines):
                found = re.search(r"https?://\S*/setup\S*", line)
                if found:
                    return found.group(0)
            time.sleep(0.05)
        raise Failure(f"signet serve printed no set-up link\n{self.log()}")

    def command(self, *arguments, stdin=None):
        """A command that prints JSON, while the server runs."""
        done = subprocess.run(
            [self.program, *arguments, "--json"], env=self.environment, cwd=self.directory, text=True,
            input=stdin, capture_output=True, timeout=60,
        )
        if done.returncode != 0:
            raise Failure(f"signet {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failure(f"signet {' '.join(arguments)} printed no JSON:\n{done.stdout}{done.stderr}") from None

    def create_user(self, user):
        options = []
        for name in ("email", "username", "name", "given_name", "family_name"):
            if name in user:
                options += [f"--{name.replace('_', '-')}", user[name]]
        return self.command(
            "users", "create", *options, "--email-verified", "--password-stdin", stdin=user["password"]
        )

    def create_client(self, name, kind, **more):
        """`more` are options by their names; a list repeats the option."""
        options = []
        for option, values in more.items():
            for value in values if isinstance(values, list) else [values]:
                options += [f"--{option.replace('_', '-')}", value]
        return self.command("clients", "create", "--name", name, "--kind", kind, *options)

    def get(self, path):
        """The status and the body of a GET, for looking at the server from outside."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
