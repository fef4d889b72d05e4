"""What differs between two states of an asset, as values: what `plan` and `explain` show, and a page may.

Not for deciding: who wins is ``merge``'s, which compares in normal form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.core.fields import VALUE_FIELDS
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.fields import Value, ValueName
    from reconciler.core.plan.plan import AssetPlan

Kind = Literal["added", "removed", "changed"]

_KINDS: dict[str, Kind] = {
    "iterable_item_added": "added",
    "set_item_added": "added",
    "iterable_item_removed": "removed",
    "set_item_removed": "removed",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One line, tag or value that differs. ``before`` is ``None`` where added, ``after`` where removed."""

    field: str
    kind: Kind
    before: object
    after: object
    line: int | None = None
    """Of a description: counted from 1, in the text after, or in the text before where it was removed."""


def facts(
    description: str, values: Mapping[ValueName, Value | None], tags: Iterable[str] | None
) -> dict[str, object]:
    """Return a state in the form that ``differences`` takes: lines, values as text, tags as a set.

    Tags that are ``None``, so not known, are left out: they differ from nothing.
    """
    lines = normal(description).split("\n") if normal(description) else []
    found: dict[str, object] = {"description": lines}
    for one in VALUE_FIELDS:
        value = values.get(one.name)
        found[one.name] = None if value is None else one.text(value)
    return found if tags is None else {**found, "tags": frozenset(tags)}


def observed_facts(observed: ObservedAsset) -> dict[str, object]:
    """Return what Immich shows."""
    return facts(observed.description, {one.name: one.of(observed) for one in VALUE_FIELDS}, observed.tags)


def planned_facts(plan: AssetPlan) -> dict[str, object]:
    """Return what Immich will show once the plan was applied."""
    seen = plan.observed
    return facts(
        seen.description if plan.description is None else plan.description,
        {one.name: one.of(seen) if one.of(plan) is None else one.of(plan) for one in VALUE_FIELDS},
        None if seen.tags is None else (seen.tags | plan.add_tags) - plan.remove_tags,
    )


def plan_differences(plan: AssetPlan) -> tuple[Difference, ...]:
    """Compare what Immich shows with what it will show: the asset, then its albums."""
    albums = [Difference("albums", "removed", name, None) for name in sorted(plan.remove_albums)]
    albums += [Difference("albums", "added", None, name) for name in sorted(plan.add_albums)]
    return (*differences(observed_facts(plan.observed), planned_facts(plan)), *albums)


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Difference, ...]:
    """Compare two states, field by field; within a field in the order of lines, or of tags.

    Args:
        before: field → text, list of lines, set, or ``None``; see ``facts``.
        after: the same fields.
    """
    from deepdiff import DeepDiff  # noqa: PLC0415 - a quarter of a second that most commands need not wait

    found = []
    for kind, levels in DeepDiff(dict(before), dict(after), view="tree").items():
        for level in levels:
            path = level.path(output_format="list")
            was = level.t1 if _KINDS.get(kind) != "added" else None
            now = level.t2 if _KINDS.get(kind) != "removed" else None
            change: Kind = _KINDS.get(kind) or (
                "added" if was is None else "removed" if now is None else "changed"
            )
            line = path[1] + 1 if len(path) > 1 and isinstance(path[1], int) else None
            found.append(Difference(str(path[0]), change, was, now, line))
    order = list(before)

    def place(one: Difference) -> tuple[int, int, bool, str]:
        return order.index(one.field), one.line or 0, one.kind == "added", str(one.before or one.after)

    return tuple(sorted(found, key=place))
