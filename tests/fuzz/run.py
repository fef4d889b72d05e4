"""``make fuzz``: spoil answers of Immich by the thousand, and see that no word, tag or pin is lost.

Prints the seed, so that a run can be repeated (but for the order of answers that come at the same time), and what
was done; exits 1 on a violation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from campaign import Campaign  # noqa: E402 - after the path to the checkout
from mutations import KINDS, LIE  # noqa: E402 - the same

MOST_MB = 200.0


def peak_mb():
    """Give the most memory of this program; not ``ru_maxrss``, which also knows who started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def fuzz(options, folder):
    campaign = Campaign(folder, options.seed)
    if options.kind:
        campaign.kinds = campaign.light = options.kind
    tally, ends = campaign.tally, time.monotonic() + options.seconds

    def enough():
        return time.monotonic() > ends or tally.answers.total() >= options.answers

    fresh, here = campaign.install(), await campaign.synced()
    await fresh.idle()
    while not enough():
        await campaign.looks(fresh, 8)
        await campaign.looks(here, 8)
        if not await campaign.passes(here, options.passes):
            here = await campaign.synced()
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="at most so long")
    parser.add_argument("--answers", type=float, default=float("inf"), help="at most so many spoilt answers")
    parser.add_argument("--passes", type=int, default=1, help="whole passes after every 16 rounds of looks")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--kind",
        action="append",
        choices=sorted({**KINDS, **LIE}),
        metavar="KIND",
        help="only this kind of spoiling; may be repeated",
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.json:
        print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(fuzz(options, Path(folder)))
    peak = peak_mb()
    if peak > MOST_MB:
        tally.violation([], "memory", f"{peak:.0f} MB")
    said = {
        "seed": options.seed,
        "seconds": round(time.monotonic() - began, 1),
        "answers": tally.answers.total(),
        "kinds": dict(sorted(tally.answers.items())),
        "looks": tally.looks,
        "passes": tally.passes,
        "refused": tally.refused,
        "left_alone": tally.left_alone,
        "lost": tally.lost,
        "peak_mb": round(peak),
        "violations": tally.violations,
    }
    if options.json:
        print(json.dumps(said))
    else:
        print(f"{said['answers']} answers spoilt in {said['seconds']} s")
        for kind, count in said["kinds"].items():
            print(f"  {count:6} {kind}")
        names = ("looks", "passes", "refused", "left_alone", "lost", "peak_mb")
        print(" ".join(f"{name}={said[name]}" for name in names))
        for violation in tally.violations[:20]:
            print(f"VIOLATION {violation['what']} {violation['kinds'][:3]}: {violation['details']}")
        print(f"{len(tally.violations)} violations")
    sys.exit(1 if tally.violations else 0)


if __name__ == "__main__":
    main()
