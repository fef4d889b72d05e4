"""The alert rules and Grafana's dashboard, with Debian's Prometheus and a real daemon.

Whether Grafana draws it well was not seen by a test: no package registry has Grafana itself.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parent))
from browsing import eventually, installation
from prometheus import ADDED, BOARD, GRAFANA, RULES, filled_in, names_in, program, promtool, scraping

from tests.free_port import free_port

ORION, ANDROMEDA = 3, 1
SCENARIOS = Path(__file__).parent / "alerts.test.yml"
BOARD_TEXT = BOARD.read_text(encoding="utf-8")
PANELS = json.loads(BOARD_TEXT)["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
RULE_LIST = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
ONLY_AFTER = frozenset({"Requests that went wrong"})
"""Panels that show nothing as long as all goes well."""


def expressions() -> dict[str, str]:
    """Return every expression of the dashboard, by its panel and letter."""
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DRAWN
        for target in panel["targets"]
    }
    for note in json.loads(BOARD_TEXT)["annotations"]["list"]:
        if "expr" in note:
            found[f"annotation {note['name']}"] = note["expr"]
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A daemon that has synced the sample, with conflicts among it."""
    with installation(tmp_path_factory.mktemp("scraped")) as place:
        place.simulator.person(place.asset_of(ORION), "set_description", "A cold night.")
        place.simulator.person(place.asset_of(ANDROMEDA), "set_description", "Grandpa's favourite.")
        place.simulator.wait_until_idle()
        place.start()
        eventually(place.settled, "the first pass", 120)
        yield place


@pytest.fixture(scope="module")
def exposed(place) -> dict[str, set[str]]:
    """Return the labels of each metric that the daemon shows, by its name in the samples."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(place.get("/metrics").decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize(
    ("expression", "metrics", "labels"),
    [
        ("a_b == 1", {"a_b"}, set()),
        ('sum by (state) (a{x=~"b|c", y!="d{"}) > 0', {"a"}, {"state", "x", "y"}),
        ("time() - (a > 0) and on (host) b", {"a", "b"}, {"host"}),
        ("histogram_quantile(0.5, sum by (le) (rate(a_bucket[$__rate_interval])))", {"a_bucket"}, {"le"}),
        ("a unless max_over_time(b[1d])", {"a", "b"}, set()),
    ],
)
def test_the_names_in_an_expression_are_found(expression, metrics, labels):
    assert names_in(expression) == (metrics, labels)


def test_every_metric_and_label_of_the_dashboard_is_shown_by_the_daemon(exposed):
    assert len(expressions()) > 20
    for where, expression in expressions().items():
        metrics, labels = names_in(filled_in(expression))
        assert metrics, where
        assert metrics <= set(exposed), where
        for label in labels - ADDED:
            assert any(label in exposed[metric] for metric in metrics), f"{where}: {label}"


def test_every_metric_and_label_of_the_alerts_is_shown_by_the_daemon(exposed):
    for rule in RULE_LIST:
        metrics, labels = names_in(rule["expr"])
        assert metrics - {"up"} <= set(exposed), rule["alert"]
        for label in labels - ADDED:
            assert any(label in exposed[metric] for metric in metrics), rule["alert"]


def test_every_metric_of_ours_is_on_the_dashboard(exposed):
    """One that is added is drawn, too, or left out with a reason."""
    drawn = {name for expression in expressions().values() for name in names_in(filled_in(expression))[0]}
    ours = {name for name in exposed if name.startswith("reconciler_") and not name.endswith("_created")}
    not_drawn = {"reconciler_last_attempt_timestamp_seconds", "reconciler_guard_held_images"}
    assert ours - drawn == not_drawn


def test_the_names_that_legends_show_are_labels(exposed):
    for panel in DRAWN:
        for target in panel["targets"]:
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - ADDED
            metrics, _ = names_in(filled_in(target["expr"]))
            assert all(any(one in exposed[metric] for metric in metrics) for one in shown), panel["title"]


def test_each_panel_has_a_number_of_its_own_and_a_place_where_no_other_is():
    assert max(Counter(panel["id"] for panel in PANELS).values()) == 1
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] >= 0
        assert at["x"] + at["w"] <= 24, panel["title"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies over {taken.get((x, y))}"
                taken[x, y] = panel["title"]


def test_each_panel_says_its_unit_and_asks_the_chosen_datasource():
    board = json.loads(BOARD_TEXT)
    assert board["uid"]
    assert board["schemaVersion"]
    assert "id" not in board  # it would be another one's in the Grafana that takes it
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for panel in DRAWN:
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    used = set(re.findall(r"\$\{?(\w+)", BOARD_TEXT)) - {"__rate_interval", "__all"}
    assert used == set(variables)


def test_the_files_for_provisioning_say_where_things_are():
    source = yaml.safe_load((GRAFANA / "provisioning" / "datasource.yaml").read_text())
    folder = yaml.safe_load((GRAFANA / "provisioning" / "dashboards.yaml").read_text())
    scraped = yaml.safe_load((GRAFANA / "provisioning" / "prometheus.yml").read_text())
    assert source["apiVersion"] == folder["apiVersion"] == 1
    assert source["datasources"][0]["type"] == "prometheus"
    assert folder["providers"][0]["options"]["path"].startswith("/var/lib/grafana/")
    assert scraped["rule_files"] == [RULES.name]
    (job,) = scraped["scrape_configs"]
    assert all(f'job="{job["job_name"]}"' in rule["expr"] for rule in RULE_LIST if "up{" in rule["expr"])


def test_promtool_takes_the_rules_and_the_configuration(tmp_path):
    assert f"{len(RULE_LIST)} rules found" in promtool("check", "rules", RULES)
    text = (GRAFANA / "provisioning" / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "alerts.yml").write_text(RULES.read_text())
    assert "is valid prometheus config file syntax" in promtool(
        "check", "config", tmp_path / "prometheus.yml"
    )


def test_promtool_takes_every_expression_of_the_dashboard(tmp_path):
    records = [
        {"record": f"panel:{number}", "expr": filled_in(expression)}
        for number, expression in enumerate(expressions().values())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    assert f"{len(records)} rules found" in promtool("check", "rules", file)


def test_each_alert_comes_when_it_should_and_not_before():
    assert "SUCCESS" in promtool("test", "rules", SCENARIOS)


def test_each_alert_has_a_scenario_with_it_and_one_without():
    tested = [
        one for test in yaml.safe_load(SCENARIOS.read_text())["tests"] for one in test["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in RULE_LIST}
    assert {one["alertname"] for one in tested if one.get("exp_alerts")} == names
    assert {one["alertname"] for one in tested if not one.get("exp_alerts")} == names


def test_a_rule_that_never_fires_is_noticed(tmp_path):
    """The scenarios are no formality: with a rule made deaf they fail."""
    text = RULES.read_text().replace("reconciler_guard_tripped == 1", "reconciler_guard_tripped == 2")
    (tmp_path / "alerts.yml").write_text(text)
    scenarios = SCENARIOS.read_text().replace("../../systemd/alerts.yml", "alerts.yml")
    (tmp_path / "scenarios.yml").write_text(scenarios)
    with pytest.raises(AssertionError, match="ReconcilerGuardTripped"):
        promtool("test", "rules", tmp_path / "scenarios.yml")


def test_prometheus_scrapes_the_daemon_and_every_panel_has_something_to_draw(place, tmp_path):
    program("prometheus")
    text = (GRAFANA / "provisioning" / "prometheus.yml").read_text()
    configuration = yaml.safe_load(text.replace("127.0.0.1:8287", f"127.0.0.1:{place.port}"))
    configuration["scrape_configs"][0]["scrape_interval"] = "1s"
    configuration["rule_files"] = [str(RULES)]
    port = free_port()
    with scraping(tmp_path, port, yaml.safe_dump(configuration)) as prometheus:
        eventually(
            lambda: (
                len(prometheus.ask("reconciler_build_info[1m]"))
                and len(prometheus.ask("reconciler_build_info[1m]")[0]["values"]) > 2
            ),
            "three scrapes",
        )
        for where, expression in expressions().items():
            if where.startswith("annotation") or where.rpartition(" ")[0] in ONLY_AFTER:
                continue
            assert prometheus.ask(filled_in(expression)) or expression.endswith("> 0"), where
        (in_conflict,) = prometheus.ask('reconciler_images{state="conflict"}')
        assert in_conflict["metric"]["job"] == "skymmich-reconciler"
        assert int(in_conflict["value"][1]) == place.status()["counts"]["conflict"] > 0
