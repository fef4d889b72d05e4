"""``make trust``: inject each fault by itself, many times, while people edit; write what was lost into docs/trust.md."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model.faults import FAULTS
from tests.model.oracle import ViolationError
from tests.model.people import PEOPLE
from tests.model.play import MOST_REQUESTS, Play
from tests.model.skymmich import SKYMMICH

BEGIN, END = "<!-- the table begins: written by make trust -->", "<!-- the table ends -->"
COLUMNS = (
    "fault", "injected", "edits by people", "lost", "put right, in the journal", "crossed with a write, told",
    "crossed, taken by Immich unseen", "in sync again after (median, most)",
)  # fmt: skip
KILLS = {
    "killed before a request": "request",
    "killed before an answer": "answer",
    "killed at a commit": "commit",
}
STORES = {"state store lost": "lose_store", "older state store put back": "put_back"}
NOT_INJECTED = {"mended", "queue goes on"}
OTHERS = {"another instance": "another", "everything undone": "undo_all", "a run undone": "undo"}
KINDS = (*(name for name in FAULTS if name not in NOT_INJECTED), *KILLS, *STORES, *OTHERS)
GENTLE = sorted(set(PEOPLE) - {"all cleared", "all replaced", "deleted", "sidecar written by the solver"})
"""Deeds after which there is still something to lose."""


@dataclass(slots=True)
class Row:
    """What came of a fault."""

    kind: str
    injected: int = 0
    edits: int = 0
    lost: int = 0
    found: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def cells(self):
        found = (self.found["journal"], self.found["told"], self.found["in a write's moment, not seen"])
        after = f"{statistics.median(self.seconds):.0f} s, {max(self.seconds):.0f} s" if self.seconds else "–"
        return (self.kind, self.injected, self.edits, self.lost, *found, after)


def trial(row, seed):
    """Inject the fault into one small library at work, and see what comes of it."""
    random = Random(f"{row.kind} {seed}")
    with tempfile.TemporaryDirectory(prefix="trust-") as folder:
        play = Play(Path(folder), random.randint(1, 1000), drain=random.choice((8.0, 60.0, 200.0)))
        try:
            play.sync()
            play.keep_copy()
            _edits(play, random, 4)
            deadly, moment = None, random.randint(1, 14)
            due = [
                (random.randint(1, MOST_REQUESTS), "people", random.choice(GENTLE), random.randrange(4), 3)
            ]
            if row.kind in FAULTS:
                due.append((moment, "fault", row.kind, random.randrange(4), random.randrange(64)))
            elif row.kind in KILLS:
                deadly = KILLS[row.kind], moment
            play.sync(due=due, deadly=deadly)
            if row.kind in STORES:
                getattr(play, STORES[row.kind])(*([0] if row.kind.startswith("older") else []))
            if row.kind in OTHERS:
                getattr(play, OTHERS[row.kind])(*([0] if row.kind == "a run undone" else []))
            _edits(play, random, 2)
            play.sync("background")
            play.check()
            row.seconds.append(play.rest())
        except ViolationError as violation:
            row.lost += 1
            print(f"{row.kind} {seed}: {violation}", file=sys.stderr)
        finally:
            counts = play.counts()
            row.injected += sum(n for name, n in counts.items() if name in _names(row.kind))
            row.edits += sum(n for name, n in counts.items() if name.startswith("people: "))
            row.found.update(play.oracle.found)
            play.close()


def _names(kind):
    """Give under which names a fault is counted."""
    if kind in KILLS:
        return {"fault: killed"}
    others = {
        "state store lost": "fault: store lost",
        "older state store put back": "fault: older store",
        "another instance": "pass: of another instance",
        "everything undone": "pass: undo all",
        "a run undone": "pass: undo",
    }
    return {others.get(kind, f"fault: {kind}")}


def _edits(play, random, count):
    for _ in range(count):
        play.act("people", random.choice(GENTLE), random.randrange(4), random.randrange(64))
        play.act("skymmich", random.choice(sorted(SKYMMICH)), random.randrange(4), random.randrange(64))
        play.wait(random.choice((0.05, 1.0, 5.0)))


def measured(kinds, trials, seed):
    rows = []
    for kind in kinds:
        row = Row(kind)
        for number in range(seed, seed + trials):
            trial(row, number)
        rows.append(row)
        print(" | ".join(map(str, row.cells())), flush=True)
    return rows


def table(rows):
    total = ("**all**", *(sum(row.cells()[n] for row in rows) for n in range(1, 7)), "")
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row.cells() for row in rows), total]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def written(text, rows, trials, seed):
    """Give the page with another table."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    said = f"{trials} libraries for each fault, seeds from {seed}."
    return f"{head}{BEGIN}\n{said}\n\n{table(rows)}\n{END}{tail}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20, help="libraries for each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="the page whose table is written anew")
    options = parser.parse_args()
    rows = measured(KINDS, options.trials, options.seed)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(written(page, rows, options.trials, options.seed), encoding="utf-8")
    sys.exit(1 if any(row.lost for row in rows) else 0)


if __name__ == "__main__":
    main()
