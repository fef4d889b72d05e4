"""The alert rules for many installations, checked with Prometheus' own tool."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from reconciler.fleet.health import Health
from state.postgres.statuses import InstallationStatus

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "web"))
from prometheus import ROOT, promtool

RULES = ROOT / "packages" / "fleet" / "alerts.yml"
SCENARIOS = Path(__file__).parent / "alerts.test.yml"
RULE_LIST = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
NOW = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)


def test_each_alert_comes_when_it_should_and_not_before():
    assert f"{len(RULE_LIST)} rules found" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("test", "rules", SCENARIOS)


def test_each_alert_has_a_scenario_with_it_and_one_without():
    scenarios = yaml.safe_load(SCENARIOS.read_text())["tests"]
    tested = [one for test in scenarios for one in test["alert_rule_test"]]
    names = {rule["alert"] for rule in RULE_LIST}
    assert {one["alertname"] for one in tested if one.get("exp_alerts")} == names
    assert {one["alertname"] for one in tested if not one.get("exp_alerts")} == names


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule["alert"])
def test_what_a_rule_asks_for_is_what_a_worker_shows(rule):
    found = InstallationStatus("trouble", "", NOW, NOW, {"failed": 1})
    shown = generate_latest(Health(1, lambda: {"anna": found}).registry).decode()
    asked = re.findall(r"reconciler_\w+", rule["expr"])
    assert all(f"{name}{{" in shown for name in asked)
    assert all(part in shown for part in re.findall(r'level="\w+"', rule["expr"]))
