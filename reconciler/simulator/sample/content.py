"""What the sample catalogue tells: its sites, equipment, objects and pictures, read from this package's data.

How it becomes a Skymmich database is `sample`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

Solved = Literal["yes", "no", "failed", "processing"]


@dataclass(frozen=True, slots=True)
class Site:
    """An observing site; degrees and metres."""

    name: str
    latitude: float
    longitude: float
    altitude: float
    description: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of equipment."""

    name: str
    kind: str
    specifications: dict[str, Any]
    description: str | None
    cost: float | None
    acquired: date | None


@dataclass(frozen=True, slots=True)
class Rig:
    """A telescope, a camera and what belongs to them; equipment by its key."""

    telescope: str
    camera: str
    mount: str | None
    filters: dict[str, str]
    """Short name (``Ha``) → equipment."""
    others: tuple[str, ...]
    gain: int | None
    offset: int | None
    temperature: float | None
    binning: str | None
    iso: int | None
    exif: str | None
    """The camera as the file names it."""


@dataclass(frozen=True, slots=True)
class Target:
    """An object of the catalogue; position as sexagesimal text."""

    type: str
    ra: str
    dec: str
    constellation: str
    messier: str | None
    common: str | None
    size: float
    """Arcminutes."""
    mag: float | None


@dataclass(frozen=True, slots=True)
class Exposures:
    """One row of sub-exposures."""

    night: date
    filter: str
    """Short name within the rig; ``-``: none."""
    frames: int
    seconds: float
    note: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the sample."""

    title: str
    file: str
    captured: datetime
    exposures: tuple[Exposures, ...]
    object: str | None
    target: str | None
    """The target in a person's own words, where it is not the object's name."""
    type: str | None
    """Skymmich's object type, where it does not follow from the object."""
    lies_in: str | None
    """Where the centre lies, IAU; ``None``: where the object does."""
    skymmich_says: str | None
    """The wrong constellation that Skymmich stored."""
    centre: tuple[float, float] | None
    """Right ascension and declination, degrees; ``None``: not solved."""
    rotation: float | None
    rig: str | None
    site: str | None
    place: tuple[float, float] | None
    """Latitude and longitude of a picture that was taken at no listed site."""
    solved: Solved
    linked: bool
    description: str | None
    tags: tuple[str, ...]
    noise: tuple[str, ...]
    """What the solver's annotations left among the tags."""
    columns: dict[str, Any]
    """Columns as they are to be stored, last: for rows older than the present code."""


@dataclass(frozen=True, slots=True)
class Content:
    """The whole sample."""

    sites: dict[str, Site]
    equipment: dict[str, Piece]
    rigs: dict[str, Rig]
    groups: dict[str, tuple[str, ...]]
    objects: dict[str, Target]
    pictures: tuple[Picture, ...]
    user_targets: tuple[dict[str, Any], ...]

    def field(self, rig: Rig) -> tuple[float, float, int, int]:
        """Width and height of the field in arcseconds, and of the picture in pixels."""
        focal_length = self.equipment[rig.telescope].specifications["focalLength"]
        camera = self.equipment[rig.camera].specifications
        width, height = (int(side) for side in str(camera["resolution"]).split("x"))
        scale = 206.265 * camera["pixelSize"] / focal_length
        return width * scale, height * scale, width, height

    def true_constellation(self, picture: Picture) -> str | None:
        """The IAU abbreviation of the constellation the picture's centre lies in, as the data says."""
        if picture.lies_in is not None or picture.object is None:
            return picture.lies_in
        return self.objects[picture.object].constellation


@cache
def load_content() -> Content:
    """Read the sample's data."""
    observatories, pictures = _read("sample_equipment.toml"), _read("sample_images.toml")
    return Content(
        sites={key: _site(row) for key, row in observatories["sites"].items()},
        equipment={key: _piece(row) for key, row in observatories["equipment"].items()},
        rigs={key: _rig(row) for key, row in observatories["rigs"].items()},
        groups={name: tuple(keys) for name, keys in observatories["groups"].items()},
        objects={name: _target(row) for name, row in pictures["objects"].items()},
        pictures=tuple(_picture(row) for row in pictures["image"]),
        user_targets=tuple(pictures["user_target"]),
    )


def read_schema() -> str:
    """The tables of Skymmich 0.9, as SQL."""
    return (files(__package__) / "data" / "skymmich-0.9.sql").read_text(encoding="utf-8")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "data" / name).read_text(encoding="utf-8"))


def _site(row: dict[str, Any]) -> Site:
    return Site(row["name"], row["latitude"], row["longitude"], row["altitude"], row.get("description"))


def _piece(row: dict[str, Any]) -> Piece:
    return Piece(
        name=row["name"],
        kind=row["type"],
        specifications=row.get("specifications", {}),
        description=row.get("description"),
        cost=row.get("cost"),
        acquired=row.get("acquired"),
    )


def _rig(row: dict[str, Any]) -> Rig:
    return Rig(
        telescope=row["telescope"],
        camera=row["camera"],
        mount=row.get("mount"),
        filters=row["filters"],
        others=tuple(row["others"]),
        gain=row.get("gain"),
        offset=row.get("offset"),
        temperature=row.get("temperature"),
        binning=row.get("binning"),
        iso=row.get("iso"),
        exif=row.get("exif"),
    )


def _target(row: dict[str, Any]) -> Target:
    return Target(
        type=row["type"],
        ra=row["ra"],
        dec=row["dec"],
        constellation=row["constellation"],
        messier=row.get("messier"),
        common=row.get("common"),
        size=row["size"],
        mag=row.get("mag"),
    )


def _picture(row: dict[str, Any]) -> Picture:
    return Picture(
        title=row["title"],
        file=row["file"],
        captured=row["captured"],
        exposures=tuple(_exposures(text) for text in row["acquisitions"]),
        object=row.get("object"),
        target=row.get("target"),
        type=row.get("type"),
        lies_in=row.get("lies_in"),
        skymmich_says=row.get("skymmich_says"),
        centre=_pair(row.get("centre")),
        rotation=row.get("rotation"),
        rig=row.get("rig"),
        site=row.get("site"),
        place=_pair(row.get("place")),
        solved=cast("Solved", row.get("solved", "yes")),
        linked=row.get("linked", True),
        description=row.get("description"),
        tags=tuple(row.get("tags", ())),
        noise=tuple(row.get("noise", ())),
        columns=row.get("columns", {}),
    )


def _exposures(text: str) -> Exposures:
    """``2025-10-21 B 44x180 thin cirrus``: night, filter, frames × seconds, note."""
    night, name, amount, *note = text.split(" ", 3)
    frames, seconds = amount.split("x")
    return Exposures(date.fromisoformat(night), name, int(frames), float(seconds), note[0] if note else None)


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])
