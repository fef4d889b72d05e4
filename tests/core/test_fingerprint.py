"""A fingerprint changes with all that changes what would be written, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.fingerprint import digest, fingerprint, policy_digest
from reconciler.core.policy import (
    DescriptionPolicy,
    GuardPolicy,
    MergePolicy,
    Policy,
    Switches,
    TagPolicy,
)

ROOT = Path(__file__).parents[2]
TAGS = [f"Astro/{name}" for name in "abcdefgh"]


def test_a_digest_is_the_same_in_every_process():
    """Sets are ordered by a hash that differs from process to process."""
    code = "from reconciler.core.fingerprint import digest; print(digest(frozenset('abcdefgh'), {'b': 1, 'a': 2}))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_a_digest_tells_parts_apart():
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest(["ab", "c"]), digest(None)}) == 5


def test_a_digest_takes_any_text():
    assert digest("\ud800\0") != digest("\0")


def test_a_digest_refuses_what_has_no_fixed_form():
    with pytest.raises(TypeError, match="object has no place in a fingerprint"):
        digest(object())


@pytest.mark.parametrize(
    "change",
    [{"block": "✦ b"}, {"prose": "p"}, {"coordinates": Coordinates(1, 2.1)}, {"tags": frozenset("a")}],
)
def test_every_wanted_value_is_in_the_fingerprint(make, change):
    desired = make.desired(block="✦ a", coordinates=Coordinates(1, 2), tags=TAGS)
    assert fingerprint(desired, "rules") != fingerprint(replace(desired, **change), "rules")


def test_problems_are_not_in_the_fingerprint(make):
    assert fingerprint(make.desired(), "r") == fingerprint(make.desired(problems=("odd",)), "r")


@pytest.mark.parametrize(
    "policy",
    [
        Policy(description=DescriptionPolicy(opening="* ")),
        Policy(description=DescriptionPolicy(max_bytes=500)),
        Policy(tags=TagPolicy(root="Sky")),
        Policy(merge=MergePolicy(on_conflict="overwrite")),
    ],
)
def test_a_policy_that_decides_is_in_the_rules(policy):
    assert policy_digest(policy, Switches(), "t") != policy_digest(Policy(), Switches(), "t")


def test_what_is_managed_and_the_template_are_in_the_rules():
    plain = policy_digest(Policy(), Switches(), "t")
    assert policy_digest(Policy(), Switches(tags=False), "t") != plain
    assert policy_digest(Policy(), Switches(), "u") != plain


def test_what_decides_nothing_is_not_in_the_rules():
    """The guard's numbers, the template's file name, and the master switch, which only stops writes."""
    policy = Policy(guard=GuardPolicy(min_count=3), description=DescriptionPolicy(template_name="mine.j2"))
    assert policy_digest(policy, Switches(enabled=False), "t") == policy_digest(Policy(), Switches(), "t")


def test_an_image_that_becomes_readable_again_is_looked_at(make):
    unread = make.desired(unreadable=frozenset({"tags"}))
    assert fingerprint(unread, "rules") != fingerprint(make.desired(), "rules")
