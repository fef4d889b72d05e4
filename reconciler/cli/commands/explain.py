"""``explain``: one image from all sides."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from reconciler.cli.image_view import View, look_at
from reconciler.cli.output.explain import show_view
from reconciler.cli.output.json_output import desired, standing, unsticking, value
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.messages.reasons import sentence, words
from reconciler.messages.voice import remedy_of
from reconciler.models.images import CatalogueImage, Change, Image, ImageView, Member
from reconciler.models.plans import AssetPlan
from reconciler.models.reasons import Reason


def command(
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A number in Skymmich, a UUID, or a part of a title.")
    ],
    *,
    limit: Annotated[
        int, typer.Option(min=0, max=10_000, metavar="N", help="How many lines of history.")
    ] = 6,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Show what the catalogue has, what Immich shows, what was written, and what is decided from it, and why.

    Exits 1 where Immich could not be asked; the rest is shown even then.
    """
    session = begin(config, as_json=json, verbose=verbose)
    with asyncio.Runner() as runner:
        view = look_at(image, session.config, runner, entries=limit)
    if json:
        session.screen.json(_as_json(view))
    else:
        show_view(session.screen, view)
        if view.error is not None:
            session.screen.say(f"✗ {view.error.message}", "red")
            session.screen.say(f"  → {remedy_of(view.error, 'command')}")
    return view.error.exit_code if view.error else 0


def _as_json(view: View) -> dict[str, object]:
    now = standing(view.item, view.prepared) if view.item and view.prepared else view.record
    shown = ImageView(
        image_id=view.image.image_id,
        asset_id=view.image.asset_id,
        title=view.image.title,
        image=CatalogueImage.of(view.image),
        record=Image.of(view.record) if view.record else None,
        plan=AssetPlan.of(view.plan, compared=True) if view.plan else None,
        members=[Member.of(one) for one in view.members],
        error=view.error.message if view.error else "",
        reasons=Reason.all(view.item.reasons if view.item else ()),
        history=[Change.of(entry) for entry in view.entries],
    )
    return dict(shown) | {
        "catalogue": value(view.image),
        "problems": [*view.problems, *(words(one, "command") for one in view.desired.problems)],
        "status": now.status if now else "new",
        "reason": sentence(now.reasons, "command") if now else "",
        "reasons": Reason.all(now.reasons if now else ()),
        "applied": value(view.record.applied) if view.record else None,
        "unsticking": unsticking(view.record.unsticking) if view.record else [],
        "crossing": shown.record.crossing if shown.record else None,
        "observed": value(view.plan.observed) if view.plan else None,
        "desired": desired(view.desired),
        "remedy": remedy_of(view.error, "command") if view.error else "",
    }
