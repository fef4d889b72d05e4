"""Carrying out at once what a person decided: by a run here, or by the daemon that has the right to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.wiring import new_run_id
from reconciler.cli.beside_daemon import Taken, have_looked
from reconciler.engine.passes import Report, Selection
from reconciler.errors import LeaseHeldError

if TYPE_CHECKING:
    from reconciler.cli.context import Work


def carry_out(work: Work, image_ids: frozenset[int] | None, what: str) -> tuple[Report | None, Taken | None]:
    """Run a pass over the images; where the daemon has the right to write, have it do so at once."""
    selection = Selection(image_ids=image_ids)
    if not work.permission.allows(image_ids):
        return None, Taken("Nothing is written yet; it is carried out once a person begins: apply.")
    try:
        with work.right_to_write(what):
            report = work.write(
                lambda stop: work.bench.cycle.run(
                    selection, work.bench.wishes, run_id=new_run_id(), trigger="decision", stop=stop
                )
            )
    except LeaseHeldError as error:
        if work.daemon_writes:
            return None, have_looked(work.session.config, image_ids)
        return None, Taken(f"The next run carries it out. {error.message}")
    return report, None
