"""The headline in words: one sentence for terminals and JSON, and the same in parts for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.core.records import FINE
from reconciler.messages import conditions
from reconciler.messages.formats import first_upper, lasting, state
from reconciler.messages.translation import Message, parted, say
from reconciler.messages.vocabulary import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.records import AssetStatus
    from reconciler.service.api import Headline, HeadlineCode

BADGES: Final[Mapping[HeadlineCode, Message]] = {
    "broken": Message("Trouble"),
    "off": Message("Off"),
    "paused": Message("Paused by a person"),
    "writing": Message("Writing"),
    "asks": Message("Waits for you"),
    "trying": Message("Waits for you"),
    "observes": Message("Only observes"),
    "stale": Message("Unknown"),
    "waiting": Message("Attention"),
    "not_in_sync": Message("Attention"),
    "edit_missing": Message("Attention"),
    "working": Message("Working"),
    "taken_back": Message("Taken back"),
    "left_out": Message("Left out"),
    "in_sync": Message("In sync"),
}
"""What stands first, before a colon."""
HEADLINES: Final[Mapping[HeadlineCode, Message]] = {
    "broken": Message("{condition}"),
    "off": Message("{condition}"),
    "paused": Message("nothing starts by itself"),
    "writing": Message("{done} of {images} done"),
    "not_looked": Message("Nothing was looked at yet"),
    "first_look": Message("Looking at the catalogue and at Immich for the first time"),
    "asks": Message("nothing is written yet; {changing} of {images} would be"),
    "trying": Message("begun with {images}; nothing else is written before you go on"),
    "observes": Message("{changing} of {images} would be written"),
    "stale": Message("the last complete look was {ago} ago"),
    "waiting": Message("{condition}"),
    "not_in_sync": Message("{odd} of {images}"),
    "edit_missing": Message("{missing} in {crossed} of {images}"),
    "working": Message("Skymmich is compared with Immich, and what differs is written then"),
    "taken_back": Message("{images}"),
    "left_out": Message("{images}"),
    "in_sync": Message("{images}"),
}
_ALONE: Final[Mapping[HeadlineCode, AssetStatus]] = {"taken_back": "undone", "left_out": "left_out"}
"""The state of the images that are told first, where all are left alone."""
_NOT_IN_SYNC: Final = Message("{odd} of {images} is not in sync", "{odd} of {images} are not in sync")
_IMAGES: Final = Message("{images} image", "{images} images")
_COUNT: Final = Message("{number} {status}")
_MISSING_IN: Final = Message("{missing} in {crossed}")
_WAITING: Final = Message("{waiting} waiting for Immich")
_CHECKED: Final = Message("checked {ago}")
_NEXT: Final = Message("next look in {time}")
_AGO: Final = Message("{time} ago")
_NOW: Final = Message("just now")


class Line(NamedTuple):
    """A line of the page, in which the time of the last look stands apart, to be counted on."""

    before: str = ""
    ago: str = ""
    after: str = ""

    def __str__(self) -> str:
        """Return it as one text."""
        return self.before + self.ago + self.after


class Heading(NamedTuple):
    """The headline in three: ``In sync`` for the badge, the sentence, and what stands smaller below it."""

    badge: str
    sentence: Line
    more: Line = Line()


def sentence(headline: Headline) -> str:
    """Return the headline as one sentence: ``In sync: 142 images, checked 38 s ago, next look in 22 s``."""
    text = _text(headline, _plain)
    if headline.code == "not_in_sync":
        text = f"{text}: {', '.join(_odd(headline, _plain))}"
    said = [text, *(_looked(headline) if headline.code != "paused" else ())]
    text = ", ".join([*said, *_upcoming(headline)])
    if headline.code == "paused":
        text = "; ".join([text, *_looked(headline)])
    badge = BADGES.get(headline.code)
    return f"{say(badge)}: {text}" if badge else text


def heading(headline: Headline, number: Callable[[int], str]) -> Heading:
    """Part the headline for the page, which writes numbers in its own way.

    What is broken is only named: its message stands below, with what mends it.
    """
    message = BADGES.get(headline.code)
    badge = say(message) if message else ""
    if headline.condition is not None:
        return Heading(badge, Line(conditions.name(headline.condition)))
    if headline.code == "paused":
        text = f"{badge}: {_text(headline, number)}"
        return Heading("", _line(text, headline, "; "))
    if (status := _ALONE.get(headline.code)) is not None:  # of a page the heading is a whole sentence
        first = say(_COUNT, number=_images(headline.images, number), status=state(status))
        return Heading(badge, _line(", ".join([first, *_odd(headline, number)]), headline, ", "))
    if headline.code == "not_in_sync":
        odd = _not_in_sync(headline)
        text = say(_NOT_IN_SYNC, count=odd, odd=number(odd), images=_images(headline.images, number))
        return Heading(badge, Line(text), _line(", ".join(_odd(headline, number)), headline, " · "))
    return Heading(badge, _line(first_upper(_text(headline, number)), headline, ", "))


def _text(headline: Headline, number: Callable[[int], str]) -> str:
    progress = headline.progress
    images = progress.total if progress else headline.images
    text = say(
        HEADLINES[headline.code],
        condition=conditions.message(headline.condition) if headline.condition else "",
        images=_images(images, number),
        done=number(progress.done) if progress else "",
        odd=number(_not_in_sync(headline)),
        changing=number(headline.changing),
        crossed=number(headline.crossed),
        missing=say(MISSING),
        ago=lasting(headline.looked or 0.0),
    )
    more = []
    if progress is not None and progress.waiting:
        more.append(say(_WAITING, waiting=number(progress.waiting)))
    if headline.code == "in_sync" or headline.code in _ALONE:
        more += _odd(headline, number)
    return ", ".join([text, *more])


def _not_in_sync(headline: Headline) -> int:
    """Count the images that are not in sync; one that a person took back is left alone and none of them."""
    return sum(count for status, count in headline.counts.items() if status not in FINE)


def _odd(headline: Headline, number: Callable[[int], str]) -> list[str]:
    """Count what is worth a word, and where a person has to look."""
    found = [
        say(_COUNT, number=number(count), status=state(status))
        for status, count in sorted(headline.counts.items())
    ]
    if headline.crossed:
        found.append(say(_MISSING_IN, missing=say(MISSING), crossed=number(headline.crossed)))
    return found


def _line(text: str, headline: Headline, between: str) -> Line:
    """Return a line that ends with the times of the last look and the next."""
    if headline.looked is None or headline.code == "stale":
        return Line(", ".join([text, *_upcoming(headline)]))
    before, after = parted(_CHECKED, "ago")
    passed = say(_NOW) if headline.looked < 1.5 else say(_AGO, time=lasting(headline.looked))
    return Line(f"{text}{between}{before}", passed, ", ".join([after, *_upcoming(headline)]))


def _looked(headline: Headline) -> list[str]:
    if headline.looked is None or headline.code == "stale":
        return []
    return [say(_CHECKED, ago=say(_AGO, time=lasting(headline.looked)))]


def _upcoming(headline: Headline) -> list[str]:
    return [] if headline.next_look is None else [say(_NEXT, time=lasting(headline.next_look))]


def _images(count: int, number: Callable[[int], str]) -> str:
    return say(_IMAGES, count=count, images=number(count))


def _plain(count: int) -> str:
    return f"{count:,}"
