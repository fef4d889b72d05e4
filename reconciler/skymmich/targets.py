"""Finds the catalogue object that an image's target name means: ``NGC 224``, ``ngc0224``, ``M31``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.core.catalogue import CatalogueObject
from reconciler.core.sky import designations, famous
from reconciler.core.sky.object_names import name_key
from reconciler.skymmich.fields import read_rows
from reconciler.skymmich.tables import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import RowProblem
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.core.sky.famous import Famous
    from reconciler.skymmich.dangling import Doubts
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot

_MESSIER = re.compile(r"(?:messier|m)?(\d+)")


def read_objects(
    snapshot: Snapshot, problems: list[RowProblem], doubts: Doubts
) -> dict[str, CatalogueObject]:
    """Return the catalogue's objects by the keys that mean them; a name goes before a Messier number."""

    def note(fields: Fields) -> None:
        if fields.dropped & {"name", "messier"}:
            doubts.nameless.add(OBJECTS.name)
        name = fields.raw("name")
        if isinstance(name, str) and (shown := fields.dropped):
            doubts.of_object.setdefault(name.strip(), set()).update(
                f"{OBJECTS.name}.{column}" for column in shown
            )

    rows = read_rows(snapshot, OBJECTS, _read_object, problems, after=note)
    objects = [found for found in rows if found is not None]
    index: dict[str, CatalogueObject] = {}
    for found in objects:
        index.setdefault(key_of(found.name), found)
    for found in objects:
        if found.messier is not None:
            index.setdefault(key_of(found.messier), found)
    return index


def target_of(
    name: str | None, objects: Mapping[str, CatalogueObject], sky: ObjectCatalogue | None = None
) -> CatalogueObject | None:
    """Return the object of that name, of Skymmich's table or else of the sky; ``None`` for free text.

    Of several objects in one name it is the first. What is known to be one object is looked for by all its
    designations: ``C 9`` and the Cave Nebula are Sh2-155.
    """
    if name is None:
        return None
    if (found := objects.get(key_of(name))) is not None:
        return found
    read = designations.parse(name)
    first = read.objects[0] if read.objects else read.rest
    known = famous.find(first)
    wanted = [*read.objects[:1]]
    if known is not None:
        wanted += [one for one in (known.designation, *known.also) if one not in wanted]
    for designation in wanted:
        if (found := objects.get(key_of(designation))) is not None and _is(found, known):
            return found
    if sky is not None:
        for designation in wanted or [name.strip()]:
            if (found := sky.find(designation)) is not None and _is(found, known):
                return found
    return None


def _is(found: CatalogueObject, known: Famous | None) -> bool:
    """Return whether what was found is the object that was meant: OpenNGC holds M 102 to be M 101."""
    other = famous.find(found.messier or found.name)
    return known is None or other is None or other is known


def key_of(name: str) -> str:
    """Fold case, blanks, zero padding: ``NGC 0224`` is ``ngc224``, and ``Messier 31`` is ``M31``."""
    folded = name_key(name)
    number = _MESSIER.fullmatch(folded) if folded.startswith("m") else None
    return f"m{number[1]}" if number is not None else folded


def _read_object(fields: Fields) -> CatalogueObject | None:
    name = fields.text("name")
    if name is None:
        return None
    common = fields.text("common_names") or ""
    return CatalogueObject(
        name=name,
        type_code=fields.text("type"),
        messier=_messier(fields.text("messier")),
        common_names=tuple(part.strip() for part in common.split(",") if part.strip()),
        constellation=fields.text("constellation"),
        ra_deg=fields.number("ra_deg"),
        dec_deg=fields.number("dec_deg"),
    )


def _messier(stored: str | None) -> str | None:
    """Write a Messier number as ``M 31``; OpenNGC itself has ``031``."""
    if stored is None:
        return None
    number = _MESSIER.fullmatch(name_key(stored))
    return f"M {number[1]}" if number is not None else stored
