"""Puts the configuration together: finds the file, asks each source, checks all, and reports all at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from reconciler.config import part_sections, sections
from reconciler.config.headers import put_together
from reconciler.config.sources import (
    CREDENTIALS,
    FILE_VARIABLE,
    Found,
    Gathered,
    Origins,
    absolute_path,
    read_credentials,
    read_environment,
    read_secret_file,
    read_text,
    read_toml,
)
from reconciler.config.words import explained, in_environment, is_secret, leaves, plain_type, shown
from reconciler.core.policy import (
    ALL_PARTS,
    AlbumPolicy,
    DatesPolicy,
    DescriptionPolicy,
    GuardPolicy,
    MergePolicy,
    Policy,
    StackPolicy,
    TagPolicy,
)
from reconciler.errors import ConfigurationError
from reconciler.plainfile import exists
from reconciler.redaction import telling_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from reconciler.config.words import Key

SYSTEM_FILE: Final = Path("/etc/skymmich-reconciler/config.toml")
_NAME: Final = "skymmich-reconciler"
_STATE: Final = ("state", "url")
_SOURCE: Final = ("skymmich", "source")
_MAX_TEMPLATE: Final = 1 << 18
_SHORT: Final = 16
"""Characters of a token below which guessing gets somewhere: a wrong guess is slow, and never refused."""
_TELLING: Final = 6
"""Characters from which on a header's value is hidden wherever it stands."""
_WEB: Final = ("http://", "https://")
_SOURCE_REMEDY: Final = (
    "Set [skymmich] source in the configuration file, or the variable "
    f"{in_environment(_SOURCE)}, to the path of Skymmich's SQLite file "
    "to postgresql://user@host/skymmich, or to Skymmich's web address."
)


class Config(BaseModel):
    """All settings, checked and frozen. No secret and no password shows in its ``repr``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    skymmich: sections.SkymmichSection = Field(default_factory=sections.SkymmichSection)
    immich: sections.ImmichSection = Field(default_factory=sections.ImmichSection)
    state: sections.StateSection = Field(default_factory=sections.StateSection)
    status: sections.StatusSection = Field(default_factory=sections.StatusSection)
    merge: sections.PolicySection = Field(default_factory=sections.PolicySection, alias="policy")
    guard: sections.GuardSection = Field(default_factory=sections.GuardSection)
    schedule: sections.ScheduleSection = Field(default_factory=sections.ScheduleSection)
    description: sections.DescriptionSection = Field(default_factory=sections.DescriptionSection)
    tags: sections.TagsSection = Field(default_factory=sections.TagsSection)
    coordinates: part_sections.CoordinatesSection = Field(default_factory=part_sections.CoordinatesSection)
    albums: part_sections.AlbumsSection = Field(default_factory=part_sections.AlbumsSection)
    stacks: part_sections.StacksSection = Field(default_factory=part_sections.StacksSection)
    dates: part_sections.DatesSection = Field(default_factory=part_sections.DatesSection)
    leave_out: part_sections.LeaveOutSection = Field(default_factory=part_sections.LeaveOutSection)
    notices: sections.NoticesSection = Field(default_factory=sections.NoticesSection)
    fleet: sections.FleetSection = Field(default_factory=sections.FleetSection)
    log: sections.LogSection = Field(default_factory=sections.LogSection)

    _file: Path | None = PrivateAttr(default=None)
    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _origins: Origins = PrivateAttr(default_factory=Origins)
    _default_store: Path = PrivateAttr(default=Path("state.sqlite3"))

    @property
    def file(self) -> Path | None:
        """The file that was read, absolute; ``None`` if there was none."""
        return self._file

    def origin(self, key: Key) -> str:
        """Say where a setting's value comes from: ``/etc/…/config.toml:12``, ``the variable …``."""
        return self._origins.of(key)

    @property
    def beside(self) -> Path:
        """The path beside which files are kept that belong to the store: its own, or where it would be."""
        return self.state.file or self._default_store

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know although it is no error, such as a secret that everybody can read."""
        return self._warnings

    def catalogue_source(self) -> str:
        """Return ``[skymmich] source`` whole, with the password that may be in it.

        Raises:
            ConfigurationError: there is none.
        """
        if self.skymmich.source is None:
            where = f" in {self.file}" if self.file else ", and there is no configuration file"
            raise ConfigurationError(f"No catalogue is named{where}.", remedy=_SOURCE_REMEDY)
        return self.skymmich.source.get_secret_value()

    def skymmich_address(self) -> str | None:
        """Return Skymmich's web address whole: ``[skymmich] url``, else the source if it is one."""
        url, source = self.skymmich.url, self.skymmich.source
        if url is None and source is not None and source.get_secret_value().lower().startswith(_WEB):
            url = source
        return url.get_secret_value() if url is not None else None

    def secrets(self) -> tuple[str, ...]:
        """List all that must never be logged: keys, tokens, and passwords within addresses."""
        held = [secret.get_secret_value() for secret in (self.immich.api_key, self.status.token) if secret]
        if self.immich.headers:
            for _, value in self.immich.headers.each():
                # Not "https" or "1": what is no secret would garble every text.
                held += [part for part in (value, value.rpartition(" ")[2]) if len(part) >= _TELLING]
        for url in self.notices.addresses:
            held += [url, *telling_parts(url)]
        own = self.immich
        theirs = self.skymmich
        pages = (theirs.source, theirs.url, theirs.proxy, own.url, own.proxy)
        for address in (*pages, self.notices.page_url, self.state.url):
            head, at, _ = (address.get_secret_value() if address else "").rpartition("@")
            if at and "://" in head:
                user, colon, password = head.partition("://")[2].partition(":")
                held += [password, unquote(password)] if colon else [user]
        return tuple(dict.fromkeys(secret for secret in held if secret))

    def policy(self) -> Policy:
        """Return what the pure core decides by; reads the template's file.

        Raises:
            ConfigurationError: the template cannot be read.
        """
        block, tags, drift = self.description, self.tags, self.merge.on_drift
        return Policy(
            description=DescriptionPolicy(
                enabled_parts=frozenset(part for part in ALL_PARTS if getattr(block.parts, part)),
                opening=block.opening,
                closing=block.closing,
                template=self._template(),
                template_name=str(block.template_file or DescriptionPolicy().template_name),
                max_bytes=block.max_bytes,
                precision_arcsec=block.precision_arcsec,
                most_field_objects=block.most_field_objects,
                language=block.language,
            ),
            tags=TagPolicy(**tags.model_dump()),
            merge=MergePolicy(
                on_conflict=self.merge.on_conflict,
                on_drift_block=drift.block,
                on_drift_prose=drift.prose,
                on_drift_coordinates=drift.coordinates,
                on_drift_taken_at=drift.taken_at,
                on_drift_tags=drift.tags,
                on_drift_albums=drift.albums,
                orphans=self.merge.orphans,
            ),
            guard=GuardPolicy(**self.guard.model_dump()),
            albums=AlbumPolicy(**self.albums.model_dump()),
            stacks=StackPolicy(**self.stacks.model_dump()),
            dates=DatesPolicy(**self.dates.model_dump()),
            coordinates=self.coordinates.policy(),
            leave_out=self.leave_out.policy,
        )

    def _template(self) -> str | None:
        file = self.description.template_file
        if file is None:
            return None
        problems: list[str] = []
        what = "[description] template_file"
        text = read_text(file, _MAX_TEMPLATE, problems, what)
        if text is None:
            raise ConfigurationError(
                problems[0], remedy="Mend the path or the file's rights, or remove template_file."
            )
        return text


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration.

    Args:
        path: the file that ``--config`` names; ``None``: ``$RECONCILER_CONFIG``, else the system's file, else
            the user's, else none.
        environ: the environment; the process's own is never looked at.

    Raises:
        ConfigurationError: with every mistake that was found, one a line.
    """
    settings = leaves(Config)
    gathered = Gathered(settings)
    file = path or _default_file(environ)
    if file is not None:
        read_toml(file, gathered)
    read_credentials(environ, gathered)
    read_environment(environ, gathered)
    home = environ.get("HOME")
    gathered.found.setdefault(_STATE, Found(_default_state(environ), "the default", Path.cwd()))
    for key, found in gathered.found.items():
        gathered.found[key] = _located(key, found, home, gathered)
    for key in (key for key in CREDENTIALS.values() if is_secret(settings[key])):
        read_secret_file(key, gathered)
    put_together(gathered, home)
    config = _checked(gathered)
    if config is not None and config.status.token and len(config.status.token.get_secret_value()) < _SHORT:
        gathered.warnings.append(
            f"The token of [status] has fewer than {_SHORT} characters, and could be guessed. "
            "A good one: openssl rand -hex 24"
        )
    if gathered.problems or config is None:
        raise _error(gathered.problems)
    config._file = file.absolute() if file else None  # noqa: SLF001  load is the model's constructor
    config._default_store = Path(_default_state(environ))  # noqa: SLF001  the same
    config._origins = Origins(gathered.found)  # noqa: SLF001  the same
    config._warnings = tuple(gathered.warnings)  # noqa: SLF001  the same
    return config


def _default_file(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(FILE_VARIABLE):
        return Path(absolute_path(named, Path.cwd(), environ.get("HOME")))
    homes = [environ.get("XDG_CONFIG_HOME"), environ.get("HOME", "") and environ["HOME"] + "/.config"]
    users = [Path(home, _NAME, "config.toml") for home in homes if home][:1]
    return next((file for file in (SYSTEM_FILE, *users) if exists(file)), None)


def _default_state(environ: Mapping[str, str]) -> str:
    """Return the store's place: systemd's directory, else the user's for state (XDG)."""
    if given := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return str(Path(given, "state.sqlite3"))
    state_home = environ.get("XDG_STATE_HOME") or str(
        Path(environ.get("HOME") or Path.home(), ".local/state")
    )
    return str(Path(state_home, _NAME, "state.sqlite3"))


def _located(key: Key, found: Found, home: str | None, gathered: Gathered) -> Found:
    """Make paths absolute: relative ones start from the file they stand in."""
    value = found.value
    if not isinstance(value, str):
        return found
    if key == _STATE:
        bare = value.strip().removeprefix("sqlite:///")
        if bare and "://" not in bare:
            value = "sqlite:///" + (bare if bare == ":memory:" else absolute_path(bare, found.base, home))
    elif plain_type(gathered.known[key]) is Path or (key == _SOURCE and value and ":" not in value):
        value = absolute_path(value.strip(), found.base, home)
    return Found(value, found.origin, found.base)


def _checked(gathered: Gathered) -> Config | None:
    nested: dict[str, Any] = {}
    for key, found in gathered.found.items():
        node = nested
        for part in key[:-1]:
            node = node.setdefault(part, {})
        node[key[-1]] = found.value
    try:
        return Config.model_validate(nested)
    except ValidationError as error:
        gathered.problems += dict.fromkeys(_said(details, gathered) for details in error.errors())
        return None


def _said(details: ErrorDetails, gathered: Gathered) -> str:
    """Put one finding of pydantic's into a sentence: the key, what was given, what is allowed."""
    place = tuple(str(part) for part in details["loc"])
    for depth in range(len(place), 0, -1):
        key = place[:depth]
        if key in gathered.found:
            found, setting = gathered.found[key], gathered.known[key]
            why = explained(details, setting)
            return f"{found.name(key)} = {shown(found.value, setting)} is not usable: {why}."
    return f"[{'.'.join(place)}]: {explained(details, None)}."


def _error(problems: list[str]) -> ConfigurationError:
    if len(problems) == 1:
        return ConfigurationError(problems[0])
    lines = "\n".join(f"- {problem}" for problem in problems)
    return ConfigurationError(f"The configuration has {len(problems)} mistakes:\n{lines}")
