"""Fingerprints: what lets a pass skip an image without asking the server.

A fingerprint covers what is wanted and how it would be merged. An image whose fingerprint is the recorded
one, and whose asset has not moved since, needs no request.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.asset import Coordinates
    from reconciler.core.desired.desired import Desired
    from reconciler.core.policy import Policy, Switches
    from reconciler.core.records import LeftOut, Resolution


def digest(*parts: object) -> str:
    """Return a short stable hash of JSON-able parts (sets are sorted), 20 hexadecimal digits."""
    return hashlib.sha256(_json(parts)).hexdigest()[:20]


def digest_of_lists(texts: Iterable[str], *lists: Iterable[object]) -> str:
    """Return ``digest`` of texts and lists, of which never all is one text: they may be very long."""
    found, between = hashlib.sha256(b"["), b""
    for one in texts:
        found.update(between + _json(one))
        between = b","
    for each in lists:
        found.update(between + b"[")
        between = b""
        for value in each:
            found.update(between + _json(value))
            between = b","
        found.update(b"]")
        between = b","
    found.update(b"]")
    return found.hexdigest()[:20]


@lru_cache(maxsize=8)
def policy_digest(policy: Policy, switches: Switches, template_digest: str) -> str:
    """Return the hash of all that decides besides the catalogue, but for the guard's numbers.

    What is left out stands in the fingerprints of the images that it concerns, and nothing is written for it.
    """
    relevant = asdict(policy)
    # Of stacks: to whom something is written, not what.
    del relevant["guard"], relevant["leave_out"], relevant["stacks"]
    relevant["description"].pop("template", None)
    relevant["description"].pop("template_name", None)
    # What is as it was before there was a choice is left out: nothing changed for who chose nothing.
    for name, section in (("dates", policy.dates), ("coordinates", policy.coordinates)):
        if section == type(section)() or (name == "dates" and not switches.dates):
            del relevant[name]
    if not switches.albums:
        del relevant["albums"], relevant["merge"]["on_drift_albums"]
    if policy.merge.on_drift_taken_at == type(policy.merge)().on_drift_taken_at:
        del relevant["merge"]["on_drift_taken_at"]
    fields: list[object] = [switches.description, switches.coordinates, switches.tags]
    if switches.dates:
        fields.append(switches.dates)
    if switches.albums:
        fields.append(["albums"])
    return digest(relevant, fields, template_digest)


def fingerprint(
    desired: Desired, rules: str, decided: tuple[Resolution, ...] = (), left_out: tuple[LeftOut, ...] = ()
) -> str:
    """Return the fingerprint of one image's desired state under ``rules`` (see ``policy_digest``).

    ``decided`` is what a person decided of its conflicts, ``left_out`` what they left out of it: either, if
    new, is a reason to look.
    """
    values: list[object] = [desired.block, desired.prose, place(desired.coordinates), desired.tags]
    if desired.taken_at is not None:
        values.append(desired.taken_at.isoformat())
    if desired.albums:
        values.append(["albums", desired.albums])
    decisions = [[one.field, one.keep, one.desired, one.live, one.result] for one in decided]
    out: list[object] = [[one.code, sorted(one.fields), one.params] for one in desired.left_out]
    out += [["left_out", one.field, one.at.isoformat()] for one in left_out]
    return digest(*values, *sorted(desired.unreadable), *decisions, *out, rules)


def place(coordinates: Coordinates | None) -> list[float] | None:
    """Return coordinates as a JSON-able pair."""
    return None if coordinates is None else [coordinates.latitude, coordinates.longitude]


def _json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, default=_plain, separators=(",", ":"))
    return text.encode()


def _plain(value: object) -> object:
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in a fingerprint")
