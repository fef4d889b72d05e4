"""Which images a pass looks at, which it skips as they stand, and how one that was looked at is merged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import IMAGES_TABLE, RowProblem
from reconciler.core.desired.desired import NOTHING, Desired
from reconciler.core.fingerprint import digest as digest_of
from reconciler.core.fingerprint import fingerprint
from reconciler.core.plan.asset_plan import plan_asset
from reconciler.core.plan.flapping import is_due
from reconciler.core.plan.tag_losses import owned_kinds
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from reconciler.core.stacks import NO_STACKS
from reconciler.core.writes.asset_write import UNCONFIRMED
from reconciler.core.writes.verification import kept, owned_after
from reconciler.engine.item import Item
from reconciler.engine.planner.desired import pixels_of
from reconciler.errors import TemplateError, UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.records import LeftOut, PendingWrite
    from reconciler.core.stacks import Stacking
    from reconciler.engine.observe import Reading
    from reconciler.engine.passes import Selection

_MOST_REASON = 500
"""Characters: an error may quote a value."""
_IN_SYNC = {"in_sync", "not_ours", "switched_off"}
_SKIPPABLE = {
    "in_sync", "conflict", "not_sticking", "undone", "left_out", "unknown_asset", "not_writable", "unlinked",
    "failed",  # where it has a fingerprint: see ``is_catalogues``
}  # fmt: skip


@dataclass(slots=True)
class ImageSelector:
    """One pass's choice: what is looked at, what is skipped as it stands, and how an asset is merged."""

    desired: Callable[[CatalogueImage], Desired]
    """Gives what an image wants; computed before, with its picture's size."""
    rules: Rules
    digest: str
    selection: Selection
    records: Mapping[str, AssetRecord]
    pending: Mapping[str, PendingWrite]
    now: datetime | None = None
    """The time; ``None``: it is not counted how often something is put right."""
    usable: bool = False
    """Whether any image could be used: then it is not the template that is wrong."""
    stacking: Stacking = NO_STACKS
    """What stands beside, or in place of, linked assets; where it is not known, that is left as it stands."""
    waiting: dict[str, Item] = field(default_factory=dict)
    """By asset id: whose write Immich only shows; taken up once it moves, or with others that are written."""
    _unusable: dict[int, TemplateError | UnusableImageError] = field(default_factory=dict)

    def items(self, images: Iterable[CatalogueImage], moved: frozenset[str] | None) -> list[Item]:
        """List images of the pass: ``new`` ones are to be looked at, the others are skipped as they stand."""
        return [
            self._chosen(Item(image, image.asset_id, image.image_id, image.title), moved)
            for image in images
            if image.asset_id is not None and not self._is_not_begun(image.asset_id)
        ]

    def _is_not_begun(self, asset_id: str) -> bool:
        if asset_id not in self.stacking.unknown:
            return False
        record = self.records.get(asset_id)
        return record is None or not record.linked

    def orphans(self, asset_ids: Iterable[str], moved: frozenset[str] | None) -> list[Item]:
        """List managed assets whose image left the catalogue, as far as something of ours is in them."""
        return [
            self._chosen(Item(None, record.asset_id, record.image_id, record.title), moved)
            for asset_id in asset_ids
            if (record := self.records.get(asset_id)) is not None and _owns(record)
        ]

    def told(self, catalogue: Catalogue) -> Catalogue:
        """Return the catalogue with the images named that could not be used.

        Raises:
            TemplateError: it is the template: not one image could be rendered.
        """
        for error in self._unusable.values():
            if isinstance(error, TemplateError) and not self.usable:
                raise error
        problems = [
            RowProblem(
                IMAGES_TABLE, key, reason("error", kind=type(error).__name__, text=str(error)[:_MOST_REASON])
            )
            for key, error in self._unusable.items()
        ]
        return replace(catalogue, problems=(*catalogue.problems, *problems)) if problems else catalogue

    def _chosen(self, item: Item, moved: frozenset[str] | None) -> Item:
        try:
            return self._item(item, moved)
        except (TemplateError, UnusableImageError) as error:
            return self._failed(item, error)

    def _failed(self, item: Item, error: TemplateError | UnusableImageError) -> Item:
        """Return an item that cannot be used, which costs none but itself."""
        self._unusable[item.image_id] = error
        text = str(error)[:_MOST_REASON]
        why = reason("unusable", table=IMAGES_TABLE, row=str(item.image_id), text=text)
        return replace(item, status="failed", reasons=(why,), adopted=self.pending.get(item.asset_id))

    def _item(self, item: Item, moved: frozenset[str] | None) -> Item:
        record = self.records.get(item.asset_id)
        item = replace(item, adopted=self.pending.get(item.asset_id), status="new")
        unsure = item.asset_id in self.stacking.unknown
        if record is None or (not unsure and (moved is None or item.asset_id in moved)):
            return item
        unconfirmed = item.adopted and UNCONFIRMED in record.reasons and not self.selection.by_person
        if unconfirmed and not unsure:
            self.waiting[item.asset_id] = item
        if unsure or unconfirmed or item.image_id in self.selection.later:
            return replace(item, status=record.status, reasons=record.reasons, adopted=None)
        if item.adopted or self.selection.force or self._worth_another_look(record):
            return item
        mark = self._fingerprint(item)
        if record.status in _SKIPPABLE and record.fingerprint == mark:
            return replace(item, fingerprint=mark, status=record.status, reasons=record.reasons)
        harm = "" if self.selection.by_person else record.held
        if harm and record.fingerprint == mark:
            return replace(item, fingerprint=mark, status="held", reasons=record.reasons, held=harm)
        return item

    def _worth_another_look(self, record: AssetRecord) -> bool:
        """Return whether something besides catalogue and asset may have changed what is wrong with it."""
        if is_due(record.corrections, self.now):
            return True
        if record.status == "not_sticking":
            return any(entry.server != self.rules.server_version for entry in record.unsticking)
        # Another key, or its owner's rights: Immich's dates do not tell of that, but a person asks after it.
        return self.selection.by_person and record.status in {"unknown_asset", "not_writable", "failed"}

    def _fingerprint(self, item: Item) -> str:
        record = self.records.get(item.asset_id)
        decided, left_out = record.resolutions if record else (), self._left_out(item, record)
        wanted, digest = self.wanted(item), self.digest
        why = self.rules.unusable_albums
        if marks := [[name, why[name]] for name in sorted(wanted.albums) if name in why]:
            # Where an album is not used, another one of that name, or its end, is a reason to look.
            digest = digest_of(digest, marks)
        return fingerprint(wanted, digest, decided, left_out)

    def wanted(self, item: Item) -> Desired:
        """Return what an item's image wants.

        Raises:
            TemplateError, UnusableImageError: it could not be computed.
        """
        if item.image is None:
            return NOTHING
        found = self.desired(item.image)
        self.usable = True
        return found

    def worth_comparing(
        self, images: Iterable[CatalogueImage], moved: frozenset[str] | None
    ) -> list[tuple[CatalogueImage, tuple[int, int] | None]]:
        """List the images that ``items`` may compare with what is known of them, with the size as it was."""
        if moved is None:
            return []
        return [
            (image, pixels_of(record))
            for image in images
            if image.asset_id is not None
            and image.asset_id not in moved
            and (record := self.records.get(image.asset_id)) is not None
        ]

    def to_be_planned(
        self, items: Iterable[Item], reading: Reading
    ) -> list[tuple[CatalogueImage, tuple[int, int] | None]]:
        """List the images that ``plan`` merges, with the size as it was read, or else as it ever was."""
        found = []
        for item in items:
            if item.status != "new" or item.image is None:
                continue
            before = pixels_of(self.records.get(item.asset_id))
            if (seen := reading.assets.get(item.asset_id)) is not None:
                # Once told, a size that is missing is no other size.
                found.append((item.image, _size(seen) or before))
            elif item.asset_id in reading.unknown or item.asset_id in reading.unextracted:
                found.append((item.image, before))
        return found

    def plan(self, item: Item, reading: Reading) -> Item:
        """Plan an item that was to be looked at."""
        if item.status != "new":
            return item
        try:
            return self._planned(item, reading)
        except (TemplateError, UnusableImageError) as error:
            return self._failed(item, error)

    def _planned(self, item: Item, reading: Reading) -> Item:
        record = self.records.get(item.asset_id)
        if item.asset_id in reading.unknown:
            mark = self._fingerprint(item)
            why = reading.unknown[item.asset_id]
            return replace(item, fingerprint=mark, status="unknown_asset", reasons=(why,))
        if item.asset_id in reading.unextracted:
            mark = self._fingerprint(item)
            why = reading.unextracted[item.asset_id]
            return replace(item, fingerprint=mark, status="not_writable", reasons=(why,))
        if item.asset_id not in reading.assets:
            why = reading.failed.get(item.asset_id, reason("no_answer"))
            return replace(item, status="failed", reasons=(why,))
        seen = reading.assets[item.asset_id]
        wanted = self.wanted(item)
        item = replace(item, fingerprint=self._fingerprint(item))
        if record and item.adopted:
            # As it will be once the earlier run's write has settled.
            owned = owned_after(record.applied, item.adopted, kept(item.adopted, seen, self.rules.markers))
            record = replace(record, applied=owned)
        edited = item.asset_id in reading.edited
        return replace(item, plan=self.merge(item, wanted, seen, record), edited=edited)

    def _left_out(self, item: Item, record: AssetRecord | None) -> tuple[LeftOut, ...]:
        """Return what a person left out; where an asset comes to a stack, of the linked one."""
        linked = self.stacking.linked_of(item.asset_id)
        if linked == item.asset_id or (record is not None and record.linked):
            return record.left_out if record else ()
        known = self.records.get(linked)
        return known.left_out if known else ()

    def merge(
        self, item: Item, wanted: Desired, seen: ObservedAsset, record: AssetRecord | None
    ) -> AssetPlan:
        """Merge one asset under the selection's force, which tries anew what did not stick before."""
        if self.selection.force and record:
            record = replace(record, unsticking=())
        if (out := self._left_out(item, record)) != (record.left_out if record else ()):
            record = replace(record or AssetRecord(item.asset_id, item.image_id, item.title), left_out=out)
        return merge(item, wanted, seen, record, self.rules, force=self.selection.force, now=self.now)


def merge(
    item: Item,
    wanted: Desired,
    seen: ObservedAsset,
    record: AssetRecord | None,
    rules: Rules,
    *,
    force: bool,
    now: datetime | None = None,
) -> AssetPlan:
    """Merge one asset; with ``force`` the catalogue wins, also what was left to the person or decided."""
    if force:
        record = replace(record, resolutions=(), corrections=(), taken_back=None) if record else None
        wins = replace(
            rules.policy.merge, on_conflict="overwrite", on_drift_block="correct", on_drift_prose="correct",
            on_drift_coordinates="correct", on_drift_taken_at="correct", on_drift_tags="correct",
            on_drift_albums="correct",
        )  # fmt: skip
        rules = replace(rules, policy=replace(rules.policy, merge=wins))
    return plan_asset(item.image_id, item.title, wanted, seen, record, rules, now)


def _owns(record: AssetRecord) -> bool:
    applied = record.applied
    return bool(applied.block or applied.prose or applied.tags or applied.albums)


def _size(seen: ObservedAsset) -> tuple[int, int] | None:
    return (seen.width, seen.height) if seen.width and seen.height else None


def is_as_left(item: Item, record: AssetRecord | None) -> bool:
    """Return whether an asset that was read is in sync as its record says: there is nothing to note."""
    plan = item.plan
    if plan is None or record is None or item.adopted or item.held or item.edited or item.image is None:
        return False
    seen = plan.observed
    return (
        not (plan.changes or plan.blocked or plan.notes or record.reasons)
        and record.linked
        and all(decision.case in _IN_SYNC for decision in plan.decisions)
        and (record.image_id, record.title, record.status) == (item.image_id, item.title, "in_sync")
        and (record.fingerprint, record.seen_updated_at) == (item.fingerprint, seen.updated_at)
        and (record.applied, record.resolutions, record.marks) == (plan.base, plan.resolutions, plan.marks)
        and (record.superseded, record.corrections) == (plan.superseded, plan.corrections)
        and record.kinds == owned_kinds(record.kinds, plan.desired.kinds, record.applied.tags)
        and (seen.width or record.width, seen.height or record.height) == (record.width, record.height)
    )
