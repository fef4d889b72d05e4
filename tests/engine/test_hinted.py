"""A catalogue that is not looked through whole each time is told when somebody waits for it."""

from __future__ import annotations

import pytest

from reconciler.core.catalogue import Catalogue
from reconciler.engine.catalogue_cache import WatchedCatalogue

pytestmark = pytest.mark.anyio


class Web:
    """Notes what it is told, in order."""

    def __init__(self):
        self.told = []

    def read(self):
        self.told.append("read")
        return Catalogue(())

    def data_version(self):
        self.told.append("look")
        return 1

    def hint(self, image_id=None):
        self.told.append(("hint", image_id))


async def test_before_a_pass_that_a_person_asked_for_it_looks_closely():
    web = Web()
    await WatchedCatalogue(web).refresh(anyway=True)
    assert web.told == [("hint", None), "look", "read"]


async def test_before_any_other_pass_it_looks_as_it_does_by_itself():
    web = Web()
    await WatchedCatalogue(web).refresh()
    assert web.told == ["look", "read"]


async def test_an_event_s_image_is_handed_on():
    web = Web()
    WatchedCatalogue(web).hint(41)
    assert web.told == [("hint", 41)]
