"""The tags an image should carry: the catalogue's without the plate solver's noise, and its facts as tags.

Not for merging them with what is there: see ``merge``. Tags are full paths (``Astro/Galaxy``); a name never
holds a ``/`` or ``|`` of its own, since Immich and its sidecars read those as levels.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.reasons import Reason, reason
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.core.policy import TagPolicy

MAX_TAGS = 200
"""Different tags that an image may have of its own in Skymmich; more are left out, with one remark."""

_MOST_REMARKS = 10
_COUNTED = 5_000
"""So many tags that are left out are counted without noise; more than that nobody entered by hand."""

MAX_NAME = 200
"""Characters; longer ones are left out and reported: Immich would take them, but no list could show them."""

# What nova.astrometry.net's annotations bring and no person would file a picture under: star names and
# designations, sentences about constellations. Catalogue numbers of deep-sky objects are kept.
_NOISE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^the star\b",
        r"^part of the constellation\b",
        r"^the constellation\b",
        r"^(hd|hip|hr|sao|tyc|gsc|bd|cd|cpd|ppm|2mass|gaia|ucac\d?|ads|wds)[ +\-]?\d[\d+\-. ]*$",
        r"^\(?\d{1,3} [a-z]{3}\)$",  # 25 Tau)
        r"^\(?[α-ωΑ-Ω][¹²³0-9]{0,2} [a-z]{3}( [a-z])?\)?$",  # (ζ Ori)
        r"^.*\([α-ωΑ-Ω][¹²³0-9]{0,2} [a-z]{3}( [a-z])?\)$",  # θ1 Ori C (θ1 Ori), Alnitak (ζ Ori)
        r"^small sgr star cloud$",
    )
)
_SEPARATORS = re.compile(r"\s*[/|\\]+\s*")


@dataclass(frozen=True, slots=True)
class TagSources:
    """What tags are made of; empty texts and tuples where the catalogue knows nothing."""

    catalogue: tuple[str, ...] = ()
    object_type: str = ""
    constellation: str = ""
    target: str = ""
    equipment: tuple[tuple[str, str], ...] = ()
    """Pairs of kind and name."""
    more_targets: tuple[str, ...] = ()
    """Of a picture of several objects, those after the first."""


def tag_name(text: str) -> str:
    """Return a tag's name in normal form: NFC, one line, single blanks, no level separators; may be empty."""
    name = one_line(unicodedata.normalize("NFC", text))
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cs", "Cn"} and c != "\ufeff")
    return _SEPARATORS.sub("-", name.strip(" /|\\")).strip()


def is_noise(name: str, drop: tuple[str, ...] = ()) -> bool:
    """Return whether a catalogue tag is the plate solver's and not a person's.

    Args:
        name: the tag.
        drop: further regular expressions of the user's; searched, case ignored.
    """
    if any(pattern.match(name) for pattern in _NOISE):
        return True
    return any(pattern.search(name) for pattern in _compiled(drop))


def first_tags(tags: tuple[str, ...], policy: TagPolicy) -> tuple[tuple[str, ...], int]:
    """Return an image's own tags, at most ``MAX_TAGS`` different ones, and how many are left out."""
    if len(tags) <= MAX_TAGS or not policy.catalogue_tags:
        return tags, 0
    kept: dict[str, str] = {}
    rest: dict[str, None] = {}
    for text in tags:
        if len(kept) >= MAX_TAGS:
            rest[text.strip().casefold()] = None
        elif (name := tag_name(text)) and not is_noise(name, policy.drop):
            kept.setdefault(name.casefold(), text)
    left = len(rest)
    if left <= _COUNTED:
        names = {tag_name(text).casefold() for text in rest} - kept.keys() - {""}
        left = sum(not is_noise(name, policy.drop) for name in names)
    return tuple(kept.values()), left


def desired_tags(
    sources: TagSources, policy: TagPolicy, settled: Callable[[str], str | None]
) -> tuple[frozenset[str], tuple[Reason, ...]]:
    """Return the set of full tag paths that an image should carry.

    Args:
        sources: what the catalogue knows.
        policy: the user's choice.
        settled: the form in which the target keeps a path; ``None`` if it cannot.

    Returns:
        the paths, and the problems. Names that differ only in case are one tag, the first.
    """
    chosen: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    problems: list[Reason] = []
    root = [name for level in policy.root.split("/") if (name := tag_name(level))]
    for group, name in _names(sources, policy):
        if len(name) > MAX_NAME:
            problems.append(reason("tag_too_long", tag=name[:40], most=MAX_NAME))
            continue
        path = settled("/".join([*root, *([group] if group else []), name]))
        if path is None:
            problems.append(reason("tag_not_kept", tag=name))
        elif group or name.casefold() not in taken:
            # Facts of different kinds may share a name (Orion, a constellation and a maker of telescopes);
            # a plain tag yields to any of them.
            chosen.setdefault((group, name.casefold()), path)
            taken.add(name.casefold())
    if (more := len(problems) - _MOST_REMARKS) > 0:
        problems[_MOST_REMARKS:] = [reason("tags_left_out", count=more)]
    return frozenset(chosen.values()), tuple(problems)


def _names(sources: TagSources, policy: TagPolicy) -> Iterable[tuple[str, str]]:
    """Yield (group, name); facts come first, so that a plain tag of the same name adds no second one."""
    facts: list[tuple[str, str, bool]] = [
        ("Type", sources.object_type, policy.object_type),
        ("Constellation", sources.constellation, policy.constellation),
        *(("Target", name, policy.target) for name in (sources.target, *sources.more_targets)),
    ]
    facts += [
        ("Equipment", name, policy.equipment and kind in policy.equipment_kinds)
        for kind, name in sources.equipment
    ]
    for group, text, wanted in facts:
        if wanted and (name := tag_name(text)):
            yield (group if policy.groups else "", name)
    if policy.catalogue_tags:
        for text in sources.catalogue:
            if (name := tag_name(text)) and not is_noise(name, policy.drop):
                yield ("", name)


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
