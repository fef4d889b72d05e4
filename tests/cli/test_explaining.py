from __future__ import annotations

from dataclasses import replace

from reconciler.cli.output.explain import _facts, _owned
from reconciler.core.catalogue import CatalogueImage, PlateSolution
from reconciler.core.plan.plan import TagsDecision


def test_a_persons_tags_are_counted_apart_from_those_that_this_program_wrote():
    kept = TagsDecision(
        "tags", "in_sync", "nothing", base=("a", "b"), desired=("a", "b"), live=("a", "b", "c")
    )
    assert _owned(kept) == "2 written by this program, 1 not"
    assert _owned(replace(kept, live=("a", "b"))) == "as written by this program"


def test_a_plate_solution_at_right_ascension_zero_is_shown():
    image = CatalogueImage(1, None, "On the meridian", solution=PlateSolution(ra_deg=0.0, dec_deg=5.0))
    assert dict(_facts(image))["solution"] == "RA 0.0°, Dec 5.0°"
