"""What the handlers say of themselves, and what it costs a daemon that nobody asks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from reconciler.models.runs import RunState
from reconciler.models.status import Paused, Said
from reconciler.web.answers import dumps
from reconciler.web.openapi import document


def test_what_describes_the_api_is_loaded_only_when_somebody_asks():
    code = (
        "import sys, reconciler.daemon.main, reconciler.web.app, reconciler.web.serving\n"
        "assert 'fastapi' not in sys.modules\n"
        "from reconciler.web.openapi import document\n"
        "document()\n"
        "assert 'fastapi' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_member_that_is_not_given_is_left_out_and_every_other_one_is_there():
    queued = RunState(run_id="a", state="queued", url="/api/v1/runs/a")
    assert json.loads(dumps(queued)) == {"run_id": "a", "state": "queued", "url": "/api/v1/runs/a"}
    with pytest.raises(ValueError, match="paused"):
        Paused()


def test_any_text_of_a_persons_survives():
    assert json.loads(dumps({"deep": [Said(success=True, message="half \ud83d")]})) == {
        "deep": [{"success": True, "message": "half \ud83d"}]
    }


def test_an_operation_says_what_its_handler_does_and_nothing_of_a_stand_in():
    images = document()["paths"]["/api/v1/images"]["get"]
    assert images["summary"] == "List managed images by title"
    assert "description" not in images
    named = {one["name"]: one["schema"] for one in images["parameters"]}
    assert (named["limit"]["minimum"], named["limit"]["maximum"]) == (1, 500)
    assert named["q"]["maxLength"] == 200


def test_what_is_no_json_is_not_described_as_json():
    paths = document()["paths"]
    assert list(paths["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
    assert list(paths["/api/v1/events"]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
