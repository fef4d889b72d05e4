"""``make sky-check``: facts of generated pictures against astropy, and what the generator knows.

A catalogue of Skymmich with so many pictures (``ARGS="1000 --seed 7"``) is read as ever; every fact that is told
has to be true, and some may be left out. Exits 1 if one is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from sky_truth import ENLARGED, Scene, Truth, constellations_beside, key, scenes, store  # noqa: E402 - after the path

from reconciler.core.desired.facts import facts_of  # noqa: E402 - the same
from reconciler.core.policy import DescriptionPolicy  # noqa: E402 - the same
from reconciler.core.sky.constellations import abbreviation_of  # noqa: E402 - the same
from reconciler.openngc.catalogue import OpenNgc  # noqa: E402 - the same
from reconciler.skymmich.database import SqliteCatalogue  # noqa: E402 - the same

ANGLE = 1.5
"""Degrees within which a position angle is right."""
MARGIN = 0.02
"""Share of a side that a named thing may lie beyond the edge."""
PLACE = 0.07
"""Share of the longer side by which a drawn thing may be off: some marks are off by 4 %."""
_UNITS = {"°": 1.0, "′": 1 / 60, "″": 1 / 3600}


class Check:
    """Compares, and counts what was told and what of it is wrong."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.told: Counter[str] = Counter()
        self.wrong: list[str] = []

    def holds(self, kind, number, right, what) -> None:
        self.told[kind] += 1
        if not right:
            self.wrong.append(f"{kind} of picture {number}: {what}")

    def picture(self, number, one: Scene, image) -> None:
        """Compare all facts of a picture."""
        pixels = one.width * ENLARGED, one.height * ENLARGED
        facts = facts_of(image, DescriptionPolicy(most_field_objects=24), pixels)
        if facts.rotation:
            angle = float(facts.rotation.rstrip("°"))
            off = abs((angle - one.angle + 180) % 360 - 180)
            self.holds("angle", number, off <= ANGLE + 0.05, f"{angle}, not {one.angle:.1f}")
        told = abbreviation_of(facts.constellation)
        right = told == one.constellation or told in constellations_beside(*one.position)
        self.holds("constellation", number, right, f"{told}, not {one.constellation}")
        self._sizes(number, one, facts)
        for each in image.solution.objects:
            self._object(number, one, each)
        also = set(facts.also_in_field)
        listed = {each.name for each in image.solution.objects if not each.is_target}
        self.holds("line", number, also <= listed, f"{also - listed} are in no list")

    def _sizes(self, number, one, facts):
        if facts.field:
            told = re.fullmatch(r"([\d.]+)(.) × ([\d.]+)(.)", facts.field)
            places = len(told[1].partition(".")[2])
            for text, unit, true in zip(told.groups()[::2], told.groups()[1::2], one.sides(), strict=True):
                least = 0.51 * 10**-places * _UNITS[unit]
                off = abs(float(text) * _UNITS[unit] - true)
                self.holds("field", number, off <= 0.003 * true + least, f"{facts.field}, not {true:.4f}°")
        if facts.pixel_scale:
            scale = float(re.match(r"[\d.]+", facts.pixel_scale)[0])
            true = one.scale / ENLARGED
            self.holds("scale", number, abs(scale - true) <= 0.005 * true + 0.006, f"{scale}, not {true:.3f}")
            is_wide = "centre" in facts.pixel_scale
            self.holds("centre", number, is_wide == (max(one.plane()) >= 10), facts.pixel_scale)

    def _object(self, number, one, each):
        thing = self.truth.named.get(key(each.name))
        if thing is None:
            self.wrong.append(f"object of picture {number}: {each.name} is nothing known")
            return
        if each.is_target:
            right = one.target is not None and thing.number == one.target.number
            self.holds("target", number, right, f"{each.name} is not {one.target_name}")
            return
        x, y = one.place(thing)
        inside = all(-MARGIN <= side <= 1 + MARGIN for side in (x, y))
        self.holds("object", number, inside, f"{each.name} is at {x:.3f}, {y:.3f}")
        is_other = one.target is None or thing.number != one.target.number
        self.holds("other", number, is_other, f"{each.name} is its target")
        self.holds("deep sky", number, not thing.is_star, f"{each.name} is a star")
        if each.x is not None:
            longer = max(one.width, one.height)
            off = abs(complex((each.x / 1000 - x) * one.width, (each.y / 1000 - y) * one.height)) / longer
            self.holds("place", number, off <= PLACE, f"{each.name} is drawn {off:.0%} off")


def run(count: int, seed: int, folder: Path) -> Check:
    """Make, read and compare so many pictures."""
    rng, truth = Random(seed), Truth()
    made = scenes(truth, count, rng)
    path = folder / "skymmich.db"
    store(path, made, rng)
    catalogue = SqliteCatalogue(path, sky=OpenNgc()).read()
    check = Check(truth)
    images = {image.image_id: image for image in catalogue.images}
    for number, one in enumerate(made, start=1):
        check.picture(number, one, images[number])
    return check


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1_000)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        check = run(asked.count, asked.seed, Path(folder))
    print(f"{asked.count} pictures, seed {asked.seed}, {time.monotonic() - begin:.0f} s")
    for kind, told in sorted(check.told.items()):
        print(f"  {kind:14}{told:7} told")
    for line in check.wrong[:40]:
        print(line, file=sys.stderr)
    print(f"{len(check.wrong)} wrong facts")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
