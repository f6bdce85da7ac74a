"""Starts the simulator once for all conformance tests and gives it back fresh to each of them."""

import http.client
import json
import os
import pathlib
import queue
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 30
TASK_SECONDS = 30

# The vendors' clients read these by themselves; everything here is on the loopback.
for name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


def command():
    """Returns the command line that starts the simulator.

    SAMPAN_BIN names the binary, else it is the debug build. Those who work on the simulator alone may have built only
    its example: `cargo build -p sampan-simulator --example simulate`.
    """
    binary = os.environ.get("SAMPAN_BIN", str(ROOT / "target" / "debug" / "sampan"))
    if "SAMPAN_BIN" in os.environ or serves(binary):
        return [binary, "simulate", "--port", "0", "--json"]
    return [str(ROOT / "target" / "debug" / "examples" / "simulate")]


def serves(binary):
    """Tells whether the binary has the command that starts the simulator."""
    if not pathlib.Path(binary).exists():
        return False
    asked = subprocess.run([binary, "simulate", "--help"], capture_output=True, timeout=START_SECONDS)
    return b"--json" in asked.stdout


class Simulator:
    """A running simulator: where it listens, its seeded accounts, and its control API."""

    def __init__(self, ready):
        self.ready = ready
        self.addresses = ready["addresses"]

    def accounts(self, cloud):
        """Returns the seeded accounts of a cloud; the first owns nearly everything."""
        return [account for account in self.ready["accounts"] if account["cloud"] == cloud]

    def host(self, name):
        """Returns `127.0.0.1:PORT` of a listener: control, cvm, cos, ecs or oss."""
        return self.addresses[name].removeprefix("http://")

    def control(self, path, body=None):
        """Calls the control API: GET without a body, POST with one."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.addresses["control"] + "/_sim/" + path, data=data)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"/_sim/{path}: {refused.code} {refused.read().decode()}") from None

    def get(self, path):
        return json.loads(self.control(path))

    def post(self, path, **fields):
        return json.loads(self.control(path, fields))

    def audit(self, **wanted):
        """Returns the calls whose fields have these values, oldest first."""
        lines = [json.loads(line) for line in self.control("audit").splitlines()]
        return [line for line in lines if all(line.get(name) == value for name, value in wanted.items())]

    def raw(self, listener, method, path, headers, body=b""):
        """Sends a request whose headers no client library touches; returns status, headers and body."""
        host, port = self.host(listener).split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def until(self, found, what, seconds=TASK_SECONDS):
        """Asks until `found` returns something true; the limit is far above what the simulator needs."""
        end = time.monotonic() + seconds
        while True:
            result = found()
            if result:
                return result
            assert time.monotonic() < end, f"gave up waiting for {what}"
            time.sleep(0.02)


@pytest.fixture(scope="session")
def running():
    """The process, for the whole session."""
    line = command()
    assert pathlib.Path(line[0]).exists(), f"{line[0]} is not built"
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    lines = queue.Queue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        ready = lines.get(timeout=START_SECONDS)
        assert ready, "the simulator ended before it was ready"
        yield Simulator(json.loads(ready))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def simulator(running):
    """The simulator in its seeded state, with exports that take a moment only."""
    running.post("reset")
    running.post("pace", floor_ms=150, per_used_gib_ms=0, per_further_disk_ms=50)
    return running


@pytest.fixture
def raw_disk(tmp_path):
    """Returns a maker of raw disk files: data at both ends, a hole between."""

    def make(name, mebibytes, seed):
        import random

        path = tmp_path / name
        data = random.Random(seed).randbytes(300_000)
        with path.open("wb") as file:
            file.write(data)
            file.seek(mebibytes * (1 << 20) - len(data))
            file.write(data[::-1])
        return path

    return make
