"""The objects in a picture, over it, without a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pytest

from reconciler.core.catalogue import CatalogueImage, FieldObject, PlateSolution
from reconciler.web.pages.sky_overlay import overlay_of

WIDE = PlateSolution(width_arcsec=12_000.0, height_arcsec=8_000.0)
EVIL = "</text><script>alert(1)</script>"


def shown(*objects, pixels=(None, None), **changed):
    image = CatalogueImage(1, None, "A picture", solution=replace(WIDE, objects=objects, **changed))
    return overlay_of(image, pixels)


def test_of_a_picture_without_known_objects_nothing_is_shown():
    assert overlay_of(CatalogueImage(1, None, "A picture"), (None, None)) is None
    assert shown() is None


@pytest.mark.parametrize(
    ("width", "height", "at"), [(12_000, 8_000, (500, 333.3)), (8_000, 12_000, (333.3, 500))]
)
def test_circles_stay_where_they_are_and_round_in_any_proportions(width, height, at):
    overlay = shown(
        FieldObject("M 31", 500, 500, 100, is_target=True), width_arcsec=width, height_arcsec=height
    )
    (mark,) = overlay.marks
    assert (mark.x, mark.y) == at
    assert mark.radius == pytest.approx(overlay.width / 10, abs=0.1)
    assert overlay.width / overlay.height == pytest.approx(width / height, rel=1e-3)
    assert mark.is_target


def test_what_has_no_place_is_listed_and_not_drawn():
    overlay = shown(FieldObject("M 31", 500, 500), FieldObject("M 32"), FieldObject("M 110", 1200, 10))
    assert overlay.names == ("M 31", "M 32", "M 110")
    assert [mark.label for mark in overlay.marks] == ["M 31"]


@pytest.mark.parametrize(("pixels", "drawn"), [((6000, 4000), 1), ((4000, 6000), 1), ((4000, 4000), 0)])
def test_a_picture_of_other_proportions_is_not_drawn_upon(pixels, drawn):
    assert len(shown(FieldObject("M 31", 500, 500), pixels=pixels).marks) == drawn


def test_where_immich_shows_no_picture_there_is_only_the_list():
    overlay = shown(FieldObject("M 31", 500, 500), pixels=None)
    assert (overlay.names, overlay.marks) == (("M 31",), ())


def test_without_a_field_there_is_only_the_list():
    overlay = shown(FieldObject("M 31", 500, 500), width_arcsec=None)
    assert (overlay.names, overlay.marks) == (("M 31",), ())


def test_names_lie_in_the_picture_and_on_no_other_name():
    corners = [FieldObject(f"NGC 1{x}{y}", x, y, 5) for x in (0, 330, 1000) for y in (0, 400, 1000)]
    crowd = [FieldObject(f"IC {number}", 600 + number % 5, 600 + number // 5, 3) for number in range(20)]
    overlay = shown(*corners, *crowd)
    named = [mark for mark in overlay.marks if mark.label]
    assert len(overlay.marks) == 29
    assert 9 <= len(named) < 29
    for mark in named:
        half = len(mark.label) * 23 / 2
        assert half - 1 <= mark.label_x <= overlay.width - half + 1
        assert 20 <= mark.label_y <= overlay.height - 20
    for one, other in combinations(named, 2):
        beside = abs(one.label_x - other.label_x) >= (len(one.label) + len(other.label)) * 23 / 2 - 1
        assert beside or abs(one.label_y - other.label_y) >= 41


def test_a_long_name_and_many_objects_are_bounded():
    overlay = shown(*(FieldObject("NGC " + "9" * 300, 500, number * 10) for number in range(90)))
    assert len(overlay.marks) <= 32
    assert max(len(mark.label) for mark in overlay.marks) <= 24


def page_with(client, control, *objects):
    first, *others = control.images
    control.images = (replace(first, solution=replace(WIDE, objects=objects)), *others)
    return client.get("/images/1", headers={"accept": "text/html"}).text


def test_the_page_draws_them_behind_a_checkbox_with_the_list_for_who_cannot_see_it(client, control):
    text = page_with(
        client, control, FieldObject("M 31", 500, 500, 300, is_target=True), FieldObject("M 32", 520, 700, 20)
    )
    assert re.search(r'<svg class="sky" viewBox="0 0 1000.0 666.7" aria-hidden="true"', text)
    assert text.count("<circle") == 2
    box = re.search(r'<input type="checkbox" id="show-sky"[^>]*>', text)[0]
    assert "checked" not in box
    assert "Show what is in the picture" in text
    assert "In the picture: M 31, M 32" in text


def test_names_are_escaped(client, control):
    text = page_with(client, control, FieldObject(EVIL, 500, 500))
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_without_a_place_there_is_no_checkbox_but_the_list(client, control):
    text = page_with(client, control, FieldObject("M 31"))
    assert "show-sky" not in text
    assert "In the picture: M 31" in text
