"""Health, metrics, and the alert rules that use them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.core.plan.guard import Verdict
from reconciler.core.reasons import told
from reconciler.core.records import Crossed, Run, RunCounts
from reconciler.errors import StateError

RULES = Path(__file__).resolve().parents[2] / "systemd" / "alerts.yml"


def samples(client) -> dict[tuple, float]:
    text = client.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_live_daemon_says_so(client):
    assert client.get("/livez").text == "ok\n"


def test_a_ready_daemon_lists_its_checks_when_asked(client):
    assert client.get("/readyz").text == "ok\n"
    text = client.get("/readyz?verbose").text
    assert text == "[+]store ok\n[+]catalogue ok\n[+]immich ok\nreadyz check passed\n"


def test_a_daemon_that_has_not_seen_immich_yet_is_not_ready_unless_it_is_switched_off(client, control):
    read = control.shown.conditions[0]
    control.shown = replace(control.shown, conditions=(read,))
    assert "[-]immich failed: not seen yet" in client.get("/readyz").text
    off = replace(read, type="SyncEnabled", status="False")
    control.shown = replace(control.shown, conditions=(read, off))
    assert client.get("/readyz").status_code == 200


def test_what_fails_is_named_and_the_reason_only_shown_to_those_who_may_see_it(guarded, control):
    down = replace(
        control.shown.conditions[1], status="False", details=told("http://immich.lan did not answer")
    )
    control.shown = replace(control.shown, conditions=(control.shown.conditions[0], down))
    stranger = guarded.get("/readyz")
    assert stranger.status_code == 503
    assert "[-]immich failed: reason withheld" in stranger.text
    assert "immich.lan" not in stranger.text
    friend = guarded.get("/readyz", headers={"authorization": "Bearer right-token"})
    assert "[-]immich failed: http://immich.lan did not answer" in friend.text


def test_unknown_is_not_ready(client, control):
    unknown = replace(control.shown.conditions[0], status="Unknown", details=told("not read yet"))
    control.shown = replace(control.shown, conditions=(unknown,))
    assert client.get("/readyz").status_code == 503


def test_a_store_that_fails_is_not_ready(client, store, monkeypatch):
    def fails():
        raise StateError("The disk is full.")

    monkeypatch.setattr(store, "counts_by_status", fails)
    assert "[-]store failed: The disk is full." in client.get("/readyz").text


def test_metrics_tell_the_present_state(build, control):
    counts = {("GET", "/assets/{id}", 200): 7, ("PUT", "/assets/{id}", 0): 1}
    control.shown = replace(
        control.shown,
        queue_depth=3,
        verdict=Verdict(tripped=True, held=frozenset({"a", "b"})),
        crossed=Crossed(2, control.shown.checked_at),
    )
    found = samples(build(requests=lambda: counts, passes=lambda: {"quiet": 60}))
    assert found["reconciler_passes_total", ("outcome", "quiet")] == 60
    assert found["reconciler_passes_total", ("outcome", "failed")] == 0
    assert found["reconciler_images", ("state", "conflict")] == 1
    assert found["reconciler_images", ("state", "pending")] == 0
    assert found["reconciler_queue_depth",] == 3
    assert found["reconciler_images_crossed",] == 2
    assert found["reconciler_guard_tripped",] == 1
    assert found["reconciler_guard_held_images",] == 2
    assert found["reconciler_circuit_open",] == 0
    assert found["reconciler_last_success_timestamp_seconds",] == control.shown.checked_at.timestamp()
    key = ("method", "GET"), ("route", "/assets/{id}"), ("status", "200")
    assert found["reconciler_immich_requests_total", *key] == 7
    assert found["reconciler_condition", ("type", "ImmichReachable")] == 1


def test_each_run_is_counted_once_and_those_before_the_start_are_not(client, store, control):
    assert samples(client)["reconciler_pass_duration_seconds_count",] == 0
    start = control.shown.started_at + timedelta(days=1)
    for number in range(250):
        run = Run(f"n{number}", "schedule", start + timedelta(seconds=number))
        store.start_run(run)
        found = {("both_changed", "prose"): 1, ("drift", "tags"): 4, ("contested", "block"): 2}
        counts = RunCounts(images=9, wrote={"block": 2}, found=found)
        store.finish_run(
            replace(
                run, finished_at=run.started_at + timedelta(seconds=1), outcome="succeeded", counts=counts
            )
        )
        if number in {3, 120}:
            samples(client)
    going_on = Run("still", "schedule", start + timedelta(seconds=999))
    store.start_run(going_on)
    for _ in range(2):
        found = samples(client)
    assert found["reconciler_pass_duration_seconds_count",] == 250
    key = "reconciler_changes_total"
    assert found[key, ("field", "block"), ("outcome", "written")] == 500
    assert found[key, ("field", "prose"), ("outcome", "conflict")] == 250
    assert found[key, ("field", "tags"), ("outcome", "drift")] == 1000
    assert found[key, ("field", "block"), ("outcome", "contested")] == 500
    store.finish_run(replace(going_on, finished_at=going_on.started_at, outcome="failed"))
    assert samples(client)["reconciler_pass_duration_seconds_count",] == 251


def test_no_label_is_an_id_or_a_title(client):
    text = client.get("/metrics").text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|M 31|old1", text)


def test_every_metric_that_an_alert_names_exists(client):
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the development tools")
    rules = yaml.safe_load(RULES.read_text())
    there = {name for name, *_ in samples(client)}
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    named = {name for expression in expressions for name in re.findall(r"reconciler_\w+", expression)}
    assert len(expressions) >= 6
    assert named <= there
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"]
            assert rule["annotations"]["summary"]
