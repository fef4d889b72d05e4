"""What the sample wants and what a first pass would write to it, image by image, as it was settled once.

Whoever switches nothing on sees no change: a new feature must leave this file as it is. Where the block or the
tags are to read otherwise, it is made anew: ``GOLDEN=write python -m pytest tests/virtual/test_golden.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.core.fingerprint import digest, place

GOLDEN = Path(__file__).parent / "golden" / "sample.json"


def test_the_plan_of_the_whole_sample_is_as_it_was(world):
    here = world()
    found = {
        str(item.image_id): [
            digest(
                item.plan.desired.block,
                item.plan.desired.prose,
                place(item.plan.desired.coordinates),
                item.plan.desired.tags,
            ),
            digest(
                item.plan.description,
                place(item.plan.coordinates),
                item.plan.add_tags,
                item.plan.remove_tags,
                [[one.field, one.case, one.action] for one in item.plan.decisions],
            ),
        ]
        for item in here.look(full=True).items
    }
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())
