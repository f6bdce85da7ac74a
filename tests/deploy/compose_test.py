"""The compose file is one, what it refers to exists, and the services are locked down and find each other."""

import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

import pytest
import yaml
from conftest import DEPLOY, accepted

FILE = DEPLOY / "compose.yaml"
ROLES = ["billing", "copy", "export", "share"]
SECONDS = 120
# The configuration of the roles, by what is put beside the file on the command line.
MODES = {"own accounts": ([], "sampan.toml"), "simulated clouds": (["compose/simulator.env"], "simulated.toml")}

every_mode = pytest.mark.parametrize("mode", MODES)


@functools.cache
def composed(mode):
    """Returns the file as it is once its variables are filled in."""
    files, _ = MODES[mode]
    options = [option for file in files for option in ("--env-file", file)]
    with tempfile.TemporaryDirectory() as folder:
        # It asks for the version of an engine, and needs none to read a file.
        engine = pathlib.Path(folder) / "podman"
        engine.write_text("#!/bin/sh\necho podman version 5.0.0\n")
        engine.chmod(0o755)
        command = [sys.executable, "-m", "podman_compose", "--podman-path", engine, "--file", "compose.yaml", *options, "config"]
        done = subprocess.run(command, cwd=DEPLOY, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def config(mode):
    return (DEPLOY / "compose" / MODES[mode][1]).read_text()


def test_the_file_fits_the_schema_of_the_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout


@every_mode
def test_the_roles_read_the_configuration_of_their_mode(mode, binary, tmp_path):
    services = composed(mode)["services"]
    for role in ROLES:
        assert services[role]["command"] == ["serve", f"--roles={role}"]
        (mounted,) = services[role]["volumes"]
        assert mounted == f"./compose/{MODES[mode][1]}:/etc/sampan/sampan.toml:ro"
    accepted(binary, config(mode), tmp_path)


@every_mode
def test_every_service_is_locked_down_and_listens_on_the_loopback_alone(mode):
    for name, service in composed(mode)["services"].items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"] and "mem_limit" in service, name
        assert not service.get("privileged"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert ":" in service["image"] and not service["image"].endswith(":latest"), name


@every_mode
def test_everything_that_is_mounted_is_there(mode):
    found = composed(mode)
    for name, service in found["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            # The dashboards and rules; compose makes an empty folder when there are none.
            if source == "./observability":
                continue
            assert source in found["volumes"] or (DEPLOY / source).exists(), (name, source)


@every_mode
def test_the_services_find_each_other(mode):
    services = composed(mode)["services"]
    told = tomllib.loads(config(mode))
    assert {role: f"http://{role}:7500" for role in ROLES} == told["peers"]
    host, port = re.fullmatch(r"http://([a-z-]+):(\d+)", told["telemetry"]["otlp_endpoint"]).groups()
    collector = yaml.safe_load((DEPLOY / "compose" / "otel-collector.yaml").read_text())
    assert host in services and collector["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].endswith(f":{port}")
    for service in services.values():
        assert set(service["networks"]) <= {"inside", "outside"} and "inside" in service["networks"]


@every_mode
def test_a_stop_has_the_time_that_the_server_asks_for(mode):
    grace = tomllib.loads(config(mode))["server"]["grace_seconds"]
    services = composed(mode)["services"]
    for role in ROLES:
        assert int(services[role]["stop_grace_period"].removesuffix("s")) > grace


def test_redis_keeps_what_it_is_told_and_forgets_nothing():
    command = composed("own accounts")["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2]))
    assert options["--appendonly"] == "yes" and options["--maxmemory-policy"] == "noeviction"


def test_billing_gets_no_keys():
    services = composed("own accounts")["services"]
    assert not services["billing"]["env_file"]
    for role in ("export", "copy", "share"):
        assert services[role]["env_file"] == [{"path": "compose/credentials.env", "required": False}]


def test_the_simulator_is_there_when_it_is_asked_for():
    service = composed("simulated clouds")["services"]["simulator"]
    assert service["profiles"] == ["simulator"]
    told = tomllib.loads(config("simulated clouds"))["accounts"]
    first = int(re.search(r"--port=(\d+)", " ".join(service["command"]))[1])
    ports = {int(url.rpartition(":")[2]) for account in told.values() for url in account["endpoints"].values()}
    assert ports == {first + 1, first + 2, first + 3, first + 4}
    assert "COMPOSE_PROFILES=simulator" in (DEPLOY / "compose" / "simulator.env").read_text()


def test_the_binary_takes_the_arguments_of_the_simulator(binary):
    """Listening for other containers: asked of the binary without starting anything."""
    command = composed("simulated clouds")["services"]["simulator"]["command"]
    done = subprocess.run([binary, *command, "--help"], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr


def test_the_keys_of_the_simulated_accounts_are_those_of_the_simulator():
    seeds = "\n".join(path.read_text() for path in (DEPLOY.parent / "services" / "simulator" / "src").rglob("*.rs"))
    for account in tomllib.loads(config("simulated clouds"))["accounts"].values():
        assert account["credentials"]["access_key_id"] in seeds
        assert account["credentials"]["access_key_secret"] in seeds


def test_every_pipeline_of_the_collector_is_made_of_parts_that_are_there():
    collector = yaml.safe_load((DEPLOY / "compose" / "otel-collector.yaml").read_text())
    assert set(collector["service"]["pipelines"]) == {"traces", "metrics", "logs"}
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert pipeline[kind] and set(pipeline[kind]) <= set(collector[kind])


def test_prometheus_asks_every_role():
    text = (DEPLOY / "compose" / "prometheus.yaml").read_text()
    (job,) = yaml.safe_load(text)["scrape_configs"]
    port = tomllib.loads(config("own accounts"))["metrics"]["listen"].rpartition(":")[2]
    assert sorted(job["static_configs"][0]["targets"]) == [f"{role}:{port}" for role in ROLES]
    if shutil.which("promtool"):
        subprocess.run(
            ["promtool", "check", "config", "--syntax-only", DEPLOY / "compose" / "prometheus.yaml"],
            check=True, timeout=SECONDS,
        )  # fmt: skip
