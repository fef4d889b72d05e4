"""``seen``: a person has looked at an image of which an edit may be missing."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.app.wiring import store_of
from reconciler.cli.images import find_with_stacks
from reconciler.cli.output.history import show_crossed
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.errors import ReconcilerError
from reconciler.messages.nouns import counted
from reconciler.models.images import Image

_ALL = 1_000_000


def command(
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="IMAGE", help="Images that you have looked at.", show_default=False),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="I have looked at all of them.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Confirm that you have looked at images where an edit may be missing; without any, list them.

    Somebody saved them in Immich at the very moment they were written from here. What was entered may have
    been replaced, and only that person can tell. Nothing is written to Immich; a running daemon takes it up
    at its next look. Exits 0.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    if images and every:
        raise ReconcilerError("Name images, or say --all: not both. Nothing was changed.")
    asked = bool(images) or every
    with store_of(session.config, read_only=not asked) as store:
        waiting = store.search(limit=_ALL, crossed=True)
        if not asked:
            if json:
                screen.json({"crossed": [Image.of(one) for one in waiting]})
            elif waiting:
                show_crossed(screen, waiting)
            else:
                screen.line("No edit is known to have crossed with a write.", "green")
            return 0
        chosen = find_with_stacks(images, store) if images else waiting
        seen = [one for one in chosen if one.crossing]
        with store.transaction():
            for one in seen:
                if one.crossing:
                    store.forget_crossings(one.crossing.at, [one.asset_id])
    if json:
        screen.json({"seen": [Image.of(one) for one in seen]})
        return 0
    for one in chosen:
        if one.crossing is None:
            screen.line(f"Of “{one.title}” (image {one.image_id}) there was nothing to look at.", "dim")
    many = counted(len(seen), "image")
    screen.line(f"Looked at: {many}." if seen else "Nothing was left to look at.", "green")
    return 0
