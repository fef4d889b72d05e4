"""The cases of the sky that are shared beside the project, where they are: names, types, designations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.core.catalogue import CatalogueObject, PlateSolution
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.object_facts import common_name_of, constellation_of, object_type_of, target_tags
from reconciler.core.policy import DescriptionPolicy
from reconciler.core.sky import designations, famous

SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "sky.json"
CASES = {case["id"]: case for case in json.loads(SHARED.read_text())["cases"]} if SHARED.exists() else {}
OURS = ("centre-is-not-the-object", "names-", "type-", "title-once")

pytestmark = pytest.mark.skipif(not CASES, reason="the shared cases are not beside the project")


def image_of(make, case):
    known, given = case.get("object"), case["image"]
    target = known and CatalogueObject(
        known["name"],
        known.get("type"),
        known.get("messier"),
        tuple(filter(None, known.get("common_names", "").split(","))),
        known.get("constellation"),
        known.get("ra_deg"),
        known.get("dec_deg"),
    )
    solved = case.get("solution")
    solution = solved and PlateSolution(solved["ra"], solved["dec"])
    named = {"title": "", **given}
    return make.image(target=target, solution=solution, **named)


@pytest.mark.parametrize("case_id", [name for name in CASES if name.startswith(OURS)])
def test_what_is_said_of_an_object_is_right(make, case_id):
    case = CASES[case_id]
    image, right = image_of(make, case), dict(case["right"])
    facts = facts_of(image, DescriptionPolicy(), None)
    said = {
        "constellation": constellation_of(image),
        "common_name": common_name_of(image),
        "type": object_type_of(image),
        "title_line": facts.title,
    }
    if (wrong := right.pop("not_common_name", None)) is not None:
        assert wrong not in {said["common_name"], *facts.heading.split(" · "), *target_tags(image)}
    assert {name: said[name] for name in right} == right


@pytest.mark.parametrize("case_id", [name for name in CASES if name.startswith("designations-")])
def test_spellings_are_one_object(make, case_id):
    case = CASES[case_id]
    right, spellings = case["right"], case["spellings"]
    assert {target_tags(make.image(target_name=name)) for name in spellings} == {
        (f"{right['canonical']} {right['common_name']}",)
    }
    assert {famous.identity(designations.parse(name).objects[0]) for name in spellings} == {
        right["canonical"]
    }


@pytest.mark.parametrize("case_id", [name for name in CASES if name.startswith("two-objects")])
def test_two_objects_are_told_apart(case_id):
    case = CASES[case_id]
    assert list(designations.parse(case["image"]["target_name"]).objects) == case["right"]["objects"]
