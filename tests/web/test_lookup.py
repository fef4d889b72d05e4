"""The index of the catalogue's names: always of the latest reading, however many ask at once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from reconciler.core.catalogue import Catalogue, CatalogueImage
from reconciler.core.packed_catalogue import PackedImages
from reconciler.web import image_index
from reconciler.web.image_index import Lookups

pytestmark = pytest.mark.anyio


class Control:
    def __init__(self, *targets):
        self.read(*targets)

    def read(self, *targets):
        self.latest = Catalogue(
            PackedImages(
                CatalogueImage(number, f"asset-{number}", "", target_name=name)
                for number, name in enumerate(targets)
            )
        )

    def catalogue(self):
        return self.latest


def targets(lookup):
    return set(lookup.texts.common["t"])


@pytest.fixture
def held(monkeypatch):
    """Names of a reading with the target "old" are not ready before this is set."""
    may = threading.Event()
    names = image_index.read_texts

    def slow(catalogue, rest):
        if any(image.target_name == "old" for image in catalogue.images):
            may.wait()
        return names(catalogue, rest)

    monkeypatch.setattr(image_index, "read_texts", slow)
    yield may
    may.set()


async def test_names_of_a_newer_reading_are_not_dropped_for_those_that_were_waited_for(held):
    control = Control("old")
    lookups = Lookups(control)
    waiting = asyncio.ensure_future(lookups.named())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    control.read("new")
    await lookups.latest()
    held.set()
    assert targets(await waiting) == {"new"}
    assert targets(await lookups.named()) == {"new"}


async def test_who_stops_waiting_for_the_names_takes_them_from_nobody(held):
    lookups = Lookups(Control("old"))
    impatient, patient = (asyncio.ensure_future(lookups.named()) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    held.set()
    assert targets(await patient) == {"old"}


async def test_an_image_is_found_by_its_id_and_by_its_asset():
    found = await Lookups(Control("M 31", "M 42")).latest()
    assert found.image(1).target_name == "M 42"
    assert found.image_of("asset-0").target_name == "M 31"
    assert found.image(7) is found.image_of("asset-7") is None
