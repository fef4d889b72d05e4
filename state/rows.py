"""Rows to the core's values, and back. The one place that knows both; it decides nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reconciler.core.asset import Applied, Coordinates
from reconciler.core.reasons import Reason, from_json, from_text, reason, to_json, to_text
from reconciler.core.records import (
    EARLIER_OUTCOMES,
    AssetRecord,
    Correction,
    Crossing,
    FormerValue,
    JournalEntry,
    LeftOut,
    PendingWrite,
    Resolution,
    Run,
    RunCounts,
    TakenBack,
    Unsticking,
)
from state.tables import title_key

if TYPE_CHECKING:
    from sqlalchemy.engine import Row

    from reconciler.core.carry_over import CarryOver

Values = dict[str, Any]
"""The columns of one row by name."""


def of_record(record: AssetRecord) -> Values:
    """Return the row of an asset, without its owned tags."""
    applied = record.applied
    return {
        "asset_id": record.asset_id,
        "image_id": record.image_id,
        "title": record.title,
        "title_key": title_key(record.title),
        "block": applied.block,
        "prose": applied.prose,
        **_of_coordinates(applied.coordinates),
        "taken_at": _of_moment(applied.taken_at),
        "fingerprint": record.fingerprint,
        "status": record.status,
        "reason": to_text(record.reasons),
        "seen_updated_at": record.seen_updated_at,
        "width": _storable(record.width),
        "height": _storable(record.height),
        "unsticking": [
            {
                "field": one.field,
                "desired": one.desired,
                "live": one.live,
                "server": one.server,
                "diagnosis": to_json((one.diagnosis,))[0],
                "undone": one.undone,
                **({"at": one.at.isoformat()} if one.at else {}),
            }
            for one in record.unsticking
        ],
        "linked": record.linked,
        "checked_at": record.checked_at,
        "changed_at": record.changed_at,
        "held": record.held,
        "more": _of_more(record),
        "taken_back": _of_taken_back(record.taken_back),
    }


def to_record(
    row: Row[Any],
    tags: frozenset[str],
    resolutions: tuple[Resolution, ...] = (),
    crossing: Crossing | None = None,
    left_out: tuple[LeftOut, ...] = (),
    carrying: tuple[CarryOver, ...] = (),
) -> AssetRecord:
    """Return the asset of a row, its owned tags, what people decided of it, and what none has looked at."""
    more = _more(row.more) if row.more else {}
    return AssetRecord(
        asset_id=row.asset_id,
        image_id=row.image_id,
        title=row.title,
        applied=Applied(
            block=row.block,
            prose=row.prose,
            coordinates=_coordinates(row.latitude, row.longitude),
            taken_at=_moment(row.taken_at),
            tags=tags,
            albums=more.pop("albums", frozenset()),
        ),
        fingerprint=row.fingerprint,
        status=row.status,
        reasons=_reasons(row.reason) if row.reason else (),
        seen_updated_at=row.seen_updated_at,
        width=row.width,
        height=row.height,
        unsticking=tuple(map(_unsticking, row.unsticking)),
        linked=row.linked,
        checked_at=row.checked_at,
        changed_at=row.changed_at,
        held=row.held,
        taken_back=_taken_back(row.taken_back),
        resolutions=resolutions,
        crossing=crossing,
        left_out=left_out,
        carrying=carrying,
        **more,
    )


def of_resolution(asset_id: str, resolution: Resolution) -> Values:
    """Return the row of a person's decision."""
    return {"asset_id": asset_id, **asdict(resolution)}


def to_resolution(row: Row[Any]) -> Resolution:
    """Return the decision of a row."""
    return Resolution(row.field, row.keep, row.desired, row.live, row.at, row.result)


def of_left_out(asset_id: str, one: LeftOut) -> Values:
    """Return the row of a field that a person left out."""
    return {"asset_id": asset_id, **asdict(one)}


def to_left_out(row: Row[Any]) -> LeftOut:
    """Return what a person left out of a row."""
    return LeftOut(row.field, row.at, row.by)


def of_crossing(asset_id: str, crossing: Crossing) -> Values:
    """Return the row of a crossing."""
    return {"asset_id": asset_id, **asdict(crossing), "fields": sorted(crossing.fields)}


def to_crossing(row: Row[Any]) -> Crossing:
    """Return the crossing of a row."""
    return Crossing(row.at, frozenset(row.fields), row.run_id, row.times, row.since)


def of_pending(write: PendingWrite) -> Values:
    """Return the row of a write on its way."""
    return {
        "asset_id": write.asset_id,
        "image_id": write.image_id,
        "run_id": write.run_id,
        "step": write.step,
        "sent": write.sent,
        "before_updated_at": write.before_updated_at,
        "description": write.description,
        "block": write.block,
        "prose": write.prose,
        **_of_coordinates(write.coordinates),
        "taken_at": _of_moment(write.taken_at),
        "keeps_day": write.keeps_day,
        "tags": sorted(write.tags),
        "attempt": write.attempt,
        "intended_at": write.intended_at,
        "gives_back": write.gives_back,
        "beside": None if write.beside is None else sorted(write.beside),
        "visibility": write.visibility,
        "is_trashed": write.is_trashed,
        "by_hand": write.by_hand,
    }


def to_pending(row: Row[Any]) -> PendingWrite:
    """Return the write of a row."""
    return PendingWrite(
        asset_id=row.asset_id,
        image_id=row.image_id,
        run_id=row.run_id,
        step=row.step,
        sent=row.sent,
        before_updated_at=row.before_updated_at,
        description=row.description,
        block=row.block,
        prose=row.prose,
        coordinates=_coordinates(row.latitude, row.longitude),
        taken_at=_moment(row.taken_at),
        keeps_day=row.keeps_day,
        tags=frozenset(row.tags),
        attempt=row.attempt,
        intended_at=row.intended_at,
        gives_back=row.gives_back,
        beside=None if row.beside is None else frozenset(row.beside),
        visibility=row.visibility,
        is_trashed=row.is_trashed,
        by_hand=row.by_hand,
    )


def of_entry(entry: JournalEntry) -> Values:
    """Return the row of a journal entry; its id is the store's to give."""
    return {
        "run_id": entry.run_id,
        "asset_id": entry.asset_id,
        "image_id": entry.image_id,
        "field": entry.field,
        "before": entry.before,
        "after": entry.after,
        "at": entry.at,
        "ours": list(entry.ours),
    }


def to_entry(row: Row[Any]) -> JournalEntry:
    """Return the journal entry of a row."""
    return JournalEntry(
        run_id=row.run_id,
        asset_id=row.asset_id,
        image_id=row.image_id,
        field=row.field,
        before=row.before,
        after=row.after,
        at=row.at,
        entry_id=row.entry_id,
        ours=tuple(row.ours or ()),
    )


def of_former(value: FormerValue) -> Values:
    """Return the row of a former value."""
    return {"asset_id": value.asset_id, "field": value.field, "value": value.value, "at": value.at}


def to_former(row: Row[Any]) -> FormerValue:
    """Return the former value of a row."""
    return FormerValue(row.asset_id, row.field, row.value, row.at)


def of_run(run: Run) -> Values:
    """Return the row of a run, without its process."""
    return {
        "run_id": run.run_id,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": run.outcome,
        "summary": to_text(run.summary),
        "counts": run.counts.to_json(),
    }


def to_run(row: Row[Any]) -> Run:
    """Return the run of a row."""
    return Run(
        run_id=row.run_id,
        trigger=row.trigger,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=EARLIER_OUTCOMES.get(row.outcome, row.outcome),
        summary=from_text(row.summary),
        counts=RunCounts.from_json(row.counts),
    )


@lru_cache(maxsize=1_000)
def _reasons(text: str) -> tuple[Reason, ...]:
    """Return stored reasons, of which many images share one."""
    return from_text(text)


def _unsticking(stored: dict[str, Any]) -> Unsticking:
    diagnosis = stored["diagnosis"]
    (why,) = from_json([diagnosis]) if isinstance(diagnosis, dict) else (reason("told", text=diagnosis),)
    at = datetime.fromisoformat(stored["at"]) if stored.get("at") else None
    return Unsticking(**{**stored, "diagnosis": why, "at": at})


def _of_taken_back(taken: TakenBack | None) -> Values | None:
    return None if taken is None else {"at": taken.at.isoformat(), "whole": taken.whole}


def _taken_back(stored: Values | None) -> TakenBack | None:
    return None if not stored else TakenBack(datetime.fromisoformat(stored["at"]), stored["whole"])


def _of_more(record: AssetRecord) -> str | None:
    """Return what few assets have as JSON; ``None`` for all others."""
    albums = record.applied.albums
    if not (record.corrections or record.superseded or record.kinds or record.marks or albums):
        return None
    corrections = [
        {
            **asdict(one),
            "at": one.at.isoformat(),
            "until": one.until.isoformat() if one.until else None,
        }
        for one in record.corrections
    ]
    found = {
        "corrections": corrections,
        "superseded": sorted(record.superseded),
        "kinds": [list(pair) for pair in record.kinds],
        **({"marks": to_json(record.marks)} if record.marks else {}),
        **({"albums": sorted(albums)} if albums else {}),
    }
    return json.dumps(found, separators=(",", ":"))


def _more(text: str) -> Values:
    found = json.loads(text)
    return {
        "corrections": tuple(
            Correction(
                **{
                    **one,
                    "at": datetime.fromisoformat(one["at"]),
                    "until": datetime.fromisoformat(one["until"]) if one["until"] else None,
                }
            )
            for one in found["corrections"]
        ),
        "superseded": frozenset(found["superseded"]),
        "kinds": tuple((tag, kind) for tag, kind in found["kinds"]),
        "marks": from_json(found.get("marks", ())),
        "albums": frozenset(found.get("albums", ())),
    }


def _storable(pixels: int | None) -> int | None:
    """Return a size that SQLite can hold; another one, which a server may answer, is none."""
    return pixels if pixels is not None and 0 <= pixels < 2**63 else None


def _of_coordinates(place: Coordinates | None) -> Values:
    if place is None:
        return {"latitude": None, "longitude": None}
    return {"latitude": place.latitude, "longitude": place.longitude}


def _coordinates(latitude: float | None, longitude: float | None) -> Coordinates | None:
    if latitude is None or longitude is None:
        return None
    return Coordinates(latitude, longitude)


def _of_moment(moment: datetime | None) -> str | None:
    """Return a moment with its offset, which a column of dates would lose."""
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
