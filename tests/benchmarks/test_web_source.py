"""What is measured of a catalogue over the web, with few images."""

from __future__ import annotations

import pytest

from .web_source import measure


@pytest.mark.parametrize(("kind", "most"), [("sqlite", 450), ("postgresql", 900)])
def test_a_quarter_of_an_hour_costs_few_requests_whatever_the_images(kind, most):
    found = measure(60, kind, 900.0)
    assert found["images"] == 60
    assert found["first_requests"] < 60 + 60
    assert 180 <= found["requests"] <= most
