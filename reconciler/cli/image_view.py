"""One image from all sides, for ``explain``: gathered here, shown in ``explaining``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.app.source import source_of
from reconciler.app.wiring import store_of, workbench
from reconciler.cli.images import find_image
from reconciler.core.desired.desired import Desired, Form, desire_with
from reconciler.core.desired.facts import facts_of
from reconciler.engine.members import item_of, others
from reconciler.engine.passes import Selection
from reconciler.engine.planner.desired import pixels_of
from reconciler.engine.stack_watch import main_image
from reconciler.errors import ReconcilerError
from reconciler.immich.roundtrip import settled_description, settled_tag
from reconciler.messages.reasons import words
from reconciler.rendering.renderer import SafeRenderer
from reconciler.timezones.zones import OfflineTimeZones

if TYPE_CHECKING:
    import asyncio

    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.records import AssetRecord, JournalEntry
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared


@dataclass(frozen=True, slots=True)
class View:
    """All that is known of one image."""

    image: CatalogueImage
    problems: tuple[str, ...]
    """Of its rows in the catalogue."""
    desired: Desired
    record: AssetRecord | None = None
    entries: tuple[JournalEntry, ...] = ()
    item: Item | None = None
    prepared: Prepared | None = None
    members: tuple[Item, ...] = ()
    """The other members of its asset's stack for which it stands."""
    error: ReconcilerError | None = None
    """Why Immich, or the store, could not be asked."""

    @property
    def plan(self) -> AssetPlan | None:
        """What a pass would do; ``None`` where Immich could not be asked."""
        return self.item.plan if self.item else None


def look_at(text: str, config: Config, runner: asyncio.Runner, *, entries: int) -> View:
    """Look at one image; what cannot be asked is left out, with the reason.

    Raises:
        ReconcilerError: the catalogue cannot be read, or has no such image, or the template fails.
    """
    catalogue = source_of(config).read()
    image = find_image(text, catalogue)
    policy = config.policy()
    form = Form(settled_description, settled_tag, OfflineTimeZones())
    record, item, prepared, error = None, None, None, None
    past: tuple[JournalEntry, ...] = ()
    try:
        with store_of(config, read_only=True) as store:
            image = main_image(store, image)
            record = store.record(image.asset_id or "")
            past = tuple(store.journal_of(asset_id=image.asset_id or "", limit=entries))
    except ReconcilerError as trouble:
        error = trouble
    pixels = pixels_of(record)
    with SafeRenderer() as renderer:
        facts = facts_of(image, policy.description, pixels)
        (block,) = renderer.render_now(policy.description, [facts])
    desired = desire_with(block, image, policy, form, pixels)
    if image.asset_id is not None:
        try:
            prepared = _prepared(image.image_id, config, runner)
            main = prepared.catalogue.image(image.image_id) or image
            if main.asset_id != image.asset_id:  # as the stack is by now
                image, record, past = main, None, ()
            item, error = item_of(prepared, main.asset_id), None
        except ReconcilerError as trouble:
            error = trouble
    else:
        error = None
    wanted = item.plan.desired if item and item.plan else desired
    members = others(prepared, image.asset_id, datetime.now(UTC)) if prepared else ()
    return View(image, _problems(image, catalogue), wanted, record, past, item, prepared, members, error)


def _prepared(image_id: int, config: Config, runner: asyncio.Runner) -> Prepared:
    bench = workbench(config)
    try:
        selection = Selection(image_ids=frozenset({image_id}), full=True)
        return runner.run(bench.cycle.prepare(selection, bench.wishes))
    finally:
        runner.run(bench.aclose())


def _problems(image: CatalogueImage, catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(
        words(problem.reason, "command")
        for problem in catalogue.problems
        if problem.row_id == image.image_id and problem.table == "astrophotography_images"
    )
