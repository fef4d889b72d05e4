"""The words of a notice that is sent: its title, and a paragraph for each thing that it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.notices import Matter
from reconciler.messages import conditions, guard, headlines
from reconciler.messages.formats import first_upper, state
from reconciler.messages.translation import Message, say
from reconciler.messages.vocabulary import MEANINGS, MISSING, MISSING_MEANING
from reconciler.redaction import redact
from reconciler.service.noticing import BY_STATE, CONDITIONS, CROSSED, count_in, image_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from reconciler.core.notices import Occasion
    from reconciler.service.api import Snapshot

TITLES: Final[Mapping[Occasion, Message]] = {
    "guard": Message("The guard holds something back"),
    "immich_down": Message("Immich does not answer"),
    "attention": Message("Something needs attention"),
    "conflict": Message("Images are in conflict"),
    "not_kept": Message("Immich did not keep what was written"),
    "first_sync": Message("The first sync is done"),
}
"""In the order in which they are told."""
TEST_TITLE: Final = Message("A test")
TEST_BODY: Final = Message("Notices from skymmich-reconciler arrive here.")
_PROGRAM: Final = "skymmich-reconciler"
_AND_MORE: Final = Message("{title}, and {count} more thing", "{title}, and {count} more things")
_OVER: Final[Mapping[Occasion, Message]] = {
    "guard": Message("The guard held something back; it no longer does."),
    "immich_down": Message("Immich did not answer from {since} on; now it answers again."),
}
"""Of what is over by the time that it may be told."""
_DOWN: Final = Message("Immich has not answered since {since}. It is asked again by itself; nothing is lost.")
_HELD: Final = Message("The guard holds something back: {why}. Nothing was taken from Immich.")
_BROKEN: Final = Message("{name}. {text}")
_MENDED: Final = Message("{name}; that is over now.")
_IMAGES: Final = Message("{count} image: {what}", "{count} images: {what}")
_WERE: Final = Message("{images}; that is over now.")
_NAMED: Final = Message("{images} ({titles}). {meaning}")
_BARE: Final = Message("{images}. {meaning}")
_MORE: Final = Message("{titles} and {count} more")
_FIRST: Final = Message("The first sync is done. {headline}.")
_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is sent."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message is made of, besides the matters that it tells."""

    snapshot: Snapshot
    since: Mapping[Matter, datetime]
    """Of each matter, in the reader's own zone."""
    now: Collection[Matter]
    """What is still so."""
    titles: Mapping[str, str]
    """Asset id → the image's title."""
    page: str = ""
    """The address of the page, to lead there; empty: none."""


def examples(told: Collection[Matter]) -> list[str]:
    """List the assets whose titles a message may want."""
    found: dict[str, list[str]] = {}
    for one in sorted(told):
        if (image := image_of(one)) is not None:
            found.setdefault(image[0], []).append(image[1])
    return [asset for several in found.values() for asset in several[:_EXAMPLES]]


def letter(told: Collection[Matter], facts: Facts) -> Letter:
    """Return one message that tells all of them."""
    occasions = [one for one in TITLES if any(matter.occasion == one for matter in told)]
    parts = [part for occasion in occasions for part in _PARTS[occasion](told, facts)]
    title = say(TITLES[occasions[0]]) if occasions else ""
    if len(parts) > 1:
        title = say(_AND_MORE, title=title, count=len(parts) - 1)
    return Letter(redact(f"{_PROGRAM}: {title}"), redact("\n\n".join(parts)))


def trial_letter(page: str) -> Letter:
    """Return the message that a person sends to see one arrive."""
    return Letter(f"{_PROGRAM}: {say(TEST_TITLE)}", _led(say(TEST_BODY), page, "/"))


def _guard(_: Collection[Matter], facts: Facts) -> Iterator[str]:
    if not any(one.occasion == "guard" for one in facts.now):
        yield say(_OVER["guard"])
        return
    verdict = facts.snapshot.verdict
    lines = guard.lines(verdict.reasons) if verdict is not None and verdict.tripped else ()
    held = say(_IMAGES, count=facts.snapshot.counts.get("held", 0), what=state("held"))
    yield _led(say(_HELD, why="; ".join(lines) or held), facts.page, "/")


def _down(told: Collection[Matter], facts: Facts) -> Iterator[str]:
    for one in told:
        if one.occasion == "immich_down":
            since = f"{facts.since[one]:%Y-%m-%d %H:%M}"
            yield say(_DOWN if one in facts.now else _OVER["immich_down"], since=since)


def _conditions(told: Collection[Matter], facts: Facts) -> Iterator[str]:
    known = {one.type: one for one in facts.snapshot.conditions}
    for kind in CONDITIONS:
        matter = Matter("attention", kind)
        if matter not in told or kind not in known:
            continue
        name, condition = say(conditions.BROKEN[kind]), known[kind]
        if matter in facts.now:
            yield _led(say(_BROKEN, name=name, text=conditions.message(condition)), facts.page, "/doctor")
        else:
            yield say(_MENDED, name=name)


def _attention(told: Collection[Matter], facts: Facts) -> Iterator[str]:
    yield from _conditions(told, facts)
    yield from _images("attention", told, facts)


def _conflict(told: Collection[Matter], facts: Facts) -> Iterator[str]:
    return _images("conflict", told, facts)


def _not_kept(told: Collection[Matter], facts: Facts) -> Iterator[str]:
    return _images("not_kept", told, facts)


def _images(occasion: Occasion, told: Collection[Matter], facts: Facts) -> Iterator[str]:
    for name in (one for one, of in BY_STATE.items() if of == occasion):
        what = say(MISSING) if name == CROSSED else state(name)
        named = [one for one in sorted(told) if (found := image_of(one)) is not None and found[0] == name]
        counted = [one for one in told if image_of(one) is None and one.key.startswith(f"{name}×")]
        still = [one for one in named if one in facts.now]
        if not named and not counted:
            continue
        if not still and not counted:
            yield say(_WERE, images=say(_IMAGES, count=len(named), what=what))
            continue
        count = count_in(facts.snapshot, name) if counted else len(still)
        images = say(_IMAGES, count=count, what=what)
        meaning = say(MISSING_MEANING if name == CROSSED else MEANINGS[name])
        titles = _titles(still, count, facts)
        text = say(_NAMED, images=images, titles=titles, meaning=meaning) if titles else ""
        query = "crossed=true" if name == CROSSED else f"status={name}"
        yield _led(text or say(_BARE, images=images, meaning=meaning), facts.page, f"/images?{query}")


def _titles(still: list[Matter], count: int, facts: Facts) -> str:
    assets = [image[1] for one in still if (image := image_of(one)) is not None]
    known = [f"“{facts.titles[one]}”" for one in assets if facts.titles.get(one)][:_EXAMPLES]
    listed = ", ".join(known)
    return say(_MORE, titles=listed, count=count - len(known)) if known and count > len(known) else listed


def _first(_: Collection[Matter], facts: Facts) -> Iterator[str]:
    headline = first_upper(headlines.sentence(facts.snapshot.headline))
    yield _led(say(_FIRST, headline=headline), facts.page, "/")


def _led(text: str, page: str, where: str) -> str:
    """Return a paragraph with the way to the page below it."""
    return f"{text}\n{page.rstrip('/')}{where}" if page else text


_PARTS = {
    "guard": _guard,
    "immich_down": _down,
    "attention": _attention,
    "conflict": _conflict,
    "not_kept": _not_kept,
    "first_sync": _first,
}
