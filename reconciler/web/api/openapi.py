"""The API's own description, OpenAPI 3.1: FastAPI makes it of what the handlers say of themselves.

FastAPI is imported when somebody asks for the first time: an idle daemon does without its memory.
"""

from __future__ import annotations

import asyncio
import re
import warnings
from functools import cache
from inspect import Parameter, Signature
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.responses import JSONResponse, Response

from reconciler import __version__
from reconciler.models.requests import Problem
from reconciler.web.api.beginning import BeginApi
from reconciler.web.api.operations import operation, operations_of, routes_of
from reconciler.web.api.problems import MEDIA_TYPE
from reconciler.web.api.responses import tagged
from reconciler.web.api.routes import Api
from reconciler.web.api.selection import SelectionApi
from reconciler.web.api.skymmich_buttons import SkymmichButtons
from reconciler.web.api.switches import SwitchesApi
from reconciler.web.api.template import TemplateApi
from reconciler.web.live.events import Events
from reconciler.web.live.health import Health
from reconciler.web.live.metrics import Metrics
from reconciler.web.pages.carrying_over import CarryingOver
from reconciler.web.pages.conflicts import Decisions
from reconciler.web.pages.crossings import Crossings
from reconciler.web.pages.decide import Deciding
from reconciler.web.pages.doctor import DoctorPages
from reconciler.web.pages.leaving_out import LeavingOut
from reconciler.web.pages.taking_back import TakingBack

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.routing import Route

    from reconciler.web.api.operations import Answer, Operation

_TURN = Lock()
Json = dict[str, Any]
"""An OpenAPI document is JSON of any depth; nothing computes with it."""
_REF = "#/components/schemas/{model}"
_PROBLEM: Json = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}


class Description:
    """The handler of the document itself."""

    def routes(self) -> list[Route]:
        """List the address."""
        return routes_of(self)

    @operation("GET", "/api/v1/openapi.json")
    async def openapi(self, request: Request) -> Response:
        """Describe all this."""
        # The first time takes a third of a second.
        return tagged(request, await asyncio.to_thread(document))


PARTS: Final[tuple[type, ...]] = (
    *(
        Health,
        Metrics,
        Api,
        BeginApi,
        SwitchesApi,
        DoctorPages,
        Events,
        TemplateApi,
        Decisions,
        Deciding,
        Crossings,
        LeavingOut,
        CarryingOver,
        TakingBack,
        SelectionApi,
    ),
    *(SkymmichButtons, Description),
)
"""The classes whose handlers the document describes."""


def document() -> Json:
    """Return the document: from any thread, made once."""
    with _TURN:
        return _made()


@cache
def _made() -> Json:
    from fastapi import FastAPI  # noqa: PLC0415 - see the module

    described = FastAPI(
        title="skymmich-reconciler",
        version=__version__,
        description="What the daemon is doing, did, and would do, and asking it to look now. "
        "A POST must come from the daemon's own pages or carry the token.",
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/"}],
    )
    with warnings.catch_warnings():
        # FastAPI keeps this quiet where a model is built at once; ours are built later than it looks.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        for part in PARTS:
            for _, one in operations_of(part):
                _describe(described, one)
        made = described.openapi()
    made["security"] = [{}, {"token": []}]
    components = made["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema(ref_template=_REF)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {"Problem": {"description": "An error", "content": _PROBLEM}}
    for path in made["paths"].values():
        for method in path.values():
            method["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    return made


def _describe(described: FastAPI, one: Operation) -> None:
    """Add an operation, with a stand-in that takes what its handler takes."""
    from fastapi import Body, Header, Path, Query  # noqa: PLC0415 - see the module

    takes: dict[str, tuple[object, object]] = {}
    for name, kind in re.findall(r"{(\w+)(:int)?}", one.path):
        if kind:
            takes[name] = Annotated[int, Path(ge=0, description="Skymmich's id")], Parameter.empty
        else:
            takes[name] = Annotated[str, Path(min_length=1)], Parameter.empty
    if one.query:
        takes["query"] = Annotated[one.query, Query()], Parameter.empty
    for name, description in one.headers.items():
        takes[name.replace("-", "_")] = Annotated[str, Header(description=description)], ""
    if one.body:
        needed = any(field.is_required() for field in one.body.model_fields.values())
        takes["body"] = Annotated[one.body, Body()], Parameter.empty if needed else None

    def stand_in() -> None: ...

    stand_in.__signature__ = Signature(  # type: ignore[attr-defined]  # what ``inspect`` looks for
        [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=default)
            for name, (kind, default) in takes.items()
        ]
    )
    described.add_api_route(
        one.path.replace(":int}", "}"),
        stand_in,
        methods=[one.method],
        operation_id=one.name,
        summary=one.summary,
        response_model=None,
        response_class=_class_of(one.answers[200].media_type),
        responses={**{code: _answer(answer) for code, answer in one.answers.items()}, "default": {}},
    )


def _class_of(media_type: str) -> type[Response]:
    if media_type == "application/json":
        return JSONResponse
    return type("Described", (Response,), {"media_type": media_type})


def _answer(answer: Answer) -> Json:
    said: Json = {"description": answer.description}
    if answer.problem:
        said["content"] = _PROBLEM
    if answer.model is not None:
        said["model"] = answer.model
    elif not answer.problem:
        kind = "object" if answer.media_type == "application/json" else "string"
        said["content"] = {answer.media_type: {"schema": {"type": kind}}}
    if answer.location:
        said["headers"] = {"location": {"schema": {"type": "string"}, "description": "Where to look"}}
    return said
