"""The doctor's round for the daemon's page: the daemon examines itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.doctor.checks import Running, examine
from reconciler.app.doctor.findings import TITLES
from reconciler.immich.client import SystemClock
from reconciler.web.ports import Check

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.app.wiring import Present
    from reconciler.config import Config
    from reconciler.rendering.renderer import SafeRenderer
    from reconciler.service.api import Control
    from reconciler.web.ports import Doctor
    from state.store import StateStore


def doctor_of(
    started_with: Config,
    control: Control,
    present: Present,
    store: StateStore,
    renderer: SafeRenderer,
    reread: Callable[[], Config],
) -> Doctor:
    """Return what runs the checks in the daemon's own event loop.

    Args:
        started_with: the configuration at the start.
        control: the daemon, for what it last read.
        present: what is in force.
        store: the daemon's own, open.
        renderer: of templates.
        reread: reads the configuration from the disk.
    """
    clock = SystemClock()

    async def checks() -> tuple[Check, ...]:
        conditions = {one.type: one.status for one in control.snapshot().conditions}
        itself = Running(
            store,
            started_with,
            present.configured(),
            renderer,
            reread,
            catalogue=control.catalogue(),
            readable=conditions.get("CatalogueReadable") == "True",
        )
        findings = await examine(present.config, clock, itself)
        return tuple(
            Check(one.section, TITLES[one.section], one.level, one.what, one.spoken("daemon").remedy)
            for one in findings
        )

    return checks
