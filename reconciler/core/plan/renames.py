"""Tags that stand under another path now: a branch, the root or a level was renamed in the configuration.

A renamed branch is a change of each tag in it, not a loss of one tree and a second tree: the new tags come
first, then the old ones that are ours go. It is told by branch, not tag by tag.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from reconciler.core.desired.tags import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Branch(NamedTuple):
    """A renamed branch, by its path before and after; empty: the top of the tree."""

    before: str
    after: str


def kind_of(tag: str, kinds: Mapping[str, str]) -> str:
    """Return the kind of fact that a tag names; ``""`` of a person's own.

    Args:
        tag: full path.
        kinds: of which kind tags are whose path does not tell it.
    """
    above = tag.rpartition("/")[0].rpartition("/")[2]
    return above if above in GROUPS else kinds.get(tag, "")


def moved(removed: Iterable[str], desired: Iterable[str], kinds: Mapping[str, str]) -> dict[str, str]:
    """Return those of the removed tags whose fact is wanted under another path → that path.

    It is the same fact if kind and name are the same: a camera called Orion is not the constellation. What
    was added already changes nothing: a rename that is half done is the same rename.

    Args:
        removed: full paths that are taken off.
        desired: full paths that the image should carry.
        kinds: of which kind tags are whose path does not tell it.
    """
    gone = sorted(removed)
    if not gone:
        return {}
    wanted = {_fact(tag, kinds): tag for tag in sorted(desired, reverse=True)}
    return {tag: wanted[fact] for tag in gone if (fact := _fact(tag, kinds)) in wanted}


def branches(renamed: Iterable[tuple[str, str]]) -> Counter[Branch]:
    """Count renamed tags by the branch that was renamed.

    Args:
        renamed: paths before and after.
    """
    return Counter(_branch(before, after) for before, after in renamed)


def _fact(tag: str, kinds: Mapping[str, str]) -> tuple[str, str]:
    return kind_of(tag, kinds), tag.rpartition("/")[2].casefold()


def _branch(before: str, after: str) -> Branch:
    """Return what remains of two paths without the end that they share."""
    old, new = before.split("/"), after.split("/")
    while old and new and old[-1].casefold() == new[-1].casefold():
        old.pop()
        new.pop()
    return Branch("/".join(old), "/".join(new))
