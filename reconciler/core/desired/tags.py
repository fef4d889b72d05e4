"""The tags an image should carry: the catalogue's without the plate solver's noise, and its facts as tags.

Not for merging them with what is there: see ``merge``. Tags are full paths (``Astro/Galaxy``); a name never
holds a ``/`` or ``|`` of its own, since Immich and its sidecars read those as levels.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.bidi import CONTROLS
from reconciler.core.desired.tag_noise import is_persons, is_solvers
from reconciler.core.reasons import Reason, reason
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reconciler.core.policy import TagPolicy

MAX_TAGS = 200
"""Different tags that an image may have of its own in Skymmich; more are left out, with one remark."""

_MOST_REMARKS = 10
_SHOWN = 60
"""Characters of a tag that a remark names."""
_COUNTED = 5_000
"""So many tags that are left out are counted without noise; more than that nobody entered by hand."""

MAX_NAME = 200
"""Characters; longer ones are left out and reported: Immich would take them, but no list could show them."""

_UNSEEN = CONTROLS | {"\ufeff"}
SINGLE_GROUPS = frozenset(("Type", "Constellation", "Target"))
"""Levels under which the tags of facts hang of which an image has one."""
GROUPS = SINGLE_GROUPS | {"Equipment", "In the field"}
"""Levels under which the tags of facts hang."""
_SEPARATORS = re.compile(r"\s*[/|\\]+\s*")


@dataclass(frozen=True, slots=True)
class TagSources:
    """What tags are made of; empty texts and tuples where the catalogue knows nothing."""

    own: tuple[str, ...] = ()
    """Of the catalogue's own tags those that are taken: see ``own_tags``."""
    object_type: str = ""
    constellation: str = ""
    targets: tuple[str, ...] = ()
    """A picture may be of several objects."""
    equipment: tuple[tuple[str, str], ...] = ()
    """Pairs of kind and name."""
    field_objects: tuple[str, ...] = ()
    """What else is in the picture, best known first."""


@lru_cache(maxsize=8192)
def tag_name(text: str) -> str:
    """Return a tag's name in normal form: NFC, one line, single blanks, no level separators; may be empty."""
    name = one_line(unicodedata.normalize("NFC", text))
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cs", "Cn"} and c not in _UNSEEN)
    return _SEPARATORS.sub("-", name.strip(" /|\\")).strip()


@dataclass(frozen=True, slots=True)
class OwnTags:
    """An image's own tags of the catalogue: which are taken, and which are not."""

    kept: tuple[str, ...] = ()
    """Names in the catalogue's order; those that differ only in case are one, the first."""
    omitted: tuple[str, ...] = ()
    """Noise, and what the user drops; likewise. Of a list that is cut only those before the cut."""
    cut: int = 0
    """How many more there are than ``MAX_TAGS`` that would be kept."""


def own_tags(tags: tuple[str, ...], policy: TagPolicy, texts: Sequence[str] = ()) -> OwnTags:
    """Return which of an image's own tags it gets.

    Args:
        tags: as the catalogue has them.
        policy: the user's choice; what it keeps is kept whatever else is said of it.
        texts: the title and the target's names: a tag that stands in one of them is a person's.
    """
    if not policy.catalogue_tags:
        return OwnTags()
    kept: dict[str, str] = {}
    omitted: dict[str, str] = {}
    rest: dict[str, None] = {}
    for text in tags:
        if len(kept) >= MAX_TAGS:
            rest[text.strip().casefold()] = None
        elif name := tag_name(text):
            into = omitted if _is_omitted(name, policy, texts) else kept
            into.setdefault(name.casefold(), name)
    left = len(rest)
    if 0 < left <= _COUNTED:
        names = {name.casefold(): name for text in tags if (name := tag_name(text))}
        left = sum(
            key not in kept and key not in omitted and not _is_omitted(name, policy, texts)
            for key, name in names.items()
        )
    return OwnTags(tuple(kept.values()), tuple(omitted.values()), left)


def omitted_tags(own: OwnTags) -> tuple[Reason, ...]:
    """Return what is told of the tags that are left out as they should be: one remark, or none."""
    if not own.omitted:
        return ()
    shown = tuple(name[:_SHOWN] for name in own.omitted[:_MOST_REMARKS])
    return (reason("tags_omitted", count=len(own.omitted), tags=shown),)


def _is_omitted(name: str, policy: TagPolicy, texts: Sequence[str]) -> bool:
    if _matches(name, policy.keep):
        return False
    if _matches(name, policy.drop):
        return True
    return len(name) <= MAX_NAME and is_solvers(name) and not is_persons(name, texts)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return bool(patterns) and any(pattern.search(name) for pattern in _compiled(patterns))


def desired_tags(
    sources: TagSources, policy: TagPolicy, settled: Callable[[str], str | None]
) -> tuple[frozenset[str], tuple[Reason, ...]]:
    """Return the set of full tag paths that an image should carry.

    Args:
        sources: what the catalogue knows.
        policy: the user's choice.
        settled: the form in which the target keeps a path; ``None`` if it cannot.

    Returns:
        the paths, and the problems. Names that differ only in case are one tag, the first. Of more than the
        user's bound the first are taken: facts, then the catalogue's own in its order.
    """
    chosen: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    problems: list[Reason] = []
    beyond: set[tuple[str, str]] = set()
    root = _root(policy)
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
            key = (group, name.casefold())
            if len(chosen) >= policy.max_per_image and key not in chosen:
                beyond.add(key)
                continue
            chosen.setdefault(key, path)
            taken.add(name.casefold())
    if (more := len(problems) - _MOST_REMARKS) > 0:
        problems[_MOST_REMARKS:] = [reason("tags_left_out", count=more)]
    if beyond:
        problems.append(reason("tags_bounded", most=policy.max_per_image, count=len(beyond)))
    return frozenset(chosen.values()), tuple(problems)


def flat_kinds(
    sources: TagSources, policy: TagPolicy, settled: Callable[[str], str | None], tags: frozenset[str]
) -> tuple[tuple[str, str], ...]:
    """Return of which kind the facts in an image's tags are, where their paths do not tell; in order."""
    if policy.groups:
        return ()
    root, found = _root(policy), dict[str, str]()
    for group, name in _names(sources, replace(policy, groups=True)):
        path = settled("/".join([*root, name])) if group else None
        if path in tags and path is not None:
            found.setdefault(path, group)
    return tuple(sorted(found.items()))


def tag_root(policy: TagPolicy) -> str:
    """Return the path below which all of our tags hang; empty: below none."""
    return "/".join(_root(policy))


def _root(policy: TagPolicy) -> list[str]:
    return [name for level in policy.root.split("/") if (name := tag_name(level))]


def _names(sources: TagSources, policy: TagPolicy) -> Iterable[tuple[str, str]]:
    """Yield (group, name); facts come first, so that a plain tag of the same name adds no second one."""
    facts: list[tuple[str, str, bool]] = [
        ("Type", sources.object_type, policy.object_type),
        ("Constellation", sources.constellation, policy.constellation),
        *(("Target", name, policy.target) for name in sources.targets),
    ]
    facts += [
        ("Equipment", name, policy.equipment and kind in policy.equipment_kinds)
        for kind, name in sources.equipment
    ]
    facts += [
        ("In the field", name, policy.field_objects)
        for name in sources.field_objects[: policy.most_field_objects]
    ]
    for group, text, wanted in facts:
        if wanted and (name := tag_name(text)):
            yield (group if policy.groups else "", name)
    for name in sources.own:
        yield ("", name)


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
