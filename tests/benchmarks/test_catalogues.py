"""A catalogue to measure with that is larger than what is composed image by image."""

from __future__ import annotations

import catalogues

from reconciler.skymmich.sources import open_catalogue


def test_the_copies_of_a_large_one_are_whole_images_with_links_and_titles_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogues, "COMPOSED", 110)
    catalogues.build(tmp_path / "catalogue.db", 300)
    found = open_catalogue(str(tmp_path / "catalogue.db")).read()
    images = list(found.images)
    assert (len(images), len({image.asset_id for image in images}), found.problems) == (300, 300, ())
    assert None not in {image.asset_id for image in images}
    for first, second, third in zip(images[:80], images[110:190], images[220:], strict=True):
        assert (second.title, third.title) == (f"{first.title} · 1", f"{first.title} · 2")
        for copy in (second, third):
            assert (copy.acquisitions, copy.equipment) == (first.acquisitions, first.equipment)
            assert (copy.solution, copy.tags) == (first.solution, first.tags)
