"""The doctor's round through everything: each finding says what it means and, if it is bad, how to mend it.

Nothing is written, neither to Immich nor to the store; what one check cannot do, the others still tell. The
command line and the daemon's page show the same findings; the daemon passes in what only it knows.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.catalogue import check_catalogue
from reconciler.app.doctor.copies import copies_of
from reconciler.app.doctor.findings import Finding, problem
from reconciler.app.doctor.notices import check_notices
from reconciler.app.doctor.ownership import check_ownership
from reconciler.app.doctor.permission import may_write
from reconciler.app.doctor.writable import unwritable
from reconciler.app.doctor.writer import right_to_write
from reconciler.app.overrides import with_own_block, with_own_switches
from reconciler.app.pairing import OURS, check_pair, pair_of
from reconciler.app.store_place import is_absent, place_of
from reconciler.app.wiring import immich_at, store_of
from reconciler.config.words import Address, in_file, is_secret, leaves, shown
from reconciler.core.catalogue import SyncSettings
from reconciler.core.permission import Permission
from reconciler.core.policy import Switches
from reconciler.engine.identity import KnownImmich, recognise
from reconciler.engine.watermark import skew
from reconciler.errors import MissingPermissionError, ReconcilerError
from reconciler.immich.capabilities import server_advice
from reconciler.messages.formats import lasting
from reconciler.messages.nouns import counted
from reconciler.messages.runs import summary
from reconciler.plainfile import exists
from reconciler.rendering.renderer import SafeRenderer
from state.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.policy import Policy
    from reconciler.core.ports import Clock
    from reconciler.immich.target import Immich
    from reconciler.messages.translation import Voice
    from state.store import StateStore

AT_START: Final = ("state", "status")
"""Sections that a daemon takes when it starts, and not when it reads its configuration again."""
_MOST_IN_DAEMON: Final = 5_000
"""Images whose values are computed beside a daemon's own work: a second or two."""
_BEYOND: Final = 10.0
"""Seconds for Immich's answers, beyond the timeout of one: a server that hangs is a finding, too."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a daemon that examines itself knows, and nobody else."""

    store: StateStore
    started_with: Config
    policy: Policy
    """As configured, with the template's text as it was read then."""
    renderer: SafeRenderer
    reread: Callable[[], Config]
    """Reads the configuration from the disk; raises ``ConfigurationError``."""
    catalogue: Catalogue | None
    """As last read."""
    readable: bool
    """Whether that is how it is now; else it is read anew, to see why."""


async def examine(config: Config, clock: Clock, daemon: Running | None = None) -> list[Finding]:
    """Look at everything.

    Args:
        config: the one in force.
        clock: time.
        daemon: the running daemon, if it is this process that asks.
    """
    voice: Voice = "daemon" if daemon else "command"
    findings = list(_configuration(config))
    with ExitStack() as stack:
        store, policy, trouble = None, None, list[Finding]()
        renderer = daemon.renderer if daemon else stack.enter_context(SafeRenderer())
        try:
            store = daemon.store if daemon else _opened(config, stack)
        except ReconcilerError as error:
            trouble = [problem("store", error)]
        try:
            configured = daemon.policy if daemon else config.policy()
            in_force = with_own_block(configured, store) if store else configured
            await renderer.render(in_force.description, ())
            policy = in_force
        except ReconcilerError as error:
            findings.append(problem("configuration", error))
        if daemon is not None:
            findings += await asyncio.to_thread(_on_the_disk, config, daemon)
        catalogue, seen = await asyncio.to_thread(
            check_catalogue, config, policy, store, renderer=renderer,
            known=daemon.catalogue if daemon and daemon.readable else None,
            most=_MOST_IN_DAEMON if daemon else None, voice=voice,
        )  # fmt: skip
        findings += seen
        known = catalogue or (daemon.catalogue if daemon else None)
        findings += await _immich(config, known, store, clock)
        findings += trouble or await asyncio.to_thread(
            _store, config, store, clock, daemon=daemon is not None
        )
        findings += await check_notices(config, store, voice)
    return findings


def changed_at_start(before: Config, after: Config) -> list[str]:
    """List what differs between two configurations and is taken at a daemon's start only."""
    fixed = [name for name in AT_START if getattr(before, name) != getattr(after, name)]
    if before.skymmich_address() != after.skymmich_address():
        fixed.append("skymmich.url")
    old, new = before.skymmich, after.skymmich
    way = [name for name in ("ca_file", "proxy") if getattr(old, name) != getattr(new, name)]
    return [*fixed, *(f"skymmich.{name}" for name in way)]


def _configuration(config: Config) -> Iterator[Finding]:
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
        # What hides secrets would take a text that looks like one for one.
        text = f" is set {text}" if is_secret(field) else f" = {text}"
        yield Finding("configuration", "ok", f"{in_file(key)}{text}  ({config.origin(key)})")


def _on_the_disk(config: Config, daemon: Running) -> list[Finding]:
    """Compare what the daemon goes by with what is on the disk by now."""
    findings = []
    try:
        disk = daemon.reread()
        if disk != config or disk.policy() != daemon.policy:
            what = "The configuration on the disk has changed since this daemon read it."
            remedy = "Have it read again: systemctl reload skymmich-reconciler (or the signal SIGHUP)."
            findings.append(Finding("configuration", "warning", what, remedy))
    except ReconcilerError as error:
        what = f"The configuration on the disk cannot be used; the one above stays in force. {error.message}"
        findings.append(Finding("configuration", "warning", what, error.remedy, again=error.again))
    if fixed := changed_at_start(daemon.started_with, config):
        what = f"Changed since the start, and taken at the next one only: {', '.join(fixed)}"
        remedy = "systemctl restart skymmich-reconciler"
        findings.append(Finding("configuration", "warning", what, remedy))
    return findings


async def _immich(
    config: Config, catalogue: Catalogue | None, store: StateStore | None, clock: Clock
) -> list[Finding]:
    own = config.immich
    if catalogue is None and (own.url is None or own.api_key is None):
        what = "Not asked: its address or its key is in Skymmich's settings, which could not be read."
        return [Finding("immich", "warning", what, "Mend the catalogue first.")]
    patience = own.timeout_seconds + _BEYOND
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(patience):
            await _ask_immich(config, catalogue, store, findings, clock)
    except ReconcilerError as error:
        findings.append(problem("immich", error))
    except TimeoutError:
        what = f"Immich did not answer everything within {patience:.0f} s."
        findings.append(Finding("immich", "problem", what, "Look whether it is overloaded, or hangs."))
    return findings


async def _ask_immich(
    config: Config,
    catalogue: Catalogue | None,
    store: StateStore | None,
    findings: list[Finding],
    clock: Clock,
) -> None:
    pair = pair_of(config, catalogue.settings if catalogue else SyncSettings())
    address_from = _whence(config, "url", pair.address_from)
    key_from = _whence(config, "api_key", pair.key_from)
    findings.append(Finding("immich", "ok", f"{pair.address}  (from {address_from})"))
    findings.append(Finding("immich", "ok", f"the API key is from {key_from}"))
    findings += _way(config)
    if pair.address_from != pair.key_from:
        what = "Address and key are from two places, and belong together: the key must be of that Immich."
        findings.append(Finding("immich", "warning", what))
    check_pair(pair, store)
    target = immich_at(pair, config)
    try:
        facts = await target.open()
        findings.append(Finding("immich", "ok", f"version {facts.version}, the key works"))
        if store is not None:
            met = await recognise(target, store, facts, store.there_ids(), anyway=True)
            if met.user_id is not None and met == KnownImmich.of(store):
                findings.append(Finding("immich", "ok", "the same user's library as before"))
        major, minor, patch = (int(part) for part in facts.version.split("."))
        findings += [Finding("immich", "warning", line) for line in server_advice((major, minor, patch))]
        if not facts.tags_enabled:
            what = "Tags are switched off in Immich, so none are written."
            findings.append(Finding("immich", "warning", what, "Immich: Account settings → Features → Tags."))
        policy = with_own_switches(config.policy(), store) if store else config.policy()
        for loss in facts.losses_under(Switches(**policy.own_switches)):
            what = f"The key lacks {loss.permission}; it costs: {loss.feature}"
            findings.append(Finding("immich", "warning", what, loss.remedy))
        if policy.stacks.enabled and not facts.stack_losses:
            findings.append(await _stacks(target))
        findings += await check_ownership(target, facts, store, clock, catalogue)
        count = await target.asset_count()
        if count is not None:
            findings.append(Finding("immich", "ok", f"{counted(count, 'asset')} of this user"))
        findings += await _clocks(target, clock)
    finally:
        await target.aclose()


async def _stacks(target: Immich) -> Finding:
    """Ask for the stacks: a key that may not say what it allows shows by that alone that it may not."""
    try:
        return Finding("immich", "ok", counted(len(await target.stacks()), "stack"))
    except MissingPermissionError as error:
        return Finding("immich", "warning", f"Stacks are left as they are: {error.message}", error.remedy)


def _way(config: Config) -> Iterator[Finding]:
    """Say what is configured of the way to Immich; of headers the names."""
    own = config.immich
    if own.headers is not None:
        names = ", ".join(name for name, _ in own.headers.each())
        yield Finding("immich", "ok", f"every request has the headers {names}, from [immich.headers]")
    if own.proxy is not None:
        yield Finding("immich", "ok", f"asked through the proxy {own.proxy}")


def _whence(config: Config, name: str, source: str) -> str:
    return f"{source}: {config.origin(('immich', name))}" if source == OURS else source


async def _clocks(target: Immich, clock: Clock) -> list[Finding]:
    """Compare the clocks that show in Immich's answers with this machine's."""
    rows = await target.changed_since(clock.now())
    found = skew(clock.now(), await target.server_time(), rows)
    findings = []
    if found.header_tells:
        what = f"The Date header of Immich's answers is {_apart(found.header)} this machine's clock."
        remedy = (
            "Nothing is missed by it: looks go by the dates of Immich's own rows. Put the clock right that "
            "is wrong: this machine's, Immich's, or that of a proxy between them."
        )
        findings.append(Finding("immich", "warning", what, remedy))
    if found.rows_tell:
        what = f"An asset in Immich bears a date that is {_apart(found.rows)} this machine's clock."
        remedy = (
            "Nothing is missed by it. Immich's clock is, or was for a while, ahead, or this machine's is "
            "behind: until the clocks agree, looks show the rows in between again and again."
        )
        findings.append(Finding("immich", "warning", what, remedy))
    return findings


def _apart(ahead: timedelta) -> str:
    return f"{lasting(abs(ahead.total_seconds()))} {'ahead of' if ahead > timedelta(0) else 'behind'}"


def _opened(config: Config, stack: ExitStack) -> StateStore | None:
    """Open the store beside whoever uses it; ``None``: there is none yet."""
    if is_absent(config) if config.state.file is None else not exists(config.state.file):
        return None
    return stack.enter_context(store_of(config, read_only=True))


def _store(config: Config, store: StateStore | None, clock: Clock, *, daemon: bool) -> list[Finding]:
    if store is None:
        what = f"{place_of(config)} does not exist yet; the first plan or apply makes it"
        hindered = unwritable(config.state.file) if config.state.file is not None else []
        found = hindered or [Finding("store", "ok", what)]
        return [*found, may_write(Permission(config.merge.mode))]
    try:
        store.require()
        counts, runs = store.counts_by_status(), store.runs(1)
        waiting, holder = len(store.pending()), Lease(store, clock.now).current()
    except ReconcilerError as error:
        return [problem("store", error)]
    findings = [Finding("store", "ok", f"{store.place}: {counted(sum(counts.values()), 'image')} on record")]
    findings.append(may_write(Permission.of(store, config.merge.mode)))
    if runs:
        what = f"last run {runs[0].started_at.astimezone():%Y-%m-%d %H:%M %Z}: {summary(runs[0].summary)}"
        findings.append(Finding("store", "ok", what))
    if waiting:
        what = f"Immich has not finished {counted(waiting, 'write')} yet, as far as was seen"
        looked = daemon or (holder is not None and holder.what == "daemon" and not holder.process.is_gone())
        remedy = "The daemon looks again by itself." if looked else "Run apply: it waits for them."
        findings.append(Finding("store", "warning", what, remedy))
    findings += copies_of(store, config.state.backups, clock.now())
    if store.file is not None:
        findings += unwritable(store.file)
    return [*findings, *right_to_write(store.file, holder, daemon=daemon)]
