"""The store's small values: each name once, in one place, with the form it always had."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.core import store_keys
from reconciler.core.notices import Book, Matter
from reconciler.core.store_keys import KEYS

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "reconciler" / "core" / "store_keys.py"
KIND = PLACE.with_name("store_values.py")
STORES = {"store", "_store"}
OTHER_NAMES = {"memory", "_memory"}
"""What a face calls the store; elsewhere these are other things."""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_KEPT = "2026-03-01T12:00:00+00:00"

STORED = {
    "tags.created": (["Made", "Made/Here"], ["Made", "Made/Here"]),
    "albums": ({"Astro · M 31": ("id", True, "")}, {"Astro · M 31": ["id", True, ""]}),
    "albums.intents": ({"Astro · M 31": ["a"]}, {"Astro · M 31": ["a"]}),
    "tags.renamed": (["Old/Branch"], ["Old/Branch"]),
    "undoing": ([{"run_id": "r1", "asset_id": ""}], [{"run_id": "r1", "asset_id": ""}]),
    "watermark": (NOON, NOON_KEPT),
    "full_look_at": (NOON, NOON_KEPT),
    "checked_at": (NOON, NOON_KEPT),
    "archived": (["a", "b"], ["a", "b"]),
    "rules": ("digest", "digest"),
    "canary": ({"key": "k", "passed": True}, {"key": "k", "passed": True}),
    "catalogue_columns": (["t.a", "t.b"], ["t.a", "t.b"]),
    "catalogue_switches": ({"tags": False}, {"tags": False}),
    "hints": ({"tags": {"A": "1"}, "assets": 3}, {"tags": {"A": "1"}, "assets": 3}),
    "guard.approved": ("hash", "hash"),
    "guard.moment": ("name", "name"),
    "owner": (
        owner := {
            "instance": "i",
            "since": NOON_KEPT,
            "generation": 3,
            "sentinels": ["a"],
            "floor": None,
            "former": ("x", 2),
        },
        {**owner, "former": ["x", 2]},
    ),
    "owner.wishes": (["take_over"], ["take_over"]),
    "owner.another": (
        another := {"instance": "i", "host": "attic", "since": NOON_KEPT, "seen_at": NOON_KEPT},
        another,
    ),
    "owner.catching_up": (NOON, NOON_KEPT),
    "immich.known": (
        known := {"address": "http://x", "user_id": None, "without_assets": True, "others": ["u"]},
        known,
    ),
    "immich.confirmed": ("http://x", "http://x"),
    "settings.override": ({"syncTags": False}, {"syncTags": False}),
    "stacks": ({"beside": {"b": "a"}, "instead": {}}, {"beside": {"b": "a"}, "instead": {}}),
    "switches.own": ({"syncDates": True}, {"syncDates": True}),
    "parts.override": ({"moon": True}, {"moon": True}),
    "template.override": (
        page := {"text": None, "versions": [{"at": NOON_KEPT, "text": "{{ title }}"}]},
        page,
    ),
    "web.sessions": (sessions := {"salt": "s" * 32, "open": {"digest": 1.5}}, sessions),
    "begun": (
        {"at": NOON_KEPT, "by": "page", "first": [1, 2]},
        {"at": NOON_KEPT, "by": "page", "first": [1, 2]},
    ),
    "paused": (NOON, NOON_KEPT),
    "notices": (
        Book({Matter("guard", "g"): NOON}, {}, {Matter("conflict", "a"): None}, NOON, None, 2, "Forbidden"),
        {
            "waiting": [["guard", "g", NOON_KEPT]],
            "due": [],
            "told": [["conflict", "a", None]],
            "sent_at": NOON_KEPT,
            "tried_at": None,
            "failures": 2,
            "trouble": "Forbidden",
        },
    ),
    "running": (NOON, NOON_KEPT),
    "stopped": (NOON, NOON_KEPT),
    "backed_up_at": (NOON, NOON_KEPT),
    "restored_at": (NOON, NOON_KEPT),
    "lease.term": (3, 3),
    "assets_mark": ("00ff", "00ff"),
}
"""What each value is here, and in a store of any version."""


class Values:
    def __init__(self, **kept):
        self.kept = kept

    def get(self, key):
        return self.kept.get(key)

    def put(self, key, value):
        self.kept[key] = value


def receiver(node):
    """Return the last name of what a method is called on."""
    on = node.func.value
    return on.attr if isinstance(on, ast.Attribute) else on.id if isinstance(on, ast.Name) else ""


def by_hand(tree, stores=STORES | OTHER_NAMES):
    """Yield the lines that read or write a small value of a store without a key, and keys made elsewhere."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "put"}:
            if receiver(node) in stores and node.args and not node.keywords:
                yield node.lineno
        elif isinstance(node.func, ast.Name) and node.func.id == "Key":
            yield node.lineno


@pytest.mark.parametrize(
    "code", ["self._store.get('watermark')", "store.put(RUNNING, None)", "memory.get(X)", "Key('x', f, g)"]
)
def test_a_value_that_is_read_or_written_by_hand_is_noticed(code):
    assert list(by_hand(ast.parse(code))) == [1]


def test_no_other_module_names_a_small_value():
    paths = [path for room in ("reconciler", "state") for path in (ROOT / room).rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in paths
        if path not in {PLACE, KIND}
        for line in by_hand(
            ast.parse(path.read_text()), STORES | OTHER_NAMES if "web" in path.parts else STORES
        )
    ]
    assert found == []


def test_a_name_with_a_dot_or_a_dash_stands_in_one_place():
    """Others are words of the language, which stand elsewhere, too."""
    names = {name for name in KEYS if "." in name or "_" in name} - {"full_look_at", "checked_at"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ("reconciler", "state")
        for path in (ROOT / room).rglob("*.py")
        if path != PLACE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert found == []


def test_every_key_is_in_the_table_here():
    assert set(STORED) == set(KEYS)
    assert {key.name for key in vars(store_keys).values() if isinstance(key, store_keys.Key)} == set(KEYS)


@pytest.mark.parametrize("name", STORED)
def test_a_value_has_the_form_that_it_always_had(name):
    value, stored = STORED[name]
    store = Values()
    KEYS[name].write(store, value)
    assert store.kept == {name: stored}
    assert KEYS[name].read(store) == value
    KEYS[name].forget(store)
    assert (KEYS[name].read(store), KEYS[name].is_kept(store)) == (None, False)


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("odd", [{"some": "thing"}, ["2026"], "no date", 1.5, True, 7, "", {}, []])
def test_what_has_another_form_breaks_nothing(name, odd):
    found = KEYS[name].read(Values(**{name: odd}))
    assert found is None or type(found) is type(STORED[name][0])
