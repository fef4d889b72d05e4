"""What the engine tells while it works: events for the log, progress for a bar or a page.

The engine imports no logger: whoever runs it passes a listener, and may do with an event what it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as ``name`` and details; about an image when it carries its ids."""

    name: str
    level: Level = "info"
    run: str = ""
    image_id: int | None = None
    asset_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is: ``done`` of ``total`` assets that had something to write."""

    phase: Literal["reading", "planning", "writing", "done"]
    done: int = 0
    total: int = 0
    waiting: int = 0
    """Written and not yet settled."""
    removals: int = 0
    """Tags still to be taken off, one a write: they take the longest."""


Listener = Callable[[Event | Progress], None]


def ignore(_: Event | Progress) -> None:
    """Listen to nothing."""


def of_the_whole(listen: Listener, before: int, total: int) -> Listener:
    """Listen to the writing of a part as to that of the whole.

    Args:
        listen: to the whole.
        before: so many assets were done before this part.
        total: so many have something to write in all.
    """

    def listen_to_a_part(event: Event | Progress) -> None:
        if isinstance(event, Progress):
            event = replace(event, done=event.done + before, total=total)
        listen(event)

    return listen_to_a_part
