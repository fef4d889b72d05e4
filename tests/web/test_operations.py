"""What the handlers say of themselves, and what it costs a daemon that nobody asks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading

import httpx
import pytest

from reconciler.models.runs import RunState
from reconciler.models.status import Paused, Said
from reconciler.web.api import openapi
from reconciler.web.api.openapi import document
from reconciler.web.api.responses import dumps
from reconciler.web.app import create_app


def test_what_describes_the_api_is_loaded_only_when_somebody_asks():
    code = (
        "import sys, reconciler.daemon.main, reconciler.web.app, reconciler.web.server\n"
        "assert 'fastapi' not in sys.modules\n"
        "from reconciler.web.api.openapi import document\n"
        "document()\n"
        "assert 'fastapi' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.anyio
async def test_the_first_description_holds_up_no_other_request(control, store, monkeypatch):
    begun, may_end = threading.Event(), threading.Event()

    def slow():
        begun.set()
        return {"in_time": may_end.wait(20)}

    monkeypatch.setattr(openapi, "document", slow)
    transport = httpx.ASGITransport(create_app(control, store))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        described = asyncio.ensure_future(client.get("/api/v1/openapi.json"))
        await asyncio.to_thread(begun.wait)
        assert (await client.get("/livez")).status_code == 200
        may_end.set()
        assert (await described).json() == {"in_time": True}


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
