from __future__ import annotations

import json
import math
import sqlite3
import uuid
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest

from reconciler.core.sky.astronomy import parse_dec, parse_ra, pixel_scale
from reconciler.core.sky.constellations import abbreviation_of, constellation_at, name_of
from reconciler.core.sky.object_names import type_name
from reconciler.simulator.sample.build import asset_id_of, build_sample
from reconciler.simulator.sample.content import load_content

CONTENT = load_content()
SEED = Path(__file__).resolve().parents[2].parent / "shared" / "skymmich" / "seed.sqlite3"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "skymmich.db"
    build_sample(path)
    return path


def rows(path, query):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def images(path):
    return rows(path, "SELECT * FROM astrophotography_images ORDER BY id")


def test_it_is_large_and_varied_enough_to_show_the_work(sample):
    pictures = images(sample)
    assert len(pictures) >= 36
    assert sum(row["immich_id"] is not None for row in pictures) == len(pictures) - 1
    assert {row["plate_solved"] for row in pictures} == {0, 1}
    assert 4 <= sum(not row["description"] for row in pictures) < len(pictures) / 2
    assert len({row["constellation"] for row in pictures}) >= 20
    assert (
        sum(
            float(row["dec"] or 0) < -20 for row in pictures if (row["dec"] or "").lstrip("-")[:1].isdecimal()
        )
        >= 10
    )


def test_it_can_be_made_in_a_second(tmp_path):
    begin = process_time()
    build_sample(tmp_path / "skymmich.db")
    assert process_time() - begin < 1


def test_ten_thousand_images_are_all_different_and_made_in_seconds(tmp_path):
    copies = math.ceil(10_000 / len(CONTENT.pictures))
    begin = process_time()
    build_sample(tmp_path / "skymmich.db", copies=copies)
    assert process_time() - begin < 5
    pictures = images(tmp_path / "skymmich.db")
    assert len(pictures) >= 10_000
    for column in ("title", "filename", "original_path"):
        assert len({row[column] for row in pictures}) == len(pictures)
    linked = [row["immich_id"] for row in pictures if row["immich_id"] is not None]
    assert len(set(linked)) == len(linked) == len(pictures) - copies
    solved = [row for row in pictures if row["plate_solved"] and row["field_of_view"].endswith("'")]
    assert len({row["tags"] for row in solved}) == len(solved)


def test_asset_ids_are_version_4_uuids_and_always_the_same(sample):
    for row in images(sample):
        if row["immich_id"] is not None:
            asset_id = uuid.UUID(row["immich_id"])
            assert asset_id.version == 4
            assert asset_id.variant == uuid.RFC_4122
            assert str(asset_id) == row["immich_id"]
            assert asset_id_of(row["filename"]) == row["immich_id"]


def test_the_same_sample_is_made_every_time(sample, tmp_path):
    build_sample(tmp_path / "again.db")
    with closing(sqlite3.connect(sample)) as first, closing(sqlite3.connect(tmp_path / "again.db")) as second:
        assert list(first.iterdump()) == list(second.iterdump())


def test_a_file_that_exists_is_never_overwritten(tmp_path):
    path = tmp_path / "skymmich.db"
    path.write_bytes(b"someone's catalogue")
    with pytest.raises(FileExistsError, match="exists"):
        build_sample(path)
    assert path.read_bytes() == b"someone's catalogue"
    with pytest.raises(ValueError, match="at least one"):
        build_sample(tmp_path / "none.db", copies=0)


@pytest.mark.parametrize("name", CONTENT.objects)
def test_an_object_has_its_true_constellation_and_a_known_type(name):
    target = CONTENT.objects[name]
    ra, dec = parse_ra(target.ra), parse_dec(target.dec)
    assert ra is not None
    assert dec is not None
    assert constellation_at(ra, dec) == abbreviation_of(target.constellation)
    assert type_name(target.type) is not None


def test_a_picture_shows_its_object_and_lies_where_it_says():
    for picture in CONTENT.pictures:
        if picture.centre is None:
            continue
        assert picture.rig is not None
        assert constellation_at(*picture.centre) == abbreviation_of(CONTENT.true_constellation(picture)), (
            picture.title
        )
        if picture.object is not None:
            target = CONTENT.objects[picture.object]
            distance = _separation(picture.centre, (parse_ra(target.ra), parse_dec(target.dec)))
            width, height, *_ = CONTENT.field(CONTENT.rigs[picture.rig])
            assert distance * 3600 < min(width, height) / 2, picture.title


def test_some_constellations_are_wrong_as_skymmich_has_them():
    wrong = [picture for picture in CONTENT.pictures if picture.skymmich_says is not None]
    assert len(wrong) >= 8
    for picture in wrong:
        assert picture.skymmich_says != name_of(CONTENT.true_constellation(picture)), picture.title
        assert abbreviation_of(picture.skymmich_says) is not None


def test_the_solved_field_is_the_cameras_and_the_columns_have_skymmichs_units(sample):
    columns = {row["id"]: row for row in images(sample)}
    resolutions = {
        row["image_id"]: json.loads(row["specifications"])["resolution"]
        for row in rows(
            sample,
            "SELECT l.image_id, e.specifications FROM image_equipment l JOIN equipment e ON e.id = l.equipment_id"
            " WHERE e.type = 'camera'",
        )
    }
    jobs = rows(sample, "SELECT * FROM plate_solving_jobs WHERE status = 'success'")
    assert len(jobs) >= 36
    for job in jobs:
        result, image = json.loads(job["result"]), columns[job["image_id"]]
        width, height = result["width_arcsec"], result["height_arcsec"]
        scale = pixel_scale(width, height, *map(int, resolutions[job["image_id"]].split("x")))
        assert scale is not None
        assert image["pixel_scale"] > scale * 1.3, "Skymmich's column is the preview's"
        assert float(image["field_of_view"].rstrip("'")) == pytest.approx(
            math.hypot(width, height) / 3600, abs=0.06
        )
        assert parse_ra(image["ra"]) == result["ra"]
        assert parse_dec(image["dec"]) == result["dec"]


def test_every_position_can_be_read_and_one_is_sexagesimal(sample):
    solved = [row for row in images(sample) if row["plate_solved"]]
    assert all(parse_ra(row["ra"]) is not None and parse_dec(row["dec"]) is not None for row in solved)
    assert sum("h" in row["ra"] for row in solved) == 1


def test_the_solver_left_noise_among_the_tags(sample):
    tags = {tag for row in images(sample) for tag in json.loads(row["tags"])}
    assert {"HD 37742", "θ1 Ori C (θ1 Ori)", "Part of the constellation Orion (Ori)"} <= tags
    assert {"favourites", "prints/2025"} <= tags


def test_sites_are_found_by_an_images_coordinates_and_keep_their_sign_in_immich(sample):
    sites = {
        (row["latitude"], row["longitude"]): row["name"] for row in rows(sample, "SELECT * FROM locations")
    }
    assert len(sites) == 4
    assert sum(latitude < 0 for latitude, _ in sites) == 2
    placed = [(row["latitude"], row["longitude"]) for row in images(sample) if row["latitude"] is not None]
    assert sum(place not in sites for place in placed) == 1
    for latitude, longitude in placed:
        assert 10 < abs(latitude) < 80
        assert 10 < abs(longitude) < 170


def test_several_nights_come_in_order_and_before_the_row(sample):
    per_image = {}
    for row in rows(sample, "SELECT * FROM image_acquisition ORDER BY id"):
        per_image.setdefault(row["image_id"], []).append(row["date"])
    created = {row["id"]: row["created_at"] for row in images(sample)}
    assert sum(len(set(dates)) > 2 for dates in per_image.values()) >= 10
    for image_id, dates in per_image.items():
        assert all(earlier <= later for earlier, later in pairwise(dates))
        assert dates[-1] < created[image_id]


def test_links_and_filters_lead_to_equipment(sample):
    dangling = rows(
        sample,
        "SELECT 1 FROM image_equipment l LEFT JOIN equipment e ON e.id = l.equipment_id WHERE e.id IS NULL"
        " UNION ALL SELECT 1 FROM image_acquisition a LEFT JOIN equipment e ON e.id = a.filter_id"
        " WHERE a.filter_id IS NOT NULL AND e.name IS NOT a.filter_name",
    )
    assert dangling == []
    kinds = {row["type"] for row in rows(sample, "SELECT type FROM equipment")}
    assert kinds == {"telescope", "camera", "mount", "filter", "accessory", "software"}
    used = rows(sample, "SELECT DISTINCT equipment_id FROM image_equipment")
    assert len(used) == len(CONTENT.equipment)


def test_immichs_address_and_key_are_left_open_and_syncing_is_on(sample):
    (row,) = rows(sample, "SELECT value FROM admin_settings WHERE key = 'immich'")
    settings = json.loads(row["value"])
    assert settings["host"] == settings["apiKey"] == ""
    assert all(
        settings[key] for key in ("metadataSyncEnabled", "syncDescription", "syncCoordinates", "syncTags")
    )


def test_its_tables_and_columns_are_skymmichs(sample):
    if not SEED.exists():
        pytest.skip("needs a catalogue written by Skymmich beside the repository")
    query = (
        "SELECT m.name AS tab, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' ORDER BY 1, 2"
    )
    assert rows(sample, query) == rows(SEED, query)


def test_none_of_its_pictures_is_copied_from_another_catalogue(sample):
    if not SEED.exists():
        pytest.skip("needs a catalogue written by Skymmich beside the repository")
    theirs, ours = images(SEED), images(sample)
    for column in ("immich_id", "title", "filename", "description", "ra"):
        shared = {row[column] for row in theirs} & {row[column] for row in ours}
        assert not shared - {None, ""}


def _separation(first, second):
    """Degrees between two positions."""
    ra1, dec1, ra2, dec2 = map(math.radians, (*first, *second))
    haversine = (
        math.sin((dec2 - dec1) / 2) ** 2 + math.cos(dec1) * math.cos(dec2) * math.sin((ra2 - ra1) / 2) ** 2
    )
    return math.degrees(2 * math.asin(math.sqrt(haversine)))
