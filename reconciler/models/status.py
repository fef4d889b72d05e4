"""The daemon's state as JSON, its settings and its template, and what its doctor found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self

from reconciler import __version__
from reconciler.core.permission import Beginner
from reconciler.core.policy import Mode
from reconciler.messages.conditions import message
from reconciler.messages.headlines import sentence
from reconciler.messages.reasons import sentence as sentence_of
from reconciler.models.base import Count, Counts, Model, Moment, Text
from reconciler.models.plans import Guard, Settings
from reconciler.models.reasons import Reason
from reconciler.models.runs import Progress, Run, RunState
from reconciler.redaction import redact
from reconciler.service.api import ConditionReason, ConditionType, HeadlineCode, Level
from reconciler.service.api import Status as ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.permission import Begun as CoreBegun
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.engine.foreseen import Foreseen as CoreForeseen
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
    changing: Count

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
            changing=found.changing,
        )


class Crossed(Model):
    """How many images there are of which an edit may be missing, and when the newest was noticed."""

    count: Count
    newest: Moment | None


class Server(Model):
    """The Immich that is written to."""

    version: Text
    url: Text


class Begun(Model):
    """By whom writing was begun, when, and with which images first."""

    by: Beginner
    at: Moment | None
    first: list[Count] | None
    """Only these are written until a person goes on; ``null``: all are."""

    @classmethod
    def of(cls, found: CoreBegun) -> Self:
        """Return it as JSON."""
        return cls(by=found.by, at=found.at, first=None if found.first is None else sorted(found.first))


class Foreseen(Model):
    """What would be written, where nothing may be."""

    at: Moment
    images: Count
    looked: Count
    """Those that were compared: of very many images only some."""
    changing: Count
    held: Count
    """Of these, those of which the guard asks about something first."""
    examples: list[Example]
    kinds: dict[str, Counts]
    """``description``, ``coordinates``, ``tags`` → ``added``, ``changed``, ``removed`` → how many."""
    left: list[Left]

    @classmethod
    def of(cls, found: CoreForeseen, *, examples: bool = True) -> Self:
        """Return it as JSON; a status, which is sent often, has no examples."""
        kinds: dict[str, dict[str, int]] = {}
        for (name, kind), count in sorted(found.kinds.items()):
            kinds.setdefault(name, {})[kind] = count
        left = [
            Left(count=one.count, why=sentence_of([one.why], "daemon"), example=one.title)
            for one in found.left
        ]
        return cls(
            at=found.at,
            images=found.images,
            looked=found.looked,
            changing=found.changing,
            held=found.held,
            examples=[Example.of(plan) for plan in found.examples if examples],
            kinds=kinds,
            left=left,
        )


class Example(Model):
    """One image, before and after."""

    image_id: int
    title: Text
    before: Text
    after: Text
    add_tags: list[Text]
    remove_tags: list[Text]

    @classmethod
    def of(cls, plan: AssetPlan) -> Self:
        """Return it as JSON."""
        return cls(
            image_id=plan.image_id,
            title=plan.title,
            before=plan.observed.description,
            after=plan.observed.description if plan.description is None else plan.description,
            add_tags=sorted(plan.add_tags),
            remove_tags=sorted(plan.remove_tags),
        )


class Left(Model):
    """What would not be written of some images, and why."""

    count: Count
    why: Text
    example: Text


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
    mode: Mode
    waits: bool
    """Whether a person has to begin, or to go on, before anything more is written."""
    begun: Begun | None
    would_write: Foreseen | None
    conditions: list[Condition]
    counts: Counts
    crossed: Crossed
    offered: Count
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
            mode=found.permission.mode,
            waits=found.permission.waits,
            begun=None if found.permission.begun is None else Begun.of(found.permission.begun),
            would_write=None if found.foreseen is None else Foreseen.of(found.foreseen, examples=False),
            conditions=[Condition.of(one) for one in found.conditions],
            counts=dict(found.counts.items()),
            crossed=Crossed(count=found.crossed.count, newest=found.crossed.newest),
            offered=found.offered,
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
    """The switches: in force, whence, what Skymmich itself says, and where they are changed."""

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
