"""Thousands of spoilt answers cost nobody a word, a tag or a pin; and the oracle would see it if they did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).with_name("run.py")


def fuzz(*options):
    """Run it as a process of its own, for its memory is measured."""
    done = subprocess.run(
        [sys.executable, RUN, "--json", *options], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_no_spoilt_answer_costs_a_word_a_tag_a_pin_the_memory_or_the_end():
    status, said, errors = fuzz("--seed", "8", "--answers", "2000", "--seconds", "240")
    assert said["violations"] == []
    assert (status, said["lost"], errors) == (0, 0, "")
    assert said["answers"] >= 2000
    assert len(said["kinds"]) >= 65, "kinds of spoiling that were met"
    assert said["passes"] >= 5
    assert said["refused"] > 0
    assert said["left_alone"] > 0
    assert said["peak_mb"] < 200


def test_the_oracle_sees_a_loss():
    status, said, _ = fuzz("--seed", "8", "--answers", "60", "--seconds", "60", "--kind", "a lie")
    assert status == 1
    assert {"planned loss", "lost"} & {violation["what"] for violation in said["violations"]}
    assert said["lost"] > 0
