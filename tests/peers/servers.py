"""Everything that runs beside a check: this project's stand-ins and function, and moto's server.

Each is a context manager that ends what it started, however the check ends, and each takes whatever port is free.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent

# Building may have to wait for another cargo in the same directory.
BUILD_SECONDS = 1800
START_SECONDS = 600


@cache
def build():
    """The paths of this project's executables by name. Each is built by itself, as the sandbox and its users do: cargo would build
    both at once with the features of either, and then again."""
    executables = {}
    for package in ("sandbox", "exchange-key-rotation"):
        done = subprocess.run(
            ["cargo", "build", "--package", package, "--message-format=json-render-diagnostics"],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=BUILD_SECONDS, check=True,
        )
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        paths = [Path(message["executable"]) for message in messages if message.get("executable")]
        executables |= {path.name: path for path in paths}
    return executables


class Process:
    """A running program, and all lines it has written so far."""

    def __init__(self, command, environment, cwd=ROOT):
        # A session of its own, so that what it starts can be ended with it.
        self.popen = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.popen.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, pattern, seconds=START_SECONDS):
        """The first match of the pattern in what it writes."""

        def found():
            match = re.search(pattern, self.text())
            assert match or self.popen.poll() is None, f"it ended before it wrote {pattern}: {self.lines[-5:]}"
            return match

        return eventually(found, f"it never wrote {pattern}", seconds)

    def text(self):
        return "\n".join(list(self.lines))

    def stop(self):
        for order in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(self.popen.pid, order)
            except ProcessLookupError:
                break
            try:
                self.popen.wait(timeout=5)
            except subprocess.TimeoutExpired:
                pass
        self.popen.wait()
        self.reader.join(timeout=5)


@contextmanager
def running(command, environment, cwd=ROOT):
    process = Process(command, environment, cwd)
    try:
        yield process
    finally:
        process.stop()


def eventually(look, complaint, seconds=60):
    """What `look` answers, once that is something."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"{complaint}, in {seconds} s"
        time.sleep(0.1)
    return seen


def clean_environment(**variables):
    """The variables that a program needs to run at all, and these. No AWS setting of this machine gets through."""
    kept = ("PATH", "LANG", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["PATH"] = f"{TOOLS}{os.pathsep}{environment['PATH']}"
    files = Path(tempfile.gettempdir(), "no-such-aws-directory")
    nothing = {"AWS_CONFIG_FILE": files / "config", "AWS_SHARED_CREDENTIALS_FILE": files / "credentials"}
    return {**environment, **{name: str(path) for name, path in nothing.items()}, "AWS_EC2_METADATA_DISABLED": "true", **variables}


class Sandbox:
    """What `sandbox serve` printed: the variables it exports, and the ARNs of its secrets by name."""

    def __init__(self, process):
        text = process.text()
        self.process = process
        self.variables = {}
        for line in re.findall(r"^export (.*)$", text, re.MULTILINE):
            for name, value in (pair.split("=", 1) for pair in line.split()):
                # A variable may be given as another one's value, as a shell would read it.
                self.variables[name] = self.variables[value[1:]] if value.startswith("$") else value
        self.arns = {arn.split(":")[6][:-7]: arn for arn in re.findall(r"^  (arn:aws:secretsmanager:\S+)", text, re.MULTILINE)}
        self.url = self.variables["AWS_ENDPOINT_URL_SECRETS_MANAGER"]

    def aws(self):
        """What any AWS client has to know, and nothing of an exchange."""
        return {name: value for name, value in self.variables.items() if name.startswith("AWS_")}

    def bybit(self):
        return {name: value for name, value in self.variables.items() if name.startswith("BYBIT_")}

    def for_function(self):
        """What the function's process has to know."""
        return self.aws() | {name: self.variables[name] for name in ("BYBIT_BASE_URL", "EGRESS_IPS")}


@contextmanager
def sandbox(*options):
    """`sandbox serve`, fresh: the same keys and secrets each time."""
    command = [build()["sandbox"], "serve", "--secrets-manager-port", "0", "--venue-port", "0", *options]
    with running(command, clean_environment()) as process:
        process.wait_for(r"the master credential\n")
        yield Sandbox(process)


def okx():
    """The same with OKX in the place of Bybit."""
    return sandbox("--venue", "okx")


@contextmanager
def moto():
    """moto's server; gives its URL."""
    with running([TOOLS / "moto_server", "-H", "127.0.0.1", "-p", "0"], clean_environment(NO_COLOR="1")) as process:
        yield process.wait_for(r"Running on (http://127\.0\.0\.1:\d+)", 60)[1]
