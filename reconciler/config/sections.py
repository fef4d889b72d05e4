"""The sections of the configuration file, their keys, defaults and limits.

What a value means is said where it is used: in ``core.policy`` for what the core decides by (its defaults are
taken from there), and for people in ``systemd/config.example.toml``, which has every key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from reconciler.config.values import (
    CatalogueAddress,
    Count,
    CronLine,
    InstallationName,
    NoticeAddresses,
    Number,
    QuietHours,
    RequestHeaders,
    StoreAddress,
    WebAddress,
)
from reconciler.config.words import Address
from reconciler.core.notices import OCCASIONS, Occasion, Quiet, Rules
from reconciler.core.policy import (
    DescriptionPolicy,
    EquipmentKind,
    GuardPolicy,
    LanguageCode,
    MergePolicy,
    Mode,
    OnConflict,
    OnDrift,
    Orphans,
    TagPolicy,
)

_BLOCK: Final = DescriptionPolicy()
_TAGS: Final = TagPolicy()
_MERGE: Final = MergePolicy()
_GUARD: Final = GuardPolicy()


class Section(BaseModel):
    """What all sections have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SkymmichSection(Section):
    """``[skymmich]``: where the catalogue is."""

    source: CatalogueAddress | None = None
    """An absolute path, ``sqlite:///…``, ``postgresql://…`` or ``http://…``."""
    url: WebAddress | None = None
    ca_file: Path | None = None
    """Certificates that are trusted beside the usual ones, over Skymmich's web address."""
    proxy: WebAddress | None = None
    """On the way to that address."""
    list_seconds: Annotated[Number, Field(ge=1, le=86_400)] = 30.0
    links_seconds: Annotated[Number, Field(ge=1, le=86_400)] = 600.0
    details_hours: Annotated[Number, Field(ge=0.1, le=8784)] = 24.0


class ImmichSection(Section):
    """``[immich]``: where Immich is; what is missing is taken from Skymmich's own settings."""

    url: WebAddress | None = None
    api_key: SecretStr | None = None
    """Filled from whatever source held it, ``api_key_file`` too."""
    api_key_file: Path | None = None
    headers: RequestHeaders | None = None
    """Sent with every request, for a proxy in front of Immich; ``config.headers`` says whence they come."""
    headers_file: Path | None = None
    ca_file: Path | None = None
    """Certificates that are trusted beside the usual ones."""
    proxy: WebAddress | None = None
    in_flight: Annotated[Count, Field(ge=1, le=32)] = 4
    timeout_seconds: Annotated[Number, Field(ge=1, le=600)] = 30.0


class StateSection(Section):
    """``[state]``: where the daemon remembers."""

    url: StoreAddress = Address("")
    """``sqlite:////absolute/path`` or ``postgresql://…``; ``load`` fills in the default."""
    installation: InstallationName = "main"
    """Whose rows of a PostgreSQL database are meant."""
    backups: Annotated[Count, Field(ge=0, le=1000)] = 7
    """Daily copies that are kept beside it; 0: none is made."""

    @property
    def file(self) -> Path | None:
        """The store's file, absolute; ``None``: its rows are in PostgreSQL."""
        prefix, text = "sqlite:///", self.url.get_secret_value()
        return Path(text.removeprefix(prefix)) if text.startswith(prefix) else None


class StatusSection(Section):
    """``[status]``: the status endpoint and the dashboard."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[Count, Field(ge=0, le=65_535)] = 8287
    """0: any free one."""
    token: SecretStr | None = None
    """Filled from whatever source held it, ``token_file`` too."""
    token_file: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    """Further names by which the endpoint is asked for, such as a reverse proxy's."""
    user_header: str = ""
    """A header in which a reverse proxy names the user who logged in there; empty: none is trusted."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses of the proxies whose ``user_header`` counts."""

    users: tuple[str, ...] = ()
    """Of those whom the proxy names, the ones who may; empty: all, but nobody of the pages of many."""

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name.lower()):
                raise ValueError(f'"{name}" is not a host name: leave out http:// and the port')
        return tuple(name.lower() for name in names)

    @field_validator("user_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if name and not re.fullmatch(r"[A-Za-z0-9-]+", name):
            raise ValueError("it must be a header's name, such as Remote-User")
        return name

    @property
    def shown_token(self) -> str:
        """The token that has to be shown; empty: none is set."""
        return self.token.get_secret_value() if self.token else ""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; beyond, a token is needed."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")


class OnDriftSection(Section):
    """``[policy.on_drift]``: what happens to a value of ours that was changed in Immich."""

    block: OnDrift = _MERGE.on_drift_block
    prose: OnDrift = _MERGE.on_drift_prose
    coordinates: OnDrift = _MERGE.on_drift_coordinates
    taken_at: OnDrift = _MERGE.on_drift_taken_at
    tags: OnDrift = _MERGE.on_drift_tags
    albums: OnDrift = _MERGE.on_drift_albums


class PolicySection(Section):
    """``[policy]``: whether anything is written, and who wins."""

    mode: Mode = "ask"
    on_conflict: OnConflict = _MERGE.on_conflict
    on_drift: OnDriftSection = Field(default_factory=OnDriftSection)
    orphans: Orphans = _MERGE.orphans


class GuardSection(Section):
    """``[guard]``: how much a pass may take away unasked."""

    max_fraction: Annotated[Number, Field(ge=0, le=1)] = _GUARD.max_fraction
    min_count: Annotated[Count, Field(ge=1, le=1_000_000)] = _GUARD.min_count
    window_hours: Annotated[Number, Field(ge=0, le=8784)] = _GUARD.window_hours
    canary: Annotated[Count, Field(ge=0, le=1000)] = _GUARD.canary
    corrections: Annotated[Count, Field(ge=1, le=1000)] = _GUARD.corrections


class ScheduleSection(Section):
    """``[schedule]``: when the daemon looks."""

    catalogue_seconds: Annotated[Number, Field(ge=0.05, le=86_400)] = 5.0
    immich_seconds: Annotated[Number, Field(ge=0.05, le=86_400)] = 60.0
    hints_seconds: Annotated[Number, Field(ge=0, le=86_400)] = 300.0
    """0: what moves no date in Immich is found by the audit only."""
    debounce_seconds: Annotated[Number, Field(ge=0, le=3600)] = 3.0
    heartbeat_seconds: Annotated[Number, Field(ge=0.05, le=86_400)] = 30.0
    audit_cron: CronLine = "17 4 * * *"
    audit_jitter_seconds: Annotated[Number, Field(ge=0, le=86_400)] = 600.0
    housekeeping_cron: CronLine = "41 3 * * *"
    journal_days: Annotated[Count, Field(ge=0, le=36_500)] = 365
    """0: the journal is kept for ever."""


class PartsSection(Section):
    """``[description.parts]``: what the block may show."""

    title: bool = True
    object: bool = True
    constellation: bool = True
    object_type: bool = True
    equipment: bool = True
    filters: bool = True
    accessories: bool = True
    software: bool = True
    integration: bool = True
    nights: bool = True
    plate_solution: bool = True
    site: bool = True
    field_objects: bool = True
    per_night: bool = False
    moon: bool = False


class DescriptionSection(Section):
    """``[description]``: how the block reads."""

    opening: str = _BLOCK.opening
    closing: str = _BLOCK.closing
    template_file: Path | None = None
    max_bytes: Annotated[Count, Field(ge=200, le=10_000)] = _BLOCK.max_bytes
    precision_arcsec: Annotated[Count, Field(ge=0, le=3)] = _BLOCK.precision_arcsec
    most_field_objects: Annotated[Count, Field(ge=1, le=24)] = _BLOCK.most_field_objects
    language: LanguageCode = _BLOCK.language
    parts: PartsSection = Field(default_factory=PartsSection)

    @field_validator("opening", "closing")
    @classmethod
    def _is_a_line(cls, text: str, info: ValidationInfo) -> str:
        if not text.strip() or len(text) > 100 or not text.rstrip(" ").isprintable():
            raise ValueError("it must be one line of 1 to 100 characters: the block is found again by it")
        # Immich trims a text, and the closing is the last thing in it.
        return text.lstrip() if info.field_name == "opening" else text.strip()

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> DescriptionSection:
        if self.closing.startswith(self.opening):
            raise ValueError("opening and closing must differ: a closing line may not begin like an opening")
        return self


class TagsSection(Section):
    """``[tags]``: which tags an image gets."""

    root: str = _TAGS.root
    groups: bool = _TAGS.groups
    catalogue_tags: bool = _TAGS.catalogue_tags
    object_type: bool = _TAGS.object_type
    constellation: bool = _TAGS.constellation
    target: bool = _TAGS.target
    equipment: bool = _TAGS.equipment
    equipment_kinds: frozenset[EquipmentKind] = _TAGS.equipment_kinds
    field_objects: bool = _TAGS.field_objects
    most_field_objects: Annotated[Count, Field(ge=1, le=24)] = _TAGS.most_field_objects
    language: LanguageCode = _TAGS.language
    drop: tuple[str, ...] = _TAGS.drop
    keep: tuple[str, ...] = _TAGS.keep
    max_per_image: Annotated[Count, Field(ge=1, le=1_000)] = _TAGS.max_per_image

    @field_validator("root")
    @classmethod
    def _is_a_name(cls, text: str) -> str:
        if "/" in text.strip() or "|" in text or len(text) > 100 or not text.isprintable():
            raise ValueError("it must be one tag's name of at most 100 characters without / or |, or empty")
        return text.strip()

    @field_validator("drop", "keep")
    @classmethod
    def _are_expressions(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f'"{pattern}" is not a regular expression: {error}') from error
        return patterns


class NoticesSection(Section):
    """``[notices]``: who is told when something needs a person, and when not."""

    urls: NoticeAddresses | None = None
    """Filled from whatever source held it, ``urls_file`` too; without, nobody is told."""
    urls_file: Path | None = None
    events: frozenset[Occasion] = frozenset(OCCASIONS)
    quiet_hours: QuietHours = ""
    page_url: WebAddress | None = None
    """Where the page is for those who are told: messages lead there."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses whole, with the secrets in them."""
        return self.urls.each() if self.urls else ()

    @property
    def rules(self) -> Rules:
        """What is to be told, and when not."""
        return Rules(self.events, Quiet.parse(self.quiet_hours))


class FleetSection(Section):
    """``[fleet]``: workers that keep many installations, whose state is in one PostgreSQL database."""

    folder: Path | None = None
    """``NAME.toml`` for each installation, and beside it the folder ``NAME`` with its secrets, if any."""
    look_seconds: Annotated[Number, Field(ge=5, le=86_400)] = 60.0
    right_seconds: Annotated[Number, Field(ge=5, le=600)] = 20.0
    """How long the right to write outlives a worker that died, or is cut off."""
    requests_per_server: Annotated[Count, Field(ge=1, le=256)] = 8
    """Requests that all workers together have under way at one Immich server."""
    domain: Annotated[str, Field(pattern=r"(?i)^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = "localhost"
    """The host name of the list of installations; each one's pages are at its own name below it."""


class LogSection(Section):
    """``[log]``: what is logged, and how it looks."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    """``auto``: for people on a terminal, JSON lines otherwise."""
