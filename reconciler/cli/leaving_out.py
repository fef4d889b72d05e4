"""What ``leave-out`` and ``take-in`` share: both keep what a person switched, and have it looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from reconciler.cli.beside_daemon import Taken
from reconciler.cli.carrying_out import carry_out
from reconciler.cli.context import Work, working
from reconciler.cli.images import find_images
from reconciler.cli.output.outcome import exit_code, show_report
from reconciler.core.catalogue import WRITTEN_PARTS, WrittenPart
from reconciler.engine.leaving_out import leave_out, take_in
from reconciler.errors import ImmichError, ReconcilerError
from reconciler.messages.formats import field as field_name
from reconciler.messages.formats import state
from reconciler.messages.translation import joined
from reconciler.models import runs as models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.output.screen import Screen
    from reconciler.cli.session import Session
    from reconciler.core.catalogue import CatalogueImage
    from reconciler.engine.passes import Report

_FIELDS: Final[Mapping[str, WrittenPart]] = {
    "description": "description",
    "place": "coordinates",
    "tags": "tags",
    "coordinates": "coordinates",
    "date": "dates",
    "dates": "dates",
    "albums": "albums",
}
"""A field may be named as people are told of it, or as it is in JSON."""

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE", help="A number in Skymmich, a UUID, or a part of a title.", show_default=False
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="FIELD",
        help="This field only: description, place, tags, date or albums. May be given more than once. "
        "Default: all.",
        show_default=False,
    ),
]


def change(session: Session, images: list[str], named: list[str] | None, *, out: bool) -> int:
    """Leave images out, or take them in, and return the exit code.

    Raises:
        ReconcilerError: an image or a field is none. Nothing was changed.
    """
    fields = _fields(named) if named else WRITTEN_PARTS
    screen = session.screen
    with working(session) as work:
        catalogue = work.bench.source.read()
        image_ids = find_images(images, catalogue) or frozenset()
        meant = [image for one in sorted(image_ids) if (image := catalogue.image(one)) is not None]
        changed = [(image, _changed(work, image, fields, out=out)) for image in meant]
        report, taken = _carried_out(work, image_ids, "leave-out" if out else "take-in")
        requests = models.Requests.of(work.bench.target.requests)
    if screen.as_json:
        listed = [
            {"image_id": one.image_id, "title": one.title, "fields": list(done)} for one, done in changed
        ]
        told: dict[str, object] = {"left_out" if out else "taken_in": listed}
        told |= {"left_to": taken.words if taken else ""}
        if report:
            told |= dict(models.Report.of(report, None, voice="command")) | {"requests": requests}
        screen.json(told)
        return exit_code(report) if report else 0
    for image, done in changed:
        _tell(screen, image, done, out=out)
    if out and any(done for _, done in changed):
        screen.line("What was written before stays. To take that back: skymmich-reconciler undo IMAGE", "dim")
    if report:
        show_report(screen, report, requests)
    elif taken is not None:
        screen.line(f"It is on record. {taken.words}")
    return exit_code(report) if report else 0


def _fields(named: list[str]) -> tuple[WrittenPart, ...]:
    if wrong := [one for one in named if one not in _FIELDS]:
        raise ReconcilerError(
            f"“{wrong[0]}” is no field of an image. Nothing was changed.",
            remedy="Fields are description, place, tags, date and albums.",
        )
    return tuple(dict.fromkeys(_FIELDS[one] for one in named))


def _changed(
    work: Work, image: CatalogueImage, fields: tuple[WrittenPart, ...], *, out: bool
) -> tuple[WrittenPart, ...]:
    store = work.bench.store
    if out:
        return leave_out(store, image, fields, "cli", work.bench.clock.now())
    return take_in(store, image, fields)


def _carried_out(work: Work, image_ids: frozenset[int], what: str) -> tuple[Report | None, Taken | None]:
    """Look at the images so; where Immich cannot be asked now, the next run does."""
    try:
        return carry_out(work, image_ids, what)
    except ImmichError as error:
        return None, Taken(f"The next run goes by it. {error.message}")


def _tell(screen: Screen, image: CatalogueImage, done: tuple[WrittenPart, ...], *, out: bool) -> None:
    named = f"“{image.title}” (image {image.image_id})"
    if done:
        what = joined([field_name("taken_at" if one == "dates" else one) for one in done])
        screen.line(f"{named} is {state('left_out') if out else 'taken in again'}: {what}.", "green")
    else:
        screen.line(f"{named} was {'so already' if out else 'not ' + state('left_out') + ' here'}.", "dim")
