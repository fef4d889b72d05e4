"""The shapes of the API's values, as JSON Schema: data for ``openapi``, and what ``shapes`` makes."""

from __future__ import annotations

from typing import Any, get_args

from reconciler.core.merge import Action, Case
from reconciler.core.policy import SWITCHES
from reconciler.core.records import AssetStatus, Field, JournalField
from reconciler.core.resolution import Keep
from reconciler.engine.control import Level
from reconciler.web.inputs import MAX_HASH
from reconciler.web.trial import MAX_TEMPLATE

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_MOMENT = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}
_TEMPLATE = {"type": "string", "maxLength": MAX_TEMPLATE}
_COUNTS = {"type": "object", "additionalProperties": _COUNT}


def _of(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _body(text: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"text": text, **more},
        "required": ["text"],
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "null"}]}


def _one_of(words: Any) -> dict[str, Any]:  # noqa: ANN401 - a Literal is no type that has a name
    return {"type": "string", "enum": list(get_args(words))}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


_STATUS = _one_of(AssetStatus)
_WISH: dict[str, Any] = {
    "full": {"type": "boolean", "description": "Read every asset, whatever was remembered"},
    "force": {"type": "boolean", "description": "The catalogue wins conflicts in this run"},
    "approve": {"type": "string", "maxLength": MAX_HASH, "description": "The hash that the guard named"},
}
_IMAGE_IDS = {
    "type": ["array", "null"],
    "items": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
    "minItems": 1,
    "maxItems": 5000,
}
_REQUESTED: dict[str, Any] = {
    "run_id": _TEXT,
    "state": {"type": "string", "enum": ["queued", "running", "done", "failed", "stopped"]},
    "url": _TEXT,
}

SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "remedy": _TEXT,
            "line": {"type": ["integer", "null"], "description": "Of a template that fails, from 1"},
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Settings": _of(
        metadataSyncEnabled=_FLAG, syncDescription=_FLAG, syncCoordinates=_FLAG, syncTags=_FLAG
    ),
    "Condition": _of(
        type=_TEXT,
        status={"type": "string", "enum": ["True", "False", "Unknown"]},
        reason=_TEXT,
        message=_TEXT,
        since=_MOMENT,
    ),
    "Guard": _of(tripped=_FLAG, hash=_TEXT, reasons=_TEXTS, shrunk=_FLAG, held=_COUNT, message=_TEXT),
    "Run": _of(
        run_id=_TEXT,
        trigger=_TEXT,
        started_at=_MOMENT,
        finished_at=_MAYBE_MOMENT,
        seconds={"type": ["number", "null"]},
        outcome={"type": "string", "enum": ["running", "ok", "attention", "failed", "interrupted"]},
        summary=_TEXT,
        counts=_COUNTS,
    ),
    "Progress": _of(
        phase={"type": "string", "enum": ["reading", "planning", "writing", "done"]},
        done=_COUNT,
        total=_COUNT,
        waiting=_COUNT,
    ),
    "Outcome": _of(
        image_id={"type": "integer"},
        asset_id=_TEXT,
        title=_TEXT,
        status=_STATUS,
        reason=_TEXT,
        changed=_TEXTS,
        crossed=_FLAG,
    ),
    "Report": _of(
        outcome=_TEXT,
        summary=_TEXT,
        counts=_COUNTS,
        images=_list("Outcome"),
        guard=_ref("Guard"),
        stale=_TEXTS,
        error=_TEXT,
        remedy=_TEXT,
    ),
    "RunState": {
        "type": "object",
        "properties": {
            **_REQUESTED,
            "trigger": _TEXT,
            "image_ids": {"type": ["array", "null"], "items": {"type": "integer"}},
            "full": _FLAG,
            "force": _FLAG,
            "progress": _maybe(_ref("Progress")),
            "report": _maybe(_ref("Report")),
            "error": _TEXT,
        },
        "required": list(_REQUESTED),
        "additionalProperties": False,
    },
    "Status": _of(
        headline=_TEXT,
        level=_one_of(Level),
        version=_TEXT,
        started_at=_MOMENT,
        checked_at=_MAYBE_MOMENT,
        attempted_at=_MAYBE_MOMENT,
        paused=_FLAG,
        conditions=_list("Condition"),
        counts=_COUNTS,
        crossed=_of(count=_COUNT, newest=_MAYBE_MOMENT),
        next_looks={"type": "object", "additionalProperties": _MOMENT},
        queue_depth=_COUNT,
        circuit_open_since=_MAYBE_MOMENT,
        settings=_maybe(_ref("Settings")),
        settings_source=_TEXT,
        current=_maybe(_ref("RunState")),
        last=_maybe(_ref("Run")),
        guard=_maybe(_ref("Guard")),
        immich=_of(version=_TEXT, url=_TEXT),
        catalogue=_TEXT,
    ),
    "Image": _of(
        image_id={"type": "integer"},
        asset_id=_TEXT,
        title=_TEXT,
        status=_STATUS,
        reason=_TEXT,
        linked=_FLAG,
        crossing=_maybe(_ref("Crossing")),
        checked_at=_MAYBE_MOMENT,
        changed_at=_MAYBE_MOMENT,
        thumbnail=_TEXT,
    ),
    "Crossing": _of(
        at=_MOMENT,
        fields={"type": "array", "items": _one_of(Field)},
        run_id=_TEXT,
        times=_COUNT,
        since=_MAYBE_MOMENT,
    ),
    "Images": _of(items=_list("Image"), next=_MAYBE_TEXT),
    "Decision": _of(
        field=_one_of(Field),
        case=_one_of(Case),
        action=_one_of(Action),
        applied={},
        desired={},
        observed={},
        reason=_TEXT,
        takes_away=_FLAG,
        choices={"type": "array", "items": _one_of(Keep)},
        shown=_TEXT,
    ),
    "AssetPlan": _of(
        changes=_FLAG,
        digest=_TEXT,
        blocked=_TEXT,
        notes=_TEXTS,
        decisions=_list("Decision"),
        description=_MAYBE_TEXT,
        coordinates={"type": ["object", "null"]},
        add_tags=_TEXTS,
        remove_tags=_TEXTS,
    ),
    "Change": _of(
        entry_id={"type": ["integer", "null"]},
        run_id=_TEXT,
        image_id={"type": "integer"},
        asset_id=_TEXT,
        field=_one_of(JournalField),
        before={},
        after={},
        at=_MOMENT,
    ),
    "ImageView": _of(
        image_id={"type": "integer"},
        asset_id=_MAYBE_TEXT,
        title=_TEXT,
        image={"type": "object"},
        record=_maybe(_ref("Image")),
        plan=_maybe(_ref("AssetPlan")),
        error=_TEXT,
        history=_list("Change"),
    ),
    "Runs": _of(items=_list("Run"), next=_MAYBE_TEXT),
    "RunView": _of(
        run_id=_TEXT,
        run=_maybe(_ref("Run")),
        state=_maybe(_ref("RunState")),
        changes=_list("Change"),
        next={"type": ["integer", "null"]},
    ),
    "PlanItem": _of(
        image_id={"type": "integer"},
        asset_id=_TEXT,
        title=_TEXT,
        status=_STATUS,
        reason=_TEXT,
        held=_FLAG,
        plan=_maybe(_ref("AssetPlan")),
        withheld=_maybe(_ref("AssetPlan")),
    ),
    "Plan": _of(
        images=_COUNT,
        changes=_COUNT,
        guard=_ref("Guard"),
        server_version=_TEXT,
        settings=_ref("Settings"),
        missing_permissions={"type": "array", "items": {"type": "object"}},
        items=_list("PlanItem"),
        left_out=_COUNT,
    ),
    "Wish": {
        "type": "object",
        "properties": {"image_ids": _IMAGE_IDS, **_WISH},
        "additionalProperties": False,
    },
    "ImageWish": {"type": "object", "properties": _WISH, "additionalProperties": False},
    "Choice": {
        "type": "object",
        "properties": {
            "keep": {"enum": [*get_args(Keep), None]},
            "field": {"enum": [*get_args(Field), None]},
            "shown": {"type": "string", "maxLength": 64},
        },
        "required": ["keep"],
        "additionalProperties": False,
    },
    "SettingsView": _of(
        settings=_maybe(_ref("Settings")),
        source=_TEXT,
        skymmich=_maybe(_ref("Settings")),
        changed_in=_MAYBE_TEXT,
    ),
    "Changes": {
        "type": "object",
        "properties": dict.fromkeys(SWITCHES, _FLAG),
        "minProperties": 1,
        "additionalProperties": False,
    },
    "TemplateVersion": _of(at=_MOMENT, text=_TEXT),
    "Template": _of(text=_TEXT, origin=_TEXT, configured=_TEXT, versions=_list("TemplateVersion")),
    "TemplateChange": _body(
        text={"type": ["string", "null"], "maxLength": MAX_TEMPLATE},
        approve={"type": "string", "maxLength": MAX_HASH, "description": "The hash that the guard named"},
    ),
    "TemplateTrial": _body(text=_TEMPLATE, image_id={"type": ["integer", "null"], "minimum": 0}),
    "TemplateText": _body(text=_TEMPLATE),
    "Rendered": _of(image_id={"type": ["integer", "null"]}, title=_TEXT, rendered=_MAYBE_TEXT),
    "Finding": _of(
        section=_TEXT,
        level={"type": "string", "enum": ["ok", "warning", "problem"]},
        what=_TEXT,
        remedy=_TEXT,
    ),
    "Findings": _of(ok=_FLAG, findings=_list("Finding")),
    "LookedAt": {
        "type": "object",
        "properties": {"until": {**_MOMENT, "description": "What was noticed later is kept; now by default"}},
        "additionalProperties": False,
    },
    "Seen": _of(images=_COUNT),
    "Stopped": _of(stopped=_FLAG),
    "Paused": _of(paused=_FLAG),
    "Said": {
        "type": "object",
        "properties": {"success": _FLAG, "message": _TEXT, "synced": _COUNT, "failed": _COUNT},
        "required": ["success", "message"],
        "additionalProperties": False,
    },
}  # fmt: skip
