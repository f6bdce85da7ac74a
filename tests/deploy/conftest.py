"""Where things are, and which binary is put into the image."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
READY_SECONDS = 60


@pytest.fixture(scope="session")
def binary():
    """The binary that was just built."""
    path = pathlib.Path(os.environ.get("SAMPAN_BIN", ROOT / "target" / "debug" / "sampan"))
    assert path.exists(), f"{path} is not built"
    return path


class Running:
    """The binary, perhaps below programs that started it, after its first line of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        late = threading.Timer(READY_SECONDS, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        late.cancel()
        assert line, f"{command[0]} did not get ready"
        self.ready = json.loads(line)

    def stop(self):
        """Asks the binary itself to stop, as a container engine does, and returns how the started program ended."""
        os.kill(self.innermost(), signal.SIGTERM)
        return self.process.wait(timeout=READY_SECONDS)

    def innermost(self):
        """Returns the process that has no child, below the one that was started."""
        parents = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(fields[1])] = int(status.parent.name)
        at = self.process.pid
        while at in parents:
            at = parents[at]
        return at


# Tables that the deployed configurations use and the binary does not have yet. Take them out here as they come.
NOT_YET = ("metrics",)


def accepted(binary, text, folder):
    """Fails unless the binary takes a text as its configuration."""
    for table in NOT_YET:
        text = re.sub(rf"^\[{table}\]\n(?:(?!\[).*\n)*", "", text, flags=re.MULTILINE)
    file = folder / "sampan.toml"
    file.write_text(text)
    command = [binary, "serve", "--config", file, "--roles", "billing", "--store", "memory", "--print-config"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
