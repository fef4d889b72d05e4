"""The catalogue over Skymmich's web address: the same as from its database, and nothing by halves."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from reconciler.core.desired.desired import Form, desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import Policy
from reconciler.errors import CatalogueError
from reconciler.immich.roundtrip import settled_description, settled_tag
from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.rest import look
from reconciler.skymmich.rest.client import IN_FLIGHT
from reconciler.skymmich.sources import open_catalogue

from .conftest import SKY
from .standin import AsPostgres, PostgresData, SqliteData, dumped, serving

FORM = Form(settled_description, settled_tag)
POLICY = Policy()
TEMPLATE = BlockTemplate(POLICY.description)


def wishes(catalogue):
    """Return what each image wants, and what of it is not known."""
    return {
        image.image_id: (
            image.asset_id,
            image.unreadable,
            desire(image, POLICY, TEMPLATE, FORM, (6248, 4176)),
        )
        for image in catalogue.images
    }


@pytest.mark.parametrize("data", [SqliteData, AsPostgres])
def test_what_each_image_wants_is_the_same_as_from_the_database(full, over_the_web, data):
    there = SqliteCatalogue(full.path, sky=SKY).read()
    with serving(data(full.path)) as standin:
        here = over_the_web(standin.url).read()
    assert wishes(here) == wishes(there)
    assert len(here.images) == 8
    assert here.images[0].equipment
    assert here.images[0].acquisitions
    assert {problem.table for problem in here.problems} >= {problem.table for problem in there.problems}


def test_all_three_sources_of_the_seed_give_the_same_wishes(shared, seed_pg, over_the_web, tmp_path):
    file = shared / "skymmich" / "seed.sqlite3"
    by_file = wishes(SqliteCatalogue(file, sky=SKY).read())
    by_database = wishes(open_catalogue(seed_pg, sky=SKY).read())
    with serving(SqliteData(file)) as standin:
        assert wishes(over_the_web(standin.url).read()) == by_file
    with serving(PostgresData(seed_pg)) as standin:
        kept = tmp_path / "of-postgres.sqlite3"
        assert wishes(over_the_web(standin.url, kept=kept).read()) == by_database
    # The odd rows at the end of the seed are not the same in both; all others are.
    assert {key: by_database[key] for key in range(1, 63)} == {key: by_file[key] for key in range(1, 63)}
    assert len(by_file) == 65
    assert len(by_database) == 64


def test_answers_that_a_real_one_gave_are_read(shared, over_the_web):
    folder = shared / "skymmich" / "rest-samples"
    for kind in ("sqlite", "pg"):
        with serving(SqliteData(shared / "skymmich" / "seed.sqlite3")) as standin:
            for name, route in (("images", "/api/images"), ("equipment", "/api/equipment"),
                                ("locations", "/api/locations"), ("plate-solving_jobs", "/api/plate-solving/jobs"),
                                ("admin_settings", "/api/admin/settings"), ("admin_database", "/api/admin/database"),
                                ("images_1_acquisitions", "/api/images/1/acquisitions")):  # fmt: skip
                standin.faults[route + "$"] = (200, (folder / f"{kind}.{name}.json").read_bytes())
            catalogue = over_the_web(standin.url, kept=None).read()
        assert len(catalogue.images) == {"sqlite": 65, "pg": 64}[kind]
        assert catalogue.settings.masked
        assert catalogue.settings.immich_api_key == ""
        assert catalogue.schema == f"Skymmich's web address, {'SQLite' if kind == 'sqlite' else 'PostgreSQL'} behind it, schema of 0.9"  # fmt: skip
        assert [problem.row_id for problem in catalogue.problems] == [58]


def test_a_masked_key_is_never_a_key(standin, over_the_web):
    settings = over_the_web(standin.url).read().settings
    assert (settings.immich_url, settings.immich_api_key, settings.masked) == ("http://immich:2283", "", True)


def test_few_calls_are_in_flight_and_a_restart_asks_for_no_image_again(standin, over_the_web, tmp_path):
    first = over_the_web(standin.url)
    before = wishes(first.read())
    assert standin.requests["GET /api/images/N/acquisitions"] == 8
    assert standin.most_at_once <= IN_FLIGHT
    first.close()
    standin.requests.clear()
    again = over_the_web(standin.url)
    assert wishes(again.read()) == before
    assert standin.requests["GET /api/images/N/acquisitions"] == 0
    assert standin.total < 12
    assert (tmp_path / "answers.sqlite3").stat().st_mode & 0o777 == 0o600


def test_what_is_kept_of_another_address_or_spoiled_is_read_anew(standin, over_the_web, tmp_path):
    over_the_web(standin.url).read()
    standin.requests.clear()
    other = over_the_web(standin.url.replace("127.0.0.1", "localhost"))
    other.read()
    other.close()
    assert standin.requests["GET /api/images/N/acquisitions"] == 8
    (tmp_path / "answers.sqlite3").write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    assert len(over_the_web(standin.url).read().images) == 8


FAULTS = {
    "an error": ("/api/equipment", (500, {"message": "Failed to fetch equipment"}), "answers 500"),
    "a proxy's error": ("/api/images", (502, b"<html>Bad Gateway</html>", {"content-type": "text/html"}),
                        "a proxy in front of Skymmich"),
    "a login page": ("/api/.*", (200, b"<!doctype html><title>Log in", {"content-type": "text/html"}), "web page"),
    "a page that says it is JSON": ("/api/images", (200, b" <html>"), "web page"),
    "a redirect": ("/api/.*", (302, b"", {"location": "https://ann:planted-7f3a@auth.example/login"}),
                   "leads to https://auth.example"),
    "a login": ("/api/.*", (401, b"{}"), "a login is asked for"),
    "Immich": ("/api/.*", (404, {"message": "Cannot GET /api/x", "error": "Not Found", "statusCode": 404}),
               "answers as Immich does"),
    "nobody": ("/api/images", (404, {"message": "Not found"}), "has no such thing"),
    "half a list": ("/api/images", lambda found: (200, dumped(found[1])[:-40]), "cut short"),
    "no list": ("/api/images", (200, {"images": []}), "is no list"),
    "no rows": ("/api/equipment", (200, [1, 2]), "is no row"),
    "a row without an id": ("/api/locations", (200, [{"name": "x", "latitude": 1, "longitude": 2}]),
                            "without a usable “id”"),
    "a row twice": ("/api/images", lambda found: (200, [*found[1], found[1][0]]), "twice"),
    "a row that lacks a key": (
        "/api/images", lambda found: (200, [*found[1][1:], {k: v for k, v in found[1][0].items() if k != "tags"}]),
        "lack what others have"),
    "a row without its link": (
        "/api/images", lambda found: (200, [{k: v for k, v in row.items() if k != "immichId"} for row in found[1]]),
        "immichId"),
    "another image's rows": ("/api/images/3/acquisitions", lambda found: (200, [
        row | {"imageId": 4} for row in found[1]]), "about another image"),
    "most details": (r"/api/images/\d+/acquisitions", (500, {"message": "no"}), "of 8 images"),
    "no settings": ("/api/admin/settings", (200, {}), "no “immich”"),
    "jobs": ("/api/plate-solving/jobs", (500, {"message": "no"}), "answers 500"),
    "too deep": ("/api/images", (200, b"[" * 200_000), "too many values|too deep"),
    "packed otherwise": ("/api/images", (200, b"x", {"content-encoding": "br"}), "packed as"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_half_an_answer_is_no_catalogue_and_spoils_nothing(full, standin, over_the_web, name):
    catalogue = over_the_web(standin.url)
    before = catalogue.read()
    full.connection.execute("UPDATE astrophotography_images SET title = 'Other', updated_at = 1800000000")
    route, fault, said = FAULTS[name]
    standin.faults[route] = fault
    catalogue.hint()
    assert catalogue.data_version() is None
    with pytest.raises(CatalogueError, match=said) as caught:
        catalogue.read()
    assert caught.value.remedy
    assert "planted" not in str(caught.value)
    standin.faults.clear()
    assert catalogue.data_version() is not None
    assert wishes(catalogue.read()) == wishes(SqliteCatalogue(full.path, sky=SKY).read()) != wishes(before)


@pytest.mark.parametrize("name", ["an error", "half a list", "most details"])
def test_a_first_reading_by_halves_is_none_and_the_next_is_whole(standin, over_the_web, name):
    route, fault, said = FAULTS[name]
    standin.faults[route] = fault
    with pytest.raises(CatalogueError, match=said):
        over_the_web(standin.url).read()
    standin.faults.clear()
    assert len(over_the_web(standin.url).read().images) == 8


def test_a_skymmich_that_is_not_there_is_said_without_its_login(over_the_web):
    with pytest.raises(CatalogueError, match="cannot be reached") as caught:
        over_the_web("http://ann:planted-7f3a@127.0.0.1:9").read()
    assert "planted" not in str(caught.value) + caught.value.remedy


def test_an_image_whose_details_fail_is_unknown_and_the_others_are_not(standin, over_the_web):
    standin.faults["/api/images/3/acquisitions"] = (500, {"message": "no"})
    catalogue = over_the_web(standin.url).read()
    unknown = {image.image_id for image in catalogue.images if image.unreadable}
    assert unknown == {3, 7}  # of 7 the list of tags is none
    assert catalogue.image(3).unreadable >= {"block", "tags"}
    standin.faults.clear()
    later = over_the_web(standin.url, clock=lambda: 4e9)
    assert later.data_version() is not None
    assert not later.read().image(3).unreadable


def test_details_that_fail_later_stay_as_they_were(full, standin, over_the_web):
    catalogue = over_the_web(standin.url)
    before = catalogue.read().image(3)
    standin.faults["/api/images/3/.*"] = (500, {"message": "no"})
    full.connection.execute("UPDATE astrophotography_images SET title = 'Other' WHERE id = 3")
    assert catalogue.data_version() is not None
    after = catalogue.read().image(3)
    assert (after.title, after.equipment, after.acquisitions) == (
        "Other",
        before.equipment,
        before.acquisitions,
    )


@pytest.mark.parametrize(
    ("key", "value", "unknown"),
    [
        ("description", {"a": 1}, None),
        ("tags", {"a": 1}, {"tags"}),
        ("latitude", "48.1", {"coordinates", "block"}),
        ("targetName", 7, {"block", "tags"}),
        ("frameCount", True, set()),
    ],
)
def test_a_value_of_another_kind_is_unknown_and_not_empty(standin, over_the_web, key, value, unknown):
    standin.faults["/api/images$"] = lambda found: (
        200,
        [row | {key: value} if row["id"] == 2 else row for row in found[1]],
    )
    catalogue = over_the_web(standin.url).read()
    if unknown is None:  # what a row must not lose: it is left out, and known to be there
        assert 2 in catalogue.doubtful_ids()
    else:
        assert catalogue.image(2).unreadable == unknown
    assert not catalogue.image(1).unreadable


def without(found, *keys):
    return 200, [{key: value for key, value in row.items() if key not in keys} for row in found[1]]


def test_what_this_release_never_had_is_absent_and_what_it_had_is_gone(standin, over_the_web, tmp_path):
    def older(path):
        catalogue = over_the_web(standin.url, kept=tmp_path / path).read()
        return catalogue, {field for image in catalogue.images for field in image.unreadable}

    standin.faults |= {
        "/api/images$": lambda found: without(found, "targetName"),
        r"/api/images/\d+/acquisitions": (404, {"message": "Not found"}),
        "/api/locations": (404, {"message": "Not found"}),
        "/api/catalog/.*": (404, {"message": "Not found"}),
    }
    catalogue, unknown = older("old.sqlite3")
    assert catalogue.schema.endswith("schema of 0.2")
    assert unknown <= {"tags", "more_tags"}  # the list of tags that is none
    assert catalogue.images[0].equipment
    standin.faults = {"/api/locations": (404, {"message": "Not found"})}
    catalogue, unknown = older("new.sqlite3")
    assert catalogue.schema.endswith("schema of 0.9")
    assert "locations.name" in catalogue.gone
    standin.faults = {"/api/images$": lambda found: without(found, "tags")}
    catalogue, unknown = older("renamed.sqlite3")
    assert "astrophotography_images.tags" in catalogue.gone
    assert all("tags" in image.unreadable for image in catalogue.images)


def test_a_key_that_sub_exposures_lost_is_unknown(full, standin, over_the_web):
    catalogue = over_the_web(standin.url)
    catalogue.read()
    standin.faults[r"/api/images/\d+/acquisitions"] = lambda found: without(found, "filterName")
    full.connection.execute("UPDATE astrophotography_images SET title = 'Other' WHERE id = 3")
    assert catalogue.data_version() is not None
    found = catalogue.read()
    assert found.image(3).unreadable == {"block"}
    assert not found.image(4).unreadable


def test_a_first_reading_that_was_cut_short_goes_on_where_it_was(standin, over_the_web, monkeypatch):
    monkeypatch.setattr(look, "BATCH", 3)
    told = []
    catalogue = over_the_web(standin.url, progress=lambda done, of: told.append((done, of)))
    standin.faults["/api/images/8/acquisitions"] = (200, b"[")
    with pytest.raises(CatalogueError):
        catalogue.read()
    assert told == [(3, 8), (6, 8)]
    standin.faults.clear()
    standin.requests.clear()
    assert len(catalogue.read().images) == 8
    assert standin.requests["GET /api/images/N/acquisitions"] == 2
    assert all(image.acquisitions for image in catalogue.read().images[:6])


def test_a_reading_ends_when_this_program_stops(standin, over_the_web):
    catalogue = over_the_web(standin.url)
    standin.faults["/api/images/3/acquisitions"] = lambda found: (catalogue.stop(), found)[1]
    with pytest.raises(CatalogueError, match="this program stops"):
        catalogue.read()


def test_a_skymmich_that_hangs_keeps_nobody_waiting_at_the_end(standin, over_the_web):
    catalogue, asked, answer = over_the_web(standin.url), threading.Event(), threading.Event()

    def hang(found):
        asked.set()
        answer.wait(60)
        return found

    standin.faults["/api/equipment"] = hang
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(catalogue.read)
        assert asked.wait(20)
        catalogue.stop()
        with pytest.raises(CatalogueError, match="this program stops"):
            reading.result(20)
    answer.set()


def test_where_nothing_can_be_kept_it_is_said(standin, over_the_web, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogueError, match="cannot be kept"):
        over_the_web(standin.url, kept=tmp_path / "file" / "answers.sqlite3").read()


def test_two_processes_keep_what_they_read_in_one_file(full, standin, over_the_web):
    one, other = over_the_web(standin.url), over_the_web(standin.url)
    one.data_version()
    one.read()
    full.connection.execute("UPDATE astrophotography_images SET title = 'Other' WHERE id = 3")
    known = one.data_version()
    assert other.read().image(3).title == "Other"
    full.connection.execute("UPDATE astrophotography_images SET title = 'Third' WHERE id = 3")
    other.data_version()
    assert one.data_version() != known
    assert one.read().image(3).title == "Third"


def test_no_key_is_in_what_is_kept(standin, over_the_web, tmp_path):
    over_the_web(standin.url).read()
    for file in tmp_path.glob("answers.sqlite3*"):
        assert b"a-real-key" not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "answers.sqlite3")) as connection:
        (value,) = connection.execute("SELECT value FROM admin_settings").fetchone()
    assert json.loads(value)["apiKey"] == "••••1234"
