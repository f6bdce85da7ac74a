"""Starts simulated clouds and a server on free ports, and runs the tour of one language against them.

    target/venv/bin/python tests/clients/run.py python|go|java|node

The tours see nothing but these variables:

    SAMPAN_TARGET            host:port of the server without TLS
    SAMPAN_SECURE_TARGET     host:port of another one, with TLS, that asks for a token
    SAMPAN_TLS_CA            file with the certificate that it is trusted by
    SAMPAN_TOKEN             bearer token for it
"""

import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import secure

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "clients"
READY_SECONDS = 60
# No call of an export begins in the last 45 seconds of a quota day, which ends at midnight in China.
TURN_SECONDS = 180
CHINA = datetime.timezone(datetime.timedelta(hours=8))

COMMANDS = {
    "python": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tour_test.py"],
    "go": ["go", "test", "-count=1", "-v", "./..."],
    "java": ["mvn", "--batch-mode", "--no-transfer-progress", "test"],
    "node": ["npm", "--silent", "test"],
}


@contextlib.contextmanager
def started(arguments, errors):
    """Runs the binary, and yields the JSON of its first line."""
    binary = os.environ.get("SAMPAN_BIN", str(ROOT / "target" / "debug" / "sampan"))
    with open(errors, "ab") as log:
        process = subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE, stderr=log, text=True)
    late = threading.Timer(READY_SECONDS, process.kill)
    late.start()
    try:
        line = process.stdout.readline()
        late.cancel()
        if not line:
            raise SystemExit(f"{binary} {arguments[0]} did not get ready:\n{pathlib.Path(errors).read_text()}")
        yield json.loads(line)
    finally:
        late.cancel()
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def control(simulator, path, **fields):
    """Steers the simulated clouds."""
    request = urllib.request.Request(simulator["addresses"]["control"] + "/_sim/" + path, json.dumps(fields).encode())
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=30).close()


def away_from_the_turn():
    """Waits, if it must be, until the quota day does not turn during a tour."""
    now = datetime.datetime.now(CHINA)
    left = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
    if left < TURN_SECONDS:
        time.sleep(left + 3)


def main(language):
    away_from_the_turn()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        errors = folder / "stderr"
        config = folder / "sampan.toml"
        simulator = stack.enter_context(
            started(["simulate", "--port", "0", "--json", "--write-config", str(config)], errors)
        )
        # Exports take a moment, but the first one on Alibaba never ends: it is there to be waited for and cancelled.
        control(simulator, "pace", floor_ms=300, per_used_gib_ms=0, per_further_disk_ms=0)
        control(simulator, "faults", cloud="alibaba", action="ExportImage", kind="stall_task", times=1)
        serve = ["serve", "--config", str(config), "--store", "memory", "--listen", "127.0.0.1:0"]
        server = stack.enter_context(started(serve, errors))
        target = server["listeners"][0]["address"]
        # Proxies of the surroundings are none of a loopback test's business.
        tour = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        tour["SAMPAN_TARGET"] = target
        # Here is a Go for those who have none; see prepare.
        if (ROOT / "target" / "venv" / "bin" / "go").exists():
            tour["PATH"] = str(ROOT / "target" / "venv" / "bin") + os.pathsep + tour["PATH"]
        tour.update(stack.enter_context(secure.served(folder, serve, lambda line: started(line, errors))))
        code = subprocess.run(COMMANDS[language], cwd=CLIENTS / language, env=tour, check=False).returncode
        if code:
            print(errors.read_text()[-4000:], file=sys.stderr)
        return code


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1]))
