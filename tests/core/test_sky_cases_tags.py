"""The shared cases of tags, where they are at hand."""

from __future__ import annotations

import json

import pytest

from reconciler.core.catalogue import CatalogueImage
from reconciler.core.desired.desired import Form, desire_with
from reconciler.core.policy import Policy, TagPolicy

FORM = Form(str.strip, lambda path: path)
POLICY = Policy(tags=TagPolicy(root="", constellation=False, target=False))


def test_the_shared_case_of_own_tags(shared):
    path = shared / "cases" / "sky.json"
    if not path.is_file():
        pytest.skip("the shared cases are not here")
    (case,) = (one for one in json.loads(path.read_text())["cases"] if one["id"] == "own-tags")
    given, right = case["image"], case["right"]
    image = CatalogueImage(
        1, None, given["title"], target_name=given["target_name"], tags=tuple(given["tags"])
    )
    found = desire_with("", image, POLICY, FORM)
    assert found.tags == set(right["tags_kept"])
    assert found.problems == ()
    (remark,) = found.remarks
    assert remark.get("tags") == tuple(right["tags_dropped"])
