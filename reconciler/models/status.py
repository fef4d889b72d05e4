"""The daemon's state as JSON, its settings and its template, and what its doctor found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self

from reconciler import __version__
from reconciler.messages.conditions import message
from reconciler.messages.headlines import sentence
from reconciler.models.base import Count, Counts, Model, Moment, Text
from reconciler.models.plans import Guard, Settings
from reconciler.models.reasons import Reason
from reconciler.models.runs import Progress, Run, RunState
from reconciler.redaction import redact
from reconciler.service.api import ConditionReason, ConditionType, HeadlineCode, Level
from reconciler.service.api import Status as ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.service.api import Condition as CoreCondition
    from reconciler.service.api import Headline as CoreHeadline
    from reconciler.service.api import Snapshot


class Condition(Model):
    """One named truth about the daemon."""

    type: ConditionType
    status: ConditionStatus
    reason: ConditionReason
    message: Text
    reasons: list[Reason]
    """What the message is made of."""
    since: Moment

    @classmethod
    def of(cls, found: CoreCondition) -> Self:
        """Return a condition as JSON."""
        return cls(
            type=found.type,
            status=found.status,
            reason=found.reason,
            message=redact(message(found)),
            reasons=Reason.all(found.details),
            since=found.since,
        )


class Headline(Model):
    """What the headline is made of; seconds since the last look at everything, and until the next."""

    code: HeadlineCode
    condition: ConditionType | None
    images: Count
    counts: Counts
    crossed: Count
    progress: Progress | None
    looked: float | None
    next_look: float | None

    @classmethod
    def of(cls, found: CoreHeadline) -> Self:
        """Return a headline as JSON."""
        return cls(
            code=found.code,
            condition=None if found.condition is None else found.condition.type,
            images=found.images,
            counts=dict(sorted(found.counts.items())),
            crossed=found.crossed,
            progress=None if found.progress is None else Progress.of(found.progress),
            looked=found.looked,
            next_look=found.next_look,
        )


class Crossed(Model):
    """How many images there are of which an edit may be missing, and when the newest was noticed."""

    count: Count
    newest: Moment | None


class Server(Model):
    """The Immich that is written to."""

    version: Text
    url: Text


class Status(Model):
    """The daemon's whole state."""

    headline: Text
    standing: Headline
    """What the headline is made of."""
    level: Level
    version: Text
    started_at: Moment
    checked_at: Moment | None
    attempted_at: Moment | None
    paused: bool
    conditions: list[Condition]
    counts: Counts
    crossed: Crossed
    next_looks: dict[str, Moment]
    queue_depth: Count
    circuit_open_since: Moment | None
    settings: Settings | None
    settings_source: Text
    current: RunState | None
    last: Run | None
    guard: Guard | None
    immich: Server
    catalogue: Text

    @classmethod
    def of(cls, found: Snapshot) -> Self:
        """Return a snapshot as JSON."""
        return cls(
            headline=redact(sentence(found.headline)),
            standing=Headline.of(found.headline),
            level=found.level,
            version=__version__,
            started_at=found.started_at,
            checked_at=found.checked_at,
            attempted_at=found.attempted_at,
            paused=found.paused,
            conditions=[Condition.of(one) for one in found.conditions],
            counts=dict(found.counts.items()),
            crossed=Crossed(count=found.crossed.count, newest=found.crossed.newest),
            next_looks=dict(found.next_looks),
            queue_depth=found.queue_depth,
            circuit_open_since=found.circuit_open_since,
            settings=None if found.switches is None else Settings.of(found.switches),
            settings_source=found.switches_source,
            current=None if found.current is None else RunState.of(found.current),
            last=None if found.last is None else Run.of(found.last),
            guard=None if found.verdict is None else Guard.of(found.verdict),
            immich=Server(version=found.immich_version, url=found.immich_url),
            catalogue=found.catalogue,
        )


class SettingsView(Model):
    """The four switches: in force, whence, what Skymmich itself says, and where they are changed."""

    settings: Settings | None
    source: Text
    skymmich: Settings | None
    changed_in: Text | None


class TemplateVersion(Model):
    """An earlier template."""

    at: Moment
    text: Text


class Template(Model):
    """The template in force, where it comes from, and earlier ones."""

    text: Text
    origin: Text
    configured: Text
    versions: list[TemplateVersion]


class Rendered(Model):
    """What a template renders for an image; ``null`` where there is no image."""

    image_id: int | None
    title: Text
    rendered: Text | None


class DoctorsFinding(Protocol):
    """One thing that the doctor looked at, as it stands in the program."""

    @property
    def section(self) -> str: ...  # noqa: D102 - as in ``Finding``
    @property
    def level(self) -> Literal["ok", "warning", "problem"]: ...  # noqa: D102 - the same
    @property
    def what(self) -> str: ...  # noqa: D102 - the same
    @property
    def remedy(self) -> str: ...  # noqa: D102 - the same


class Finding(Model):
    """One thing that the doctor looked at."""

    section: Text
    level: Literal["ok", "warning", "problem"]
    what: Text
    remedy: Text


class Findings(Model):
    """What the doctor found; ``ok`` where no problem is among it."""

    ok: bool
    findings: list[Finding]

    @classmethod
    def of(cls, found: Iterable[DoctorsFinding]) -> Self:
        """Return the doctor's findings as JSON."""
        listed = [
            Finding(section=one.section, level=one.level, what=redact(one.what), remedy=redact(one.remedy))
            for one in found
        ]
        return cls(ok=all(one.level != "problem" for one in listed), findings=listed)


class Seen(Model):
    """How many images were looked at."""

    images: Count


class Stopped(Model):
    """Whether a run was stopped."""

    stopped: bool


class Paused(Model):
    """Whether runs start by themselves."""

    paused: bool


class Said(Model):
    """The answer that Skymmich's page reads."""

    success: bool
    message: Text
    synced: Count = 0
    failed: Count = 0
