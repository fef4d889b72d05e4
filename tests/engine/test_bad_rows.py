"""One bad row costs one row: whatever stands in the catalogue, the other images go on as if it were not there."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest

from reconciler.core.asset import Applied, ObservedAsset
from reconciler.core.catalogue import Catalogue, CatalogueImage
from reconciler.core.desired.desired import Form, desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.plan.asset_plan import plan_asset
from reconciler.core.plan.plan import Rules
from reconciler.core.policy import Policy, Switches
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from reconciler.core.store_keys import CATALOGUE_COLUMNS
from reconciler.engine.passes import Selection
from reconciler.engine.planner.selection import ImageSelector
from reconciler.errors import TemplateError, UnusableImageError
from reconciler.immich import roundtrip
from reconciler.messages.reasons import sentence, words
from reconciler.rendering.renderer import SafeRenderer
from reconciler.skymmich.sources import open_catalogue

IMAGES = "astrophotography_images"
POLICY = Policy()
PIXELS = (6248, 4176)
DEEP = "[" * 100_000
ODD = (
    b"\x00\xff\x00", b"\xff" * 1_000_000, "x" * 1_000_000, "\x00", "north", "", " ", 1e308, -1e308,
    float("inf"), float("-inf"), 5e-324, 2**63 - 1, -(2**63), 0, -1, 3.5, DEEP, "null", "[]", "{}", "{broken",
    '{"ra": ' + "9" * 5_000 + "}", '["\\ud83c"]', '"\\ud83c"', "[NaN, Infinity]", '[{"name": "M 31"}]',
    '{"role": 1, "role": {"a": []}}', '{"ra": 1e308, "dec": [], "width_arcsec": {}}', "\u202e" * 3000,
)  # fmt: skip


def columns_of(connection, table):
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "id"]


def owners(connection, table, row_id):
    """Give the images that a row belongs to, before it is damaged."""
    query = {
        IMAGES: "SELECT id FROM astrophotography_images WHERE id = ?",
        "equipment": "SELECT image_id FROM image_equipment WHERE equipment_id = ? UNION "
        "SELECT image_id FROM image_acquisition WHERE filter_id = ?1",
    }.get(table, f"SELECT image_id FROM {table} WHERE id = ?")
    return {row[0] for row in connection.execute(query, (row_id,))}


def damage(path, seed):
    """Put odd values into a third of all columns of some rows; give what was damaged, and whose it was."""
    random = Random(seed)
    touched, rows = set(), set()
    with closing(sqlite3.connect(path)) as connection, connection:
        tables = [IMAGES, "equipment", "image_equipment", "image_acquisition", "plate_solving_jobs"]
        chosen = {
            table: [row[0] for row in connection.execute(f"SELECT id FROM {table}")] for table in tables
        }
        chosen[IMAGES] = random.sample(chosen[IMAGES], 15)
        chosen["equipment"] = random.sample(chosen["equipment"], 1)
        for table in tables[2:]:
            chosen[table] = random.sample(chosen[table], min(3, len(chosen[table])))
        for table, ids in chosen.items():
            for row_id in ids:
                touched |= owners(connection, table, row_id)
                rows.add((table, row_id))
        for table, ids in chosen.items():
            names = columns_of(connection, table)
            for row_id in ids:
                for name in random.sample(names, max(1, len(names) * 3 // 10)):
                    value = random.choice(ODD)
                    statement = f'UPDATE OR IGNORE {table} SET "{name}" = ? WHERE id = ?'
                    connection.execute(statement, (value, row_id))
    return touched, rows


def plans(catalogue, before):
    """Plan all images against an Immich that shows what ``before`` wanted of them, all of it ours."""
    template, rules = BlockTemplate(POLICY.description), Rules(POLICY, Switches(), "2.7.5", "me")
    form = Form(roundtrip.settled_description, roundtrip.settled_tag)
    found = {}
    for image in catalogue.linked():
        wanted = desire(image, POLICY, template, form, PIXELS)
        shown = before.get(image.asset_id, wanted)
        seen = ObservedAsset(
            image.asset_id, "me", datetime(2026, 1, 1, tzinfo=UTC),
            description="\n\n".join(filter(None, (shown.prose, shown.block))),
            coordinates=shown.coordinates, tags=shown.tags,
        )  # fmt: skip
        applied = Applied(shown.block, shown.prose, shown.coordinates, shown.tags)
        record = AssetRecord(image.asset_id, image.image_id, applied=applied)
        found[image.asset_id] = plan_asset(image.image_id, image.title, wanted, seen, record, rules)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_odd_values_anywhere_cost_only_the_images_they_belong_to(tmp_path, samples, seed):
    path = tmp_path / "skymmich.sqlite3"
    shutil.copyfile(samples(), path)
    whole = open_catalogue(str(path)).read()
    wanted = {key: plan.desired for key, plan in plans(whole, {}).items()}
    undamaged = plans(whole, wanted)
    touched, rows = damage(path, seed)
    catalogue = open_catalogue(str(path)).read()
    after = plans(catalogue, wanted)
    read = {image.image_id: image for image in catalogue.images}
    named = {(one.table, one.row_id) for one in catalogue.problems}
    for image in whole.linked():
        if image.image_id not in touched:
            assert read[image.image_id] == image
            assert not after[image.asset_id].changes
            continue
        plan = after.get(image.asset_id)
        assert plan is not None or (IMAGES, image.image_id) in named
        if plan is None:
            continue
        unknown = plan.desired.unreadable
        assert not ("block" in unknown and plan.block is not None)
        assert not ("prose" in unknown and plan.prose is not None)
        assert not ("coordinates" in unknown and plan.coordinates is not None)
        assert not (unknown & {"tags", "more_tags"} and plan.remove_tags)
        if unknown - undamaged[image.asset_id].desired.unreadable:
            assert named & rows
    for problem in catalogue.problems:
        assert 0 < len(words(problem.reason)) < 400


def test_the_odd_values_are_found_by_the_seeds():
    assert len({repr(value)[:50] for value in ODD}) > 25


class Chosen:
    """Chooses among three images, one of which cannot be used."""

    def __init__(self, error, broken):
        self.error, self.broken = error, broken
        images = tuple(
            CatalogueImage(number, f"00000000-0000-4000-8000-{number:012}", f"Image {number}")
            for number in (1, 2, 3)
        )
        self.catalogue = Catalogue(images)
        rules = Rules(POLICY, Switches(), "2.7.5", "me")
        self.selector = ImageSelector(
            self.desired, rules, "rules", Selection(),
            {image.asset_id: AssetRecord(image.asset_id, image.image_id) for image in images}, {},
        )  # fmt: skip

    def desired(self, image):
        if image.image_id in self.broken:
            raise self.error
        template = BlockTemplate(POLICY.description)
        return desire(image, POLICY, template, Form(str.strip, lambda path: path), PIXELS)


@pytest.mark.parametrize(
    "error", [UnusableImageError("too large"), TemplateError("no such name", source="mine.j2", line=3)]
)
def test_an_image_that_can_not_be_used_fails_alone_and_is_named(error):
    here = Chosen(error, {2})
    first, second, third = here.selector.items(here.catalogue.images, frozenset())
    assert second.status == "failed"
    assert second.reasons == (reason("unusable", table=IMAGES, row="2", text=str(error)),)
    assert (first.status, third.status) == ("new", "new")
    (problem,) = here.selector.told(here.catalogue).problems
    assert (problem.table, problem.row_id, problem.reason) == (
        IMAGES,
        2,
        reason("error", kind=type(error).__name__, text=str(error)),
    )


def test_a_template_that_renders_no_image_at_all_is_what_is_wrong():
    here = Chosen(TemplateError("no such name", source="mine.j2", line=3), {1, 2, 3})
    here.selector.items(here.catalogue.images, frozenset())
    with pytest.raises(TemplateError, match=r"mine\.j2:3"):
        here.selector.told(here.catalogue)


def test_images_that_can_not_be_used_say_nothing_of_the_template():
    here = Chosen(UnusableImageError("too large"), {1, 2, 3})
    here.selector.items(here.catalogue.images, frozenset())
    assert len(here.selector.told(here.catalogue).problems) == 3


@pytest.mark.anyio
async def test_a_template_that_one_image_breaks_costs_that_image(install, request):
    here = install(count=4)
    image_id, _ = here.images()[1]
    here.sql("UPDATE astrophotography_images SET title = 'Moon' WHERE id = ?", image_id)
    template = "{{ heading }}\n{{ nope if title == 'Moon' or heading == 'Moon' else total_integration }}"
    description = replace(here.policy.description, template=template, template_name="mine.j2")
    here.policy = replace(here.policy, description=description)
    stack = ExitStack()
    request.addfinalizer(stack.close)
    here.renderer = stack.enter_context(SafeRenderer())
    report = await here.run()
    found = {outcome.image_id: outcome for outcome in report.outcomes}
    assert found.pop(image_id).status == "failed"
    assert {outcome.status for outcome in found.values()} == {"in_sync"}
    assert report.error is None
    assert "mine.j2:2" in sentence(here.store.records()[here.asset(1)].reasons)
    here.sql("UPDATE astrophotography_images SET title = 'Luna' WHERE id = ?", image_id)
    await here.run()
    assert set(here.statuses().values()) == {"in_sync"}


@pytest.mark.anyio
async def test_damaged_rows_cost_no_pass_and_nothing_that_immich_shows(install):
    here = install(count=12)
    await here.run()
    images = here.images()
    before = {asset_id: here.shown(asset_id) for _, asset_id in images}
    damages = {
        "title": "x" * 5_000_000, "target_name": "x" * 1_000_000, "description": "x" * 1_000_000,
        "frame_count": 1e308, "tags": DEEP, "latitude": float("inf"),
    }  # fmt: skip
    for (image_id, _), (column, value) in zip(images, damages.items(), strict=False):
        here.sql(f"UPDATE astrophotography_images SET {column} = ? WHERE id = ?", value, image_id)
    here.sql("UPDATE image_acquisition SET exposure_time = 1e308 WHERE image_id = ?", images[6][0])
    here.sql("UPDATE plate_solving_jobs SET result = '{broken' WHERE image_id = ?", images[7][0])
    report = await here.run(full=True)
    assert report.error is None
    assert here.writes == 0
    after = {asset_id: here.shown(asset_id) for _, asset_id in images}
    assert after == before
    statuses = here.statuses()
    assert {statuses[asset_id] for _, asset_id in images[8:]} == {"in_sync"}
    prepared = await here.prepare()
    named = {(problem.table, problem.row_id) for problem in prepared.catalogue.problems}
    assert {(IMAGES, image_id) for image_id, _ in images[:6]} <= named
    assert {"image_acquisition", "plate_solving_jobs"} <= {table for table, _ in named}


@pytest.mark.anyio
@pytest.mark.parametrize("migrations", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE image_acquisition RENAME TO acquisitions",
        "ALTER TABLE astrophotography_images RENAME COLUMN title TO name",
        "ALTER TABLE astrophotography_images RENAME COLUMN target_name TO target",
        "ALTER TABLE image_equipment RENAME COLUMN equipment_id TO gear_id",
    ],
)
async def test_a_new_release_that_renames_something_thins_out_nothing(install, migrations, change):
    here = install(count=8)
    if not migrations:
        here.sql("DROP TABLE __drizzle_migrations")
        here.sql("DROP TABLE user_targets")
    await here.run()
    before = {asset_id: here.shown(asset_id) for _, asset_id in here.images()}
    here.sql(change)
    for _ in range(2):  # the second pass must not take the first for how it always was
        report = await here.run(full=True)
        assert here.writes == 0
        assert {outcome.status for outcome in report.outcomes} == {"failed"}
    assert {asset_id: here.shown(asset_id) for _, asset_id in here.images()} == before
    prepared = await here.prepare()
    assert [one.row_id for one in prepared.catalogue.problems] == ["-"]
    assert len(CATALOGUE_COLUMNS.read(here.store)) > 50


@pytest.mark.anyio
async def test_a_hundred_thousand_tags_are_not_made_and_owned_ones_beyond_the_cut_stay(install):
    here = install(count=2)
    image_id, asset_id = here.images()[0]
    here.tags_of(image_id, ["Zeta", "Omega"])
    await here.run()
    assert {"Astro/Zeta", "Astro/Omega"} <= set(here.shown(asset_id)["tags"])
    here.tags_of(image_id, [*(f"tag {number}" for number in range(100_000)), "Zeta", "Omega"])
    report = await here.run()
    tags = set(here.shown(asset_id)["tags"])
    assert {"Astro/Zeta", "Astro/Omega", "Astro/tag 0"} <= tags
    assert len(tags) < 250
    outcome = next(outcome for outcome in report.outcomes if outcome.image_id == image_id)
    assert outcome.reasons == (reason("tags_cut", most=200, count=99_802),)
