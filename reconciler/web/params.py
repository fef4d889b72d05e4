"""What comes in with a request, checked: every mistake is a 400 that says what was expected."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, get_args
from urllib.parse import parse_qs, urlsplit

from annotated_types import Ge, Le

from reconciler.core.policy import ALL_SWITCHES
from reconciler.core.records import AssetStatus
from reconciler.models.requests import MAX_IMAGES, MAX_NAME, Changes, ImageWish, Waiting, Wish
from reconciler.service.api import Request as Look
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.validation import valid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from reconciler.core.records import Trigger
    from reconciler.models.base import Model

_FIELDS = 100
"""Of a form, but for images that are chosen."""
_WORDS = {"true": True, "false": False}
STATUSES: tuple[str, ...] = get_args(AssetStatus)
SHOWN = "shown_"
"""Before the name of a setting: how a form showed it."""


def whole(values: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Read a whole number of the query."""
    text = values.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(text) < 19 and low <= int(text) <= high):
        raise ProblemError(400, f"“{name}” must be a whole number from {low} to {high}.")
    return int(text)


def number(request: Request, query: type[Model], name: str) -> int:
    """Read a whole number of the query, within the bounds of its model's field."""
    field = query.model_fields[name]
    bounds = {type(one): one for one in field.metadata}
    return whole(request.query_params, name, field.default, bounds[Ge].ge, bounds[Le].le)


def seconds_to_wait(request: Request) -> float:
    """Read ``wait``: seconds, 0 … 60."""
    return float(number(request, Waiting, "wait"))


def status(request: Request) -> str | None:
    """Read ``status``; empty means all."""
    text = request.query_params.get("status", "")
    if text and text not in STATUSES:
        raise ProblemError(400, f"“status” must be one of {', '.join(STATUSES)}.")
    return text or None


def crossed(request: Request) -> bool:
    """Read ``crossed``: whether only images count of which an edit may be missing."""
    text = request.query_params.get("crossed", "false")
    if text not in _WORDS:
        raise ProblemError(400, "“crossed” must be true or false.")
    return _WORDS[text]


def search_text(request: Request) -> str:
    """Read ``q``."""
    return name(request, "q")


def name(request: Request, parameter: str) -> str:
    """Read a name, or a part of one, to filter by."""
    text = request.query_params.get(parameter, "").strip()
    if len(text) > MAX_NAME:
        raise ProblemError(400, f"“{parameter}” may have {MAX_NAME} characters.")
    return text


def cursor(title: str, asset_id: str) -> str:
    """Name the place after an image in the order of titles."""
    return base64.urlsafe_b64encode(json.dumps([title, asset_id]).encode()).decode().rstrip("=")


def after(request: Request) -> tuple[str, str] | None:
    """Read ``after``: a place that ``cursor`` named."""
    text = request.query_params.get("after", "")
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not (isinstance(found, list) and len(found) == 2 and all(isinstance(one, str) for one in found)):
        raise ProblemError(400, "“after” must be the “next” of the page before.")
    return found[0], found[1]


async def body(request: Request) -> dict[str, object]:
    """Read a JSON object; nothing at all is an empty one."""
    raw = await request.body()
    if not raw.strip():
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415, "The body must be JSON, with “Content-Type: application/json”.")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise ProblemError(400, "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise ProblemError(400, "The body must be a JSON object.")
    return found


async def form(request: Request) -> dict[str, str]:
    """Read a posted form; of a name that comes twice the last counts."""
    return {name: values[-1] for name, values in (await form_values(request, most=_FIELDS)).items()}


async def form_values(request: Request, *, most: int = MAX_IMAGES + _FIELDS) -> dict[str, list[str]]:
    """Read a posted form in which a name may come many times; ``most``: fields."""
    try:
        return parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise ProblemError(400, "The form cannot be read.") from None


def last(values: Mapping[str, list[str]], name: str) -> str:
    """Return the last value of a name; empty if there is none."""
    return values.get(name, [""])[-1]


def asked_with(request: Request, query: str) -> Request:
    """Return a request as if it had come with another query."""
    return type(request)({**request.scope, "query_string": query.encode()})


def wished_switches(values: Mapping[str, str]) -> dict[str, bool]:
    """Return the settings that a query names by Skymmich's names, by ours."""
    wrong = next((name for name in ALL_SWITCHES if values.get(name, "true") not in _WORDS), None)
    if wrong:
        raise ProblemError(400, f"“{wrong}” must be true or false.")
    return {ALL_SWITCHES[name]: _WORDS[values[name]] for name in ALL_SWITCHES if name in values}


def ticked_otherwise(values: Mapping[str, str]) -> dict[str, bool]:
    """Return those of the form's switches that differ from what it showed, by our names.

    It names the boxes that are ticked, and as ``shown_syncTags=on`` how each of them came: what was changed
    elsewhere since then is none of this person's changes.
    """
    words = {"on": True, "off": False}
    if any(values.get(f"{SHOWN}{name}") not in words for name in ALL_SWITCHES):
        raise ProblemError(
            400, "The form does not say what it showed. Load the page again, and change it there."
        )
    shown = {name: words[values[f"{SHOWN}{name}"]] for name in ALL_SWITCHES}
    return {ALL_SWITCHES[name]: name in values for name, on in shown.items() if (name in values) != on}


def of_switches(values: Mapping[str, str]) -> dict[str, str]:
    """Return what a form says of the switches, to be sent again as it is."""
    names = {*ALL_SWITCHES, *(f"{SHOWN}{name}" for name in ALL_SWITCHES)}
    return {name: value for name, value in values.items() if name in names}


def switch_changes(found: Mapping[str, object]) -> dict[str, bool]:
    """Return the settings that a body changes, by our names."""
    changes = valid(Changes, found)
    if not changes.model_fields_set:
        raise ProblemError(400, f"The body must have some of {', '.join(ALL_SWITCHES)}.")
    return {ALL_SWITCHES[name]: getattr(changes, name) for name in changes.model_fields_set}


def local(address: str, otherwise: str) -> str:
    """Return an address of this server's own pages: a form names where to go back to.

    Browsers drop tabs and line ends, take a backslash for a slash, and whatever begins with two slashes for
    another host, where ``urlsplit`` sees none in ``///evil.example``. So none of these is taken in a path.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return otherwise
    odd = not address.isascii() or not address.isprintable() or "\\" in address or " " in address
    page = address.partition("?")[0].partition("#")[0]
    elsewhere = parts.scheme or parts.netloc or not page.startswith("/") or "//" in page
    return otherwise if odd or elsewhere else address


def wish(
    found: Mapping[str, object], image_ids: frozenset[int] | None = None, *, trigger: Trigger = "api"
) -> Look:
    """Read a request to reconcile.

    Args:
        found: the body: ``image_ids``, ``full``, ``force``, ``approve``, all of them optional.
        image_ids: the images, where the address names them.
        trigger: where it came from.
    """
    asked = valid(Wish if image_ids is None else ImageWish, found)
    if isinstance(asked, Wish) and asked.image_ids is not None:
        image_ids = frozenset(asked.image_ids)
    if asked.force and image_ids is None:
        raise ProblemError(400, "“force” overwrites what people wrote: name the “image_ids”.")
    if asked.approve:
        trigger = "decision"
    return Look(
        image_ids, full=asked.full, force=asked.force, by_person=True, approved=asked.approve, trigger=trigger
    )
