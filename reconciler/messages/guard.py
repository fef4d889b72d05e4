"""What the guard says: what it holds back and why, what stays safe, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.formats import written
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.plan.guard import Cause
    from reconciler.core.reasons import Code, Reason

GUARD: Final[Mapping[Code, Message]] = {
    "guard_holds": Message("The guard holds back the harmful part of this run"),
    "catalogue_emptied": Message(
        "the catalogue is empty, but had {before} linked image before",
        "the catalogue is empty, but had {before} linked images before",
        count="before",
    ),
    "catalogue_shrunk": Message(
        "the catalogue lost {lost} of its {before} linked image since the last good run ({percent}%, more "
        "than {most}%)",
        "the catalogue lost {lost} of its {before} linked images since the last good run ({percent}%, more "
        "than {most}%)",
        count="before",
    ),
    "catalogue_dwindled": Message(
        "the catalogue lost {lost} of its {before} linked image, after {earlier} in the last {seconds} "
        "({percent}% together, more than {most}%)",
        "the catalogue lost {lost} of its {before} linked images, after {earlier} in the last {seconds} "
        "({percent}% together, more than {most}%)",
        count="before",
    ),
    "would_lose_more": Message(
        "{count} of {managed} managed asset would lose something, after {earlier} in the last {seconds} "
        "({percent}% together, more than {most}%)",
        "{count} of {managed} managed assets would lose something, after {earlier} in the last {seconds} "
        "({percent}% together, more than {most}%)",
        count="managed",
    ),
    "would_lose": Message(
        "{count} of {managed} managed asset would lose something ({percent}%)",
        "{count} of {managed} managed assets would lose something ({percent}%)",
        count="managed",
    ),
    "loses": Message("“{title}”"),
    "more_lose": Message("{count} more"),
}
_WOULD_LOSE_TOO_MUCH: Final = Message(
    "{count} of {managed} managed asset would lose something ({percent}%, more than {most}%)",
    "{count} of {managed} managed assets would lose something ({percent}%, more than {most}%)",
    count="managed",
)
_REMOVED: Final = Message("loses its {removed}")
_REPLACED: Final = Message("has its {replaced} replaced")
_TAGS: Final = Message("loses {count} tag", "loses {count} tags")
_SAFE: Final = Message("Nothing was taken from Immich.")
_APPROVE: Final = Message("If this is intended: skymmich-reconciler apply --approve {hash}")
MENDS: Final[Mapping[Cause, Message]] = {
    "": Message("Restore the catalogue; then everything goes on by itself."),
    "shrunk": Message("Restore the catalogue; then everything goes on by itself."),
    "rules": Message(
        "The rules have changed since the last good run: the template, a "
        "switch, another setting, or the version of this program. If that was not "
        "intended, change it back; then everything goes on by itself."
    ),
    "values": Message(
        "The images are there, but the catalogue has lost values that it had. Restore "
        "them; then everything goes on by itself."
    ),
}


def lines(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """Return why it holds something back, each reason with its examples: what ``Verdict.reasons`` says."""
    found: list[tuple[str, list[str], str]] = []
    for one in reasons:
        if one.code == "loses" and found:
            found[-1][1].append(_loss(one))
        elif one.code == "more_lose" and found:
            found[-1] = (*found[-1][:2], _plain(one))
        else:
            found.append((_plain(one), [], ""))
    more = Message("{examples} and {more}")
    return tuple(
        why
        + (": " if named else "")
        + (say(more, examples=", ".join(named), more=rest) if rest else ", ".join(named))
        for why, named, rest in found
    )


def mend(cause: Cause) -> str:
    """Return what to do if it is not meant so."""
    return say(MENDS[cause])


def approval(name: str) -> str:
    """Return how to approve it if it is meant so."""
    return say(_APPROVE, hash=name)


def safe(cause: Cause) -> str:
    """Return what stays safe, and what to do if it is not meant so: where a button stands beside it."""
    return f"{say(_SAFE)} {mend(cause)}"


def message(told: Sequence[Reason]) -> str:
    """Return all that the guard says: what ``Verdict.told`` says."""
    holds, *reasons = told
    why = "; ".join(lines(reasons))
    found: Cause = next((one for one in MENDS if one == holds.get("cause")), "")
    last = (say(_SAFE), mend(found), approval(str(holds.get("hash"))))
    return f"{_plain(holds)}{': ' if why else ''}{why}. {' '.join(last)}"


def _plain(one: Reason) -> str:
    params = dict(one.params)
    text = _WOULD_LOSE_TOO_MUCH if one.code == "would_lose" and "most" in params else GUARD.get(one.code)
    return say(text, **written(params)) if text else str(one.get("text") or one.code)


def _loss(one: Reason) -> str:
    params = written(dict(one.params))
    tags = one.get("tags")
    what = [
        say(_REMOVED, removed=params["removed"]) if one.get("removed") else "",
        say(_REPLACED, replaced=params["replaced"]) if one.get("replaced") else "",
        say(_TAGS, count=tags) if isinstance(tags, int) and tags else "",
    ]
    return f"{_plain(one)} ({', '.join(filter(None, what))})"
