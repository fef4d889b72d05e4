"""Finding images: one search in any spelling, filters that count, orders, pages, and who stands beside whom."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.catalogue import Catalogue, CatalogueImage, CatalogueObject, Equipment
from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.records import AssetRecord, Crossing
from reconciler.web.finding import sheet, texts
from reconciler.web.finding.finder import Finder
from reconciler.web.finding.query import Query
from reconciler.web.finding.sheet import ORDERS, Sheets, both_of
from reconciler.web.finding.terms import terms_of
from reconciler.web.finding.texts import Texts
from reconciler.web.image_index import Lookups
from reconciler.web.pages.images import pages_of, shown_pages
from tests.web.conftest import NOW, asset

pytestmark = pytest.mark.anyio
CAMERA = Equipment(1, "ZWO ASI2600MM Pro", "camera")
CAVE = CatalogueObject("Sh2-155", identifiers=("C 009",))
IMAGES = (
    CatalogueImage(1, asset(1), "First light", "M31_LRGB_final.tif"),
    CatalogueImage(2, asset(2), "Our neighbour", target=CatalogueObject("NGC 224", messier="M 31")),
    CatalogueImage(3, asset(3), "Andromeda Galaxy, wide", equipment=(CAMERA,), tags=("Café", "winter")),
    CatalogueImage(4, asset(4), "messier 3 in spring", tags=("globular",)),
    CatalogueImage(5, asset(5), "A cave", target_name="sh 2-155", target=CAVE, equipment=(CAMERA,)),
    CatalogueImage(6, asset(6), "Conflict of dust", "IMG_2217.jpg"),
    CatalogueImage(7, None, "M 31, and nowhere in Immich"),
)
STATUSES = dict.fromkeys(range(1, 7), "in_sync") | {4: "conflict", 5: "undone"}


class Control:
    def __init__(self, images=IMAGES):
        self.latest = Catalogue(PackedImages(images))

    def catalogue(self):
        return self.latest


def record(image: CatalogueImage, status: str, **more) -> AssetRecord:
    return AssetRecord(image.asset_id or "", image.image_id, image.title, status=status, **more)


@pytest.fixture
def control():
    return Control()


@pytest.fixture
def finder(store, control):
    store.save_records(
        record(one, STATUSES[one.image_id], changed_at=NOW + timedelta(minutes=one.image_id))
        for one in IMAGES
        if one.asset_id
    )
    return Finder(store, Lookups(control))


async def ids(finder, text="", **more) -> list[int]:
    found = await finder.find(Query(text, **more))
    listed = [int(asset_id[-12:]) for asset_id in found.page(0, 1000)]
    assert len(listed) == found.total
    return listed


@pytest.mark.parametrize(
    "spelling", ["m31", "M 31", "M  31", "messier 31", "NGC 224", "ngc0224", "Andromeda Galaxy"]
)
async def test_an_object_is_found_in_whatever_spelling_it_was_written_or_is_typed(finder, spelling):
    assert sorted(await ids(finder, spelling)) == [1, 2, 3]


async def test_a_name_finds_images_that_have_only_the_designation(finder):
    assert sorted(await ids(finder, "andromeda")) == [1, 2, 3]
    for spelling in ("Cave Nebula", "C9", "Sharpless 155", "sh2-155"):
        assert await ids(finder, spelling) == [5]


async def test_a_number_is_not_found_within_a_longer_one(finder):
    assert await ids(finder, "M3") == [4]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("asi2600", [3, 5]),
        ("ASI 2600 winter", [3]),
        ("cafe", [3]),
        ("IMG_2217", [6]),
        ("2217", [6]),
        ("globular", [4]),
        ("in sync asi2600", [3]),
        ("taken back", [5]),
        ("conflict", [4, 6]),
        ("m31 asi", [3]),
        ("nothing like this", []),
        ("…", []),
    ],
)
async def test_one_search_goes_over_files_equipment_tags_and_states(finder, text, found):
    assert sorted(await ids(finder, text)) == found


async def test_filters_count_what_fits_the_search_in_every_state(finder, store):
    store.note_crossings({asset(1): Crossing(NOW, frozenset({"prose"}), "run")})
    found = await finder.find(Query("", status="conflict"))
    assert (found.total, found.any_state) == (1, 6)
    assert found.counts == {"in_sync": 4, "conflict": 1, "undone": 1, "crossed": 1}
    found = await finder.find(Query("asi2600", status="undone"))
    assert (found.total, found.counts) == (1, {"in_sync": 1, "undone": 1, "crossed": 0})
    assert await ids(finder, status="crossed") == [1]


async def test_lists_come_in_four_orders(finder, store):
    assert await ids(finder) == [5, 3, 6, 1, 4, 2]
    assert await ids(finder, order="written") == [6, 5, 4, 3, 2, 1]
    assert await ids(finder, order="state") == [4, 5, 3, 6, 1, 2]
    store.save_records([replace(store.record(asset(2)), seen_updated_at=NOW)])
    assert (await ids(finder, order="changed"))[0] == 2


async def test_the_images_beside_one_are_those_of_the_list(finder):
    found = await finder.find(Query(status="in_sync"))
    assert await ids(finder, status="in_sync") == [3, 6, 1, 2]
    middle = found.beside(asset(6))
    assert (middle.number, middle.total, middle.before, middle.after) == (2, 4, 3, 1)
    first, last = found.beside(asset(3)), found.beside(asset(2))
    assert (first.before, first.number, last.number, last.after) == (None, 1, 4, None)


async def test_an_image_that_left_the_list_still_has_a_place_in_it(finder, store):
    """After a conflict was decided it is none any more, and the next one is as near as before."""
    store.save_records([replace(store.record(asset(6)), status="conflict")])
    beside = (await finder.find(Query(status="in_sync"))).beside(asset(6))
    assert (beside.number, beside.before, beside.after) == (0, 3, 1)
    assert (await finder.find(Query())).beside(asset(99)) is None


async def test_what_changes_shows_in_the_next_list(finder, store, control):
    assert len(await ids(finder)) == 6
    store.save_records([AssetRecord(asset(90), 90, "0, newly linked")])
    assert (await ids(finder))[0] == 90
    assert await ids(finder, "newly") == [90]  # not in the catalogue's reading yet: by its title
    store.save_records([replace(store.record(asset(90)), title="Zzz")])
    assert (await ids(finder))[-1] == 90
    control.latest = Catalogue(
        PackedImages([*IMAGES[:5], replace(IMAGES[5], tags=("novelty",)), *IMAGES[6:]]), reading=1
    )
    assert await ids(finder, "novelty") == [6]


async def test_what_is_read_anew_is_as_what_is_read_whole(store, monkeypatch):
    monkeypatch.setattr(sheet, "_FEW", 5)
    chance = random.Random(13)
    kept = Sheets(store)
    for _ in range(60):
        changed = [
            AssetRecord(
                asset(number),
                number,
                chance.choice(("Same", f"Title {number}", "É")),
                status=chance.choice(("in_sync", "conflict", "held")),
                changed_at=chance.choice((None, NOW, NOW + timedelta(hours=number))),
                seen_updated_at=chance.choice((None, NOW - timedelta(hours=number))),
            )
            for number in (chance.randrange(80) for _ in range(chance.choice((0, 1, 3, 9))))
        ]
        store.save_records(changed)
        one, whole = kept.latest(), Sheets(store).latest()
        assert one == whole
        for order in ORDERS:
            assert list(kept.ordered(one, order)) == list(whole.ordered(order))


async def test_nothing_is_read_again_while_nothing_changes(finder, store, monkeypatch):
    await ids(finder)
    for name in ("standings", "standings_of", "titles"):
        monkeypatch.setattr(store, name, None)
    assert len(await ids(finder)) == 6


async def test_a_list_before_the_catalogue_was_read_searches_titles(store):
    control = Control()
    control.latest = None
    store.save_records([record(IMAGES[5], "in_sync")])
    assert await ids(Finder(store, Lookups(control)), "dust") == [6]


async def test_many_ask_at_once_and_each_gets_its_answer(finder):
    found = await asyncio.gather(*(ids(finder, text) for text in ("m31", "cafe", "taken back") * 5))
    assert [sorted(one) for one in found] == [[1, 2, 3], [3], [5]] * 5


def test_page_numbers_show_both_ends_and_what_is_near():
    assert [pages_of(total, 24) for total in (0, 1, 24, 25)] == [1, 1, 1, 2]
    assert shown_pages(1, 1) == [1]
    assert shown_pages(1, 9) == [1, 2, 0, 9]
    assert shown_pages(5, 9) == [1, 0, 4, 5, 6, 0, 9]
    assert shown_pages(4, 6) == [1, 2, 3, 4, 5, 6]


def test_a_state_is_named_by_its_whole_name_or_its_last_word():
    states = {"in_sync": "In sync", "new": "Not synced yet", "conflict": "In conflict"}

    def named(text):
        return [sorted(term.states) for term in terms_of(text, states)]

    assert named("in sync") == named("sync") == [["in_sync"]]
    assert named("in") == [[]]
    assert named("conflict m31") == [["conflict"], []]


def test_an_address_of_a_list_says_only_what_is_not_as_ever():
    query = Query("m 31", "conflict", order="written")
    assert query.address() == "/images?q=m+31&status=conflict&sort=written"
    assert query.address(status="", page=2) == "/images?q=m+31&sort=written&page=2"
    assert Query().address("/images/4") == "/images/4"


async def test_of_several_words_all_are_found_however_many_have_one_of_them(store):
    chance = random.Random(7)
    words = ("dust", "wide", "cave", "47", "rare")
    weights = (90, 50, 20, 5, 1)
    named = Equipment(2, "Wide field", "telescope")
    many = []
    for number in range(1, 5001):
        title = " ".join(
            word for word, most in zip(words, weights, strict=True) if chance.random() * 100 < most
        )
        equipment = (named,) if chance.random() < 0.3 else ()
        many.append(CatalogueImage(number, asset(number), title or "none", equipment=equipment))
    store.save_records(record(one, "conflict" if one.image_id % 9 == 0 else "in_sync") for one in many)
    finder = Finder(store, Lookups(Control(tuple(many))))

    def has(image, word):
        state = word == "conflict" and image.image_id % 9 == 0
        return state or word in image.title or (word == "wide" and bool(image.equipment))

    for asked in (
        "dust wide",
        "rare dust",
        "47 cave wide",
        "conflict wide",
        "cave conflict 47",
        "rare",
        "rare none",
    ):
        expected = {one.asset_id for one in many if all(has(one, word) for word in asked.split())}
        found = await finder.find(Query(asked))
        assert set(found.page(0, 5000)) == expected, asked
        assert found.total == len(expected)


async def test_the_same_search_is_made_once_until_something_changes(finder, store, monkeypatch):
    looked_through, find = [], Texts.find

    def finding(self, terms):
        looked_through.append(terms)
        return find(self, terms)

    monkeypatch.setattr(Texts, "find", finding)
    first = await ids(finder, "m31")
    assert await ids(finder, "m31", order="written") == sorted(first, reverse=True)
    assert await ids(finder, "m31", status="conflict") == []
    assert len(looked_through) == 1
    store.save_records([replace(store.record(asset(first[0])), status="conflict")])
    assert await ids(finder, "m31", status="conflict") == [first[0]]
    assert len(looked_through) == 2
    for number in range(20):
        await ids(finder, f"word {number}")
    assert await ids(finder, "m31") == first


@pytest.mark.parametrize("few", [1, 3, 512])
def test_what_is_found_in_blocks_is_what_reading_every_line_finds(monkeypatch, few):
    monkeypatch.setattr(texts, "_BLOCK", 7)
    monkeypatch.setattr(texts, "_FEW", few)
    chance = random.Random(few)
    titles = [" ".join(chance.choices(("dust", "dusty", "veil", "star", "arm"), k=3)) for _ in range(60)]
    images = [
        CatalogueImage(number, asset(number), title, tags=chance.choice((("night",), ("dust",), ())))
        for number, title in enumerate(titles, start=1)
    ]
    made = texts.read_texts(Catalogue(tuple(images)))
    for search in ("dust", "veil", "arm veil", "dusty arm star", "night", "night dust", "none", "none veil"):
        terms = terms_of(search, {})
        found = both_of(*made.find(terms))
        wanted = [
            all(word in image.title or any(word in tag for tag in image.tags) for word in search.split())
            for image in images
        ]
        assert list(map(bool, found)) == wanted, search
