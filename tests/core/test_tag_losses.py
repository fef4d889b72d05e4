"""Which tags are lost, and which only give way."""

from __future__ import annotations

import pytest

from reconciler.core.plan.tag_losses import lost_tags

OWN = "Astro/Target/M 31 Andromeda Galaxy"


@pytest.mark.parametrize(
    ("removed", "desired", "lost"),
    [
        ((), ("Astro/A",), ()),
        (("Astro/Type/Nebula",), ("Astro/Type/Emission nebula",), ()),
        (("Astro/Type/Nebula",), ("Astro/Target/M 42",), ("Astro/Type/Nebula",)),
        (
            ("Astro/Equipment/A", "Astro/Equipment/B"),
            ("Astro/Equipment/C",),
            ("Astro/Equipment/A", "Astro/Equipment/B"),
        ),
        (("Astro/a",), ("Astro/c",), ("Astro/a",)),
        (("Sky/Type/Galaxy",), ("Astro/Type/Galaxy",), ("Sky/Type/Galaxy",)),
        (("Astro/M 31", "Astro/NGC 224", "Astro/Andromeda Galaxy"), (OWN,), ()),
        (("Astro/M 31", "Astro/M 33"), (OWN,), ("Astro/M 33",)),
        ((OWN,), (), (OWN,)),
        (("Astro/34 Sgr)", "Astro/The star Nunki"), (), ()),
        (("Family",), (OWN,), ("Family",)),
    ],
)
def test_a_tag_is_lost_where_nothing_stands_in_its_place(removed, desired, lost):
    assert lost_tags(frozenset(removed), frozenset(desired)) == frozenset(lost)
