"""Preparing a pass: read the catalogue, compute what is desired, observe what is to be looked at, plan.

Nothing is written here, neither to Immich nor to the store.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.core.desired import NOTHING, Desired, Form, desire
from reconciler.core.fingerprint import fingerprint, policy_digest
from reconciler.core.guard import check, withhold
from reconciler.core.plan import Rules
from reconciler.core.planning import plan_asset
from reconciler.core.policy import DescriptionPolicy, Policy, Switches
from reconciler.core.template import BlockTemplate
from reconciler.engine.events import Event, Progress
from reconciler.engine.observing import Reading, read_assets
from reconciler.engine.passes import Item, Prepared, Selection
from reconciler.engine.verifying import kept, owned_after
from reconciler.errors import ImmichError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.plan import AssetPlan
    from reconciler.core.records import AssetRecord, PendingWrite
    from reconciler.engine.events import Listener
    from reconciler.engine.ports import CatalogueSource, Clock, ServerFacts, Store, Target

_CLOCK_SLACK = timedelta(seconds=2)
"""A server's Date header has whole seconds, and is older than the answer by its transport."""
_RENEW_TO_WRITE, _RENEW_LOSSES, _RENEW = 600.0, 300.0, 86_400.0
"""Seconds after which the server is asked again for its version, permissions and user: before something is
written, while the key lacks something, and at all. A whole look by a person, or an error, does so at once."""
_SKIPPABLE = {"in_sync", "conflict", "not_sticking", "unknown_asset", "not_writable", "unlinked"}
_AUDIT_AGE = timedelta(days=1)
FULL_LOOK_AT = "full_look_at"
"""Where the store keeps when every asset was last read, whatever its date said."""
ARCHIVED = "archived"
"""Where the store keeps the ids of managed assets that were in the archive when last read."""


def held_mark(harm: str, mark: str) -> str:
    """Give the fingerprint of an asset that the guard holds: it waits for a person, or for other values."""
    return f"held:{harm}:{mark}"


def held_harm(record: AssetRecord) -> str:
    """Give the hash of what the guard held back of an asset; ``""`` for any other."""
    kind, _, rest = record.fingerprint.partition(":")
    return rest.partition(":")[0] if kind == "held" else ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user configured for all passes. A switch that is ``None`` follows Skymmich's own setting."""

    policy: Policy
    switches: Switches | None = None


class Preparer:
    """Prepares passes; keeps what was desired of unchanged images between them."""

    def __init__(
        self, source: CatalogueSource, target: Target, store: Store, clock: Clock, listen: Listener
    ) -> None:
        self._source, self._target, self._store = source, target, store
        self._clock, self._listen = clock, listen
        self._memory: dict[int, tuple[CatalogueImage, tuple[int, int] | None, str, Policy, Desired]] = {}
        self._template: tuple[DescriptionPolicy, BlockTemplate] | None = None
        self._server: ServerFacts | None = None
        self._asked_at = 0.0

    def forget_server(self) -> None:
        """Ask the server for its facts anew at the next pass: something went wrong with it."""
        self._server = None

    async def prepare(self, selection: Selection, wishes: Wishes) -> Prepared:
        """Observe and plan.

        Raises:
            CatalogueError, TemplateError, ImmichError, StateError: nothing was written.
        """
        template = self._compiled(wishes.policy.description)
        catalogue = await asyncio.to_thread(self._source.read)
        self._listen(Progress("reading", total=len(catalogue.linked())))
        try:
            server = await self._facts(selection)
            prepared = await self._observed(selection, wishes, template, catalogue, server)
            if prepared.changes and self._clock.monotonic() - self._asked_at > _RENEW_TO_WRITE:
                self.forget_server()
                if (renewed := await self._facts(selection)) != server:
                    prepared = await self._observed(selection, wishes, template, catalogue, renewed)
        except ImmichError:
            self.forget_server()
            raise
        return prepared

    def _compiled(self, policy: DescriptionPolicy) -> BlockTemplate:
        """Give the template; compiling takes longer than all else that an idle look does."""
        if self._template is None or self._template[0] != policy:
            self._template = (policy, BlockTemplate(policy))
        return self._template[1]

    async def _facts(self, selection: Selection) -> ServerFacts:
        """Give what is known of the server, asked anew when that is old: an idle look costs one request."""
        age = self._clock.monotonic() - self._asked_at
        known = self._server
        whole = selection.image_ids is None and (selection.full or selection.by_person)
        if known is None or whole or age > (_RENEW_LOSSES if known.losses else _RENEW):
            known = self._server = await self._target.open()
            self._asked_at = self._clock.monotonic()
        return known

    async def _observed(
        self,
        selection: Selection,
        wishes: Wishes,
        template: BlockTemplate,
        catalogue: Catalogue,
        server: ServerFacts,
    ) -> Prepared:
        switches = wishes.switches or switches_of(catalogue)
        rules = Rules(
            policy=wishes.policy,
            switches=_affordable(switches, server),
            server_version=server.version,
            user_id=server.user_id,
            tags_available=server.tags_enabled,
        )
        digest = policy_digest(wishes.policy, rules.switches, template.digest)
        planner = _Planner(
            self, rules, digest, template, selection, self._store.records(), self._store.pending()
        )
        asked = self._clock.monotonic()
        moved = await self._moved(planner)
        # After the search, whose answer brings the server's time along; taken back to when it was asked.
        since = await self._target.server_time() - _CLOCK_SLACK
        since -= timedelta(seconds=self._clock.monotonic() - asked)
        items = planner.items(catalogue, moved)
        wanted = [item.asset_id for item in items if item.status == "new"]
        manages_tags = rules.switches.tags and rules.tags_available
        reading = await read_assets(self._target, wanted, tags=manages_tags)
        self._listen(Progress("planning", total=len(wanted)))
        planned = [planner.plan(item, reading) for item in items]
        return _guarded(
            Prepared(
                catalogue=catalogue, server=server, rules=rules, rules_digest=digest,
                items=tuple(planned), records=planner.records, observed_from=since,
                full=moved is None and selection.image_ids is None,
            ),
            selection,
        )  # fmt: skip

    async def _moved(self, planner: _Planner) -> frozenset[str] | None:
        """Tell which assets moved since the last pass by their dates; ``None``: unknown, look at all."""
        mark = self._store.get("watermark")
        if planner.selection.full or planner.selection.image_ids is not None or not isinstance(mark, str):
            return None
        if planner.selection.by_person and self._audit_is_due():
            return None
        # Each visibility costs a request: the archive is asked only if it holds an asset of ours, or may.
        archived = self._store.get(ARCHIVED) != []
        rows = await self._target.changed_since(
            datetime.fromisoformat(mark), visibilities=("timeline", "archive") if archived else ("timeline",)
        )
        known = planner.records
        return frozenset(
            row.asset_id
            for row in rows
            if row.asset_id not in known
            or (seen := known[row.asset_id].seen_updated_at) is None
            or row.updated_at > seen
        )

    def _audit_is_due(self) -> bool:
        """Tell whether everything was last read over a day ago: some changes do not move Immich's dates.

        The daemon audits by schedule; who only ever runs passes by hand gets one with the first of a day.
        """
        last = self._store.get(FULL_LOOK_AT)
        return not isinstance(last, str) or self._clock.now() - datetime.fromisoformat(last) > _AUDIT_AGE

    def desired(
        self, image: CatalogueImage, pixels: tuple[int, int] | None, template: BlockTemplate, policy: Policy
    ) -> Desired:
        """Compute what an image wants, once for as long as nothing about it changes."""
        known = self._memory.get(image.image_id)
        if known and known[:4] == (image, pixels, template.digest, policy):
            return known[4]
        form = Form(self._target.settled_description, self._target.settled_tag)
        found = desire(image, policy, template, form, pixels)
        self._memory[image.image_id] = (image, pixels, template.digest, policy, found)
        return found


@dataclass(slots=True)
class _Planner:
    """One pass's planning."""

    owner: Preparer
    rules: Rules
    digest: str
    template: BlockTemplate
    selection: Selection
    records: Mapping[str, AssetRecord]
    pending: Mapping[str, PendingWrite]

    def items(self, catalogue: Catalogue, moved: frozenset[str] | None) -> list[Item]:
        """List the pass's images: ``new`` ones are to be looked at, the others are skipped as they stand."""
        chosen = self.selection.image_ids
        items = [
            self._item(Item(image, image.asset_id, image.image_id, image.title), moved)
            for image in catalogue.images
            if image.asset_id is not None and (chosen is None or image.image_id in chosen)
        ]
        if chosen is None and self.rules.policy.merge.orphans == "release":
            linked = linked_assets(catalogue, self.records)
            items += [
                self._item(Item(None, record.asset_id, record.image_id, record.title), moved)
                for record in self.records.values()
                if record.asset_id not in linked and _owns(record)
            ]
        return items

    def _item(self, item: Item, moved: frozenset[str] | None) -> Item:
        record = self.records.get(item.asset_id)
        item = replace(item, adopted=self.pending.get(item.asset_id), status="new")
        if moved is None or item.asset_id in moved or record is None:
            return item
        if item.image_id in self.selection.later:
            return replace(item, status=record.status, reason=record.reason, adopted=None)
        if item.adopted or self.selection.force or self._worth_another_look(record):
            return item
        mark = self._fingerprint(item, _pixels(record))
        if record.status in _SKIPPABLE and record.fingerprint == mark:
            return replace(item, fingerprint=mark, status=record.status, reason=record.reason)
        harm = "" if self.selection.by_person else held_harm(record)
        if harm and record.fingerprint == held_mark(harm, mark):
            return replace(item, fingerprint=mark, status="held", reason=record.reason, held=harm)
        return item

    def _worth_another_look(self, record: AssetRecord) -> bool:
        """Tell whether something besides catalogue and asset may have changed what is wrong with it."""
        if record.status == "not_sticking":
            return any(entry.server != self.rules.server_version for entry in record.unsticking)
        # Another key, or its owner's rights: Immich's dates do not tell of that, but a person asks after it.
        return self.selection.by_person and record.status in {"unknown_asset", "not_writable"}

    def _fingerprint(self, item: Item, pixels: tuple[int, int] | None) -> str:
        record = self.records.get(item.asset_id)
        decided = record.resolutions if record else ()
        return fingerprint(self._wanted(item, pixels), self.digest, decided)

    def _wanted(self, item: Item, pixels: tuple[int, int] | None) -> Desired:
        if item.image is None:
            return NOTHING
        return self.owner.desired(item.image, pixels, self.template, self.rules.policy)

    def plan(self, item: Item, reading: Reading) -> Item:
        """Plan an item that was to be looked at."""
        if item.status != "new":
            return item
        record = self.records.get(item.asset_id)
        if item.asset_id in reading.unknown:
            mark = self._fingerprint(item, _pixels(record))
            reason = reading.unknown[item.asset_id]
            return replace(item, fingerprint=mark, status="unknown_asset", reason=reason)
        if item.asset_id not in reading.assets:
            reason = reading.failed.get(item.asset_id, "Immich did not answer; the next pass looks again")
            return replace(item, status="failed", reason=reason)
        seen = reading.assets[item.asset_id]
        wanted = self._wanted(item, _size(seen))
        decided = record.resolutions if record else ()
        item = replace(item, fingerprint=fingerprint(wanted, self.digest, decided))
        if record and item.adopted:
            # As it will be once the earlier run's write has settled.
            owned = owned_after(record.applied, item.adopted, kept(item.adopted, seen, self.rules.markers))
            record = replace(record, applied=owned)
        return replace(item, plan=self.merge(item, wanted, seen, record))

    def merge(
        self, item: Item, wanted: Desired, seen: ObservedAsset, record: AssetRecord | None
    ) -> AssetPlan:
        """Merge one asset under the selection's force, which tries anew what did not stick before."""
        if self.selection.force and record:
            record = replace(record, unsticking=())
        return merge(item, wanted, seen, record, self.rules, force=self.selection.force)


def merge(
    item: Item, wanted: Desired, seen: ObservedAsset, record: AssetRecord | None, rules: Rules, *, force: bool
) -> AssetPlan:
    """Merge one asset; with ``force`` the catalogue wins conflicts, whatever was decided of them."""
    if force:
        record = replace(record, resolutions=()) if record else None
        rules = replace(
            rules, policy=replace(rules.policy, merge=replace(rules.policy.merge, on_conflict="overwrite"))
        )
    return plan_asset(item.image_id, item.title, wanted, seen, record, rules)


def linked_assets(catalogue: Catalogue, records: Mapping[str, AssetRecord]) -> frozenset[str]:
    """Give the assets that the catalogue links, or did before their row could not be read any more."""
    linked = {image.asset_id for image in catalogue.linked() if image.asset_id}
    if doubtful := catalogue.doubtful_ids():
        linked |= {record.asset_id for record in records.values() if record.image_id in doubtful}
    return frozenset(linked)


def switches_of(catalogue: Catalogue) -> Switches:
    """Give Skymmich's own four settings."""
    settings = catalogue.settings
    return Switches(settings.enabled, settings.description, settings.coordinates, settings.tags)


def _affordable(switches: Switches, server: ServerFacts) -> Switches:
    """Switch off what key or server do not allow: it is reported, and the rest goes on."""
    lost = {loss.feature for loss in server.losses}
    return replace(
        switches,
        description=switches.description and "description" not in lost,
        coordinates=switches.coordinates and "coordinates" not in lost,
        tags=switches.tags and server.tags_enabled and "tags" not in lost,
    )


def _owns(record: AssetRecord) -> bool:
    applied = record.applied
    return bool(applied.block or applied.prose or applied.tags)


def _pixels(record: AssetRecord | None) -> tuple[int, int] | None:
    return (record.width, record.height) if record and record.width and record.height else None


def _size(seen: ObservedAsset) -> tuple[int, int] | None:
    return (seen.width, seen.height) if seen.width and seen.height else None


def _guarded(prepared: Prepared, selection: Selection) -> Prepared:
    """Judge the plan, hold back what is harmful, and of a saved plan what is no longer the same."""
    linked = linked_assets(prepared.catalogue, prepared.records)
    before = frozenset(record.asset_id for record in prepared.records.values() if record.linked)
    plans = [item.plan for item in prepared.items if item.plan]
    looked_at = {item.asset_id for item in prepared.items if not item.held}
    standing = {
        record.asset_id: harm
        for record in prepared.records.values()
        if record.linked and record.asset_id not in looked_at and (harm := held_harm(record))
    }
    verdict = check(
        plans,
        linked=linked,
        linked_before=before,
        managed=len(linked | before | {plan.asset_id for plan in plans}),
        policy=prepared.rules.policy.guard,
        approved=selection.approved,
        standing=standing,
    )
    items, stale = [], []
    for item in prepared.items:
        kept_item = item
        if item.plan and item.asset_id in verdict.held:
            harm = verdict.harm[item.asset_id]
            kept_item = replace(item, plan=withhold(item.plan), held=harm, reason="the guard holds it back")
        if _is_stale(kept_item, selection):
            kept_item = replace(item, plan=None, status="failed", reason="changed since the plan was made")
            stale.append(item.title)
        items.append(kept_item)
    return replace(prepared, items=tuple(items), verdict=verdict, stale=tuple(stale))


def _is_stale(item: Item, selection: Selection) -> bool:
    """Tell whether a change is not, or no longer, the one of the saved plan."""
    if selection.expected is None or item.plan is None or not item.plan.changes:
        return False
    return selection.expected.get(item.asset_id) != item.plan.digest


def told_problems(catalogue: Catalogue) -> list[Event]:
    """Give the catalogue's problems as events, for the log."""
    return [
        Event(
            "catalogue.problem",
            "warning",
            details={"table": problem.table, "row": problem.row_id, "reason": problem.reason},
        )
        for problem in catalogue.problems
    ]
