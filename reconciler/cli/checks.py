"""What ``doctor`` looks at. Each finding says what it means and, where something is wrong, how to mend it.

Nothing is written, neither to Immich nor to the store; what one check can not do, the others still tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from reconciler.config.words import Address, in_environment, in_file, leaves, shown
from reconciler.core.catalogue import Catalogue, SyncSettings
from reconciler.core.desired import Form, desire
from reconciler.core.template import BlockTemplate
from reconciler.errors import ConfigurationError, ReconcilerError
from reconciler.immich.capabilities import server_advice
from reconciler.immich.roundtrip import settled_description, settled_tag
from reconciler.wiring import source_of, store_of, target_of
from state.lease import Lease

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from reconciler.config import Config
    from reconciler.config.words import Key
    from reconciler.engine.ports import Clock

Level = Literal["ok", "warning", "problem"]
_MOST_ROWS: Final = 8
_SWITCHES: Final = {"description": "syncDescription", "coordinates": "syncCoordinates", "tags": "syncTags"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    section: str
    level: Level
    what: str
    remedy: str = ""
    exit_code: int = 0
    """Of the error behind a problem."""


def examine(
    config: Config, environ: Mapping[str, str], runner: asyncio.Runner, clock: Clock
) -> list[Finding]:
    """Look at everything."""
    findings = list(_configuration(config, environ))
    catalogue: Catalogue | None = None
    try:
        catalogue = source_of(config).read()
        findings += _catalogue(catalogue, config)
        findings += _write_back(catalogue.settings)
    except ReconcilerError as error:
        findings.append(_problem("catalogue", error))
    settings = catalogue.settings if catalogue else SyncSettings()
    try:
        findings += runner.run(_immich(config, settings))
    except ReconcilerError as error:
        findings.append(_problem("immich", error))
    return [*findings, *_store(config, clock)]


def _problem(section: str, error: ReconcilerError) -> Finding:
    return Finding(section, "problem", error.message, error.remedy, error.exit_code)


def _configuration(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    where = str(config.file) if config.file else "no file; the environment and the defaults are enough"
    yield Finding("configuration", "ok", where)
    for warning in config.warnings:
        yield Finding("configuration", "warning", warning)
    for key, field in leaves(type(config)).items():
        holder: BaseModel = config
        for part in key[:-1]:
            holder = getattr(holder, "merge" if part == "policy" else part)
        if key[-1] not in holder.model_fields_set:
            continue
        value = getattr(holder, key[-1])
        text = shown(str(value) if isinstance(value, Address) else value, field)
        yield Finding("configuration", "ok", f"{in_file(key)} = {text}  ({_origin(key, config, environ)})")
    try:
        BlockTemplate(config.policy().description)
    except ReconcilerError as error:
        yield _problem("configuration", error)


def _origin(key: Key, config: Config, environ: Mapping[str, str]) -> str:
    """Tell where a value came from, as far as that shows afterwards."""
    if in_environment(key) in environ:
        return "environment"
    if key == ("state", "url"):
        return "the file, or the default"
    if config.file is None or key in {("immich", "api_key"), ("status", "token")}:
        return "credentials or a file"
    return "the file"


def _catalogue(catalogue: Catalogue, config: Config) -> Iterator[Finding]:
    linked = len(catalogue.linked())
    yield Finding("catalogue", "ok", catalogue.schema)
    yield Finding(
        "catalogue",
        "ok" if linked else "warning",
        f"{len(catalogue.images)} images, {linked} of them linked to Immich assets",
        "" if linked else "Import images from Immich in Skymmich: only those are linked.",
    )
    for problem in catalogue.problems[:_MOST_ROWS]:
        kept = "is left out" if problem.severity == "error" else "is used without that part"
        yield Finding(
            "catalogue", "warning", f"{problem.table} {problem.row_id} {kept}: {problem.reason}",
            "Mend it in Skymmich; it spoils only itself.",
        )  # fmt: skip
    if (more := len(catalogue.problems) - _MOST_ROWS) > 0:
        yield Finding("catalogue", "warning", f"and {more} more such rows: plan --json lists them all")
    policy = config.policy()
    try:
        template, form = BlockTemplate(policy.description), Form(settled_description, settled_tag)
        unusable = sum(bool(desire(image, policy, template, form).problems) for image in catalogue.linked())
    except ReconcilerError as error:
        yield _problem("catalogue", error)
        return
    if unusable:
        what = f"{unusable} linked images have a value that Immich can not take (which: explain IMAGE)"
        yield Finding("catalogue", "warning", what, "Mend it in Skymmich; the rest of the image is written.")


def _write_back(settings: SyncSettings) -> Iterator[Finding]:
    if not settings.enabled:
        yield Finding(
            "skymmich", "problem", "Metadata sync (metadataSyncEnabled) is switched off: apply refuses.",
            "Switch it on in Skymmich under Admin → Immich.", exit_code=1,
        )  # fmt: skip
    off = [name for field, name in _SWITCHES.items() if not getattr(settings, field)]
    if off:
        yield Finding("skymmich", "warning", f"{', '.join(off)} switched off: left as it is in Immich")
    if settings.enabled and len(off) < len(_SWITCHES):
        yield Finding("skymmich", "ok", "metadata sync is switched on")
    if settings.enabled:
        yield Finding(
            "skymmich", "warning",
            "Skymmich's own Sync buttons write, too: the bare description over the block, and flat tags.",
            "Leave them alone, or let your reverse proxy pass them here. The next pass mends the block.",
        )  # fmt: skip
    yield Finding(
        "skymmich", "warning",
        "Saving coordinates in Skymmich writes them to Immich at once, whatever is switched off here.",
    )  # fmt: skip


async def _immich(config: Config, settings: SyncSettings) -> list[Finding]:
    target = target_of(config, settings)
    own = config.immich.url is not None
    findings = [Finding("immich", "ok", f"{target.address}  ({_whose(own)})")]
    try:
        facts = await target.open()
        findings.append(Finding("immich", "ok", f"version {facts.version}, the key works"))
        major, minor, patch = (int(part) for part in facts.version.split("."))
        findings += [Finding("immich", "warning", line) for line in server_advice((major, minor, patch))]
        if not facts.tags_enabled:
            what = "Tags are switched off in Immich, so none are written."
            findings.append(Finding("immich", "warning", what, "Immich: Account settings → Features → Tags."))
        for loss in facts.losses:
            what = f"The key lacks {loss.permission}; it costs: {loss.feature}"
            findings.append(Finding("immich", "warning", what, loss.remedy))
        count = await target.asset_count()
        if count is not None:
            findings.append(Finding("immich", "ok", f"{count} assets of this user"))
    except ReconcilerError as error:
        findings.append(_problem("immich", error))
    finally:
        await target.aclose()
    return findings


def _whose(own: bool) -> str:  # noqa: FBT001 - a plain question
    return "from this program's configuration" if own else "from Skymmich's settings"


def _store(config: Config, clock: Clock) -> Iterator[Finding]:
    path = config.state.path
    if not path.exists():
        yield from _folder_of(path)
        return
    try:
        with store_of(config, read_only=True) as store:
            counts, runs = store.counts_by_status(), store.runs(1)
            waiting, holder = len(store.pending()), Lease(store, clock.now).current()
    except ReconcilerError as error:
        yield _problem("store", error)
        return
    yield Finding("store", "ok", f"{path}: {sum(counts.values())} images on record")
    if runs:
        yield Finding(
            "store", "ok", f"last run {runs[0].started_at.astimezone():%Y-%m-%d %H:%M}: {runs[0].summary}"
        )
    if waiting:
        yield Finding(
            "store", "warning", f"{waiting} writes have not been seen settled", "The next pass looks again."
        )
    if holder is not None and not holder.process.is_gone():
        who = f"{holder.what}, process {holder.process.pid} on {holder.process.host}"
        yield Finding("store", "ok", f"the right to write is with: {who}")


def _folder_of(path: Path) -> Iterator[Finding]:
    yield Finding("store", "ok", f"{path} does not exist yet; the first plan or apply makes it")


def exit_code(findings: list[Finding]) -> int:
    """Give 0, or that of the worst problem: 78 for one of the configuration, else 1."""
    codes = [finding.exit_code or 1 for finding in findings if finding.level == "problem"]
    wrong = ConfigurationError.exit_code
    return wrong if wrong in codes else max(codes, default=0)
