"""Play the model by the thousand. Prints the seed, what was done how often, and what was lost; exits 1 on a violation."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import TALLY, Model

BATCH = 50
"""Examples that are drawn from one seed; the next are drawn from the next."""


def play(examples, steps, number, *, shrink=True):
    """Play so many examples; raises what is violated, in its shortest form."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(number)(Model), settings=chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing new after so long")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-shrink", action="store_true", help="show a violation as it was found")
    options = parser.parse_args()
    began, violation, number, left = time.monotonic(), None, options.seed, options.examples
    while left > 0 and violation is None and time.monotonic() - began < options.seconds:
        try:
            play(min(BATCH, left), options.steps, number, shrink=not options.no_shrink)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the counts
            violation = error
        if not options.json:
            print(
                f"seed {number}: {TALLY['examples']} examples, {time.monotonic() - began:.0f} s", flush=True
            )
        number, left = number + 1, left - BATCH
    told = violation and "".join(traceback.format_exception_only(violation))
    seconds = round(time.monotonic() - began, 1)
    said = {"seed": options.seed, "steps": options.steps, "seconds": seconds, "violation": told}
    if options.json:
        print(json.dumps({**said, "counts": dict(sorted(TALLY.items()))}))
    else:
        for name, count in sorted(TALLY.items()):
            print(f"{count:10.0f}  {name}")
        print(f"{TALLY['examples']} examples of {options.steps} steps in {seconds} s, seed {options.seed}")
        print(told or "0 violations: nothing was lost")
    sys.exit(1 if violation else 0)


if __name__ == "__main__":
    main()
