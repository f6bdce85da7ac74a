"""The overlays are what Kubernetes accepts, what they refer to exists, and they keep what they promise."""

import re
import subprocess
import tomllib

import kubernetes_validate
import pytest
from conftest import ROOT, accepted
from manifests import KUBERNETES, OVERLAYS, ROLES, calls, containers, name, objects, of_kind, pods, selects

SCHEMA = "1.34"
# Brought by whoever applies an overlay; the head of its kustomization.yaml says how.
BROUGHT_SECRETS = {"sampan-store", "sampan-credentials", "sampan-tls", "redis"}
# What a mesh and the Gateway API define. There is no schema of theirs in a package registry: their shape is looked at here.
OF_OTHERS = {
    ("security.istio.io/v1", "PeerAuthentication"),
    ("security.istio.io/v1", "AuthorizationPolicy"),
    ("networking.istio.io/v1", "VirtualService"),
    ("networking.istio.io/v1", "DestinationRule"),
    ("policy.linkerd.io/v1beta3", "Server"),
    ("policy.linkerd.io/v1alpha1", "MeshTLSAuthentication"),
    ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
    ("gateway.networking.k8s.io/v1", "GRPCRoute"),
}
# Calls that change something, or make something that is worth as much as a key: never repeated by a proxy.
MUTATING = {
    "ExportImage", "CopyImage", "ShareImage", "UnshareImage", "SetImageShares", "CreateDownloadUrls",
    "CancelOperation", "RetryOperation",
}  # fmt: skip
# Calls that last: a proxy that repeats or cuts them does harm.
LASTING = {"WaitOperation", "WatchOperation"}

every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def config(overlay):
    """Returns the text of the configuration file that the roles read."""
    (mounted,) = {
        volume["configMap"]["name"]
        for owner, pod in pods(overlay).items() if owner.removeprefix("sampan-") in ROLES
        for volume in pod["spec"]["volumes"] if volume["name"] == "config"
    }  # fmt: skip
    (found,) = [found for found in of_kind(overlay, "ConfigMap") if name(found) == mounted]
    return found["data"]["sampan.toml"]


def test_there_are_the_overlays_that_are_promised():
    assert OVERLAYS == ["dev", "istio", "linkerd", "redis-sentinel"]


@every_overlay
def test_every_object_fits_the_schema_of_kubernetes(overlay):
    for found in objects(overlay):
        kind = (found["apiVersion"], found["kind"])
        if kind in OF_OTHERS:
            assert set(found) == {"apiVersion", "kind", "metadata", "spec"} and name(found), found
        else:
            kubernetes_validate.validate(found, SCHEMA, strict=True)


@every_overlay
def test_every_object_lies_in_the_namespace_and_has_a_name_of_its_own(overlay):
    seen = set()
    for found in objects(overlay):
        if found["kind"] != "Namespace":
            assert found["metadata"]["namespace"] == "sampan", found
        key = (found["apiVersion"], found["kind"], name(found))
        assert key not in seen, key
        seen.add(key)


@every_overlay
def test_every_pod_is_locked_down(overlay):
    for owner, pod in pods(overlay).items():
        spec = pod["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] > 0, owner
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        assert spec["automountServiceAccountToken"] is False, owner
        assert not spec.get("hostNetwork") and not spec.get("hostPID"), owner
    for owner, container in containers(overlay):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True, owner
        assert context["allowPrivilegeEscalation"] is False and context["capabilities"] == {"drop": ["ALL"]}, owner
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]), owner
        assert "memory" in container["resources"]["limits"], owner
        assert "readinessProbe" in container and "livenessProbe" in container, owner
        assert ":" in container["image"] and not container["image"].endswith(":latest"), owner


@every_overlay
def test_the_image_has_the_version_of_this_repository(overlay):
    version = re.search(r'^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    for owner, container in containers(overlay):
        if owner.startswith("sampan-"):
            assert container["image"].rpartition(":")[2] == version, owner


@every_overlay
def test_every_role_is_there_with_all_that_belongs_to_it(overlay):
    templates = pods(overlay)
    for role in ROLES:
        (container,) = templates[f"sampan-{role}"]["spec"]["containers"]
        assert container["args"] == ["serve", f"--roles={role}"]
        assert templates[f"sampan-{role}"]["spec"]["serviceAccountName"] == f"sampan-{role}"
        services = {name(found): found["spec"] for found in of_kind(overlay, "Service")}
        for service in (f"sampan-{role}", f"sampan-headless-{role}"):
            assert all(port["appProtocol"] == "grpc" for port in services[service]["ports"])
        assert services[f"sampan-headless-{role}"]["clusterIP"] == "None"
        if overlay != "dev":
            for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
                assert f"sampan-{role}" in map(name, of_kind(overlay, kind)), (kind, role)


@every_overlay
def test_readiness_is_asked_by_grpc_or_where_tls_forbids_it_by_the_binary(overlay):
    for owner, container in containers(overlay):
        if container["name"] != "sampan":
            continue
        probe = container["readinessProbe"]
        if "[tls]" in config(overlay):
            assert probe["exec"]["command"] == ["/usr/bin/sampan", "health"], owner
        else:
            assert probe["grpc"]["port"] == 7500, owner


@every_overlay
def test_a_pod_is_restarted_when_it_answers_no_more_and_not_for_the_store(overlay):
    for owner, container in containers(overlay):
        if container["name"] != "sampan":
            continue
        ready, alive = container["readinessProbe"], container["livenessProbe"]
        if "[tls]" in config(overlay):
            assert alive["exec"]["command"] == [*ready["exec"]["command"], "--service", "sampan.liveness"], owner
        else:
            assert alive["grpc"] == {"port": 7500, "service": "sampan.liveness"}, owner
            # The whole, which follows the store.
            assert "service" not in ready["grpc"], owner
        patience = [probe["periodSeconds"] * probe["failureThreshold"] for probe in (ready, alive)]
        assert patience[0] < patience[1], "it leaves the endpoints before it is given up"


@every_overlay
def test_a_stop_has_the_time_that_the_server_asks_for(overlay):
    grace = tomllib.loads(config(overlay))["server"]["grace_seconds"]
    for role in ROLES:
        spec = pods(overlay)[f"sampan-{role}"]["spec"]
        pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert spec["terminationGracePeriodSeconds"] > grace + pause


@every_overlay
def test_every_selector_finds_a_pod(overlay):
    labels = [pod["metadata"]["labels"] for pod in pods(overlay).values()]
    selectors = [("Service", name(found), {"matchLabels": found["spec"]["selector"]}) for found in of_kind(overlay, "Service")]
    selectors += [
        (found["kind"], name(found), found["spec"]["selector"])
        for found in of_kind(overlay, "Deployment", "StatefulSet", "PodDisruptionBudget")
    ]
    selectors += [
        (found["kind"], name(found), found["spec"]["podSelector"]) for found in of_kind(overlay, "NetworkPolicy", "Server")
    ]
    selectors += [
        (found["kind"], name(found), found["spec"]["selector"])
        for found in of_kind(overlay, "AuthorizationPolicy") if "selector" in found["spec"]
    ]  # fmt: skip
    for kind, owner, selector in selectors:
        assert any(selects(selector, pod) for pod in labels), (kind, owner, selector)


@every_overlay
def test_every_role_is_selected_by_its_own_objects_alone(overlay):
    labels = {owner: pod["metadata"]["labels"] for owner, pod in pods(overlay).items()}
    for found in of_kind(overlay, "Service", "PodDisruptionBudget"):
        role = name(found).rpartition("-")[2]
        if role not in ROLES:
            continue
        selector = found["spec"]["selector"]
        selector = selector if "matchLabels" in selector else {"matchLabels": selector}
        assert [owner for owner, pod in labels.items() if selects(selector, pod)] == [f"sampan-{role}"], name(found)


@every_overlay
def test_every_port_of_a_service_is_one_of_its_pods(overlay):
    for service in of_kind(overlay, "Service"):
        for pod in pods(overlay).values():
            if not selects({"matchLabels": service["spec"]["selector"]}, pod["metadata"]["labels"]):
                continue
            named = {port["name"] for found in pod["spec"]["containers"] for port in found.get("ports", [])}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, name(service)


@every_overlay
def test_everything_that_is_referred_to_is_there(overlay):
    accounts = set(map(name, of_kind(overlay, "ServiceAccount")))
    maps = set(map(name, of_kind(overlay, "ConfigMap")))
    secrets = set(map(name, of_kind(overlay, "Secret"))) | BROUGHT_SECRETS
    workloads = {(found["kind"], name(found)) for found in of_kind(overlay, "Deployment", "StatefulSet")}
    for owner, pod in pods(overlay).items():
        spec = pod["spec"]
        assert spec.get("serviceAccountName") in accounts | {None}, owner
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        for volume in volumes.values():
            assert volume.get("configMap", {}).get("name") in maps | {None}, owner
            assert volume.get("secret", {}).get("secretName") in secrets | {None}, owner
    for owner, container in containers(overlay):
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {}).get("name")
            assert reference in secrets | {None}, (owner, reference)
        for source in container.get("envFrom", []):
            assert source["secretRef"]["name"] in secrets, owner
    for scaler in of_kind(overlay, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) in workloads
    hosts = set(map(name, of_kind(overlay, "Service")))
    for found in of_kind(overlay, "VirtualService"):
        assert set(found["spec"]["hosts"]) <= hosts
    for found in of_kind(overlay, "DestinationRule"):
        assert found["spec"]["host"] in hosts
    for found in of_kind(overlay, "GRPCRoute"):
        assert {parent["name"] for parent in found["spec"]["parentRefs"]} <= hosts


@every_overlay
def test_nothing_goes_in_or_out_unless_a_policy_says_so(overlay):
    everything = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert everything in [found["spec"] for found in of_kind(overlay, "NetworkPolicy")]
    (clouds,) = [found["spec"] for found in of_kind(overlay, "NetworkPolicy") if name(found) == "clouds"]
    assert not selects(clouds["podSelector"], pods(overlay)["sampan-billing"]["metadata"]["labels"])
    for role in ("export", "copy", "share"):
        assert selects(clouds["podSelector"], pods(overlay)[f"sampan-{role}"]["metadata"]["labels"])


@every_overlay
def test_every_peer_is_a_service_of_the_overlay(overlay):
    services = {name(found): found["spec"] for found in of_kind(overlay, "Service")}
    wanted = "https" if "[tls]" in config(overlay) else "http"
    peers = tomllib.loads(config(overlay))["peers"]
    assert set(ROLES) <= set(peers)
    for role in ROLES:
        url = peers[role]
        scheme, host, port = re.fullmatch(r"(https?)://([a-z-]+):(\d+)", url).groups()
        assert scheme == wanted and host.endswith(role)
        assert int(port) in [found["port"] for found in services[host]["ports"]]
        # Without a mesh the client balances over the pods; with one, the mesh does, at one address.
        assert ("clusterIP" in services[host]) == (wanted == "https")


@every_overlay
def test_the_binary_accepts_the_configuration(overlay, binary, tmp_path):
    accepted(binary, config(overlay), tmp_path)


def test_the_configurations_differ_in_what_they_say_they_do_alone():
    plain, tls, dev = (
        tomllib.loads((KUBERNETES / folder / "sampan.toml").read_text())
        for folder in ("base", "components/tls", "overlays/dev")
    )
    assert plain["server"].pop("insecure") is True and "insecure" not in tls["server"]
    del tls["tls"], tls["auth"], tls["peers"], plain["peers"]
    assert tls == plain
    assert {key: dev[key] for key in ("metrics",)} == {"metrics": plain["metrics"]}


def test_every_call_is_known_as_reading_lasting_or_mutating():
    reading = re.compile("(Get|List|Preview|Estimate)[A-Za-z]*")
    for service, method in calls():
        kinds = [bool(reading.fullmatch(method)), method in MUTATING, method in LASTING]
        assert sum(kinds) == 1, f"{service}/{method}: say in this test whether proxies may repeat it"


def test_istio_encrypts_all_and_allows_nobody_else():
    (peers,) = of_kind("istio", "PeerAuthentication")
    assert peers["spec"] == {"mtls": {"mode": "STRICT"}}
    policies = {name(found): found["spec"] for found in of_kind("istio", "AuthorizationPolicy")}
    assert not policies["deny-all"]
    accounts = set(map(name, of_kind("istio", "ServiceAccount")))
    for policy in policies.values():
        for rule in policy.get("rules", []):
            for source in rule["from"]:
                principals = source["source"].get("principals", [])
                own = [principal.rpartition("/")[2] for principal in principals if "/ns/sampan/" in principal]
                assert set(own) <= accounts
                assert "*" not in "".join(principals)


def test_istio_repeats_reading_calls_alone():
    routes = of_kind("istio", "VirtualService")
    assert [name(found) for found in routes] == [f"sampan-{role}" for role in ROLES]
    for route in routes:
        reads, rest = route["spec"]["http"]
        assert "match" not in rest and rest["retries"] == {"attempts": 0} and rest["timeout"] == "0s"
        pattern = re.compile(reads["match"][0]["uri"]["regex"])
        for service, method in calls():
            repeated = bool(pattern.fullmatch(f"/{service}/{method}"))
            assert repeated == (method not in MUTATING | LASTING), (service, method)


def test_linkerd_repeats_reading_calls_alone():
    known = set(calls())
    for route in of_kind("linkerd", "GRPCRoute"):
        repeats = any(key.startswith("retry.linkerd.io/") for key in route["metadata"].get("annotations", {}))
        matches = [match["method"] for rule in route["spec"]["rules"] for match in rule.get("matches", [])]
        assert repeats == bool(matches)
        for match in matches:
            assert (match["service"], match["method"]) in known and match["type"] == "Exact"
            assert match["method"] not in MUTATING | LASTING
    listed = {
        (match["method"]["service"], match["method"]["method"])
        for route in of_kind("linkerd", "GRPCRoute") for rule in route["spec"]["rules"] for match in rule.get("matches", [])
    }  # fmt: skip
    assert listed == {(service, method) for service, method in known if method not in MUTATING | LASTING}


def test_linkerd_refuses_whom_no_policy_names():
    (namespace,) = of_kind("linkerd", "Namespace")
    assert namespace["metadata"]["annotations"]["config.linkerd.io/default-inbound-policy"] == "deny"
    servers = set(map(name, of_kind("linkerd", "Server")))
    authentications = set(map(name, of_kind("linkerd", "MeshTLSAuthentication")))
    policies = [found["spec"] for found in of_kind("linkerd", "AuthorizationPolicy")]
    assert {policy["targetRef"]["name"] for policy in policies} == servers
    for policy in policies:
        assert {asked["name"] for asked in policy["requiredAuthenticationRefs"]} <= authentications


def test_redis_reads_its_configuration(tmp_path):
    file = KUBERNETES / "overlays" / "redis-sentinel" / "redis.conf"
    process = subprocess.Popen(
        ["redis-server", file, "--dir", tmp_path, "--port", "0", "--unixsocket", tmp_path / "socket"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for line in process.stdout:
            if "eady to accept connections" in line:
                break
        asked = ["redis-cli", "-s", tmp_path / "socket", "config", "get", "maxmemory-policy", "appendonly"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout.split()
        assert dict(zip(told[::2], told[1::2])) == {"maxmemory-policy": "noeviction", "appendonly": "yes"}
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.parametrize("script", ["start-redis.sh", "start-sentinel.sh"])
def test_the_scripts_of_redis_are_readable_by_a_plain_shell(script):
    subprocess.run(["dash", "-n", KUBERNETES / "overlays" / "redis-sentinel" / script], check=True, timeout=60)
