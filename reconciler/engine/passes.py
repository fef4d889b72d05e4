"""A pass as values: what it is asked to do, what it found, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.plan.guard import Verdict
from reconciler.core.records import FINE
from reconciler.core.stacks import NO_STACKS
from reconciler.engine.item import is_catalogues

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.ports import ServerFacts
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, AssetStatus, Field, Run
    from reconciler.core.stacks import Stacking
    from reconciler.engine.hints import Seen
    from reconciler.engine.identity import KnownImmich
    from reconciler.engine.items import Items
    from reconciler.engine.standpoint import Another, Taken
    from reconciler.engine.watermark import Look
    from reconciler.errors import ReconcilerError


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images a pass looks at, and how hard."""

    image_ids: frozenset[int] | None = None
    """``None``: all."""
    full: bool = False
    """Read every asset, whatever the fingerprints and Immich's dates say."""
    hints: bool = False
    """Look for what moved no date, too: see ``hints``."""
    force: bool = False
    """A person's wish: the catalogue wins conflicts for this run, and unsticking values are tried."""
    by_person: bool = True
    """Whether a person asked. Background passes leave alone what waits for one: what the guard holds, and
    everything after a canary that failed."""
    approved: str = ""
    """The hash of the harm that a person approved."""
    expected: Mapping[str, str] | None = None
    """Of a saved plan: asset id → digest. Only these changes are written, and only while they stay same."""
    brief: bool = False
    """Leave images that are fine and stand where they were out of the plan, but for their number."""
    tags_later: bool = False
    """Read in bulk, without tags: whoever plans so reads an asset's tags before they matter."""
    albums: bool = False
    """Look at the albums whatever the switches say: something of them may be taken back."""
    writes: bool = False
    """Something is to be written, whatever the plan says: whoever plans so knows of it."""
    again: bool = False
    """Plan as if what was taken back were to be written again: only to be looked at."""
    later: frozenset[int] = frozenset()
    """Images whose last attempt failed a while ago: left as they stand unless their asset moved."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pass before anything is written: observed and planned."""

    catalogue: Catalogue
    server: ServerFacts
    rules: Rules
    rules_digest: str
    items: Items
    """The linked images of the selection, in order of image id; a brief one is without those that stood."""
    records: Mapping[str, AssetRecord]
    linked: AbstractSet[str] = frozenset()
    """The assets that the catalogue links, or whose row could not be read."""
    left: AbstractSet[str] = frozenset()
    """Those that the last good pass found in the catalogue, and which are not there any more."""
    restacked: AbstractSet[str] = frozenset()
    """Of these: those that went with a stack alone. Their images are there, so nothing is lost."""
    stood: int = 0
    """Images that are fine and stand where they were, beside ``items``."""
    verdict: Verdict = field(default_factory=Verdict)
    moment: str = ""
    """What the verdict's hash goes on from: see ``approving``."""
    rules_before: str = ""
    """The digest of the rules at the last good pass over all; ``""``: there was none."""
    full: bool = False
    """Whether every asset was read, whatever its date said."""
    observed_from: datetime | None = None
    """By Immich's own dates: changes from then on are not in the observation."""
    look: Look | None = None
    """The look at changes that began it; ``None``: all that was asked for was read."""
    seen: Seen | None = None
    """What a look for hints saw; ``None``: there was none."""
    stale: tuple[str, ...] = ()
    """Titles of changes of a saved plan that are no longer the same, and so are not written."""
    immich: KnownImmich | None = None
    """Whom to remember once it is carried out."""
    taken: Taken | None = None
    """What was taken up from the records in Immich."""

    stacking: Stacking = NO_STACKS
    """What stands beside, or in place of, the assets that the catalogue links."""

    @property
    def another(self) -> Another | None:
        """Another instance that keeps this library: nothing may be written then."""
        return self.taken.another if self.taken else None

    @property
    def changes(self) -> tuple[AssetPlan, ...]:
        """The plans that would write something: all at once, see ``items.telling`` for some of very many."""
        return tuple(item.plan for item in self.items.telling() if item.plan and item.plan.changes)

    @property
    def changing(self) -> int:
        """How many those are."""
        return self.items.tally.changing

    @property
    def has_changes(self) -> bool:
        """Whether anything would be written."""
        return self.changing > 0

    @property
    def withheld(self) -> tuple[AssetPlan, ...]:
        """The whole plans of the images of which the guard holds something back, as far as it looked."""
        return tuple(item.withheld for item in self.items.telling() if item.withheld)

    @property
    def images(self) -> int:
        """How many images it is about."""
        return len(self.items) + self.stood

    @property
    def quiet(self) -> bool:
        """Whether nothing moved and nothing was looked at: there is nothing to write, verify or record."""
        left = not self.verdict.shrunk and self.left
        read = self.full and self.stood
        news = self.taken is not None and self.taken.news
        return not (left or read or news or self.items.tally.moving)

    @property
    def unsettled(self) -> bool:
        """Whether an earlier run left writes to wait for."""
        return self.items.tally.adopted > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image."""

    image_id: int
    asset_id: str
    title: str
    status: AssetStatus
    reasons: tuple[Reason, ...] = ()
    changed: tuple[Field, ...] = ()
    """The fields that were written and stuck."""
    crossed: bool = False
    """Whether somebody saved it between our reading and our write; on record until a person has looked."""


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a pass."""

    run: Run
    outcomes: tuple[Outcome, ...]
    verdict: Verdict = field(default_factory=Verdict)
    stale: tuple[str, ...] = ()
    error: ReconcilerError | None = None
    """What ended it early, if anything did."""

    @property
    def attention(self) -> tuple[Outcome, ...]:
        """What a person should look at."""
        return tuple(outcome for outcome in self.outcomes if outcome.status not in FINE)

    @property
    def unfinished(self) -> frozenset[int]:
        """The images that are worth another attempt, though nothing about them changes."""
        return frozenset(
            outcome.image_id
            for outcome in self.outcomes
            if outcome.status in {"failed", "pending"} and not is_catalogues(outcome.reasons)
        )
