"""Which tags are lost, and which only give way."""

from __future__ import annotations

import pytest

from reconciler.core.plan.tag_losses import lost_tags

OWN = "Astro/Target/M 31 Andromeda Galaxy"


@pytest.mark.parametrize(
    ("removed", "added", "kept", "lost"),
    [
        ((), ("Astro/A",), (), ()),
        (("Astro/Equipment/ASI1600",), ("Astro/Equipment/ASI2600",), (), ()),
        (("Astro/Equipment/ASI1600",), (), (), ("Astro/Equipment/ASI1600",)),
        (("Astro/Equipment/ASI1600",), ("Astro/Type/Galaxy",), (), ("Astro/Equipment/ASI1600",)),
        (("Astro/a",), ("Astro/c",), (), ("Astro/a",)),
        (("Astro/Type/a", "Astro/Type/b"), ("Astro/Type/c",), (), ("Astro/Type/b",)),
        (("Astro/M 31", "Astro/NGC 224", "Astro/Andromeda Galaxy"), (), (OWN,), ()),
        (("Astro/M 31", "Astro/M 33"), (), (OWN,), ("Astro/M 33",)),
        (("Astro/Target/M 31 Andromeda Galaxy",), (), (), (OWN,)),
        (("Astro/34 Sgr)", "Astro/The star Nunki"), (), (), ()),
        (("Family",), (), (OWN,), ("Family",)),
    ],
)
def test_a_tag_is_lost_where_nothing_stands_in_its_place(removed, added, kept, lost):
    found = lost_tags(frozenset(removed), frozenset(added), frozenset((*added, *kept)))
    assert found == frozenset(lost)


def test_a_whole_library_that_loses_its_tags_is_told_whatever_little_comes():
    removed = frozenset(f"Astro/Type/{number}" for number in range(20))
    assert len(lost_tags(removed, frozenset({"Astro/Type/new"}), frozenset({"Astro/Type/new"}))) == 19
