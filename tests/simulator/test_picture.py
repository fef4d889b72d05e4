from __future__ import annotations

import struct
import zlib

import pytest

from reconciler.simulator.drawing.kinds import KINDS
from reconciler.simulator.drawing.picture import picture
from reconciler.simulator.drawing.subject import filters_of, kind_of


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Read width, height and the filtered rows of a PNG of one IDAT."""
    width, height = struct.unpack(">II", png[16:24])
    length = struct.unpack(">I", png[33:37])[0]
    return width, height, zlib.decompress(png[41 : 41 + length])


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_a_picture_is_a_small_png_and_always_the_same(kind):
    png = picture("an asset", kind, "sho")
    width, height, rows = pixels(png)
    assert (width, height) == (270, 180)
    assert len(rows) == height * (1 + 3 * width)
    assert len(png) < 70_000
    picture.cache_clear()
    assert picture("an asset", kind, "sho") == png != picture("another", kind, "sho")


def test_a_preview_is_larger():
    assert pixels(picture("an asset", "moon", "", "preview"))[:2] == (640, 428)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (("G", "Leo triplet", "NGC 3628", "Deep Sky", "Hamburger Galaxy"), "edge-on"),
        (("G", "M33 and its pink clouds", "NGC 598", "Deep Sky", "Triangulum Galaxy"), "galaxy"),
        (("GCl", "M13", "NGC 6205", "Deep Sky", "Hercules Globular Cluster"), "globular"),
        (("OCl", "The Seven Sisters", "Mel022", "Deep Sky", "Pleiades"), "nebulous cluster"),
        (("", "Cave Nebula – Sh2-155", "Sh2-155", "Emission Nebula", ""), "nebula"),
        (("", "Moon, day 10", "Moon", "Deep Sky", ""), "moon"),
        (("", "IMG_2217", "", "", ""), ""),
    ],
)
def test_what_a_picture_shows_is_guessed_from_what_the_catalogue_says(told, kind):
    assert kind_of(*told) == kind
    assert kind == "" or kind in KINDS


def test_a_nebula_has_the_palette_of_its_file_name():
    assert [filters_of(name) for name in ("NGC281_SHO.jpg", "IC443_HOO.jpg", "a.jpg")] == [
        "sho",
        "hoo",
        "lrgb",
    ]
