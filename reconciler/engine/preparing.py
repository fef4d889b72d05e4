"""Preparing a pass: read the catalogue, compute what is desired, observe what is to be looked at, plan.

Nothing is written here, neither to Immich nor to the store.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.core.desired import Form
from reconciler.core.fingerprint import policy_digest
from reconciler.core.plan import Rules
from reconciler.core.policy import Policy, Switches
from reconciler.core.template import digest_of
from reconciler.engine.choosing import Chooser
from reconciler.engine.desiring import Desirer, Desires
from reconciler.engine.events import Event, Progress
from reconciler.engine.holding import guarded
from reconciler.engine.observing import read_assets
from reconciler.engine.passes import Prepared, Selection
from reconciler.errors import ImmichError

if TYPE_CHECKING:
    from reconciler.core.catalogue import Catalogue
    from reconciler.engine.events import Listener
    from reconciler.engine.ports import CatalogueSource, Clock, Renderer, ServerFacts, Store, Target

_CLOCK_SLACK = timedelta(seconds=2)
"""A server's Date header has whole seconds, and is older than the answer by its transport."""
_RENEW_TO_WRITE, _RENEW_LOSSES, _RENEW = 600.0, 300.0, 86_400.0
"""Seconds after which the server is asked again for its version, permissions and user: before something is
written, while the key lacks something, and at all. A whole look by a person, or an error, does so at once."""
_AUDIT_AGE = timedelta(days=1)
FULL_LOOK_AT = "full_look_at"
"""Where the store keeps when every asset was last read, whatever its date said."""
ARCHIVED = "archived"
"""Where the store keeps the ids of managed assets that were in the archive when last read."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user configured for all passes. A switch that is ``None`` follows Skymmich's own setting."""

    policy: Policy
    switches: Switches | None = None


class Preparer:
    """Prepares passes; keeps what was desired of unchanged images between them."""

    def __init__(
        self,
        source: CatalogueSource,
        target: Target,
        store: Store,
        clock: Clock,
        *,
        renderer: Renderer,
        listen: Listener,
    ) -> None:
        self._source, self._target, self._store = source, target, store
        self._clock, self._listen = clock, listen
        self._desirer = Desirer(renderer, Form(target.settled_description, target.settled_tag))
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
        await self._desirer.check(wishes.policy.description)
        catalogue = await asyncio.to_thread(self._source.read)
        self._listen(Progress("reading", total=len(catalogue.linked())))
        try:
            server = await self._facts(selection)
            prepared = await self._observed(selection, wishes, catalogue, server)
            if prepared.changes and self._clock.monotonic() - self._asked_at > _RENEW_TO_WRITE:
                self.forget_server()
                if (renewed := await self._facts(selection)) != server:
                    prepared = await self._observed(selection, wishes, catalogue, renewed)
        except ImmichError:
            self.forget_server()
            raise
        return prepared

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
        self, selection: Selection, wishes: Wishes, catalogue: Catalogue, server: ServerFacts
    ) -> Prepared:
        switches = wishes.switches or switches_of(catalogue)
        rules = Rules(
            policy=wishes.policy,
            switches=switches,
            server_version=server.version,
            user_id=server.user_id,
            tags_available=server.tags_enabled,
            missing=_missing(server),
        )
        digest = policy_digest(wishes.policy, _affordable(rules), digest_of(wishes.policy.description))
        desires = Desires()
        planner = Chooser(desires.of, rules, digest, selection, self._store.records(), self._store.pending())
        asked = self._clock.monotonic()
        moved = await self._moved(planner)
        # After the search, whose answer brings the server's time along; taken back to when it was asked.
        since = await self._target.server_time() - _CLOCK_SLACK
        since -= timedelta(seconds=self._clock.monotonic() - asked)
        await self._desirer.compute(planner.worth_comparing(catalogue, moved), wishes.policy, desires)
        items = planner.items(catalogue, moved)
        wanted = [item.asset_id for item in items if item.status == "new"]
        manages_tags = rules.switches.tags and rules.tags_available
        reading = await read_assets(self._target, wanted, tags=manages_tags)
        self._listen(Progress("planning", total=len(wanted)))
        await self._desirer.compute(planner.to_be_planned(items, reading), wishes.policy, desires)
        planned = [planner.plan(item, reading) for item in items]
        return guarded(
            Prepared(
                catalogue=catalogue, server=server, rules=rules, rules_digest=digest,
                items=tuple(planned), records=planner.records, observed_from=since,
                full=moved is None and selection.image_ids is None,
            ),
            selection,
        )  # fmt: skip

    async def _moved(self, planner: Chooser) -> frozenset[str] | None:
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


def switches_of(catalogue: Catalogue) -> Switches:
    """Give Skymmich's own four settings."""
    settings = catalogue.settings
    return Switches(settings.enabled, settings.description, settings.coordinates, settings.tags)


def _missing(server: ServerFacts) -> dict[str, str]:
    """Give the permissions that each feature lacks, for people."""
    found: dict[str, str] = {}
    for loss in server.losses:
        known = found.get(loss.feature)
        found[loss.feature] = f"{known}, {loss.permission}" if known else loss.permission
    return found


def _affordable(rules: Rules) -> Switches:
    """Leave out what key or server do not allow: a permission that is given is a reason to look again."""
    switches, missing = rules.switches, rules.missing
    return replace(
        switches,
        description=switches.description and "description" not in missing,
        coordinates=switches.coordinates and "coordinates" not in missing,
        tags=switches.tags and rules.tags_available and "tags" not in missing,
    )


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
