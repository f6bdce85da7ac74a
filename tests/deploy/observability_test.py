"""The alerts as promtool sees them, and the dashboard as Grafana reads it.

That every name in both is one that the binary exports is looked up in tests/e2e/tests/metrics.rs.
"""

import json
import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "observability"
DASHBOARD = FOLDER / "sampan.dashboard.json"

promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is missing")


def run(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_promtool_accepts_the_alerts():
    run("check", "rules", str(FOLDER / "sampan.rules.yaml"))


@promtool
def test_alerts_fire_on_bad_days_and_are_quiet_on_good_ones():
    run("test", "rules", str(FOLDER / "sampan.rules.test.yaml"))


def queries():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


@promtool
def test_every_query_of_the_dashboard_is_one_that_prometheus_reads(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m").replace("$job", ".*")}
        for number, (_, query) in enumerate(queries())
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    run("check", "rules", str(file))


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
