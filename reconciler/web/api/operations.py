"""What an address of the API takes and answers, said at its handler: what ``openapi`` describes.

The handlers read and answer by themselves; nothing here is asked while one does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from starlette.responses import Response

    from reconciler.models.base import Model

Handler = TypeVar("Handler", bound="Callable[..., Awaitable[Response]]")
_MARK = "operation"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is described."""

    description: str = "As asked"
    model: type[Model] | None = None
    """``None``: any object, or what ``media_type`` is of."""
    media_type: str = "application/json"
    location: bool = False
    """Whether it says where to look."""
    problem: bool = False
    """Whether it may be a problem document: instead of an object, or as well as the model's."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    """Starlette's, as ``/api/v1/images/{image_id:int}``."""
    name: str
    """Unique among all: OpenAPI's ``operationId``."""
    summary: str
    answers: Mapping[int, Answer]
    query: type[Model] | None = None
    body: type[Model] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that it heeds, and what they do."""


def operation(
    method: str,
    path: str,
    answer: type[Model] | Mapping[int, Answer] | None = None,
    *,
    name: str = "",
    query: type[Model] | None = None,
    body: type[Model] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Callable[[Handler], Handler]:
    """Say what the decorated handler answers to; its docstring's first line is the summary.

    Args:
        method: HTTP's.
        path: with Starlette's converters.
        answer: the model of a 200, or all answers that are no errors; ``None``: any object.
        name: of the operation, if it is not the handler's.
        query: the query's parameters.
        body: the body.
        headers: those that it heeds.
    """
    answers = answer if isinstance(answer, dict) else {200: Answer(model=answer)}  # type: ignore[arg-type]  # a mapping is a dict here

    def marked(handler: Handler) -> Handler:
        summary = (handler.__doc__ or "").partition("\n")[0].rstrip(".")
        said = Operation(method, path, name or handler.__name__, summary, answers, query, body, headers or {})
        setattr(handler, _MARK, said)
        return handler

    return marked


def operations_of(part: type) -> Iterator[tuple[str, Operation]]:
    """Yield the names of a class's handlers that have an operation, and the operation."""
    for name, member in vars(part).items():
        if isinstance(found := getattr(member, _MARK, None), Operation):
            yield name, found


def routes_of(part: object) -> list[Route]:
    """Return the routes of an object's handlers that have an operation."""
    return [
        Route(one.path, getattr(part, name), methods=[one.method]) for name, one in operations_of(type(part))
    ]
