"""Which tags that a plan takes off are a loss, and which only give way to something that says the same.

A library whose tags are told better than before, or whose camera was renamed, changes; it does not lose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.desired.tag_noise import is_solvers
from reconciler.core.desired.tags import FACT_GROUPS
from reconciler.core.sky import designations, famous

if TYPE_CHECKING:
    from collections.abc import Iterable


def lost_tags(removed: frozenset[str], added: frozenset[str], desired: frozenset[str]) -> frozenset[str]:
    """Return those of the removed tags that have nothing in their place.

    In its place is: for each new tag of the same kind of fact (a renamed camera), one of those that go there;
    for another spelling of an object, the object's tag. The plate solver's star names are nobody's.

    Args:
        removed: full paths that are taken off.
        added: full paths that come.
        desired: full paths that the image should carry, the added ones among them.
    """
    if not removed:
        return removed
    coming: dict[str, int] = {}
    for tag in added:
        if parent := _kind(tag):
            coming[parent] = coming.get(parent, 0) + 1
    told = frozenset(each for tag in desired for each in _objects(_leaf(tag)))
    lost = set()
    for tag in sorted(removed):
        parent, name = _kind(tag), _leaf(tag)
        objects = _objects(name)
        if is_solvers(name) or (objects and objects <= told):
            continue
        if coming.get(parent, 0):
            coming[parent] -= 1
        else:
            lost.add(tag)
    return frozenset(lost)


def _kind(tag: str) -> str:
    """Return the path above a tag that was made from a fact; ``""`` of any other."""
    parent = tag.rpartition("/")[0]
    return parent if parent.rpartition("/")[2] in FACT_GROUPS else ""


def _leaf(tag: str) -> str:
    return tag.rpartition("/")[2]


def _objects(name: str) -> frozenset[str]:
    """Return the objects that a tag's name means, each by one name: ``M 31 Andromeda Galaxy`` is ``M 31``."""
    named: Iterable[str] = designations.parse(name).objects
    found = frozenset(map(famous.identity, named))
    if not found and (known := famous.find(name)) is not None:
        return frozenset({known.designation})
    return found
