"""``carry-over``: a person's words from an asset that another one replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.carrying_out import carry_out
from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.images import find_image
from reconciler.cli.output.carry_over import show_offers
from reconciler.cli.output.outcome import exit_code, show_report
from reconciler.cli.output.tables import show_changes
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.core.plan.carried import carry_over_plan
from reconciler.core.plan.plan import AssetPlan
from reconciler.engine.carrying_over import dismiss_carry_over, want_carried_over
from reconciler.engine.passes import Selection
from reconciler.engine.stack_watch import main_image
from reconciler.errors import ReconcilerError
from reconciler.messages.carry_over import kept_lines, state_of, whence
from reconciler.messages.reasons import words
from reconciler.models import runs as models
from reconciler.models.carry_over import CarryOver as Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.output.screen import Screen
    from reconciler.core.carry_over import CarryOver
    from reconciler.core.catalogue import CatalogueImage


def command(
    image: Annotated[
        str | None,
        typer.Argument(
            metavar="IMAGE", help="A number in Skymmich, a UUID, or a part of a title.", show_default=False
        ),
    ] = None,
    *,
    leave: Annotated[bool, typer.Option("--leave", help="Leave it: it is offered no more.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Carry over what people had on an asset that another one replaced; without an image, list the offers.

    When the image of the catalogue links another asset, such as after an edit, the block and the tags follow
    by themselves. A person's prose, tags, place, favourite and albums are shown, and come along only when
    somebody says so. They are a person's on the new asset, too; what it has is not written over. To take it
    back: undo RUN. Exits 0; 1 when something was not kept.
    """
    session = begin(config, as_json=json, verbose=verbose)
    with working(session) as work:
        if image is None:
            _list(session.screen, work.bench.store.carry_overs_offered())
            return 0
        meant = main_image(work.bench.store, find_image(image, work.bench.source.read()))
        if leave:
            return _leave(work, meant)
        return _carry_over(work, meant, yes=yes)


def _leave(work: Work, image: CatalogueImage) -> int:
    screen = work.session.screen
    left = dismiss_carry_over(work.bench.store, image, "cli", work.bench.clock.now())
    if screen.as_json:
        screen.json({"left": [Told.of(each) for each in left]})
    else:
        named = f"“{image.title}” (image {image.image_id})"
        screen.line(f"Left: it is not offered to {named} any more.", "green")
    return 0


def _carry_over(work: Work, image: CatalogueImage, *, yes: bool) -> int:
    store, screen, asset_id = work.bench.store, work.session.screen, image.asset_id or ""
    known = store.carry_overs([asset_id]).get(asset_id, ())
    offers = [each for each in known if each.state in {"offered", "wanted", "dismissed"}]
    if not screen.as_json:
        _preview(work, image, offers)
    if offers and not yes:
        ask(screen, "Carry this over in Immich?", command=f"carry-over {image.image_id} --yes")
    work.permission.require_mode()
    wanted = want_carried_over(store, image, "cli", work.bench.clock.now())
    report, taken = carry_out(work, frozenset({image.image_id}), "carry-over")
    after = store.carry_overs([asset_id]).get(asset_id, wanted)
    requests = models.Requests.of(work.bench.target.requests)
    if screen.as_json:
        told: dict[str, object] = {"carry_over": [Told.of(each) for each in after]}
        told |= {"left_to": taken.words if taken else ""}
        if report:
            told |= dict(models.Report.of(report, None, voice="command")) | {"requests": requests}
        screen.json(told)
    elif report:
        show_report(screen, report, requests)
        for why in dict.fromkeys(why for each in after for why in each.left):
            screen.line(f"Not carried over: {words(why, 'command')}", "yellow")
    elif taken is not None:
        screen.line(f"It is on record. {taken.words}")
    if report is None:
        return 0
    return 1 if any(each.left for each in after) else exit_code(report)


def _list(screen: Screen, offered: Mapping[str, tuple[CarryOver, ...]]) -> None:
    found = [one for several in offered.values() for one in several]
    if screen.as_json:
        screen.json({"offered": [Told.of(one) for one in found]})
    elif not found:
        screen.line("Nothing is offered from a replaced asset.", "green")
    else:
        show_offers(screen, found)


def _preview(work: Work, image: CatalogueImage, offers: list[CarryOver]) -> None:
    """Show what would come along, field by field, as any plan is shown."""
    screen = work.session.screen
    for one in offers:
        screen.line(f"“{image.title}” (image {image.image_id}): {state_of(one)}. {whence(one)}", "bold")
        for title, text in kept_lines(one.kept):
            screen.row(title, text, width=14)
        for why in one.unknown:
            screen.line(words(why, "command"), "yellow", indent=2)
    prepared = work.do(work.bench.cycle.prepare(Selection(frozenset({image.image_id})), work.bench.wishes))
    plan = next((item.plan for item in prepared.items if item.plan is not None), None)
    if plan is None or not offers:
        return
    if plan.blocked:
        raise ReconcilerError(f"Nothing can be written to it now: {words(plan.blocked, 'command')}.")
    record = work.bench.store.record(image.asset_id or "")
    applied = record.applied if record else plan.base
    blank = AssetPlan(plan.image_id, plan.asset_id, plan.title, plan.observed, plan.desired, base=applied)
    would = carry_over_plan(blank, offers, applied, prepared.rules)
    said = "Of the fields, this would be written:" if would.changes else "All its fields have it already."
    screen.line(said, "dim")
    show_changes(screen, would)
