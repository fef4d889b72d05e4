"""The templates' environment: what every page may call. Everything is escaped."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from reconciler import __version__
from reconciler.core.asset import Coordinates
from reconciler.core.fields import read_moment
from reconciler.core.plan.conflicts import choices, sides
from reconciler.core.plan.taken_back import is_taken_back
from reconciler.messages import conditions, guard, headlines
from reconciler.messages.formats import field, first_upper
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import joined_reasons
from reconciler.messages.runs import summary, wrote
from reconciler.messages.translation import say
from reconciler.messages.vocabulary import CASES, FIELD_TITLES, LEVELS, TRIGGERS
from reconciler.models.reasons import told
from reconciler.redaction import redact
from reconciler.web import tones
from reconciler.web.pages.availability import no_action, no_decision, no_look, no_sync, no_undo, no_write
from reconciler.web.pages.diff import condensed, difference, extent, side
from reconciler.web.pages.proposals import another_message
from reconciler.web.short_messages import album_changes, by_kind, by_run, spoken, tag_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.web.pages.diff import Piece


class Page(HTMLResponse):
    """A page; half an emoji in a title must not spoil it."""

    def render(self, content: str) -> bytes:
        """Write UTF-8."""
        return content.encode("utf-8", "replace")


class Templates:
    """Renders templates.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._environment = Environment(
            loader=PackageLoader("reconciler.web"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            ago=self.ago,
            counted=lambda count, noun: counted(count, noun, number(count)),
            until=self.until,
            lasting=lasting,
            moment=moment,
            redact=redact,
            number=number,
            place=place,
            taken=taken,
            spoken=spoken,
            told=told,
            first_upper=first_upper,
        )
        self._environment.globals["is_taken_back"] = is_taken_back
        self._environment.globals.update(
            version=__version__,
            static=static,
            tones=tones,
            state_of=tones.state_of,
            outcome_of=tones.outcome_of,
            heading=lambda headline: headlines.heading(headline, number),
            condition_name=conditions.name,
            condition_message=conditions.message,
            guard_message=lambda verdict: guard.message(verdict.told),
            another_message=another_message,
            error_words=lambda error: joined_reasons(error, "daemon"),
            field_name=field,
            field_title=lambda name: say(FIELD_TITLES[name]) if name in FIELD_TITLES else name,
            case_name=lambda case: first_upper(say(CASES[case])),
            level_name=lambda level: first_upper(say(LEVELS[level])),
            trigger_name=lambda name: first_upper(say(TRIGGERS[name]) if name in TRIGGERS else name),
            summary=lambda run: summary(run.summary),
            wrote=wrote,
            by_run=by_run,
            by_kind=by_kind,
            tag_changes=tag_changes,
            album_changes=album_changes,
            difference=difference,
            condensed=condensed,
            extent=extent,
            side=side,
            marked=marked,
            choices=choices,
            sides=sides,
            no_action=no_action,
            no_decision=no_decision,
            no_look=no_look,
            no_sync=no_sync,
            no_undo=no_undo,
            no_write=no_write,
        )
        self._environment.globals["ui"] = self._environment.get_template("_macros.html").module

    async def warm(self) -> None:
        """Compile every template, one after another beside the loop: who comes first does not wait."""
        for name in self._environment.list_templates(extensions=["html"]):
            await asyncio.to_thread(self._environment.get_template, name)

    def render(self, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        """Render a page or a part of one."""
        text = self._environment.get_template(template).render(values)
        return Page(text, status, headers={"cache-control": "no-cache, private"})

    def ago(self, when: datetime | None) -> str:
        """Write how long ago something was."""
        if when is None:
            return "never"
        passed = (self._now() - when).total_seconds()
        return "just now" if abs(passed) < 2 else f"{lasting(passed)} ago" if passed > 0 else self.until(when)

    def until(self, when: datetime) -> str:
        """Write in how long something will be."""
        left = (when - self._now()).total_seconds()
        return f"in {lasting(left)}" if left > 1 else "now"


@lru_cache(maxsize=4)
def templates(now: Callable[[], datetime]) -> Templates:
    """Return the templates by a clock: of many pages in one process each is compiled once."""
    return Templates(now)


def lasting(span: float | timedelta) -> str:
    """Write a duration for people: ``4 s``, ``12 min``, ``3 h 20 min``, ``5 d``."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    seconds = abs(seconds)
    if 0 < seconds < 0.05:
        return "< 0.1 s"
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 36 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{math.floor(minutes / 1440 + 0.5)} d"


_TAGS = {"added": "ins", "removed": "del", "only": "mark"}


def marked(pieces: Iterable[Piece]) -> Markup:
    """Write a difference, each line's part marked for itself: a mark over a line's end looks like a blot."""
    parts: list[Markup] = []
    for piece in pieces:
        if piece.kind == "gap":
            parts.append(Markup('<span class="gap">{}</span>').format(piece.text))
            continue
        tag = _TAGS.get(piece.kind)
        for line in re.split(r"(\n+)", piece.text):
            bare = tag is None or not line.strip("\n")
            parts.append(Markup("{}" if bare else f"<{tag}>{{}}</{tag}>").format(line))  # noqa: S704  escaped by format
    return Markup().join(parts)


def place(value: object) -> str:
    """Write coordinates, in any of the forms in which they are remembered; empty for none."""
    if isinstance(value, Coordinates):
        pair: tuple[object, ...] = (value.latitude, value.longitude)
    elif isinstance(value, dict):
        pair = (value.get("latitude"), value.get("longitude"))
    else:
        pair = tuple(value) if isinstance(value, list | tuple) else ()
    numbers = [float(one) for one in pair if isinstance(one, int | float | str) and one != ""]
    return ", ".join(f"{one:.6f}".rstrip("0").rstrip(".") + "°" for one in numbers)


def taken(value: object) -> str:
    """Write when an image was taken, in either form in which that is remembered; empty for none."""
    read = value if isinstance(value, datetime) else read_moment(value)
    return "" if read is None else f"{read:%Y-%m-%d %H:%M:%S} {read:%z}"


def moment(when: datetime | None) -> str:
    """Write a moment in UTC; the page's script turns it into the reader's own time."""
    return "" if when is None else when.strftime("%Y-%m-%d %H:%M:%S UTC")


def number(count: float) -> str:
    """Write a count with a thin space between thousands."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


@cache
def static(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    content = (resources.files("reconciler.web") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
