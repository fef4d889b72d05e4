"""What the service knows of itself: conditions, counts, the last look, and the snapshot made of them.

It is told what happened and decides only how that is filed; ``headline`` decides what of it comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.core.permission import Permission
from reconciler.core.reasons import of_error, reason
from reconciler.core.records import FINE, Crossed
from reconciler.service.api import Condition, Snapshot
from reconciler.service.conditions import Conditions, filed
from reconciler.service.summary import PARTLY, Standing, headline, is_fresh

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.plan.guard import Verdict
    from reconciler.core.policy import Switches
    from reconciler.core.ports import Clock, FeatureLoss, ServerFacts
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetStatus, Run
    from reconciler.engine.foreseen import Foreseen
    from reconciler.engine.passes import Prepared, Report
    from reconciler.errors import ReconcilerError
    from reconciler.service.api import ConditionReason, ConditionType, RunState, Status
    from reconciler.service.environment import Installation, ServiceStore

_PARTS = {"description", "coordinates", "tags", "albums", "stacks"}
"""Features whose loss leaves images out of sync; others only cost requests."""

_UNWRITTEN_FRESH_S = 90_000.0
"""Seconds for which a look counts where nothing may be written: a day, and some more. See ``runner``."""


class Health:
    """The service's state as it is shown.

    Args:
        clock: time.
        store: for the counts.
        fresh_for: seconds for which a look at everything counts.
    """

    def __init__(self, clock: Clock, store: ServiceStore, fresh_for: float) -> None:
        self._clock, self._store = clock, store
        self.fresh_for = fresh_for
        self.conditions = Conditions()
        self.started_at = clock.now()
        self.checked_at: datetime | None = None
        self.attempted_at: datetime | None = None
        self.switches: Switches | None = None
        self._overridden = False
        self._version = self._catalogue = ""
        self._linked = 0
        self._verdict: Verdict | None = None
        self.permission = Permission("ask")
        self.foreseen: Foreseen | None = None
        self._counts: dict[AssetStatus, int] = {}
        self._crossed, self._offered = Crossed(), 0
        self.last: Run | None = next(iter(store.runs(1)), None)
        self._count()

    @property
    def enabled(self) -> bool:
        """Whether Skymmich's master switch, or the override, is on."""
        return self.switches is not None and self.switches.enabled

    @property
    def stands_back(self) -> bool:
        """Whether another instance keeps the library, as far as the last look found."""
        writer = self.condition("Writer")
        return writer is not None and writer.reason == "AnotherInstance"

    def put(self, kind: ConditionType, status: Status, why: ConditionReason, *details: Reason) -> bool:
        """Note a condition; tells whether it is news."""
        return self.conditions.put(kind, status, why, details, self._clock.now())

    # Told by the service, in the order of a pass

    def attempted(self) -> None:
        """A pass begins."""
        self.attempted_at = self._clock.now()

    def catalogue_read(self, catalogue: Catalogue) -> None:
        """The catalogue was read."""
        self._catalogue, self._linked = catalogue.schema, len(catalogue.linked())
        odd = sum(problem.severity == "error" for problem in catalogue.problems)
        details = [reason("catalogue_read", count=len(catalogue.images), linked=self._linked)]
        if odd:
            details.append(reason("rows_unread", count=odd))
        if catalogue.gone:
            details.append(reason("catalogue_lacks"))
        self.put("CatalogueReadable", "True", "Read", *details)

    def switched(self, switches: Switches, *, overridden: bool) -> None:
        """The switches are known."""
        self.switches, self._overridden = switches, overridden
        if switches.enabled:
            self.put("SyncEnabled", "True", "On", reason("sync_on"))
        else:
            where = reason("sync_off_here") if overridden else reason("sync_off")
            self.put("SyncEnabled", "False", "SwitchedOff", where)

    def permitted(self, permission: Permission) -> None:
        """What may be written is known."""
        self.permission = permission
        standing, begun = permission.standing, permission.begun
        if standing == "observing":
            self.put("Begun", "False", "Observes", reason("observes"))
        elif standing == "trying" and begun is not None:
            self.put("Begun", "False", "FirstOnly", reason("first_only", count=len(begun.first or ())))
        elif standing == "asking":
            self.put("Begun", "False", "NotBegun", reason("not_begun"))
        else:
            self.put("Begun", "True", "MayWrite", reason("begun"))
            self.foreseen = None

    def foresaw(self, foreseen: Foreseen) -> None:
        """A look at all images told what would be written."""
        self.foreseen = foreseen
        self.looked(whole=True)

    def prepared(self, prepared: Prepared) -> None:
        """Catalogue and Immich were read and a plan made."""
        self._version = prepared.server.version
        self.put("Configured", "True", "Complete", reason("configuration_usable"))
        self.put("ImmichReachable", "True", "Answers", reason("immich_answers", version=self._version))
        self._permitted(prepared.server)
        if prepared.another is not None:  # a person looks all the same
            self.failed(prepared.another.error())
        elif self.stands_back:
            self.put("Writer", "True", "Held", reason("right_held"))
        verdict, known = prepared.verdict, self._verdict
        # Named anew after an approval was used; else the one of the pass that looked at all has the examples.
        if verdict.tripped and (known is None or known.hash != verdict.hash):
            self._verdict = verdict

    def looked(self, *, whole: bool) -> None:
        """A pass went through, with or without writing; ``whole``: over all images."""
        self.put("StoreWritable", "True", "Recorded", reason("pass_recorded"))
        self.put("Working", "True", "WentThrough", reason("pass_recorded"))
        if whole:
            self.checked_at = self._clock.now()
        self._count()

    def reported(self, prepared: Prepared, report: Report, *, whole: bool) -> None:
        """A pass has ended, well or not."""
        self.last = report.run
        if prepared.verdict.tripped:
            self._verdict = prepared.verdict
        elif whole and not self._store.counts_by_status().get("held"):
            self._verdict = None
        self.looked(whole=whole)
        if report.error is not None:
            self.failed(report.error)
        elif whole or prepared.has_changes:
            self.put("CanaryClear", "True", "Passed", reason("no_canary"))

    def took_back(self, report: Report) -> None:
        """An undo has ended, well or not."""
        self.last = report.run
        self.looked(whole=False)
        if report.error is not None:
            self.failed(report.error)

    def seen(self) -> None:
        """A person has looked at what may have crossed, or decided of what is offered."""
        self._crossed, self._offered = self._store.crossed(), self._store.offered()

    def failed(self, error: ReconcilerError) -> bool:
        """A pass met an error; tells whether that is news."""
        kind, why = filed(error)
        if why == "AnotherInstance":
            self.foreseen = None
        return self.put(kind, "False", why, of_error(error))

    def broke(self, error: Exception) -> None:
        """A pass met an error that nobody expected."""
        self.put("Working", "False", "Unexpected", reason("broke_off", kind=type(error).__name__))

    # Shown

    def standing(
        self,
        *,
        paused: bool,
        current: RunState | None,
        asked: bool = False,
        upcoming: Mapping[str, datetime] | None = None,
    ) -> Standing:
        """Return what the headline is made of."""
        return Standing(
            now=self._clock.now(),
            fresh_for=self.fresh_for if self.permission.standing == "begun" else _UNWRITTEN_FRESH_S,
            checked_at=self.checked_at,
            next_look=min((when for name, when in (upcoming or {}).items() if name in LOOKS), default=None),
            counts=self._counts,
            crossed=self._crossed.count,
            conditions={condition.type: condition for condition in self.conditions.all()},
            paused=paused,
            progress=current.progress if current else None,
            running=current is not None,
            asked=asked,
            permission=self.permission,
            images=self.foreseen.images if self.foreseen else self._linked,
            changing=self.foreseen.changing if self.foreseen else 0,
        )

    def snapshot(
        self,
        installation: Installation,
        *,
        upcoming: Mapping[str, datetime],
        paused: bool,
        queue_depth: int,
        current: RunState | None,
        asked: bool = False,
    ) -> Snapshot:
        """Return everything that a status shows; ``asked``: see ``Standing``."""
        standing = self.standing(paused=paused, current=current, asked=asked, upcoming=upcoming)
        self._put_fresh(standing)
        source = "override" if self._overridden else "Skymmich"
        return Snapshot(
            headline=headline(standing),
            started_at=self.started_at,
            checked_at=self.checked_at,
            attempted_at=self.attempted_at,
            conditions=self.conditions.all(),
            counts=dict(self._counts),
            crossed=self._crossed,
            offered=self._offered,
            next_looks=dict(upcoming),
            switches=self.switches,
            switches_source=source if self.switches is not None else "",
            permission=self.permission,
            foreseen=self.foreseen,
            paused=paused,
            queue_depth=queue_depth,
            circuit_open_since=installation.circuit_open_since,
            current=current,
            last=self.last,
            verdict=self._verdict,
            immich_version=self._version,
            immich_url=installation.immich_url,
            catalogue=self._catalogue,
        )

    def condition(self, kind: ConditionType) -> Condition | None:
        """Return one condition."""
        return self.conditions.get(kind)

    def _permitted(self, server: ServerFacts) -> None:
        losses = server.losses if self.switches is None else server.losses_under(self.switches)
        lost = [loss for loss in losses if loss.feature in _PARTS]
        if lost:
            features = tuple(sorted({loss.feature for loss in lost}))
            self.put("Permitted", "False", PARTLY, reason("key_forbids", features=features), *_remedies(lost))
        elif not server.tags_enabled and self.switches is not None and self.switches.tags:
            self.put("Permitted", "False", PARTLY, reason("tags_off"))
        else:
            self.put("Permitted", "True", "Allowed", reason("key_allows"), *_remedies(losses))

    def _count(self) -> None:
        counts = cast("dict[AssetStatus, int]", dict(self._store.counts_by_status()))
        known = sum(count for status, count in counts.items() if status != "unlinked")
        if known < self._linked:
            counts["new"] = counts.get("new", 0) + self._linked - known
        self._counts, self._crossed = counts, self._store.crossed()
        self._offered = self._store.offered()
        odd = sum(count for status, count in counts.items() if status not in FINE)
        if self.checked_at is not None:
            if odd:
                left = reason("not_all_in_sync", count=odd, images=max(known, self._linked))
                self.put("InSync", "False", "NotAllInSync", left)
            else:
                self.put("InSync", "True", "AllInSync", _all_fine(counts, known))
        held = counts.get("held", 0)
        if self._verdict is not None and self._verdict.tripped:
            self.put("GuardClear", "False", "HeldBack", *self._verdict.told)
        elif held:
            self.put("GuardClear", "False", "HeldBack", reason("images_held", count=held))
        elif self.checked_at is not None:
            self.put("GuardClear", "True", "NothingHeld", reason("nothing_held"))

    def _put_fresh(self, standing: Standing) -> None:
        if is_fresh(standing):
            self.put("Fresh", "True", "LookedLately", reason("looked_lately"))
        elif self.checked_at is None:
            self.put("Fresh", "Unknown", "NotYet", reason("not_looked"))
        else:
            age = (standing.now - self.checked_at).total_seconds()
            self.put("Fresh", "False", "Old", reason("looked_long_ago", seconds=age))


def _all_fine(counts: Mapping[AssetStatus, int], known: int) -> Reason:
    alone = counts.get("undone", 0) + counts.get("left_out", 0)
    if not alone:
        return reason("all_in_sync", count=known)
    return reason("rest_left_alone", count=alone, images=known)


def _remedies(losses: Iterable[FeatureLoss]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason("remedy", text=loss.remedy) for loss in losses))


LOOKS = ("immich", "audit")
"""The jobs that look at everything; the headline names the next of them."""
