"""The real catalogue that a running Skymmich 0.9.2 wrote, and the tables of its older releases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.catalogue import SyncSettings
from reconciler.skymmich.database import SqliteCatalogue

OLDER = {
    "v0.2-v0.4.1_m0001": "0.2",
    "v0.5_m0003": "0.5",
    "v0.6_m0006": "0.6",
    "v0.7-v0.8_m0007": "0.7",
    "v0.9_m0008": "0.9",
}


@pytest.fixture(scope="module")
def seed(shared):
    return SqliteCatalogue(shared / "skymmich" / "seed.sqlite3").read()


@pytest.fixture(scope="module")
def image(seed):
    return {image.image_id: image for image in seed.images}.__getitem__


def test_all_images_are_read_and_one_link_is_reported(seed):
    assert [found.image_id for found in seed.images] == list(range(1, 66))
    assert len(seed.linked()) == 61
    assert [found.image_id for found in seed.images if found.asset_id is None] == [55, 56, 57, 58]
    assert [(problem.table, problem.row_id, problem.severity) for problem in seed.problems] == [
        ("astrophotography_images", 58, "warning")
    ]
    assert seed.schema == "SQLite, journal mode delete, schema of 0.9"


def test_counts_of_what_belongs_to_the_images(seed):
    assert sum(len(found.acquisitions) for found in seed.images) == 233
    assert sum(len(found.equipment) for found in seed.images) == 263  # 266 links: two doubled, one dangling
    assert sum(found.solution is not None for found in seed.images) == 45
    assert sum(found.target is not None for found in seed.images) == 39
    assert {found.site.name for found in seed.images if found.site} == {"Backyard (Bortle 5)", "Null Island"}


def test_the_field_of_image_1_is_not_its_stored_one(image):
    solution = image(1).solution
    assert round(solution.width_arcsec / 3600, 2) == 1.18
    assert round(solution.height_arcsec / 3600, 2) == 0.79
    assert round(solution.rotation_deg, 1) == 237.3
    assert (solution.ra_deg, solution.dec_deg) == (10.6970456789012, 41.259223456790004)
    assert image(1).target.messier == "M 31"
    assert image(1).site.name == "Backyard (Bortle 5)"


def test_links_that_dangle_or_repeat_are_nothing(image):
    assert [item.equipment_id for item in image(1).equipment] == [1, 7, 11, 13, 19, 25, 26, 27]
    assert [item.equipment_id for item in image(34).equipment] == [1, 7, 13, 25, 27]


def test_zeros_that_were_stored_as_null_come_from_the_solver(image):
    assert (image(6).solution.ra_deg, image(6).solution.dec_deg) == (0.0, 0.0)
    assert image(3).solution.rotation_deg == 0.0


def test_the_odd_rows(image):
    assert image(60).solution.width_arcsec == 1.2 * 3600
    assert image(60).solution.height_arcsec == 0.9 * 3600
    assert image(61).solution.ra_deg == pytest.approx(15 * (5 + 35 / 60 + 17.3 / 3600))
    assert image(61).solution.dec_deg == pytest.approx(-(5 + 23 / 60 + 28 / 3600))
    assert (image(62).latitude, image(62).longitude, image(62).site) == (95.0, -200.5, None)
    assert "A/B/C" in image(62).tags
    assert image(64).captured_at == datetime(2024, 12, 15, 22, 30, tzinfo=UTC)
    assert image(65).captured_at == datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)
    assert image(65).tags == ()
    assert image(48).summary.focal_length_mm is None
    assert image(51).summary.focal_length_mm is None
    assert image(8).solution is None


def test_the_settings_of_the_seed(seed):
    assert seed.settings == SyncSettings(
        enabled=True, immich_url="http://127.0.0.1:2299", immich_api_key="stub-key-ABCD1234", stored=True
    )
    assert "stub-key" not in repr(seed)


@pytest.mark.parametrize("name", OLDER)
def test_older_releases_are_read(shared, name):
    catalogue = SqliteCatalogue(shared / "skymmich" / "older-schemas" / f"{name}.sqlite3").read()
    (image,) = catalogue.images
    assert catalogue.problems == ()
    assert catalogue.schema == f"SQLite, journal mode delete, schema of {OLDER[name]}"
    assert image.asset_id == "5c006224-0036-526e-875f-16acbdb97dbe"
    assert image.captured_at == datetime(2024, 12, 15, 22, 30, tzinfo=UTC)
    assert image.tags == ("astrophotography", "M 31")
    assert (image.solution.ra_deg, image.solution.dec_deg) == (10.68, 41.27)
    assert [(item.name, item.kind) for item in image.equipment] == [("RedCat 51", "telescope")]
    assert catalogue.settings == SyncSettings(
        immich_url="http://127.0.0.1:2299", immich_api_key="k", stored=True
    )
