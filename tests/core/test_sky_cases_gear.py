"""The shared cases of integration, gear and the solver's sentence, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.core.catalogue import Acquisition, Equipment, Summary
from reconciler.core.desired.desired import desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import Policy

CASES = Path(__file__).parents[3] / "shared" / "cases" / "sky.json"


@pytest.fixture
def case(request):
    if not CASES.is_file():
        pytest.skip("the shared cases are not at hand")
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return {one["id"]: one for one in cases}[request.param]


def lines_of(make, case):
    image = case.get("image", {})
    rows = tuple(
        Acquisition(
            row["filter_name"], row["frame_count"], row["exposure_time"], sensor_temp_c=row.get("sensor_temp")
        )
        for row in case.get("acquisitions", ())
    )
    gear = tuple(
        Equipment(number, one["name"], one["type"], tuple(sorted(one["specifications"].items())))
        for number, one in enumerate(case.get("equipment", ()))
    )
    summary = Summary(
        telescope=image.get("telescope"),
        camera=image.get("camera"),
        iso=int(image["iso"]) if "iso" in image else None,
        exposure_time=image.get("exposure_time"),
        frame_count=image.get("frame_count"),
        integration_hours=image.get("total_integration_hours"),
    )
    known = make.image(
        title=image.get("title", ""),
        description=image.get("description", ""),
        acquisitions=rows,
        equipment=gear,
        summary=summary,
    )
    policy = Policy()
    return desire(known, policy, BlockTemplate(policy.description), make.form())


@pytest.mark.parametrize("case", ["jitter"], indirect=True)
def test_a_clock_s_jitter_is_one_length(make, case):
    assert f"· {case['right']['line']}" in lines_of(make, case).block.splitlines()


@pytest.mark.parametrize("case", ["short-subs"], indirect=True)
def test_short_exposures_have_their_digits(make, case):
    block = lines_of(make, case).block
    assert all(f" × {text} (" in block for text in case["right"]["exposures"])


@pytest.mark.parametrize("case", ["dslr"], indirect=True)
def test_the_flat_columns_tell_of_a_stack(make, case):
    block = lines_of(make, case).block
    assert all(text in block for text in case["right"]["contains"])


@pytest.mark.parametrize("case", ["guide-gear"], indirect=True)
def test_guiding_gear_stands_apart(make, case):
    lines, right = lines_of(make, case).block.splitlines(), case["right"]
    assert f"Telescope: {right['telescope']}" in lines
    assert f"Camera: {right['camera']}" in lines
    assert f"Guiding: {', '.join(right['guiding'])}" in lines


@pytest.mark.parametrize("case", ["solver-sentence"], indirect=True)
def test_the_solver_s_sentence_is_nobody_s(make, case):
    desired = lines_of(make, case)
    assert desired.prose == case["right"]["immich_description_prose"]
    plan = make.plan(desired, make.asset(case["immich"]["description"]))
    assert not plan.conflicts
    assert plan.prose == case["right"]["immich_description_prose"]
