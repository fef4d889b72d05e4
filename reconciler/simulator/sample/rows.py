"""How Skymmich stores a picture of the sample: rows by column, with the errors that Skymmich makes.

Which pictures there are is `sample_content`; the database is written by `sample`.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.core.sky.constellations import name_of

if TYPE_CHECKING:
    from reconciler.simulator.sample.content import Content, Picture, Rig

Row = dict[str, Any]

_PREVIEW_PIXELS = 1440
"""Longer side of the preview that Skymmich has solved."""

_OBJECT_TYPES = {
    "G": "Galaxy",
    "PN": "Planetary Nebula",
    "HII": "Emission Nebula",
    "Neb": "Nebula",
    "Cl+N": "Nebula",
    "RfN": "Reflection Nebula",
    "SNR": "Supernova Remnant",
    "OCl": "Star Cluster",
    "GCl": "Star Cluster",
}


def image_row(content: Content, picture: Picture, image_id: int, asset_id: str) -> Row:
    """One row of the images' table, with the errors that Skymmich makes."""
    captured = picture.captured.astimezone(UTC)
    last_night = max((row.night for row in picture.exposures), default=captured.date())
    created = unix_midnight(last_night + timedelta(days=3)) + 19 * 3600
    row: Row = {
        "id": image_id,
        "immich_id": asset_id if picture.linked else None,
        "title": picture.title,
        "filename": picture.file,
        "capture_date": int(captured.timestamp()),
        "telescope": "",
        "mount": "",
        "plate_solved": 0,
        "tags": json_text(_tags(content, picture)),
        "object_type": picture.type or "Deep Sky",
        "description": picture.description,
        "created_at": created,
        "updated_at": created + 600 + image_id % 60,
        "original_path": f"/usr/src/app/upload/library/admin/{captured:%Y/%Y-%m-%d}/{picture.file}",
        "target_name": picture.target,
    }
    if picture.linked:
        row["thumbnail_url"] = f"/api/assets/{asset_id}/thumbnail"
        row["full_url"] = f"/api/assets/{asset_id}/thumbnail?size=preview"
    row |= _place(content, picture) | _summary(content, picture)
    if picture.centre is not None and picture.rig is not None:
        row |= _solution(content, picture, picture.centre, content.rigs[picture.rig])
    return row | picture.columns


def _place(content: Content, picture: Picture) -> Row:
    if picture.place is not None:
        return {"latitude": picture.place[0], "longitude": picture.place[1]}
    if picture.site is None:
        return {}
    site = content.sites[picture.site]
    return {"latitude": site.latitude, "longitude": site.longitude, "altitude": site.altitude}


def _summary(content: Content, picture: Picture) -> Row:
    """The flat columns that Skymmich fills from the linked telescope and the acquisitions."""
    row: Row = {}
    if picture.rig is not None:
        rig = content.rigs[picture.rig]
        telescope = content.equipment[rig.telescope].specifications
        row |= {"focal_length": float(telescope["focalLength"]), "aperture": telescope["focalRatio"]}
        row |= {"iso": rig.iso, "camera": rig.exif}
        names = dict.fromkeys(row.filter for row in picture.exposures if row.filter != "-")
        row["filters"] = ", ".join(content.equipment[rig.filters[name]].name for name in names)
    if picture.exposures:
        lengths = sorted({row.seconds for row in picture.exposures})
        shortest, longest = f"{lengths[0]:g}s", f"{lengths[-1]:g}s"
        row["exposure_time"] = shortest if len(lengths) == 1 else f"{shortest} - {longest}"
        row["frame_count"] = sum(row.frames for row in picture.exposures)
        seconds = sum(row.frames * row.seconds for row in picture.exposures)
        row["total_integration_hours"] = round(seconds / 3600, 3)
    return row


def _solution(content: Content, picture: Picture, centre: tuple[float, float], rig: Rig) -> Row:
    """What Skymmich stores of a plate solution."""
    solved = _calibration(content, picture, centre, rig)
    constellation = picture.skymmich_says or name_of(content.true_constellation(picture) or "")
    target = None if picture.object is None else content.objects[picture.object]
    return {
        "plate_solved": 1,
        "ra": str(solved["ra"]),
        "dec": str(solved["dec"]),
        "pixel_scale": solved["pixscale"],  # the preview's, not the original's
        "field_of_view": f"{solved['radius'] * 2:.1f}'",  # degrees along the diagonal, in spite of the sign
        "rotation": picture.rotation or None,  # zero is taken for nothing
        "constellation": constellation,
        "object_type": picture.type or ("Deep Sky" if target is None else _OBJECT_TYPES[target.type]),
        "target_name": picture.target or picture.object,
    }


def _calibration(content: Content, picture: Picture, centre: tuple[float, float], rig: Rig) -> dict[str, Any]:
    """What the solver answered for the preview."""
    width, height, *_ = content.field(rig)
    return {
        "ra": centre[0],
        "dec": centre[1],
        "width_arcsec": width,
        "height_arcsec": height,
        "radius": math.hypot(width, height) / 2 / 3600,
        "pixscale": max(width, height) / _PREVIEW_PIXELS,
        "orientation": picture.rotation,
        "parity": 1,
    }


def _tags(content: Content, picture: Picture) -> list[str]:
    """The tags as Skymmich joins them: its own, the solver's, a person's."""
    tags = ["astrophotography"]
    if picture.centre is not None and picture.object is not None:
        target = content.objects[picture.object]
        tags.append(picture.object)
        tags += [target.messier] if target.messier else []
        tags += target.common.split(",") if target.common else []
    return list(dict.fromkeys([*tags, *picture.noise, *picture.tags]))


def acquisition_rows(content: Content, picture: Picture, image_id: int, created: int) -> list[Row]:
    """One row of `image_acquisition` per night and filter."""
    if picture.rig is None:
        return []
    rig, numbers = content.rigs[picture.rig], equipment_ids(content)
    rows: list[Row] = []
    for exposures in picture.exposures:
        key = rig.filters.get(exposures.filter)
        rows.append(
            {
                "image_id": image_id,
                "filter_id": None if key is None else numbers[key],
                "filter_name": None if key is None else content.equipment[key].name,
                "frame_count": exposures.frames,
                "exposure_time": exposures.seconds,
                "gain": rig.gain,
                "offset": rig.offset,
                "binning": rig.binning,
                "sensor_temp": rig.temperature,
                "date": unix_midnight(exposures.night),
                "notes": exposures.note,
                "created_at": created,
            }
        )
    return rows


def equipment_of(content: Content, picture: Picture) -> list[str]:
    """The equipment that is linked to a picture: the rig's, and the filters that were used."""
    if picture.rig is None:
        return []
    rig = content.rigs[picture.rig]
    used = dict.fromkeys(rig.filters[row.filter] for row in picture.exposures if row.filter != "-")
    return [rig.telescope, rig.camera, *([rig.mount] if rig.mount else []), *used, *rig.others]


def job_row(content: Content, picture: Picture, image_id: int, created: int) -> Row:
    """One row of `plate_solving_jobs`: solved, failed, or still under way."""
    submission, job = str(14_200_000 + image_id), str(15_700_000 + image_id)
    row: Row = {
        "image_id": image_id,
        "astrometry_submission_id": submission,
        "status": picture.solved,
        "submitted_at": created + 60,
        "completed_at": created + 60,
    }
    if picture.solved == "failed":
        error = "Plate solving failed. Astrometry.net could not solve this image."
        result = {"error": error, "submissionId": submission, "astrometryJobId": job}
        return row | {"astrometry_job_id": job, "result": json_text(result)}
    if picture.centre is None or picture.rig is None:
        return row
    names = [picture.object] if picture.object else []
    annotations = [
        {"type": "ngc", "names": [name], "pixelx": 720.5, "pixely": 481.25, "ra": 0, "dec": 0, "radius": 90.0}
        for name in [*names, *picture.noise]
    ]
    solved = _calibration(content, picture, picture.centre, content.rigs[picture.rig])
    return row | {"status": "success", "result": json_text(solved | {"annotations": annotations})}


def equipment_ids(content: Content) -> dict[str, int]:
    """Number the equipment: key → row id."""
    return {key: number for number, key in enumerate(content.equipment, start=1)}


def json_text(value: object) -> str:
    """Write JSON as JavaScript does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unix_midnight(day: date) -> int:
    """Midnight UTC of a day in unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
