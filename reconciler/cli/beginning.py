"""Beginning a new installation from the command line: a person who applies has seen what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.consent import ask
from reconciler.cli.daemon_client import find_daemon
from reconciler.cli.handover import carried_out
from reconciler.cli.output.another import ours
from reconciler.cli.output.tables import show_plan
from reconciler.core.permission import begin
from reconciler.engine.passes import Selection
from reconciler.messages.nouns import counted
from reconciler.models.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.cli.context import Work
    from reconciler.cli.output.screen import Screen
    from reconciler.core.permission import Permission
    from reconciler.engine.passes import Prepared


def begun(work: Work, prepared: Prepared, image_ids: Collection[int] | None) -> None:
    """Keep that a person has agreed: to these images, or with ``None`` to all, for ever."""
    permission = work.permission
    if not permission.waits or not prepared.rules.switches.enabled or prepared.another is not None:
        return
    first = None
    if image_ids is not None:
        known = permission.begun.first if permission.begun else None
        first = frozenset(image_ids) | (known or frozenset())
    begin(work.bench.store, "apply", work.bench.clock.now(), first)


def begun_beside_daemon(work: Work, *, yes: bool, details: bool) -> int:
    """Show the plan, ask, and have the daemon begin, which has the right to write."""
    bench, screen = work.bench, work.session.screen
    prepared = ours(work.do(bench.cycle.prepare(Selection(), bench.wishes)))
    if not screen.as_json:
        show_plan(screen, prepared, details=details, attention=not yes)
    if not yes:
        count = prepared.changing
        ask(
            screen,
            f"Begin, and have the daemon write to {counted(count, 'asset')} in Immich now, "
            "and to new ones from now on?",
            command="apply --yes",
        )
    daemon = find_daemon(work.session.config)
    if daemon is not None and daemon.is_open:
        state = carried_out(work.session, "/begin", {"by": "apply"})
        if screen.as_json:
            screen.json({"plan": Plan.of(prepared, bench.clock.now()), "state": state})
        return 0 if state.get("state") == "done" else 1
    begun(work, prepared, None)
    when = "The daemon writes it at its next look."
    if screen.as_json:
        screen.json({"plan": Plan.of(prepared, bench.clock.now()), "carried_out": when})
    else:
        screen.line(f"Begun. {when}", "bold green")
    return 0


def show_permission(screen: Screen, permission: Permission) -> None:
    """Say it where nothing is written, or not everything."""
    if permission.standing == "observing":
        screen.line(
            'This installation only observes ([policy] mode = "observe"), so apply refuses. To have it '
            'write: mode = "ask" or "sync".',
            "yellow",
        )
    elif permission.waits:
        only = " but a few images" if permission.standing == "trying" else ""
        screen.line(
            f"Nothing{only} is written yet: a daemon waits until a person begins, on its page or with apply.",
            "yellow",
        )
