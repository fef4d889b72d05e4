"""The same calls, at random, to a store in a file and to one in PostgreSQL: the same answers."""

from __future__ import annotations

import inspect
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from reconciler.core.asset import Applied, Coordinates
from reconciler.core.carry_over import CarryOver, Kept
from reconciler.core.reasons import told
from reconciler.core.records import (
    AssetRecord,
    Crossing,
    FormerValue,
    JournalEntry,
    LeftOut,
    PendingWrite,
    Resolution,
    Run,
    RunCounts,
    TakenBack,
    Unsticking,
)
from reconciler.errors import StateError
from state.store import StateStore
from tests.state.conftest import NOON

BACKENDS = ["postgresql"]
CALLS = 150
IDS = ["a", "b", "B", "ä", "z" * 36, "e\u0301", "é", "🔭", "a\ud83d", "x'y\"", "%_\\", "\u202eم"]
TEXTS = ["", " ", "M 31", "m 31", "Ωmega", "Straße", "STRASSE", "a%b", "a_b", "a\\b", "a/b", "🔭 M31", "\ud83d!",
         "Ärger", "arger", "line\u2028break\r\n", "İ", "x" * 300]  # fmt: skip
TAGS = ["sky/M 31", "Sky/m 31", "sky/Ω", "🔭", "\ud83d", "a,b", '["x"]', ""]
RUNS = ["r1", "r2", "r3", "r4"]
STATUSES = ["new", "in_sync", "pending", "conflict", "held", "unknown_asset", "unlinked"]
FIELDS = ["block", "prose", "coordinates", "taken_at", "tags", "albums"]
JSON = [None, 0, 2.0, 2**60, 1e300, "", "Ω\0\ud83d", [1, [None, True]], {"b": 1, "a": {"ü": -0.5}}]
ODD = ["nobody", "n\0", "\ud83d", ""]
"""What is asked for, and not there. A character 0 is another one in PostgreSQL, and so sorted elsewhere."""


@dataclass
class Random:
    """Makes up values. Of one seed always the same."""

    of: random.Random

    def some(self, values, most=4):
        return self.of.sample(values, self.of.randint(0, min(most, len(values))))

    def id(self):
        return self.of.choice(IDS)

    def maybe(self, value, chance=0.5):
        return value if self.of.random() < chance else None

    def moment(self):
        off = {
            "microseconds": self.of.choice([0, 1, 499_999, 500_000, 999_999]),
            "seconds": self.of.randint(-9, 9),
        }
        return NOON.replace(microsecond=0) + timedelta(days=self.of.randint(-3, 3), **off)

    def text(self):
        return self.of.choice(TEXTS)

    def place(self):
        return self.maybe(
            Coordinates(self.of.uniform(-90, 90), self.of.choice([0.0, -0.0, 179.99999999999997]))
        )

    def record(self):
        number = self.of.choice([1, 2, 3, 2**40])
        applied = Applied(
            self.maybe(self.text()), self.maybe(self.text()), self.place(), frozenset(self.some(TAGS)),
            self.maybe(self.moment()), frozenset(self.some(TEXTS, 1)),
        )  # fmt: skip
        unsticking = Unsticking(
            "block", self.text(), self.text(), "2.7", told("x")[0], undone=self.of.random() < 0.5
        )
        return AssetRecord(
            self.id(), number, self.text(), applied, self.of.choice(["", "f1", "f2"]), self.of.choice(STATUSES),
            told(self.text()), self.maybe(self.moment()), self.maybe(4000), self.maybe(3000),
            (unsticking,) if self.of.random() < 0.2 else (), self.of.random() < 0.7, self.maybe(self.moment()),
            self.maybe(self.moment()), held=self.of.choice(["", "h1"]),
            taken_back=self.maybe(TakenBack(self.moment()), 0.2),
        )  # fmt: skip

    def pending(self):
        return PendingWrite(
            self.id(), 1, self.of.choice(RUNS), "fields", self.of.random() < 0.5, self.moment(),
            self.maybe(self.text()), None, self.maybe(self.text()), self.place(), self.maybe(self.moment()),
            tags=frozenset(self.some(TAGS)), beside=self.maybe(frozenset(self.some(TAGS))),
        )  # fmt: skip

    def entry(self):
        before, after = self.of.choice(JSON), self.of.choice(JSON)
        return JournalEntry(
            self.of.choice(RUNS), self.id(), self.of.choice([1, 2, 2**40]), "tags", before, after, self.moment(),
            ours=tuple(self.some(TEXTS, 2)),
        )  # fmt: skip

    def run(self):
        return Run(
            self.of.choice(RUNS), "cli", self.moment(), self.maybe(self.moment()),
            self.of.choice(["running", "succeeded", "failed"]), told(self.text()), RunCounts(images=3, others={"x": 1}),
        )  # fmt: skip

    def crossing(self):
        return Crossing(self.moment(), frozenset(self.some(FIELDS)), self.of.choice(RUNS))

    def offer(self):
        kept = Kept(self.text(), frozenset(self.some(TAGS)), self.place(), self.maybe(self.moment()))
        return CarryOver(
            self.id(), self.id(), 1, self.text(), self.moment(), "immich", kept,
            state=self.of.choice(["offered", "wanted", "dismissed"]), by=self.text(), left=told(self.text()),
        )  # fmt: skip

    def resolution(self):
        return Resolution(
            self.of.choice(FIELDS[:2]),
            "immich",
            "d",
            self.of.choice("lm"),
            self.of.choice([NOON, self.moment()]),
        )


def call(any_):
    """Return one call: the method's name and its arguments."""
    some_ids = any_.some([*IDS, *ODD])
    key = any_.of.choice([any_.id(), *ODD])
    writes = [
        ("save_records", [any_.record() for _ in range(any_.of.randint(0, 4))]),
        ("save_records", [any_.record()]),
        ("save_pending", [any_.pending() for _ in range(2)]),
        ("mark_sent", some_ids),
        ("clear_pending", some_ids),
        ("journal", [any_.entry() for _ in range(any_.of.randint(0, 5))]),
        ("keep_former", [FormerValue(any_.id(), "prose", any_.of.choice(JSON), any_.moment()) for _ in range(2)]),
        ("forget_former", some_ids),
        ("start_run", any_.run()),
        ("finish_run", any_.run()),
        ("mark_interrupted",),
        ("save_resolution", any_.id(), any_.resolution()),
        ("drop_resolution", any_.id(), any_.resolution()),
        ("note_crossings", {any_.id(): any_.crossing() for _ in range(2)}),
        ("forget_crossings", any_.moment(), any_.maybe(some_ids)),
        ("note_losses", any_.of.choice(["values", "left"]), {any_.id(): any_.of.choice(["", "f1", "f2"])}, any_.moment(),
         NOON - timedelta(days=2)),
        ("forget_losses",),
        ("leave_out", any_.id(), [LeftOut(any_.of.choice(FIELDS), any_.moment(), any_.text())]),
        ("take_in", any_.id(), any_.some(FIELDS)),
        ("save_carry_overs", [any_.offer()], [any_.offer()] if any_.of.random() < 0.5 else []),
        ("share_all",),
        ("shared", some_ids),
        ("put", any_.of.choice(["k1", "k2"]), any_.of.choice(JSON)),
        ("prune", any_.moment(), any_.of.randint(0, 3)),
    ]  # fmt: skip
    reads = [
        ("records",), ("record", key), ("records_of", some_ids), ("record_ids",), ("linked_ids",), ("there_ids",),
        ("held_ids",), ("ids_of_images", any_.some([1, 2, 3, 2**40, 2**62])), ("owners_of_tags", any_.some([*TAGS, *ODD])),
        ("left_out_of", some_ids), ("carry_overs", any_.maybe(some_ids)), ("offered",), ("carry_overs_offered",),
        ("unshared", any_.of.randint(0, 9)), ("journaled", any_.of.choice([*RUNS, *ODD])),
        ("journal_of_assets", any_.of.choice(RUNS), some_ids), ("counts_by_status",),
        ("standings", any_.of.choice(["", any_.id()]), any_.of.randint(0, 9)), ("standings_of", some_ids),
        ("titles", (any_.text().casefold(), any_.id()), any_.of.randint(0, 9)), ("crossed_ids",), ("crossed",),
        ("search", any_.of.choice([*TEXTS, *ODD]), any_.maybe(any_.of.choice(STATUSES)), any_.of.randint(0, 9),
         any_.maybe((any_.text(), any_.id())), any_.maybe(some_ids)),
        ("losses", NOON - timedelta(days=1)), ("pending",), ("former_of", some_ids),
        ("journal_of", any_.maybe(any_.of.choice([*RUNS, *ODD])), any_.maybe(key), any_.of.randint(0, 9)),
        ("latest", any_.of.randint(0, 5)), ("run", any_.of.choice([*RUNS, *ODD])),
        ("runs", any_.of.randint(0, 5), any_.maybe(any_.of.choice([*RUNS, *ODD]))), ("get", any_.of.choice(["k1", "k2", "k3"])),
    ]  # fmt: skip
    return any_.of.choice(writes if any_.of.random() < 0.45 else reads)


def test_every_call_of_a_store_is_among_them():
    any_ = Random(random.Random(0))
    named = {call(any_)[0] for _ in range(5_000)}
    public = {name for name, one in inspect.getmembers(StateStore, callable) if not name.startswith("_")}
    of_the_place = {"open", "close", "reopen", "require", "require_right", "home", "host", "optimize"}
    assert public - named == of_the_place | {"transaction", "changes"}


def answer(store, name, *arguments):
    """Return what a call gives, in a form that can be compared."""
    try:
        found = getattr(store, name)(*arguments)
    except (StateError, ValueError, OverflowError) as error:
        return type(error)
    if name in {"record_ids", "linked_ids", "there_ids", "ids_of_images", "crossed_ids", "owners_of_tags"}:
        return sorted(found)
    if name in {"journal_of", "journal_of_assets"}:
        return [replace(entry, entry_id=None) for entry in found]
    if name == "latest":
        return [[replace(entry, entry_id=None) for entry in group] for group in found]
    if isinstance(found, Mapping):
        return {key: found[key] for key in found}
    return found


def all_of(store):
    return [
        answer(store, *one)
        for one in (
            ("records",), ("pending",), ("journal_of", None, None, 9999), ("runs", 99), ("unshared", 99),
            ("carry_overs",), ("former_of", IDS), ("left_out_of", IDS), ("losses", NOON - timedelta(days=9)),
            ("counts_by_status",), ("standings",), ("titles",), ("get", "k1"), ("get", "k2"), ("crossed",),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_same_calls_have_the_same_answers(target, tmp_path, seed):
    any_ = Random(random.Random(seed))
    with StateStore.open(tmp_path / "state.sqlite3") as file, StateStore.open(target) as rows:
        marks = [store.changes(None)[0] for store in (file, rows)]
        for _ in range(CALLS):
            calls = [call(any_) for _ in range(any_.of.choice([1, 1, 1, 3]))]
            undone = len(calls) > 1 and any_.of.random() < 0.4
            found = []
            for store in (file, rows):
                answers = []
                try:
                    if len(calls) == 1:
                        answers.append(answer(store, *calls[0]))
                    else:
                        with store.transaction():
                            answers += [answer(store, *one) for one in calls]
                            1 // (not undone)
                except (ZeroDivisionError, StateError) as error:
                    answers.append(type(error))
                found.append(answers)
            assert found[0] == found[1], calls
            changed = [store.changes(mark) for store, mark in zip((file, rows), marks, strict=True)]
            assert changed[0][1] == changed[1][1], calls
            if any_.of.random() < 0.3:
                marks = [mark for mark, _ in changed]
        assert all_of(file) == all_of(rows)
