"""All that decides about a pass besides the two sides: policy, switches, and what server and key allow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.plan.plan import Rules
from reconciler.engine.planner.wishes import switches_of

if TYPE_CHECKING:
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.policy import Switches
    from reconciler.core.ports import ServerFacts
    from reconciler.engine.identity import KnownImmich
    from reconciler.engine.planner.wishes import Wishes


def rules_of(
    wishes: Wishes, catalogue: Catalogue, server: ServerFacts, whose: KnownImmich, *, tells_day: bool
) -> Rules:
    """Return the rules of a pass, before anybody looked at the albums."""
    switches = wishes.switches or switches_of(catalogue, wishes.policy)
    return Rules(
        policy=wishes.policy,
        switches=switches,
        server_version=server.version,
        user_id=whose.user_id,
        other_users=frozenset(whose.others),
        tags_available=server.tags_enabled,
        missing=_missing(server, switches),
        zones=wishes.zones,
        tells_day=tells_day,
    )


def _missing(server: ServerFacts, switches: Switches) -> dict[str, tuple[str, ...]]:
    """Return the permissions that each feature lacks."""
    found: dict[str, tuple[str, ...]] = {}
    for loss in server.losses_under(switches):
        found[loss.feature] = (*found.get(loss.feature, ()), loss.permission)
    return found


def affordable(rules: Rules) -> Switches:
    """Leave out what key or server do not allow: a permission that is given is a reason to look again."""
    switches, missing = rules.switches, rules.missing
    return replace(
        switches,
        description=switches.description and "description" not in missing,
        coordinates=switches.coordinates and "coordinates" not in missing,
        tags=switches.tags and rules.tags_available and "tags" not in missing,
        albums=switches.albums and "albums" not in missing,
    )
