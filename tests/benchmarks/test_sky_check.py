"""``make sky-check``, small."""

from __future__ import annotations

from collections import Counter

import pytest


def test_no_fact_of_generated_pictures_is_wrong_and_most_are_told(tmp_path):
    pytest.importorskip("astropy", reason="astropy comes with the dev group")
    from sky_check import run

    check = run(60, 11, tmp_path)
    assert check.wrong == []
    least = Counter(angle=35, constellation=60, field=120, scale=60, object=60, place=60, target=10)
    assert least <= check.told
