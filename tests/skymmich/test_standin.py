"""The stand-in of Skymmich's API answers as a real one did; without its answers beside this clone, none is run."""

from __future__ import annotations

import json

import pytest

from .standin import PostgresData, SqliteData, serving

ROUTES = {
    "images": "/api/images",
    "images_1": "/api/images/1",
    "images_1_equipment": "/api/images/1/equipment",
    "images_1_acquisitions": "/api/images/1/acquisitions",
    "equipment": "/api/equipment",
    "locations": "/api/locations",
    "plate-solving_jobs": "/api/plate-solving/jobs",
    "admin_settings": "/api/admin/settings",
}


@pytest.fixture(params=["sqlite", "pg"])
def standin(request, shared):
    data = (
        SqliteData(shared / "skymmich" / "seed.sqlite3")
        if request.param == "sqlite"
        else PostgresData(request.getfixturevalue("seed_pg"))
    )
    with serving(data) as found:
        found.prefix = request.param
        yield found


def in_order(answer):
    return sorted(answer, key=lambda row: row["id"]) if isinstance(answer, list) else answer


@pytest.mark.parametrize("name", ROUTES)
def test_it_answers_as_a_real_one_did(standin, shared, name):
    sample = shared / "skymmich" / "rest-samples" / f"{standin.prefix}.{name}.json"
    there = json.loads(sample.read_text(encoding="utf-8"))
    status, here = standin.answer("GET", ROUTES[name])
    assert status == 200
    here = json.loads(json.dumps(here))
    if name == "admin_settings":
        here, there = here["immich"], there["immich"]
    assert in_order(here) == in_order(there)
    if isinstance(here, list):
        assert [set(row) for row in here] == [set(row) for row in there]


def test_its_stamp_looks_like_a_real_one_s(standin, shared):
    sample = shared / "skymmich" / "rest-samples" / f"{standin.prefix}.admin_database.json"
    there = json.loads(sample.read_text(encoding="utf-8"))
    here = standin.answer("GET", "/api/admin/database")[1]
    assert here.keys() == there.keys()
    assert here["type"] == there["type"]
