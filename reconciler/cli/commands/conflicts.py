"""``conflicts``: where a person's words stand against the catalogue's."""

from __future__ import annotations

from reconciler.cli.context import working
from reconciler.cli.output.tables import heading, show_choice, show_conflict
from reconciler.cli.session import ConfigFile, Details, Json, Verbose, begin
from reconciler.core.records import FINE
from reconciler.engine.passes import Selection
from reconciler.models.plans import Decision


def command(
    *, details: Details = False, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """List the images where Immich and the catalogue disagree and Immich's side is a person's: both sides.

    Looks at all linked images, as `plan` does; exits 0.
    """
    session = begin(config, as_json=json, verbose=verbose)
    with working(session) as work:
        prepared = work.do(work.bench.cycle.prepare(Selection(), work.bench.wishes))
        # What is skipped as it stands is looked at after all: its sides are on no record.
        skipped = {item.image_id for item in prepared.items if not item.plan and item.status not in FINE}
        found = {item.image_id: item for item in prepared.items}
        if skipped:
            selection = Selection(image_ids=frozenset(skipped))
            looked_at = work.do(work.bench.cycle.prepare(selection, work.bench.wishes))
            found |= {item.image_id: item for item in looked_at.items}
    plans = [item.plan for item in found.values() if item.plan and item.plan.conflicts]
    if json:
        session.screen.json(
            {
                "conflicts": [
                    {
                        "image_id": plan.image_id,
                        "asset_id": plan.asset_id,
                        "title": plan.title,
                        "fields": [Decision.of(decision) for decision in plan.conflicts],
                    }
                    for plan in plans
                ]
            }
        )
        return 0
    for plan in plans:
        session.screen.line(heading(plan.title, plan.image_id))
        for decision in plan.conflicts:
            show_conflict(session.screen, decision, details=details)
        session.screen.line()
    if not plans:
        session.screen.line("No conflicts.", "green")
        return 0
    many = "s" if len(plans) > 1 else ""
    session.screen.line(f"{len(plans)} image{many} in conflict; Immich's side stays.", "bold")
    show_choice(session.screen)
    return 0
