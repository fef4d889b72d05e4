"""Which fields of an image the catalogue or the configuration leaves out: they are observed, never written.

A tag in Skymmich, the target, or the folder of the file says so. What a person switched on the image itself
is kept with its record, and joined in ``core.plan.left_out``.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.object_facts import target_tags
from reconciler.core.desired.tags import tag_name
from reconciler.core.reasons import reason
from reconciler.core.sky import designations, famous

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import CatalogueImage, WrittenPart
    from reconciler.core.policy import LeaveOutBy, LeaveOutPolicy, LeaveOutRule
    from reconciler.core.reasons import Code, Reason

CODES: Final[Mapping[LeaveOutBy, Code]] = {
    "tag": "left_out_tag",
    "target": "left_out_target",
    "folder": "left_out_folder",
}


def left_out(image: CatalogueImage, policy: LeaveOutPolicy) -> tuple[Reason, ...]:
    """Return why fields of an image are left out, each reason with its fields; a field has the first one."""
    found: dict[Reason, list[str]] = {}
    covered: set[WrittenPart] = set()
    for rule in policy.rules:
        new = [field for field in rule.fields if field not in covered]
        if new and _applies(rule, image):
            covered.update(new)
            found.setdefault(reason_of(rule), []).extend(new)
    return tuple(why.of(*sorted(fields)) for why, fields in found.items())


def unsure(image: CatalogueImage) -> frozenset[Code]:
    """Return of which rules it cannot be told whether they apply: what was left out by them stays so."""
    found: set[Code] = {"left_out_tag", "left_out_target"} if "tags" in image.unreadable else set()
    return frozenset(found if image.path else found | {"left_out_folder"})


def reason_of(rule: LeaveOutRule) -> Reason:
    """Return why a rule leaves something out, whatever fields."""
    return reason(CODES[rule.by], value=rule.value)


def without_marks(tags: tuple[str, ...], policy: LeaveOutPolicy) -> tuple[str, ...]:
    """Return an image's tags without those that only say that it is left out: no tag of Immich."""
    marks = {_folded(rule.value) for rule in policy.rules if rule.by == "tag"}
    if not any(_folded(tag) in marks for tag in tags):
        return tags
    return tuple(tag for tag in tags if _folded(tag) not in marks)


def _applies(rule: LeaveOutRule, image: CatalogueImage) -> bool:
    if rule.by == "tag":
        wanted = _folded(rule.value)
        return any(_folded(tag) == wanted for tag in image.tags)
    if rule.by == "folder":
        return _is_in(image.path, rule.value)
    return _is_target(rule.value, image)


def _folded(tag: str) -> str:
    return tag_name(tag).casefold()


def _is_in(path: str, folder: str) -> bool:
    """Return whether a file is in a folder, or below it; without a leading ``/`` in any of that name."""
    parts, named = path.split("/")[:-1], folder.rstrip("/").split("/")
    if folder.startswith("/"):
        return fnmatch.fnmatchcase("/".join(parts[: len(named)]), "/".join(named))
    spans = (parts[start : start + len(named)] for start in range(len(parts) - len(named) + 1))
    return any(fnmatch.fnmatchcase("/".join(span), "/".join(named)) for span in spans)


def _is_target(wanted: str, image: CatalogueImage) -> bool:
    """Return whether an image is of a target, by any of its names; ``*`` stands for any part of one."""
    target = image.target
    known = (target.name, target.messier or "", *target.common_names, *target.identifiers) if target else ()
    names = [name for name in (image.target_name or "", *known, *target_tags(image)) if name]
    pattern = wanted.casefold()
    if any(fnmatch.fnmatchcase(name.casefold(), pattern) for name in names):
        return True
    meant = _objects(wanted)
    return bool(meant) and meant <= frozenset(each for name in names for each in _objects(name))


def _objects(name: str) -> frozenset[str]:
    return frozenset(map(famous.identity, designations.parse(name).objects))
