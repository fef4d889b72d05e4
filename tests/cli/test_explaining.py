from __future__ import annotations

from dataclasses import replace

from reconciler.cli.image_view import View
from reconciler.cli.output.explain import _facts, _owned, _show_exact
from reconciler.cli.output.screen import Screen
from reconciler.core.asset import Coordinates
from reconciler.core.catalogue import CatalogueImage, PlateSolution
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import TagsDecision, ValueDecision


def test_a_persons_tags_are_counted_apart_from_those_that_this_program_wrote():
    kept = TagsDecision(
        "tags", "in_sync", "nothing", base=("a", "b"), desired=("a", "b"), live=("a", "b", "c")
    )
    assert _owned(kept) == "2 written by this program, 1 not"
    assert _owned(replace(kept, live=("a", "b"))) == "as written by this program"


def test_a_plate_solution_at_right_ascension_zero_is_shown():
    image = CatalogueImage(1, None, "On the meridian", solution=PlateSolution(ra_deg=0.0, dec_deg=5.0))
    assert dict(_facts(image))["solution"] == "RA 0.0°, Dec 5.0°"


def test_a_coarser_place_is_shown_beside_the_exact_one(capsys):
    exact, told = Coordinates(48.137154, 11.576124), Coordinates(48.0, 11.5)
    decision = ValueDecision("coordinates", "update", "write", base=None, desired=told, live=exact)
    view = View(CatalogueImage(1, None, ""), (), Desired(coordinates=told, exact_place=exact))
    screen = Screen()
    _show_exact(screen, decision, view)
    assert "48.137154, 11.576124  (stays here" in capsys.readouterr().out
    _show_exact(screen, decision, replace(view, desired=Desired(coordinates=told)))
    assert not capsys.readouterr().out
