"""Reads the overlays as Kubernetes would get them."""

import functools
import json
import re
import shutil
import subprocess

import yaml
from conftest import DEPLOY, ROOT

KUBERNETES = DEPLOY / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
ROLES = ["billing", "copy", "export", "share"]
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"
SECONDS = 600


@functools.cache
def kustomize():
    """Returns the command that builds an overlay: kubectl's, when it is of the fifth line, else the tool itself by Go."""
    if shutil.which("kubectl"):
        told = subprocess.run(
            ["kubectl", "version", "--client", "--output", "json"], capture_output=True, text=True, check=False
        )
        if told.returncode == 0 and json.loads(told.stdout).get("kustomizeVersion", "").startswith("v5"):
            return ["kubectl", "kustomize"]
    go = shutil.which("go") or str(ROOT / "target" / "venv" / "bin" / "go")
    return [go, "run", KUSTOMIZE, "build"]


@functools.cache
def objects(overlay):
    """Returns every object of an overlay."""
    folder = KUBERNETES / "overlays" / overlay
    done = subprocess.run([*kustomize(), str(folder)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def of_kind(overlay, *kinds):
    return [found for found in objects(overlay) if found["kind"] in kinds]


def name(found):
    return found["metadata"]["name"]


def pods(overlay):
    """Returns the pod templates by the name of what makes them."""
    return {name(found): found["spec"]["template"] for found in of_kind(overlay, "Deployment", "StatefulSet")}


def containers(overlay):
    """Returns (name of the workload, container)."""
    return [(owner, found) for owner, pod in pods(overlay).items() for found in pod["spec"]["containers"]]


def selects(selector, labels):
    """Tells whether a label selector finds these labels."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for asked in selector.get("matchExpressions", []):
        assert asked["operator"] == "In", asked
        if labels.get(asked["key"]) not in asked["values"]:
            return False
    return True


def calls():
    """Returns every call of the API: (service, method)."""
    found = []
    for path in sorted((ROOT / "proto").rglob("*.proto")):
        text = path.read_text()
        package = re.search(r"^package (\S+);", text, re.MULTILINE)[1]
        for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            found += [(f"{package}.{service}", method) for method in re.findall(r"^  rpc (\w+)\(", body, re.MULTILINE)]
    return found
