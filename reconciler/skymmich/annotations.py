"""What the solver wrote onto a picture, and what follows from it: how it lies on the sky, and what is in it.

``plate_solving_jobs.result.annotations`` names objects with their places in pixels of what was solved. Their
positions are those of Skymmich's own table, or of the sky's catalogue. Of ``orientation`` alone the sense is
known only for the previews that Skymmich sends: 360° less it is the position angle.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.sky import designations
from reconciler.core.sky.field import Candidate, Frame, chosen, is_deep_sky, keys_of, visible
from reconciler.core.sky.object_names import name_key
from reconciler.core.sky.plane import Orientation, Sighting, orientation_of, project, separation_deg
from reconciler.skymmich.fields import excerpt, finite, within
from reconciler.skymmich.targets import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.catalogue import CatalogueObject, PlateSolution
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.skymmich.fields import Fields

_MOST: Final = 2_000
"""Annotations that are read of an image."""
_MOST_NAMES: Final = 12
_NOT_A_PREVIEW: Final = re.compile(r"\.(?:tiff?|fits?|fts|xisf)$", re.IGNORECASE)
"""Of one such file the solver's number was off by half a turn."""
_SAME_DEG: Final = 0.01
_OUTSIDE: Final = 0.02
"""Share of a side that an object may lie beyond the edge by what the catalogue says."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An object that the solver marked, by names that are designations of deep-sky objects."""

    names: tuple[str, ...]
    place: complex | None
    """Right and down, pixels."""
    radius_px: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What of the solver's answer tells how the picture lies, and what is in it."""

    annotations: tuple[Annotation, ...] = ()
    pixel_arcsec: float | None = None
    parity: float | None = None


def read_survey(fields: Fields, result: Mapping[str, object]) -> Survey:
    """Read this part of an answer; an annotation that cannot be understood costs itself."""
    listed = result.get("annotations")
    found: Iterable[object] = ()
    if isinstance(listed, list):
        found = listed[:_MOST]
    elif listed is not None:
        fields.drop("result", "row_odd_answer", keys=("annotations",), value=excerpt(listed))
    annotations: list[Annotation] = []
    odd: list[object] = []
    for each in found:
        if not isinstance(each, dict) or not isinstance(names := each.get("names"), list):
            odd.append(each)
        elif each.get("type") != "hd" and (known := _designations(names)):
            x, y = finite(each.get("pixelx")), finite(each.get("pixely"))
            # Skymmich writes 0 for what the solver did not say.
            place = complex(x, y) if x is not None and y is not None and (x or y) else None
            annotations.append(Annotation(known, place, within(each.get("radius"), 0, 1e6) or 0.0))
    if odd:
        fields.warn("row_odd_annotations", column="result", count=len(odd), value=excerpt(odd[0]))
    return Survey(
        tuple(annotations), within(result.get("pixscale"), 1e-3, 36_000), finite(result.get("parity"))
    )


def _designations(names: Sequence[object]) -> tuple[str, ...]:
    read = (designations.canonical(name) for name in names[:_MOST_NAMES] if isinstance(name, str))
    return tuple(name for name in read if name is not None and designations.is_deep_sky(name))


class Surveyor:
    """Finds out how pictures lie, and what is in them.

    Args:
        objects: Skymmich's own, by key.
        sky: knows those that it lacks.
    """

    def __init__(self, objects: Mapping[str, CatalogueObject], sky: ObjectCatalogue | None) -> None:
        self._objects, self._sky = objects, sky

    def surveyed(
        self,
        solution: PlateSolution,
        answer: PlateSolution,
        survey: Survey,
        target_keys: frozenset[str],
        filename: str,
    ) -> PlateSolution:
        """Return a solution with its position angle, and with the objects in the picture.

        Args:
            solution: as put together from the image's row and the answer.
            answer: the solver's own values.
            survey: the rest of its answer.
            target_keys: all names of what the picture shows.
            filename: of the original.
        """
        if not _is_of(answer, solution):
            return solution
        at = _pair(answer.ra_deg, answer.dec_deg) or _pair(solution.ra_deg, solution.dec_deg)
        found = [(each, *self._known(each)) for each in survey.annotations]
        width, height = _plane(answer)
        pixel = None if survey.pixel_arcsec is None else math.radians(survey.pixel_arcsec / 3600)
        size = None if pixel is None or width is None or height is None else (width / pixel, height / pixel)
        orientation = None
        if at is not None and size is not None:
            sightings = [
                Sighting(each.place, offset)
                for each, where, _ in found
                if each.place is not None
                and where is not None
                and (offset := project(*where, at)) is not None
            ]
            orientation = orientation_of(sightings, math.hypot(*size), pixel)
        measured = orientation is not None
        if orientation is None and (angle := _of_preview(solution, answer, filename)) is not None:
            orientation = Orientation(angle, mirrored=False)
        frame = None
        if at is not None and width is not None and height is not None and orientation is not None:
            frame = Frame(at, width, height, orientation)
        candidates = list(_marked(found, frame if measured else None, at, size, _plane(answer)))
        if not survey.annotations and frame is not None and self._sky is not None:
            around = self._sky.near(*frame.at, frame.half_diagonal_deg, frame.least_arcmin)
            candidates = list(visible(around, frame))
            if (
                not measured and survey.parity != 1
            ):  # a mirrored picture has the same field, other places in it
                candidates = [replace(each, place=None) for each in candidates]
        return replace(
            solution,
            position_angle_deg=None
            if orientation is None
            else round(orientation.position_angle_deg, 3) % 360,
            objects=chosen(candidates, target_keys),
        )

    def target_keys(self, target: CatalogueObject | None, target_name: str | None) -> frozenset[str]:
        """Return all names of what a picture shows: there may be several objects in a target's name."""
        keys = set() if target is None else set(keys_of(target))
        for name in designations.mentioned(target_name or ""):
            keys.add(name_key(name))
            for known in self._lookup(name):
                keys |= keys_of(known)
        return frozenset(keys)

    def _known(self, each: Annotation) -> tuple[tuple[float, float] | None, CatalogueObject | None]:
        """Return the position of an annotated object, and what is known of it."""
        found = [known for name in each.names for known in self._lookup(name)]
        positions = [place for known in found if (place := _pair(known.ra_deg, known.dec_deg))]
        # The sky's catalogue has sizes and brightness.
        best = max(found, key=lambda known: known.major_arcmin is not None, default=None)
        return (positions[0] if positions else None), best

    def _lookup(self, name: str) -> list[CatalogueObject]:
        own = self._objects.get(key_of(name))
        its = self._sky.find(name) if self._sky is not None else None
        return [known for known in (own, its) if known is not None]


def _marked(
    found: Sequence[tuple[Annotation, tuple[float, float] | None, CatalogueObject | None]],
    frame: Frame | None,
    at: tuple[float, float] | None,
    size: tuple[float, float] | None,
    plane: tuple[float | None, float | None],
) -> Iterable[Candidate]:
    """Yield the annotated objects that are in the picture, as far as can be told."""
    for each, where, known in found:
        if known is not None and not is_deep_sky(known):
            continue
        if where is not None and not _is_inside(where, frame, at, plane):
            continue
        place, radius = None, each.radius_px
        if size is not None:
            radius /= size[0]
            if each.place is not None:
                place = complex(each.place.real / size[0], each.place.imag / size[1])
                if not (0 <= place.real <= 1 and 0 <= place.imag <= 1):
                    continue
        keys = frozenset(map(name_key, each.names)) | (keys_of(known) if known else frozenset())
        yield Candidate(_best(each.names), known, keys, place, radius)


def _is_inside(
    where: tuple[float, float],
    frame: Frame | None,
    at: tuple[float, float] | None,
    plane: tuple[float | None, float | None],
) -> bool:
    """Return whether a position is in the picture, or could be where the picture is not known well."""
    if frame is not None:
        place = frame.place(*where)
        return place is not None and max(abs(place.real), abs(place.imag)) <= 0.5 + _OUTSIDE
    if at is None or plane[0] is None or plane[1] is None:
        return True
    return separation_deg(*where, at) <= math.degrees(math.atan(math.hypot(plane[0], plane[1]) / 2))


def _best(names: Sequence[str]) -> str:
    """Return the best known of some designations."""
    order = ("M ", "NGC ", "IC ")
    return min(
        names, key=lambda name: next((at for at, start in enumerate(order) if name.startswith(start)), 9)
    )


def _of_preview(solution: PlateSolution, answer: PlateSolution, filename: str) -> float | None:
    """Return the position angle that the solver's number means, of a preview, if nobody changed it."""
    if answer.rotation_deg is None or solution.rotation_deg is None or _NOT_A_PREVIEW.search(filename):
        return None
    differs = abs((answer.rotation_deg - solution.rotation_deg + 180) % 360 - 180)
    return (360 - answer.rotation_deg) % 360 if differs <= _SAME_DEG else None


def _is_of(answer: PlateSolution, solution: PlateSolution) -> bool:
    """Return whether an answer is of what the image's row says: it may be of another picture."""
    theirs, ours = _pair(answer.ra_deg, answer.dec_deg), _pair(solution.ra_deg, solution.dec_deg)
    if theirs is None or ours is None or answer.width_arcsec is None or answer.height_arcsec is None:
        return True
    return separation_deg(*theirs, ours) * 3600 <= max(answer.width_arcsec, answer.height_arcsec) / 10


def _plane(answer: PlateSolution) -> tuple[float | None, float | None]:
    """Return width and height in radians of the tangent plane; of half the sky there is none."""
    sides = answer.width_arcsec, answer.height_arcsec
    if any(side is None or side >= 180 * 3600 for side in sides):
        return None, None
    return tuple(math.radians((side or 0) / 3600) for side in sides)  # type: ignore[return-value]  # two


def _pair(ra_deg: float | None, dec_deg: float | None) -> tuple[float, float] | None:
    return None if ra_deg is None or dec_deg is None or abs(dec_deg) > 90 else (ra_deg, dec_deg)
