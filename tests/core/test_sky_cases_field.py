"""Small cases of the sky with their right answers, from the folder beside this clone: angle, neighbours, width."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.core.desired.facts import facts_of
from reconciler.core.policy import DescriptionPolicy
from reconciler.openngc.catalogue import OpenNgc
from reconciler.simulator.sample.build import build_sample
from reconciler.skymmich.database import SqliteCatalogue

FILE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "sky.json"


@pytest.fixture
def case(request):
    if not FILE.exists():
        pytest.skip("no folder of cases beside this clone")
    cases = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
    return next(one for one in cases if one["id"] == request.param)


@pytest.fixture
def image(case, tmp_path):
    """The case's image, as it is read from a catalogue."""
    path = tmp_path / "skymmich.db"
    build_sample(path)
    solution, row = case["solution"], case.get("image", {})
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE astrophotography_images SET filename = 'picture.jpg', plate_solved = 1, ra = ?, dec = ?,"
            " rotation = ?, target_name = ? WHERE id = 1",
            (*map(solution.get, ("ra", "dec", "orientation")), row.get("target_name")),
        )
        connection.execute(
            "UPDATE plate_solving_jobs SET result = ? WHERE image_id = 1", (json.dumps(solution),)
        )
    return SqliteCatalogue(path, sky=OpenNgc()).read().image(1)


@pytest.mark.parametrize("case", ["angle-jpeg"], indirect=True)
def test_the_angle_of_a_preview(case, image):
    told = facts_of(image, DescriptionPolicy(), None).rotation
    assert float(told.rstrip("°")) == pytest.approx(case["right"]["position_angle_deg"], abs=0.1)


@pytest.mark.parametrize("case", ["annotations"], indirect=True)
def test_what_else_is_in_the_field(case, image):
    told = facts_of(image, DescriptionPolicy(), None).also_in_field
    assert sorted(told) == sorted(case["right"]["also_in_the_field"])


@pytest.mark.parametrize("case", ["wide"], indirect=True)
def test_a_wide_field(case, image):
    told = facts_of(image, DescriptionPolicy(), None).field
    least, most = case["right"]["long_side_deg"]
    assert least <= max(map(float, re.findall(r"[\d.]+", told))) <= most
