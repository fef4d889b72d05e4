"""The measured tables of what comes back from the file."""

from __future__ import annotations

import math
import random

import pytest

from reconciler.simulator.server.roundtrip import settled_coordinates, settled_description, settled_tag


@pytest.mark.parametrize(
    ("sent", "settled"),
    [
        ("  M 31 \n", "M 31"),
        ("\u00a0M 31\ufeff", "M 31"),
        (" \t\n", ""),
        ("&amp; &lt;", "& <"),
        ("&#10;x&lt;", "x<"),
        ("&amp;lt;", "&lt;"),
        ("a < b > c & 'd' \"e\"", "a < b > c & 'd' \"e\""),
        ("&nosuchentity;", "&nosuchentity;"),
        ("0", ""),
        ("null", ""),
        ("undefined", ""),
        ("1.50", "1.5"),
        ("1e5", "100000"),
        (" 1e5 ", "1e5"),
        ("(Binary data 5 bytes, use -b option to extract)", "[object Object]"),
        ("a\x01b\x0bc", "a.b.c"),
        ("a\ufffeb", "a???b"),
    ],
)
def test_a_description_comes_back_as_measured(sent: str, settled: str) -> None:
    assert settled_description(sent) == settled


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\r\nc\rd\te  f",
        "👩‍🚀 e\u0301 שלום a\u2028b\u0085c\u007fd\u200be",
        "12345",
        "007",
        "+5",
        "0x10",
        "12345678901234567890",
        "NaN",
        "true",
        "東" * 4000,
        "x" * 1_000_000,
    ],
)
def test_an_ordinary_description_survives(text: str) -> None:
    assert settled_description(text) == text


def test_a_long_text_of_many_bytes_is_torn_at_chunk_borders() -> None:
    settled = settled_description("東" * 6000)
    assert settled.count("\ufffd") == 2
    assert len(settled) == 6000


@pytest.mark.parametrize(
    ("sent", "settled"),
    [
        ("&amp;", "&"),
        ("1.50", "1.5"),
        ("1e5", "100000"),
        ("null", "undefined"),
        ("Astro/&lt;b", "Astro/<b"),
        ("(Binary data 5 bytes, use -b option to extract)", "[object Object]"),
    ],
)
def test_a_tag_is_rewritten_as_measured(sent: str, settled: str) -> None:
    assert settled_tag(sent) == settled


@pytest.mark.parametrize(
    "path", ["a,b|c", " lead", "a/ b", "0", "007", "true", "+1", "-", "*", "<b>", "x\ty"]
)
def test_an_ordinary_tag_survives(path: str) -> None:
    assert settled_tag(path) == path


@pytest.mark.parametrize(
    ("sent", "settled"),
    [
        ((1, 1), (1, -1)),
        ((51.48, 0.001), (51.48, -0.001)),
        ((47.5, 0.004), (47.5, -0.004)),
        ((0.001, -78.45), (-0.001, -78.45)),
        ((-17.8, -179.998), (-17.8, 179.998)),
        ((1.23456789, 2.3456789), (-1.234568, 2.345679)),
        ((0, 0), None),
        ((-0.0, 0.0), None),
        ((0, 10.5), (0, 10.5)),
        ((10.5, 0), (10.5, 0)),
        ((90, 180), (90, 180)),
        ((-90, -180), (-90, -180)),
        ((40.7484405, -118.1234565), (40.748441, -118.123456)),
    ],
)
def test_coordinates_come_back_as_measured(
    sent: tuple[float, float], settled: tuple[float, float] | None
) -> None:
    assert settled_coordinates(sent, flips=True) == settled


def test_a_flipped_point_never_settles_by_writing_it_again() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        point = (chance.uniform(-3, 3), chance.uniform(-180, 180))
        settled = settled_coordinates(point, flips=True)
        assert settled is not None
        assert settled_coordinates(settled, flips=True) == settled
        assert settled_coordinates(point, flips=True) == settled


def test_signs_flip_as_often_as_measured() -> None:
    chance = random.Random(8)

    def flips(points: list[tuple[float, float]]) -> float:
        settled = [settled_coordinates(point, flips=True) or point for point in points]
        changed = [
            before[0] * after[0] < 0 or before[1] * after[1] < 0
            for before, after in zip(points, settled, strict=True)
        ]
        return sum(changed) / len(points)

    world = [(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180)) for _ in range(8000)]
    greenwich = [(chance.uniform(20, 60), chance.uniform(-0.05, 0.05)) for _ in range(2000)]
    assert 0.005 < flips(world) < 0.015
    assert 0.42 < flips(greenwich) < 0.52
