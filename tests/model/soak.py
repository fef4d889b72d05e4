"""``make soak``: play the model by the thousand. Prints what was done how often and what was lost; exits 1 on a violation.

Each example has a seed of its own, printed where it is a violation: ``--seed SEED --examples 1`` plays it again.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model.driving import example, played, shortest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing new after so long")
    parser.add_argument("--go-on", action="store_true", help="also after a violation")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began, tally, violations = time.monotonic(), Counter(), []
    gc.disable()  # once after each example: else it takes a seventh of the time
    for number in range(options.seed, options.seed + options.examples):
        if time.monotonic() - began > options.seconds or (violations and not options.go_on):
            break
        beginning, steps = example(number, options.steps)
        violation = played(beginning, steps, tally)
        tally["examples"] += 1
        gc.collect()
        if violation is not None:
            violations.append(told(number, violation, beginning, steps))
            print(violations[-1], file=sys.stderr, flush=True)
        if not options.json and tally["examples"] % 50 == 0:
            print(f"{tally['examples']} examples, {time.monotonic() - began:.0f} s", flush=True)
    seconds = round(time.monotonic() - began, 1)
    if options.json:
        said = {"seed": options.seed, "steps": options.steps, "seconds": seconds, "violations": violations}
        print(json.dumps({**said, "counts": dict(sorted(tally.items()))}))
    else:
        for name, count in sorted(tally.items()):
            print(f"{count:10.0f}  {name}")
        what = (
            f"{tally['examples']} examples of {options.steps} steps in {seconds} s, seeds from {options.seed}"
        )
        print(f"{what}: {len(violations)} violations")
    sys.exit(1 if violations else 0)


def told(number, violation, beginning, steps):
    """Tell a violation in the fewest steps that show it."""
    fewest = shortest(beginning, steps, type(violation))
    lines = [f"seed {number}: {type(violation).__name__}: {violation}", f"  world: {beginning}"]
    return "\n".join([*lines, *(f"  {name}{given} {named or ''}" for name, given, named in fewest)])


if __name__ == "__main__":
    main()
