"""The API's own description, OpenAPI 3.1: written by hand, held to the answers by tests.

The shapes of values stand in ``openapi_shapes``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from reconciler import __version__
from reconciler.core.policy import SWITCHES
from reconciler.web.inputs import MAX_ID, MAX_NAME, MAX_WAIT, STATUSES
from reconciler.web.openapi_shapes import SCHEMAS
from reconciler.web.problems import MEDIA_TYPE

Json = dict[str, Any]
"""An OpenAPI document is JSON of any depth; nothing computes with it."""


@cache
def document() -> Json:
    """Give the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "skymmich-reconciler",
            "version": __version__,
            "description": "What the daemon is doing, did, and would do, and asking it to look now. "
            "A POST must come from the daemon's own pages or carry the token.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {**_health(), **_reading(), **_template(), **_asking(), **_skymmich()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _content("An error", "Problem", MEDIA_TYPE)},
        },
    }


def _health() -> Json:
    text = {"text/plain": {"schema": {"type": "string"}}}
    verbose = _query("verbose", {"type": "string"}, "List the checks even when all is well")
    not_ready = {"503": {"description": "Not ready", "content": text}}
    fine = {"200": {"description": "Well", "content": text}}
    return {
        "/livez": {"get": _operation("livez", "Whether the process answers", fine, [verbose])},
        "/readyz": {"get": _operation("readyz", "Whether it can work now", {**fine, **not_ready}, [verbose])},
        "/metrics": {"get": _operation("metrics", "Metrics for Prometheus", fine)},
    }


def _reading() -> Json:
    stream = {
        "200": {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    }
    v1 = "/api/v1"
    name: Json = {"type": "string", "maxLength": MAX_NAME}
    switches = [_query(name, {"type": "boolean"}, "As if it were so") for name in SWITCHES]
    before_run = _query("before", {"type": "string"}, "The “next” of the page before")
    before_entry = _query("before", _whole(0, MAX_ID), "The “next” of the page before")
    run_id = {"name": "run_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        f"{v1}/status": {"get": _operation("status", "The state", _ok("Status"))},
        f"{v1}/images": {
            "get": _operation(
                "images",
                "Managed images by title",
                _ok("Images"),
                [
                    _query("q", name, "A part of the title"),
                    _query("status", {"type": "string", "enum": ["", *STATUSES]}, "Only these"),
                    _query("crossed", {"type": "boolean"}, "Only those of which an edit may be missing"),
                    _query("target", name, "A part of the target's name"),
                    _query("equipment", name, "A part of the name of a piece of equipment"),
                    _query("limit", _whole(1, 500), "Images a page"),
                    _query("after", {"type": "string"}, "The “next” of the page before"),
                ],
            )
        },
        f"{v1}/images/{{image_id}}": {
            "get": _operation("image", "One image from all sides", _ok("ImageView"), [_IMAGE_ID])
        },
        f"{v1}/runs": {
            "get": _operation(
                "runs",
                "Runs, newest first",
                _ok("Runs"),
                [_query("limit", _whole(1, 500), "Runs a page"), before_run],
            )
        },
        f"{v1}/runs/{{run_id}}": {
            "get": _operation(
                "run",
                "One run and what it replaced",
                _ok("RunView"),
                [run_id, _query("limit", _whole(1, 1000), "Changes a page"), before_entry],
            )
        },
        f"{v1}/plan": {
            "get": _operation(
                "plan",
                "What a pass would do now, or under other settings",
                _ok("Plan"),
                [_query("limit", _whole(1, 5000), "Images listed"), *switches],
            )
        },
        f"{v1}/settings": {
            "get": _operation("settings", "The four switches", _ok("SettingsView")),
            "post": _operation(
                "changeSettings", "Change some of them where they live", _ok("SettingsView"), body="Changes"
            ),
        },
        f"{v1}/settings/override": {
            "delete": _operation("followSkymmich", "Give up what was set here", _ok("SettingsView"))
        },
        f"{v1}/doctor": {"get": _operation("doctor", "Run the doctor's checks", _ok("Findings"))},
        f"{v1}/events": {"get": _operation("events", "What happens, as server-sent events", stream)},
        f"{v1}/openapi.json": {"get": _operation("openapi", "This document", _ok(None))},
    }


def _template() -> Json:
    where = "/api/v1/template"
    failing = {"422": _content("The template fails; “line” says where", "Problem", MEDIA_TYPE)}
    unchanged = {
        "name": "if-match",
        "in": "header",
        "schema": {"type": "string"},
        "description": "The ETag it had when it was read: changed only if it still has",
    }
    limit = _query("limit", _whole(1, 5000), "Images listed")
    shown, rendered, plan = ({**_ok(name), **failing} for name in ("Template", "Rendered", "Plan"))
    return {
        where: {
            "get": _operation("template", "The block's template, and earlier ones", _ok("Template")),
            "put": _operation("changeTemplate", "Let another one hold", shown, [unchanged], "TemplateChange"),
        },
        f"{where}/preview": {
            "post": _operation("tryTemplate", "What one renders for an image", rendered, body="TemplateTrial")
        },
        f"{where}/plan": {
            "post": _operation(
                "planTemplate", "What one would change in all images", plan, [limit], "TemplateText"
            )
        },
    }


def _asking() -> Json:
    v1 = "/api/v1"
    wait = _query("wait", _whole(0, int(MAX_WAIT)), "Seconds to wait for the end")
    accepted = {**_ok("RunState", "Ended"), "202": _content("Queued or going on", "RunState")}
    for answer in (accepted["200"], accepted["202"]):
        answer["headers"] = {"location": {"schema": {"type": "string"}, "description": "Where to look"}}
    return {
        f"{v1}/reconcile": {
            "post": _operation("reconcile", "Look at all or some images now", accepted, [wait], "Wish")
        },
        f"{v1}/images/{{image_id}}/reconcile": {
            "post": _operation(
                "reconcileImage", "Look at one image now", accepted, [_IMAGE_ID, wait], "ImageWish"
            )
        },
        f"{v1}/images/{{image_id}}/resolve": {
            "post": _operation(
                "resolve", "Decide a conflict, and carry it out", accepted, [_IMAGE_ID, wait], "Choice"
            )
        },
        f"{v1}/images/{{image_id}}/seen": {
            "post": _operation(
                "seen", "Say that its crossing was looked at", _ok("Seen"), [_IMAGE_ID], "LookedAt"
            )
        },
        f"{v1}/seen": {"post": _operation("seenAll", "Say so of all images", _ok("Seen"), body="LookedAt")},
        f"{v1}/stop": {"post": _operation("stop", "Stop the pass that runs", _ok("Stopped"))},
        f"{v1}/pause": {"post": _operation("pause", "Start no pass by itself any more", _ok("Paused"))},
        f"{v1}/resume": {"post": _operation("resume", "Undo pause", _ok("Paused"))},
    }


def _skymmich() -> Json:
    answers = {
        "200": _content("Seen in Immich", "Said"),
        "202": _content("Going on", "Said"),
        **{code: _content("Not synced", "Said") for code in ("404", "409", "502")},
    }
    # An address without a number names nothing at all.
    answers["404"]["content"][MEDIA_TYPE] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    base = "/api/immich"
    every = {code: answer for code, answer in answers.items() if code not in {"404", "409"}}
    return {
        f"{base}/sync-metadata/{{image_id}}": {
            "post": _operation("skymmichSync", "Skymmich's “Sync to Immich”", answers, [_IMAGE_ID])
        },
        f"{base}/sync-metadata-all": {"post": _operation("skymmichSyncAll", "Skymmich's “Sync All”", every)},
    }


_IMAGE_ID: Json = {
    "name": "image_id",
    "in": "path",
    "required": True,
    "description": "Skymmich's id of the image",
    "schema": {"type": "integer", "minimum": 0},
}


def _operation(
    name: str, summary: str, answers: Json, parameters: list[Json] | None = None, body: str = ""
) -> Json:
    made: Json = {
        "operationId": name,
        "summary": summary,
        "responses": {**answers, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if parameters:
        made["parameters"] = parameters
    if body:
        made["requestBody"] = {
            "required": "required" in SCHEMAS[body],
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}},
        }
    return made


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _whole(low: int, high: int) -> Json:
    return {"type": "integer", "minimum": low, "maximum": high}


def _ok(schema: str | None, description: str = "As asked") -> Json:
    return {"200": _content(description, schema)}


def _content(description: str, schema: str | None, media_type: str = "application/json") -> Json:
    shape: Json = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "object"}
    return {"description": description, "content": {media_type: {"schema": shape}}}
