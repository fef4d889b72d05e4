from __future__ import annotations

import pytest

from reconciler.cli.images import find_image, find_images, find_record
from reconciler.core.catalogue import Catalogue, CatalogueImage
from reconciler.core.records import AssetRecord
from reconciler.errors import ReconcilerError

UUID = "95905a1e-30ba-4540-9355-025f87621e3d"
OTHER = "f1e88aac-3eda-47ff-974b-09eaf4dcf4a0"
CATALOGUE = Catalogue(
    (
        CatalogueImage(7, UUID, "Jellyfish  in Gemini"),
        CatalogueImage(8, OTHER, "Jelly"),
        CatalogueImage(9, None, "NGC 7"),
    )
)


@pytest.mark.parametrize(
    ("text", "image_id"),
    [("7", 7), (UUID.upper(), 7), ("gemini", 7), ("JELLYFISH IN", 7), ("jelly", 8), ("ngc 7", 9)],
)
def test_an_image_is_named_by_number_uuid_whole_title_or_a_part_that_only_one_has(text, image_id):
    assert find_image(text, CATALOGUE).image_id == image_id


@pytest.mark.parametrize(("text", "said"), [("n", "fits 3 images"), ("Saturn", "No image"), ("", "No image")])
def test_a_name_that_fits_several_or_none_is_refused(text, said):
    with pytest.raises(ReconcilerError, match=said):
        find_image(text, Catalogue(tuple(CatalogueImage(i, None, f"n {i}") for i in range(3))))


def test_an_image_without_an_asset_can_be_looked_at_and_not_planned():
    assert find_images([], CATALOGUE) is None
    assert find_images(["7", "jelly"], CATALOGUE) == {7, 8}
    with pytest.raises(ReconcilerError, match="not linked"):
        find_images(["9"], CATALOGUE)


def test_of_two_images_that_had_the_same_number_the_linked_one_is_meant():
    records = [AssetRecord(UUID, 7, "gone", linked=False), AssetRecord(OTHER, 7, "here")]
    assert find_record("7", records).title == "here"
    assert find_record("gone", records).title == "gone"
