"""A search of 3.2 and later: ``filter``, ``orderBy`` and ``cursor``, on the same route as the flat fields.

A body that has one of the three may have none of the flat fields. The cursor is an encoded offset, so its
pages stand no stiller than numbered ones. What is here was read in the source and not measured.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from reconciler.simulator.server.problems import ApiError, ValidationError
from reconciler.simulator.server.validation import parse_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.simulator.server.model import Asset
    from reconciler.simulator.server.state import State

    Test = Callable[[Asset], bool]

SINCE = (3, 2, 0)
_OWN = frozenset({"filter", "orderBy", "cursor"})
_FLAT = """
albumIds checksum city country createdAfter createdBefore description encodedVideoPath id isEncoded isFavorite
isMotion isNotInAlbum isOffline lensModel libraryId make model ocr order originalFileName originalPath page
personIds previewPath rating state tagIds takenAfter takenBefore thumbnailPath trashedAfter trashedBefore type
updatedAfter updatedBefore visibility withDeleted
"""


def is_filtered(body: Mapping[str, object], version: tuple[int, int, int]) -> bool:
    """Return whether a body is of the new kind; before 3.2 its fields are ignored like any unknown one.

    Raises:
        ApiError: it has fields of both kinds.
    """
    if version < SINCE or not _OWN & body.keys():
        return False
    if mixed := sorted(body.keys() & set(_FLAT.split())):
        raise ApiError(400, f"Deprecated field {mixed[0]} cannot be combined with filter, orderBy or cursor")
    return True


def offset(body: Mapping[str, object]) -> int:
    """Read the cursor; without one it is the beginning.

    Raises:
        ValidationError: it is none that was given out.
    """
    cursor = body.get("cursor")
    if cursor is None:
        return 0
    try:
        return int(base64.b64decode(str(cursor), validate=True))
    except (ValueError, binascii.Error) as error:
        raise ValidationError([("cursor", "Invalid cursor")]) from error


def cursor_of(start: int) -> str:
    """Write a cursor."""
    return base64.b64encode(str(start).encode()).decode()


def tests(state: State, body: Mapping[str, object]) -> list[Test]:
    """Turn ``filter`` into tests; one level of ``or`` beside the others.

    Raises:
        ValidationError: a field or an operator is not known.
    """
    asked = body.get("filter") or {}
    if not isinstance(asked, dict):
        raise ValidationError([("filter", "Invalid input: expected object")])
    found = _branch(state, {name: value for name, value in asked.items() if name != "or"})
    if "trashedAt" not in asked:
        found.append(lambda asset: not asset.trashed)
    branches = asked.get("or")
    if isinstance(branches, list) and branches:
        choices = [_branch(state, branch) for branch in branches]
        found.append(lambda asset: any(all(test(asset) for test in choice) for choice in choices))
    return found


def _branch(state: State, fields: Mapping[str, object]) -> list[Test]:
    found: list[Test] = []
    for name, operators in fields.items():
        value = _VALUES.get(name)
        if value is None or not isinstance(operators, dict):
            raise ValidationError([(f"filter.{name}", "Unrecognized key")])
        for operator, operand in operators.items():
            if name == "tagIds":
                found.append(_tagged(state, operator, operand))
            else:
                found.append(_compared(value, operator, _moment(operand) if name.endswith("At") else operand))
    return found


_VALUES: dict[str, Callable[[Asset], object]] = {
    "id": lambda asset: asset.asset_id,
    "visibility": lambda asset: asset.visibility,
    "rating": lambda asset: asset.exif.rating,
    "isFavorite": lambda asset: asset.favorite,
    "hasTags": lambda asset: bool(asset.tags),
    "checksum": lambda asset: asset.checksum,
    "originalPath": lambda asset: asset.path,
    "updatedAt": lambda asset: asset.updated,
    "takenAt": lambda asset: asset.created,
    "trashedAt": lambda asset: asset.updated if asset.trashed else None,
    "tagIds": lambda asset: asset.tags,
}


def _moment(operand: object) -> object:
    moment = parse_date(operand) if isinstance(operand, str) else None
    return int(moment.timestamp() * 1000) if moment else operand


def _compared(value: Callable[[Asset], object], operator: str, operand: object) -> Test:
    """Return the test of one operator.

    Raises:
        ValidationError: there is none of that name.
    """
    compare: dict[str, Callable[[object], bool]] = {
        "eq": lambda own: own == operand,
        "ne": lambda own: own != operand,
        "in": lambda own: own in _several(operand),
        "notIn": lambda own: own not in _several(operand),
        "gte": lambda own: _number(own) >= _number(operand),
        "gt": lambda own: _number(own) > _number(operand),
        "lte": lambda own: _number(own) <= _number(operand),
        "lt": lambda own: _number(own) < _number(operand),
        "startsWith": lambda own: str(own).startswith(str(operand)),
    }
    if operator not in compare:
        raise ValidationError([(f"filter.{operator}", "Unrecognized key")])
    test = compare[operator]
    return lambda asset: test(value(asset))


def _several(operand: object) -> list[object]:
    return operand if isinstance(operand, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _tagged(state: State, operator: str, tag_ids: object) -> Test:
    """Test for tags, each with its descendants."""
    carriers = []
    for tag_id in _several(tag_ids):
        tag = state.tags.by_id.get(str(tag_id))
        family = state.tags.family(tag) if tag is not None and tag.indexed else []
        carriers.append({asset_id for member in family for asset_id in member.assets})
    if operator == "all":
        return lambda asset: all(asset.asset_id in carrying for carrying in carriers)
    wanted = operator == "any"
    return lambda asset: any(asset.asset_id in carrying for carrying in carriers) == wanted
