"""What a person changed on the page, kept over the configuration: the switches, and the block's template.

Part of the wiring: it joins the store, and Skymmich where it can be told, to what the web room asks for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.app.source import way_to_skymmich
from reconciler.core.desired.template import source_of
from reconciler.core.policy import ALL_PARTS, OWN_SWITCHES, SWITCHES, Switches
from reconciler.core.store_keys import (
    OWN_SWITCHES_OVERRIDE,
    PARTS_OVERRIDE,
    SETTINGS_OVERRIDE,
    TEMPLATE_OVERRIDE,
    TemplateForm,
    TemplateVersionForm,
)
from reconciler.engine.planner.wishes import switches_of
from reconciler.skymmich.settings_api import SkymmichSettings
from reconciler.web.ports import TemplateVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.policy import Part, Policy
    from reconciler.http_way import Way
    from reconciler.web.ports import SettingsWriter
    from state.store import StateStore

TEMPLATE_NAME = "the page's template"
_VERSIONS = 20
SKYMMICHS = {name: key for key, name in SWITCHES.items()}


def override_of(store: StateStore) -> dict[str, bool]:
    """Return what is overridden in the store, by Skymmich's names; empty: Skymmich's own settings hold."""
    kept = SETTINGS_OVERRIDE.read(store) or {}
    return {key: kept[key] for key in SWITCHES if key in kept}


def overridden_switches(store: StateStore, catalogue: Catalogue | None, policy: Policy) -> Switches | None:
    """Return all switches as they hold with what is overridden; ``None``: Skymmich's own hold.

    Args:
        store: has what is overridden.
        catalogue: as last read.
        policy: as it is in force: it has our own switches.
    """
    override = override_of(store)
    if not override:
        return None
    base = switches_of(catalogue, policy) if catalogue else Switches(**policy.own_switches)
    return replace(base, **{SWITCHES[key]: value for key, value in override.items()})


def with_own_template(policy: Policy, store: StateStore) -> Policy:
    """Return the policy with the page's template, if one was written there."""
    kept = TEMPLATE_OVERRIDE.read(store)
    if kept is None or (text := kept["text"]) is None:
        return policy
    return replace(
        policy, description=replace(policy.description, template=text, template_name=TEMPLATE_NAME)
    )


def with_own_switches(policy: Policy, store: StateStore) -> Policy:
    """Return the policy with our own switches as they were set."""
    kept = OWN_SWITCHES_OVERRIDE.read(store) or {}
    return policy.switched(**{field: kept.get(name) for name, field in OWN_SWITCHES.items()})


def _keep_own(store: StateStore, changes: Mapping[str, bool]) -> dict[str, bool]:
    """Keep what of the changes is our own; return the others."""
    own = {key: changes[name] for key, name in OWN_SWITCHES.items() if name in changes}
    if own:
        with store.transaction():
            OWN_SWITCHES_OVERRIDE.write(store, {**(OWN_SWITCHES_OVERRIDE.read(store) or {}), **own})
    return {name: on for name, on in changes.items() if name not in OWN_SWITCHES.values()}


def with_own_block(policy: Policy, store: StateStore) -> Policy:
    """Return the policy with all that the page changed: template, parts, and our own switches."""
    policy = with_own_switches(with_own_template(policy, store), store)
    override = PARTS_OVERRIDE.read(store)
    if not override:
        return policy
    on = _parts_on(policy, override)
    return replace(policy, description=replace(policy.description, enabled_parts=on))


def _parts_on(policy: Policy, override: Mapping[str, bool]) -> frozenset[Part]:
    configured = policy.description.enabled_parts
    return frozenset(part for part in ALL_PARTS if override.get(part, part in configured))


class OwnSettings:
    """The switches as an override in the state store: for a Skymmich that cannot be told.

    Only what differs from Skymmich's own setting is kept; the rest follows Skymmich, today and later.

    Args:
        store: for the override.
        theirs: gives Skymmich's own switches as last read; ``None`` before that.
    """

    where = "this program's own store"

    def __init__(self, store: StateStore, theirs: Callable[[], Switches | None]) -> None:
        self._store, self._theirs = store, theirs

    async def write(self, changes: Mapping[str, bool]) -> None:
        """Set some over what is kept by now, and keep what differs from Skymmich's own."""
        if not (changes := _keep_own(self._store, changes)):
            return
        theirs = self._theirs()
        with self._store.transaction():
            wanted = _merged(self._store, changes)
            kept = {SKYMMICHS[name]: on for name, on in wanted.items() if on != getattr(theirs, name, None)}
            if kept:
                SETTINGS_OVERRIDE.write(self._store, kept)
            else:
                SETTINGS_OVERRIDE.forget(self._store)

    async def follow(self) -> None:
        """Let Skymmich's own hold again."""
        SETTINGS_OVERRIDE.forget(self._store)


class TheirSettings:
    """The switches in Skymmich itself; an override that was kept here before gives way."""

    where = "Skymmich"

    def __init__(self, url: str, store: StateStore, way: Way | None = None) -> None:
        self._skymmich, self._store = SkymmichSettings(url, way), store

    async def write(self, changes: Mapping[str, bool]) -> None:
        """Change some in Skymmich, together with those that were kept here before; its others stay.

        Raises:
            CatalogueError: it did not take them; nothing was changed here either.
        """
        if not (changes := _keep_own(self._store, changes)):
            return
        await self._skymmich.write(_merged(self._store, changes))
        SETTINGS_OVERRIDE.forget(self._store)

    async def follow(self) -> None:
        """Let Skymmich's own hold again, as they are."""
        SETTINGS_OVERRIDE.forget(self._store)


def settings_writer(
    config: Config, store: StateStore, catalogue: Callable[[], Catalogue | None]
) -> SettingsWriter:
    """Return the place where the switches are changed: Skymmich where its address is known, else the store.

    Args:
        config: names the address.
        store: open for writing.
        catalogue: gives what was last read of Skymmich.
    """
    if (url := config.skymmich_address()) is not None:
        return TheirSettings(url, store, way_to_skymmich(config))

    def theirs() -> Switches | None:
        known = catalogue()
        return switches_of(known, config.policy()) if known is not None else None

    return OwnSettings(store, theirs)


def _merged(store: StateStore, changes: Mapping[str, bool]) -> dict[str, bool]:
    """Return what is overridden with changes over it, named as in ``Switches``."""
    return {**{SWITCHES[key]: on for key, on in override_of(store).items()}, **changes}


class OwnTemplate:
    """The block's template as it is written on the page; fulfils ``web.ports.TemplateKeeper``.

    Args:
        store: for the text and its earlier versions, in one value: a save is whole or not at all.
        configured: gives the policy of the configuration in force.
    """

    where = "this program's own store"

    def __init__(self, store: StateStore, configured: Callable[[], Policy]) -> None:
        self._store, self._configured = store, configured

    def policy(self) -> Policy:
        """Return the policy in force."""
        return with_own_block(self._configured(), self._store)

    def text(self) -> str:
        """Return the template in force."""
        return source_of(self.policy().description)

    def configured(self) -> str:
        """Return the template that holds without the page's."""
        return source_of(self._configured().description)

    def origin(self) -> str:
        """Say where the template in force comes from, for people."""
        name = self.policy().description.template_name
        return {"default": "the built-in one", TEMPLATE_NAME: "written on this page"}.get(name, name)

    def versions(self) -> tuple[TemplateVersion, ...]:
        """Return what was written here before, the newest first."""
        return tuple(
            TemplateVersion(datetime.fromisoformat(one["at"]), one["text"]) for one in self._kept()[1]
        )

    def save(self, text: str | None) -> None:
        """Let a text that was tried hold from the next pass on; ``None``: the configured one again."""
        before, versions = self._kept()
        if text is not None and text != before:
            latest = TemplateVersionForm(at=datetime.now(UTC).isoformat(), text=text)
            versions = [latest, *versions][:_VERSIONS]
        TEMPLATE_OVERRIDE.write(self._store, TemplateForm(text=text, versions=versions))

    def configured_parts(self) -> frozenset[Part]:
        """Return the parts that are on without the page's switches."""
        return self._configured().description.enabled_parts

    def with_parts(self, changes: Mapping[str, bool]) -> Policy:
        """Return the policy in force as it would be with some parts switched."""
        policy = self.policy()
        on = _parts_on(policy, changes)
        return replace(policy, description=replace(policy.description, enabled_parts=on))

    def save_parts(self, changes: Mapping[str, bool] | None) -> None:
        """Switch some parts over what is kept by now; ``None``: the configured ones hold again.

        Only what differs from the configuration is kept; the rest follows it, today and later.
        """
        with self._store.transaction():
            configured = self.configured_parts()
            wanted = {} if changes is None else {**(PARTS_OVERRIDE.read(self._store) or {}), **changes}
            kept: dict[str, bool] = {
                part: wanted[part]
                for part in sorted(ALL_PARTS)
                if wanted.get(part, part in configured) != (part in configured)
            }
            if kept:
                PARTS_OVERRIDE.write(self._store, kept)
            else:
                PARTS_OVERRIDE.forget(self._store)

    def _kept(self) -> tuple[str | None, list[TemplateVersionForm]]:
        kept = TEMPLATE_OVERRIDE.read(self._store)
        return (kept["text"], kept["versions"]) if kept is not None else (None, [])
