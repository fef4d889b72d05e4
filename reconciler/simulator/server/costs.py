"""What a write costs the server beyond one turn of its queues: nothing but numbers and where they come from.

After every write Immich extracts the asset's file again and upserts all of its tags, one by one and path
part by path part. So a write of whatever kind costs more the more tags the asset carries, and tags first
makes the server do that work twice. Measured on a real 2.7.5 of 2 cores with 200 writes of each kind, 18
tags an asset in a tree (44 path parts), each kind settled before the next:

============================================ ============ ============ =====
machine                                      fields, tags tags, fields ratio
============================================ ============ ============ =====
quiet                                        23.8 s       27.3 s       1.15
busy: other processes compete for its cores  24.3 s       38.0 s       1.56
============================================ ============ ============ =====

With a plain extraction as the unit and *r* for one of an asset with those tags, the ratio is 2 *r* / (1 +
*r*): *r* is 1.35 and 3.59. Its excess belongs to the 44 parts. A busy machine makes an upsert so dear
because it is many small turns between two processes, each of which waits for a core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.simulator.server.unkindness import Settings

_PARTS = 44
_QUIET = (1.345 - 1) / _PARTS
_BUSY = (3.587 - 1) / _PARTS
"""Extractions of an asset without tags that one path part costs."""


def extraction_work(paths: Iterable[str], settings: Settings) -> float:
    """Return the work of extracting an asset with these tags; an asset without tags is 1."""
    if not settings.on("tag_upserts"):
        return 1.0
    each = _BUSY if settings.on("busy_machine") else _QUIET
    return 1.0 + each * sum(len([part for part in path.split("/") if part]) for path in paths)
