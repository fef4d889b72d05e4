"""The switches: shown, changed where they live, and what was set here given up again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.policy import OWN_SWITCHES, Policy, Switches
from reconciler.engine.planner.wishes import switches_of
from reconciler.models.plans import Settings
from reconciler.models.requests import Changes
from reconciler.models.status import SettingsView
from reconciler.service.api import Request as Wish
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import JsonResponse, tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.web.context import Panel
    from reconciler.web.ports import SettingsWriter


_PATIENCE = 3.0
"""Seconds for the pass that follows a change, so that the next page shows what came of it."""


class SwitchesApi:
    """The handlers of ``/api/v1/settings``."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def routes(self) -> list[Route]:
        """List the addresses."""
        return routes_of(self)

    @operation("GET", "/api/v1/settings", SettingsView, name="settings")
    async def show(self, request: Request) -> Response:
        """Show the switches."""
        return tagged(request, self._shown())

    @operation("POST", "/api/v1/settings", SettingsView, name="changeSettings", body=Changes)
    async def change(self, request: Request) -> Response:
        """Change some or all of them where they live."""
        await change_switches(self._panel, params.switch_changes(await params.body(request)))
        return JsonResponse(self._shown())

    @operation("DELETE", "/api/v1/settings/override", SettingsView, name="followSkymmich")
    async def give_up(self, _: Request) -> Response:
        """Let Skymmich's own hold again."""
        await follow_skymmich(self._panel)
        return JsonResponse(self._shown())

    def _shown(self) -> SettingsView:
        snapshot, writer = self._panel.control.snapshot(), self._panel.settings
        theirs = skymmichs_own(self._panel)
        return SettingsView(
            settings=None if snapshot.switches is None else Settings.of(snapshot.switches),
            source=snapshot.switches_source,
            skymmich=None if theirs is None else Settings.of(theirs),
            changed_in=writer.where if writer else None,
        )


def skymmichs_own(panel: Panel) -> Switches | None:
    """Return what Skymmich itself says, as last read; ``None`` before that."""
    catalogue = panel.control.catalogue()
    switches = panel.control.snapshot().switches
    ours = switches or Switches()
    policy = Policy().switched(**{name: getattr(ours, name) for name in OWN_SWITCHES.values()})
    return None if catalogue is None else switches_of(catalogue, policy)


async def change_switches(panel: Panel, changes: Mapping[str, bool], *, delay: float = 0.0) -> bool:
    """Change some switches where they live, over what holds by now; return whether any changed.

    The daemon goes by them at once: the snapshot has them when this returns, and a pass is enqueued.

    Args:
        panel: the daemon.
        changes: named as in ``core.policy.Switches``.
        delay: seconds until the pass: whoever can take it back at once is given the time.

    Raises:
        ReconcilerError: they were not changed.
        ProblemError: they cannot be changed from here.
    """
    writer = _writer(panel)
    before = await panel.control.read_switches()
    if replace(before, **changes) == before:
        return False
    await writer.write(changes)
    await _go_by_them(panel, delay=delay)
    return True


async def follow_skymmich(panel: Panel) -> bool:
    """Give up what was set here, and let the daemon read again; return whether anything was.

    Raises:
        StateError: it could not be given up.
        ProblemError: they cannot be changed from here.
    """
    writer = _writer(panel)
    await panel.control.read_switches()
    overridden = panel.control.snapshot().switches_source == "override"
    await writer.follow()
    if overridden:
        await _go_by_them(panel)
    return overridden


def _writer(panel: Panel) -> SettingsWriter:
    if panel.settings is None:
        raise ProblemError(409, "The settings cannot be changed from here.")
    return panel.settings


async def _go_by_them(panel: Panel, *, delay: float = 0.0) -> None:
    await panel.control.read_switches()
    run_id = panel.control.request(Wish(by_person=False, trigger="settings", delay=delay))
    if not (delay or panel.control.snapshot().paused):
        await panel.control.wait(run_id, _PATIENCE)
