"""Which tags only stand under another path now, and how that is told."""

from __future__ import annotations

from collections import Counter

import pytest

from reconciler.core.plan.kinds import kinds_of
from reconciler.core.plan.renames import branches, moved

FLAT = {"Astro/Galaxy": "Type", "Astro/RC8": "Equipment"}


@pytest.mark.parametrize(
    ("removed", "desired", "kinds", "found"),
    [
        (
            {"Astro/Type/Galaxy"},
            {"Astronomy/Type/Galaxy"},
            {},
            {"Astro/Type/Galaxy": "Astronomy/Type/Galaxy"},
        ),
        ({"Astro/mine"}, {"mine"}, {}, {"Astro/mine": "mine"}),
        ({"Astro/mine"}, {"Sky/Mine"}, {}, {"Astro/mine": "Sky/Mine"}),
        ({"Astro/Galaxy"}, {"Astro/Type/Galaxy"}, FLAT, {"Astro/Galaxy": "Astro/Type/Galaxy"}),
        ({"Astro/Equipment/RC8"}, {"Astro/RC8"}, FLAT, {"Astro/Equipment/RC8": "Astro/RC8"}),
        # Another fact of the same name is another fact.
        ({"Astro/Equipment/Orion"}, {"Astro/Constellation/Orion"}, {}, {}),
        ({"Astro/Orion"}, {"Astro/Constellation/Orion"}, {}, {}),
        ({"Astro/Type/Galaxy"}, {"Astro/Type/Nebula"}, {}, {}),
        (set(), {"Astro/Type/Nebula"}, {}, {}),
    ],
)
def test_a_tag_moved_where_its_fact_is_wanted_under_another_path(removed, desired, kinds, found):
    assert moved(removed, desired, kinds) == found


def test_a_rename_is_told_by_its_branch():
    pairs = [
        ("Astro/Type/Galaxy", "Astronomy/Type/Galaxy"),
        ("Astro/mine", "Astronomy/mine"),
        ("Astro/RC8", "Astro/Equipment/RC8"),
        ("Type/Galaxy", "Sky/Type/Galaxy"),
        ("Astro/mine", "mine"),
    ]
    assert branches(pairs) == Counter(
        {("Astro", "Astronomy"): 2, ("Astro", "Astro/Equipment"): 1, ("", "Sky"): 1, ("Astro", ""): 1}
    )


def test_a_renamed_root_adds_first_and_is_no_loss(make):
    ours = ["Astro/Type/Galaxy", "Astro/mine"]
    record = make.record(tags=ours)
    desired = make.desired(tags=["Sky/Type/Galaxy", "Sky/mine"])
    plan = make.plan(desired, make.asset(tags=[*ours, "Astro/theirs", "Family"]), record)
    assert plan.add_tags == {"Sky/Type/Galaxy", "Sky/mine"}
    assert plan.remove_tags == set(ours)
    assert not plan.takes_away
    assert branches(plan.renames) == {("Astro", "Sky"): 2}
    assert kinds_of([plan]) == {("tags", "changed"): 2}
    after, record = make.carry_out(plan, record)
    assert after.tags == {"Sky/Type/Galaxy", "Sky/mine", "Astro/theirs", "Family"}
    again = make.plan(desired, after, record)
    assert not again.changes
    assert not again.renames


def test_the_old_path_stays_while_the_new_one_does_not_stick(make):
    from reconciler.core.fingerprint import digest
    from reconciler.core.plan.standing import live_digest
    from reconciler.core.reasons import reason
    from reconciler.core.records import Unsticking

    asset = make.asset(tags=["Astro/mine"])
    adding = frozenset({"Sky/mine"})
    entry = Unsticking("tags", digest(adding), live_digest("tags", asset), "2.7.5", reason("read_only"))
    plan = make.plan(make.desired(tags=adding), asset, make.record(entry, tags=["Astro/mine"]))
    assert not plan.changes
    assert plan.base.tags == {"Astro/mine"}


def test_what_is_lost_beside_a_rename_is_lost(make):
    ours = ["Astro/Equipment/A", "Astro/Equipment/B", "Astro/gone"]
    plan = make.plan(make.desired(tags=["Sky/Equipment/A"]), make.asset(tags=ours), make.record(tags=ours))
    assert plan.lost_tags == {"Astro/Equipment/B", "Astro/gone"}
    assert branches(plan.renames) == {("Astro", "Sky"): 1}
