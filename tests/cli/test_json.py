"""What ``--json`` writes has the same form as what the API answers: its description is held to it here, too."""

from __future__ import annotations

import json

import jsonschema

from reconciler.web.api.openapi import document

RING, JELLYFISH = 19, 33


def fits(found: object, schema: str, *, beside: set[str] = frozenset()) -> None:
    """Hold JSON to a schema of the API's description; ``beside`` are members that only the command has."""
    found = {name: value for name, value in found.items() if name not in beside}
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
    assert [f"{list(error.absolute_path)}: {error.message}" for error in checker.iter_errors(found)] == []


def told(installation, *words: str) -> dict:
    return json.loads(installation.call(*words, "--json").stdout)


def test_a_plan_and_its_end_are_the_apis(two):
    two.person(RING, "set_description", "Seen from the balcony.")
    plan = told(two, "plan")
    fits(plan, "Plan", beside={"created"})
    assert plan["items"][1]["plan"]["differences"]
    done = told(two, "apply", "--yes")
    fits(done, "Report", beside={"plan", "requests", "gone"})
    fits(done["plan"], "Plan")
    (conflict,) = told(two, "conflicts")["conflicts"]
    fits(conflict["fields"][0], "Decision")


def test_images_runs_and_what_was_replaced_are_the_apis(applied):
    beside = {"catalogue", "problems", "status", "reason", "applied", "unsticking", "crossing"}
    seen = told(applied, "explain", str(JELLYFISH))
    fits(seen, "ImageView", beside=beside | {"observed", "desired", "remedy"})
    assert seen["history"]
    (run,) = told(applied, "history")["runs"]
    fits(run, "Run")
    for entry in told(applied, "history", str(JELLYFISH))["entries"]:
        fits(entry, "Change")
    fits(told(applied, "settings"), "SettingsView", beside={"override"})
    fits(told(applied, "doctor"), "Findings")
    fits(told(applied, "status")["runs"][0], "Run")
