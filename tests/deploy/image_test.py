"""The image, built without a registry by deploy/docker/Dockerfile's last stage, and started.

The base is `FROM scratch` with what the binary is linked to, the authorities' certificates and the user; the binary is one that
was built before: target/release/sampan when there is one, else the debug build without its symbols. A release build takes
minutes, and the image differs in nothing but the size of that one file.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import DEPLOY, ROOT, Running
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

LIMIT_MB = 60
# Everything but the binary; a release binary has 26 MB, so that there is room for twice that.
BASE_LIMIT_MB = 8
MB = 1_000_000
SECONDS = 120

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BASE = """
FROM scratch
COPY . /
"""


class Buildah:
    """buildah with a storage of its own, without a daemon and without rights that a sandbox may lack."""

    def __init__(self, folder):
        self.start = ["buildah", "--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def __call__(self, *arguments):
        done = subprocess.run([*self.start, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, f"buildah {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def build(self, tag, *arguments):
        options = ("--isolation", "chroot", "--format", "docker", "--pull-never", "--quiet", "--tag", tag)
        return self("build", *options, *map(str, arguments))


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    return Buildah(tmp_path_factory.mktemp("buildah"))


@pytest.fixture(scope="module")
def sbom():
    """The text that deploy/docker/sbom.py writes."""
    return subprocess.run(
        [sys.executable, DEPLOY / "docker" / "sbom.py"], capture_output=True, text=True, timeout=SECONDS, check=True
    ).stdout


@pytest.fixture(scope="module")
def built(binary, sbom, tmp_path_factory):
    """What the first stage of the Dockerfile would leave: the folder, and whether the binary is a release build."""
    folder = tmp_path_factory.mktemp("build")
    out = folder / "out"
    (out / "usr" / "bin").mkdir(parents=True)
    (out / "var" / "lib" / "sampan").mkdir(parents=True)
    release = ROOT / "target" / "release" / "sampan"
    is_release = release.exists() and release.stat().st_mtime >= binary.stat().st_mtime
    target = out / "usr" / "bin" / "sampan"
    shutil.copy(release if is_release else binary, target)
    subprocess.run(["strip", target], check=True, timeout=SECONDS)
    (out / "usr" / "share" / "sbom").mkdir(parents=True)
    (out / "usr" / "share" / "sbom" / "sampan.cdx.json").write_text(sbom)
    return folder, is_release


def linked(binary):
    """Returns the libraries that a binary is linked to, by the path that it looks for them at."""
    told = subprocess.run(["ldd", binary], capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    return re.findall(r"(/\S+) \(0x", told)


@pytest.fixture(scope="module")
def image(buildah, built, tmp_path_factory):
    """Name of the built image."""
    folder, _ = built
    base = tmp_path_factory.mktemp("base")
    for path in [*linked(folder / "out" / "usr" / "bin" / "sampan"), CERTIFICATES]:
        there = base / path.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
    (base / "etc" / "passwd").write_text("nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")
    (base / "etc" / "group").write_text("nonroot:x:65532:\n")
    (base / "tmp").mkdir(mode=0o1777)
    recipe = folder / "base.Dockerfile"
    recipe.write_text(BASE)
    buildah.build("localhost/base", "--file", recipe, base)
    context = tmp_path_factory.mktemp("context")
    buildah.build(
        "localhost/sampan", "--build-arg", "BASE=localhost/base", "--build-context", f"build={folder}",
        "--file", DEPLOY / "docker" / "Dockerfile", context,
    )
    return "localhost/sampan"


@pytest.fixture
def container(buildah, image):
    """A container of the image."""
    name = buildah("from", "--pull-never", image)
    yield name
    buildah("rm", name)


def size(path):
    return sum(file.lstat().st_size for file in pathlib.Path(path).rglob("*") if file.is_file() and not file.is_symlink())


def run(buildah, container, *arguments):
    """Returns the command that runs the binary in the container as the image's user."""
    return [
        *buildah.start, "run", "--isolation", "chroot", "--user", "65532:65532", container,
        "--", "/usr/bin/sampan", *arguments,
    ]  # fmt: skip


def test_the_image_is_small(buildah, built, container):
    folder, is_release = built
    whole = size(buildah("mount", container))
    without = whole - (folder / "out" / "usr" / "bin" / "sampan").stat().st_size
    print(f"{whole / MB:.1f} MB, {without / MB:.1f} MB without the {'release' if is_release else 'debug'} binary")
    assert without < BASE_LIMIT_MB * MB
    if is_release:
        assert whole < LIMIT_MB * MB


def test_the_image_says_who_it_is_and_runs_as_nobody(buildah, image):
    config = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/bin/sampan"] and config["Cmd"] == ["serve"]
    assert set(config["ExposedPorts"]) == {"7500/tcp", "9500/tcp"}
    assert set(config["Volumes"]) == {"/var/lib/sampan"}
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/sampan", "health"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    version = re.search(r'^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    assert config["Labels"]["org.opencontainers.image.version"] == version


def test_the_image_serves_and_writes_to_its_volume_alone(buildah, binary, container):
    top = pathlib.Path(buildah("mount", container))
    # buildah makes the places of its mounts when it runs something for the first time.
    subprocess.run(run(buildah, container, "--version"), timeout=SECONDS, check=True)
    before = listing(top)
    running = Running(run(buildah, container, "serve", "--listen", "127.0.0.1:0"))
    try:
        endpoint = running.ready["listeners"][0]["url"]
        asked = subprocess.run(
            [binary, "operations", "list", "--endpoint", endpoint, "--output", "json"],
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert asked.returncode == 0, asked.stderr
    finally:
        code = running.stop()
    assert code == 0, "it did not end in order"
    # The store lies in the volume, which is not below `top`; every other path must be as it was.
    assert running.ready["store"] == "embedded:/var/lib/sampan"
    assert listing(top) == before


def test_a_listener_for_others_without_tls_is_refused_in_the_image_too(buildah, container):
    command = run(buildah, container, "serve", "--listen", "0.0.0.0:0", "--store", "memory")
    refused = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert refused.returncode != 0
    assert "insecure" in refused.stderr, refused.stderr


def test_the_health_check_of_the_image_tells_a_server_from_none(binary, buildah, container):
    if subprocess.run([binary, "health", "--help"], capture_output=True, timeout=SECONDS, check=False).returncode:
        pytest.skip("the binary has no `sampan health` yet")
    running = Running(run(buildah, container, "serve", "--listen", "127.0.0.1:0", "--store", "memory"))
    endpoint = running.ready["listeners"][0]["url"]
    health = run(buildah, container, "health", "--endpoint", endpoint)
    try:
        assert subprocess.run(health, timeout=SECONDS, check=False).returncode == 0
    finally:
        running.stop()
    assert subprocess.run(health, timeout=SECONDS, check=False).returncode != 0


def test_the_bill_of_materials_is_valid_and_complete(sbom):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom) is None
    parts = {part["bom-ref"]: part for part in json.loads(sbom)["components"]}
    lock = re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', (ROOT / "Cargo.lock").read_text())
    assert set(parts) <= {f"{name}@{version}" for name, version in lock}
    names = {part["name"]: part["scope"] for part in parts.values()}
    assert names["tonic"] == names["rustls"] == names["redb"] == "required"
    assert names["protox"] == names["serde_derive"] == "excluded"
    assert "proptest" not in names
    foreign = [part for part in parts.values() if not part["name"].startswith("sampan-")]
    assert all("purl" in part and "hashes" in part and "licenses" in part for part in foreign)


def listing(top):
    """Returns every path below `top`, files with what would change if they were written to."""
    found = {}
    for folder, folders, files in os.walk(top):
        found |= {os.path.join(folder, name): None for name in folders}
        for name in files:
            told = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (told.st_mtime_ns, told.st_size, told.st_mode)
    return found
