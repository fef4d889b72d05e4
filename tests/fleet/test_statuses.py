"""How each installation was found: kept in the database, listed, and in the metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from reconciler.errors import StateError
from reconciler.fleet.health import MOST_INSTALLATIONS, Health
from reconciler.fleet.statuses import status_of
from reconciler.service.api import Headline, Snapshot
from state.postgres import installations
from state.postgres.place import PostgresPlace
from state.postgres.statuses import InstallationStatus, Statuses, statuses
from tests.daemon.test_process import until

NOW = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
FOUND = InstallationStatus("ok", "In sync: 4 images", NOW, NOW, {"in_sync": 4}, "attic, process 7")


@pytest.fixture
def kept(fleet):
    """Statuses of a database with two installations."""
    for name in ("anna", "ben"):
        installations.add(fleet.address, name)
    made = Statuses(PostgresPlace(fleet.address))
    yield made
    made.close()


def test_the_last_visit_counts_and_what_it_did_not_learn_stays(fleet, kept):
    assert statuses(fleet.address) == {}
    assert kept.save("anna", FOUND)
    assert statuses(fleet.address) == {"anna": FOUND}
    later = NOW + timedelta(minutes=1)
    kept.save(
        "anna", InstallationStatus("trouble", "Immich does not answer.", later, worker="barn, process 8")
    )
    assert statuses(fleet.address)["anna"] == replace(
        FOUND, level="trouble", text="Immich does not answer.", visited_at=later, worker="barn, process 8"
    )
    kept.save("ben", InstallationStatus("trouble", "No configuration.", NOW))
    assert statuses(fleet.address)["ben"].by_status == {}


def test_those_that_should_be_visited_are_without_paused_ones_and_with_those_nobody_visited(fleet, kept):
    assert kept.save("anna", FOUND)
    made = {one.name: one.made_at for one in installations.installations(fleet.address)}
    never = InstallationStatus("unknown", "No worker was there yet.", made["ben"], None, {})
    assert statuses(fleet.address, expected=True) == {"anna": FOUND, "ben": never}
    installations.pause(fleet.address, "anna", NOW)
    assert statuses(fleet.address, expected=True) == {"ben": never}
    assert statuses(fleet.address) == {"anna": FOUND}


def test_it_goes_with_its_installation_and_is_not_kept_of_one_that_is_gone(fleet, kept):
    assert kept.save("anna", FOUND)
    installations.remove(fleet.address, "anna")
    assert not kept.save("anna", FOUND)
    assert statuses(fleet.address) == {}


def test_a_lost_connection_is_an_error_once_and_made_anew(fleet, kept, postgres):
    assert kept.save("anna", FOUND)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'fleet' AND pid <> pg_backend_pid()"
    postgres.execute(ended)
    with pytest.raises(StateError):
        kept.save("anna", FOUND)
    kept.save("anna", replace(FOUND, level="attention"))
    assert statuses(fleet.address)["anna"].level == "attention"


def test_what_is_told_has_no_time_that_goes_on(fleet):
    headline = Headline("in_sync", "ok", images=4, looked=38, next_look=22)
    assert status_of(Snapshot(headline, NOW, NOW, NOW)) == ("ok", "In sync: 4 images")


def metrics(told):
    return generate_latest(Health(1, told).registry).decode()


def test_metrics_name_each_installation_and_of_very_many_the_urgent_ones():
    many = {f"n{number:04d}": FOUND for number in range(MOST_INSTALLATIONS + 10)}
    many["n1005"] = replace(FOUND, level="trouble", by_status={"failed": 1, "in_sync": 3}, checked_at=None)
    text = metrics(lambda: many)
    assert 'reconciler_installation_level{installation="n1005",level="trouble"} 1.0' in text
    assert 'reconciler_installation_images{installation="n1005",state="failed"} 1.0' in text
    assert 'reconciler_installation_last_success_timestamp_seconds{installation="n1005"}' not in text
    (line,) = [
        one for one in text.splitlines() if 'last_success_timestamp_seconds{installation="n0001"}' in one
    ]
    assert float(line.split()[1]) == NOW.timestamp()
    assert text.count("reconciler_installation_level{") == MOST_INSTALLATIONS
    assert "n1007" not in text


def test_metrics_tell_the_rest_while_the_database_is_gone():
    def told():
        raise StateError("gone")

    text = metrics(told)
    assert "reconciler_worker_concurrency 1.0" in text
    assert "reconciler_installation_level{" not in text


def levels(fleet):
    return {name: one.level for name, one in statuses(fleet.address).items()}


def test_workers_tell_what_is_well_and_what_is_not(fleet):
    fleet.add("good")
    fleet.add("bad")
    mend = fleet.spoil("bad")
    process = fleet.worker()
    until(lambda: levels(fleet) == {"good": "ok", "bad": "trouble"})
    found = statuses(fleet.address)
    assert found["good"].text == "In sync: 4 images"
    assert found["good"].by_status == {"in_sync": 4}
    assert found["good"].checked_at is not None
    assert "source" in found["bad"].text
    assert f"process {process.pid}" in found["good"].worker
    code, out, _ = fleet.call("installations")
    assert code == 0
    assert "In sync: 4 images; visited 20" in out
    listed = json.loads(fleet.call("installations", "--json")[1])["installations"]
    assert {one["name"]: one["status"]["level"] for one in listed} == levels(fleet)
    exported = fleet.health(process, "metrics")[1]
    assert 'reconciler_installation_level{installation="bad",level="trouble"} 1.0' in exported
    assert 'reconciler_installation_images{installation="good",state="in_sync"} 4.0' in exported

    (fleet.folder / "installations" / "good" / "immich_api_key").write_text("not-the-key")
    mend()
    until(lambda: levels(fleet) == {"good": "trouble", "bad": "ok"})
    assert statuses(fleet.address)["good"].by_status == {"in_sync": 4}
    assert fleet.simulators["good"].api_key not in str(statuses(fleet.address))
