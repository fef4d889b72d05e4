"""The sky's names in other languages than English: one small table for each language and kind, read once."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def table(kind: str, language: str) -> dict[str, str]:
    """Return a table of names by their keys.

    Args:
        kind: ``constellations``, by their IAU abbreviations; ``object_types``, by their English words.
        language: its code; English has no table, for that is what the keys are in.
    """
    if language == "en":
        return {}
    text = files(__package__).joinpath("data", f"{kind}_{language}.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {row["key"]: row["name"] for row in csv.DictReader(lines)}
