#!/usr/bin/env python3
"""Writes the bill of materials of the sampan binary as CycloneDX 1.6 JSON, from `cargo metadata` alone.

    deploy/docker/sbom.py > sampan.cdx.json

In it is what the binary is made of (`required`) and what only ran while it was built (`excluded`); tests are not. The same
lock file gives the same bytes. Nothing but Python and cargo is needed.
"""

import json
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKSUM = re.compile(r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([0-9a-f]{64})"')


def metadata():
    """Returns what cargo says about the workspace, for the platform that it runs on."""
    host = re.search(r"host: (\S+)", run("rustc", "-vV"))[1]
    return json.loads(run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host))


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def graph(found, name):
    """Returns the root's id, the ids in the binary, the ids beside it, and the edges between all of them."""
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    members = set(found["workspace_members"])
    root = next(package["id"] for package in found["packages"] if package["name"] == name and package["id"] in members)
    # A macro runs in the compiler; what it is made of does not reach the binary.
    macros = {
        package["id"] for package in found["packages"] if any("proc-macro" in target["kind"] for target in package["targets"])
    }
    edges = {}

    def walk(start, kinds, without=frozenset()):
        seen, waiting = set(), list(start)
        while waiting:
            at = waiting.pop()
            if at in seen or at in without:
                continue
            seen.add(at)
            for dependency in nodes[at]["deps"]:
                # A normal dependency has the kind null.
                if any(kind["kind"] in kinds for kind in dependency["dep_kinds"]):
                    edges.setdefault(at, set()).add(dependency["pkg"])
                    waiting.append(dependency["pkg"])
        return seen

    inside = walk([root], {None}, macros)
    return root, inside, walk([root], {None, "build"}) - inside, edges


def component(package, scope, checksums):
    """Returns one package as a component."""
    name, version = package["name"], package["version"]
    described = {"type": "library", "bom-ref": reference(package), "name": name, "version": version, "scope": scope}
    if package["license"]:
        # Cargo permits "MIT/Apache-2.0", SPDX does not.
        described["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
    if checksum := checksums.get((name, version)):
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        described["purl"] = f"pkg:cargo/{name}@{version}"
    if package["repository"]:
        described["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return described


def reference(package):
    return f"{package['name']}@{package['version']}"


def bill():
    """Returns the bill."""
    found = metadata()
    packages = {package["id"]: package for package in found["packages"]}
    checksums = {(name, version): sum for name, version, sum in CHECKSUM.findall((ROOT / "Cargo.lock").read_text())}
    root, inside, beside, edges = graph(found, "sampan")
    application = component(packages[root], "required", checksums) | {"type": "application"}
    parts = [component(packages[at], "required", checksums) for at in inside - {root}]
    parts += [component(packages[at], "excluded", checksums) for at in beside]
    parts.sort(key=lambda part: part["bom-ref"])
    dependencies = [
        {"ref": reference(packages[at]), "dependsOn": sorted({reference(packages[to]) for to in edges.get(at, ())})}
        for at in inside | beside
    ]
    dependencies.sort(key=lambda dependency: dependency["ref"])
    content = {"components": parts, "dependencies": dependencies}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([application, content], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": application},
        **content,
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
    print()
