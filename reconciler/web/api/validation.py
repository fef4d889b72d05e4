"""A body held to its model: the first mistake is a 400 whose sentence says what was expected, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from reconciler.web.api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from reconciler.models.base import Model

M = TypeVar("M", bound="Model")

_EXPECTED: Final = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "list_type": "must be a list",
    "too_short": "must have {min_length} or more of them",
    "too_long": "may have {max_length} of them",
    "string_type": "must be a text",
    "string_too_long": "may have {max_length} characters",
    "literal_error": "must be one of {expected}",
    "value_error": "{error}",
}
"""pydantic's kind of error → what it means to whoever sent the body."""


def valid(model: type[M], found: Mapping[str, object]) -> M:
    """Return a body as its model, with no value taken for one of another type.

    Raises:
        ProblemError: it has another form.
    """
    try:
        return model.model_validate(found, strict=True)
    except ValidationError as error:
        raise ProblemError(400, _sentence(error.errors(include_url=False)[0])) from None


def _sentence(details: ErrorDetails) -> str:
    name = str(details["loc"][0])[:50] if details["loc"] else ""
    if details["type"] == "extra_forbidden":
        return f"There is no “{name}” here."
    if details["type"] == "missing":
        return f"The body must have a “{name}”."
    expected = _EXPECTED.get(details["type"], "is not what it must be")
    values = dict(details.get("ctx", {}))
    if "expected" in values:  # pydantic writes 'a', 'b' or 'c'
        values["expected"] = values["expected"].replace("'", "").replace(" or ", ", ")
    return f"“{name}” {expected.format(**values)}."
