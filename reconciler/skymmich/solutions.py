"""Puts a plate solution together from the image's row and the solver's own answer.

Skymmich keeps a solution twice: in columns of the image, with traps, and as the solver's answer in
``plate_solving_jobs.result``, which is right:

========== =================================== ========================================
value      the image's column                  the solver's answer
========== =================================== ========================================
RA, Dec    degrees as text, or sexagesimal;    ``ra``, ``dec`` in degrees
           an exact 0 was stored as NULL
field      radius in degrees with the sign     ``width_arcsec``, ``height_arcsec``
           for minutes of arc: never used;
           old rows ``1.2° x 0.9°``: right
rotation   degrees; an exact 0 stored as NULL  ``orientation`` in degrees: see ``annotations``
========== =================================== ========================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import PlateSolution
from reconciler.core.sky.astronomy import parse_dec, parse_ra
from reconciler.skymmich.annotations import Survey, read_survey
from reconciler.skymmich.fields import excerpt, finite, read_rows, within
from reconciler.skymmich.tables import SOLVES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.catalogue import RowProblem
    from reconciler.core.reasons import Code
    from reconciler.skymmich.dangling import Doubts
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot

_NEVER = datetime.min.replace(tzinfo=UTC)
_ANSWER: Final = {
    "ra": "ra_deg", "dec": "dec_deg", "width_arcsec": "width_arcsec", "height_arcsec": "height_arcsec",
    "orientation": "rotation_deg",
}  # fmt: skip
"""What of the solver's answer is read, and what it becomes."""
_TURNS_DEG: Final = 3600.0
_LEGACY_FIELD = re.compile(r"\s*(\d+(?:\.\d+)?)\s*°\s*[x×X]\s*(\d+(?:\.\d+)?)\s*°\s*")


@dataclass(frozen=True, slots=True)
class Solve:
    """One successful answer of the solver, and when it was recorded."""

    image_id: int
    recorded: tuple[datetime, int]
    solution: PlateSolution
    survey: Survey
    lacks: tuple[str, ...] = ()
    """Keys that the solver always gives, and that are not there."""


def read_solves(snapshot: Snapshot, problems: list[RowProblem], doubts: Doubts) -> dict[int, Solve]:
    """Return each image's newest successful answer that can be read.

    ``completed_at`` is set on every update of a job, so it says when a successful one got its answer.
    """
    newest: dict[int, Solve] = {}
    note = doubts.owned(SOLVES.stands_for)
    for solve in read_rows(snapshot, SOLVES, _read_solve, problems, after=note):
        if solve is None:
            continue
        known = newest.get(solve.image_id)
        if known is None or known.recorded < solve.recorded:
            newest[solve.image_id] = solve
    return newest


def lacking(solution: PlateSolution | None, solve: Solve | None) -> tuple[str, ...]:
    """Return what a solution is without since the solver's answer lacks it: unknown, and not empty."""
    if solution is None or solve is None:
        return ()
    known = {"orientation"} if solution.position_angle_deg is not None else set()
    return tuple(key for key in solve.lacks if key not in known and getattr(solution, _ANSWER[key]) is None)


def solution_of(fields: Fields, solve: Solve | None) -> PlateSolution | None:
    """Return the solution of an image, value by value from its row, else from the solver's answer.

    Returns:
        ``None`` when the image is neither marked as solved nor has a position: an answer left over in the
        jobs table is then not this image's state.
    """
    ra_deg = _angle(fields, "ra", parse_ra)
    dec_deg = _angle(fields, "dec", parse_dec)
    rotation_deg = fields.number("rotation", minimum=-_TURNS_DEG, maximum=_TURNS_DEG)
    if not fields.flag("plate_solved") and ra_deg is None:
        return None
    answer = solve.solution if solve is not None else PlateSolution()
    width_arcsec, height_arcsec = answer.width_arcsec, answer.height_arcsec
    if width_arcsec is None or height_arcsec is None:
        width_arcsec, height_arcsec = legacy_field(fields.text("field_of_view"))
    return PlateSolution(
        ra_deg=answer.ra_deg if ra_deg is None else ra_deg,
        dec_deg=answer.dec_deg if dec_deg is None else dec_deg,
        width_arcsec=width_arcsec,
        height_arcsec=height_arcsec,
        rotation_deg=answer.rotation_deg if rotation_deg is None else rotation_deg,
    )


def legacy_field(stored: str | None) -> tuple[float, float] | tuple[None, None]:
    """Read ``1.2° x 0.9°``, the one stored form with the right unit, as width and height in arcseconds."""
    found = _LEGACY_FIELD.fullmatch(stored or "")
    if found is None:
        return None, None
    width, height = _side(float(found[1]) * 3600), _side(float(found[2]) * 3600)
    return (width, height) if width is not None and height is not None else (None, None)


def _angle(fields: Fields, name: str, parse: Callable[[str], float | None]) -> float | None:
    stored = fields.text(name)
    if stored is None:
        return None
    found = parse(stored)
    if found is None:
        code: Code = "row_no_right_ascension" if parse is parse_ra else "row_no_declination"
        fields.drop(name, code, value=excerpt(stored))
    return found


def _read_solve(fields: Fields) -> Solve | None:
    image_id = fields.reference("image_id")
    if image_id is None:
        fields.absent("image_id")
        return None
    status = fields.raw("status")
    if status != "success":
        fields.drop("status", "row_unknown_status", value=excerpt(status))
        return None
    result = fields.json("result")
    if result is None:
        fields.absent("result")
        return None
    if not isinstance(result, dict):
        fields.drop("result", "row_no_object", value=excerpt(result))
        return None
    recorded = fields.moment("completed_at") or fields.moment("submitted_at") or _NEVER
    solution = _answer(result)
    given = [key for key in _ANSWER if result.get(key) is not None]
    if odd := [key for key in given if getattr(solution, _ANSWER[key]) is None]:
        fields.drop("result", "row_odd_answer", keys=tuple(odd), value=excerpt(result[odd[0]]))
    elif not given:
        fields.drop("result", "row_empty_answer")
    lacks = tuple(key for key in _ANSWER if key not in given)
    survey = read_survey(fields, result)
    return Solve(image_id, (recorded, fields.identity()), solution, survey, lacks)


def _answer(result: Mapping[str, object]) -> PlateSolution:
    width, height = _side(result.get("width_arcsec")), _side(result.get("height_arcsec"))
    return PlateSolution(
        ra_deg=_answer_angle(result.get("ra"), parse_ra),
        dec_deg=_answer_angle(result.get("dec"), parse_dec),
        width_arcsec=None if height is None else width,
        height_arcsec=None if width is None else height,
        rotation_deg=within(result.get("orientation"), -_TURNS_DEG, _TURNS_DEG),
    )


def _answer_angle(value: object, parse: Callable[[str], float | None]) -> float | None:
    """Read a number of degrees, or text, with the one set of rules about ranges that ``parse`` has."""
    if isinstance(value, str):
        return parse(value)
    number = finite(value)
    return None if number is None else parse(repr(number))


def _side(value: object) -> float | None:
    """Return the side of a field in arcseconds, from a pixel of a large telescope to the whole sky."""
    return within(value, 1e-3, 360 * 3600)
