"""The simulator's book: how many requests of which kind, and what went wrong with writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.simulator.server.model import Actor

MOST_EXAMPLES = 20

COUNTED = (
    "lost",  # a client's value that was thrown away because of another write of the client's close by
    "lost_to_person",  # the same, where the other write was a person's: no client could know
    "persons_lost",  # a person's value that was thrown away because of a client's write close by
    "persons_own",  # the same, where the other write was a person's, too
    "overlaps",  # client writes to an asset that a client's write had left unsettled
    "rejected",  # write requests that were answered 4xx
    "died",  # extractions that failed
    "reverted",  # values that a read-only asset took back
    "rewritten",  # values that came back from the file changed
    "sign_flips",
    "early_updated_at",
    "busy_before",
    "busy_after",
    "dropped_before",
    "dropped_after",
    "slow",
)


VICTIMS: dict[tuple[Actor, Actor], str] = {
    ("client", "client"): "lost",
    ("client", "person"): "lost_to_person",
    ("person", "client"): "persons_lost",
    ("person", "person"): "persons_own",
}
"""Whose value was thrown away, and because of whose write."""


@dataclass(slots=True)
class Book:
    """Counts since the start or the last reset. Only what came with the API key is counted."""

    requests: Counter[str] = field(default_factory=Counter)
    """By ``PUT /assets/{id}``."""
    writes: int = 0
    reads: int = 0
    notes: int = 0
    """Writes of custom metadata: they move no asset, cost no job, and nobody is shown them."""
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, object]] = field(default_factory=list)
    """The first few of ``lost``, ``overlaps`` and ``rejected``."""

    def request(self, method: str, route: str) -> None:
        """Count a request; a search is a read, whatever its method."""
        self.requests[f"{method} {route}"] += 1
        if method == "GET" or route.startswith("/search/"):
            self.reads += 1
        elif "/metadata" in route:
            self.notes += 1
        else:
            self.writes += 1

    def fault(self, kind: str, **details: object) -> None:
        """Count a fault; with details, and as long as there is room, keep it as an example."""
        self.faults[kind] += 1
        if details and sum(1 for known in self.examples if known["fault"] == kind) < MOST_EXAMPLES:
            self.examples.append({"fault": kind, **details})

    def reset(self) -> None:
        """Forget everything."""
        self.requests.clear()
        self.faults.clear()
        self.examples.clear()
        self.writes = self.reads = self.notes = 0

    def requests_json(self) -> dict[str, int]:
        """Return the counts by route, and ``total``, ``writes``, ``reads``, and ``notes`` if any."""
        counts = dict(sorted(self.requests.items()))
        return {
            **counts,
            "total": self.requests.total(),
            "writes": self.writes,
            "reads": self.reads,
            **({"notes": self.notes} if self.notes else {}),
        }

    def faults_json(self) -> dict[str, object]:
        """Return every count, zeros too, and ``examples``."""
        return {**{name: self.faults[name] for name in COUNTED}, "examples": list(self.examples)}
