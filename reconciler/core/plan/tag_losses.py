"""Which tags that a plan takes off are a loss, and which only give way to something that says the same.

A library whose tags are told better than before changes; it does not lose. Nor does one of which a camera, or
anything else that facts name, was renamed, nor one whose branch of tags was: see ``renames``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.core.desired.tag_noise import is_solvers
from reconciler.core.desired.tags import SINGLE_GROUPS
from reconciler.core.plan.renames import kind_of, moved
from reconciler.core.sky import designations, famous

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def lost_tags(removed: frozenset[str], desired: frozenset[str]) -> frozenset[str]:
    """Return those of the removed tags that have nothing in their place.

    In its place is: for a fact of which an image has one (type, constellation, target), the tag of what it is
    now; for another spelling of an object, the object's tag. The plate solver's star names are nobody's.
    What was added already changes nothing: a loss that is held is the same loss at the next look.

    Args:
        removed: full paths that are taken off.
        desired: full paths that the image should carry.
    """
    if not removed:
        return removed
    kinds = frozenset(filter(None, map(_kind, desired)))
    told = frozenset(each for tag in desired for each in _objects(_leaf(tag)))
    return frozenset(
        tag
        for tag in removed
        if _kind(tag) not in kinds
        and not is_solvers(name := _leaf(tag))
        and not ((objects := _objects(name)) and objects <= told)
    )


def superseded(
    removed: frozenset[str], desired: frozenset[str], owned: frozenset[str], kinds: Mapping[str, str]
) -> frozenset[str]:
    """Return those of the removed tags whose place another one takes: what was renamed, or stands elsewhere.

    What stands under another path now is the same tag of a renamed branch. Of the rest, a new one of the same
    kind takes the place of one that goes. A kind of which fewer come than go is not told apart: all of it is
    lost. A person's own tags in Skymmich have no kind: that one goes and another one comes does not make it a
    rename.

    Args:
        removed: full paths that are taken off.
        desired: full paths that the image should carry.
        owned: full paths that were ours before any of these were added.
        kinds: of which kind tags are whose path does not tell it.
    """
    branch = moved(removed, desired, kinds)
    left = removed - branch.keys()
    new = desired - owned - frozenset(branch.values())
    coming = Counter(kind for tag in new if (kind := kind_of(tag, kinds))) if left else {}
    going: dict[str, set[str]] = {}
    for tag in left:
        if coming.get(kind := kind_of(tag, kinds), 0):
            going.setdefault(kind, set()).add(tag)
    renamed = frozenset(tag for kind, tags in going.items() if len(tags) <= coming[kind] for tag in tags)
    return renamed | branch.keys()


def owned_kinds(
    known: tuple[tuple[str, str], ...], desired: tuple[tuple[str, str], ...], owned: frozenset[str]
) -> tuple[tuple[str, str], ...]:
    """Return of which kind the owned tags are whose path does not tell it."""
    if not (known or desired):
        return ()
    return tuple(sorted((tag, kind) for tag, kind in (dict(known) | dict(desired)).items() if tag in owned))


def _kind(tag: str) -> str:
    """Return the kind of a fact of which an image has one, of the tag of such a fact; ``""`` of any other."""
    kind = kind_of(tag, {})
    return kind if kind in SINGLE_GROUPS else ""


def _leaf(tag: str) -> str:
    return tag.rpartition("/")[2]


def _objects(name: str) -> frozenset[str]:
    """Return the objects that a tag's name means, each by one name: ``M 31 Andromeda Galaxy`` is ``M 31``."""
    named: Iterable[str] = designations.parse(name).objects
    found = frozenset(map(famous.identity, named))
    if not found and (known := famous.find(name)) is not None:
        return frozenset({known.designation})
    return found
