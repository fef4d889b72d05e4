"""What happens in Skymmich: edits of all kinds, deletions, imports, and its own buttons. ``False``: not possible."""

from __future__ import annotations

import json

IMAGES = "astrophotography_images"


def _row(play, which):
    asset_id = play.assets[which % len(play.assets)]
    found = play.here.sql(f"SELECT id FROM {IMAGES} WHERE immich_id = ?", asset_id)
    return found[0][0] if found else None


def _sets(column, value):
    def deed(play, which, spot):
        row = _row(play, which)
        if row is None:
            return False
        given = value(play, spot) if callable(value) else value
        play.here.sql(f"UPDATE {IMAGES} SET {column} = ? WHERE id = ?", given, row)
        return True

    return deed


def _tags(play, spot):
    names = ("astrophotography", "winter", "Wide", "M 31", "dust", f"s{spot % 5}")
    return json.dumps([name for number, name in enumerate(names) if spot >> number & 1])


def _place(play, which, spot):
    row = _row(play, which)
    if row is None:
        return False
    latitude, longitude = (None, None) if spot % 4 == 0 else (41.5 + spot / 1000, 12.25 + spot / 500)
    play.here.sql(f"UPDATE {IMAGES} SET latitude = ?, longitude = ? WHERE id = ?", latitude, longitude, row)
    return True


def _gear(play, which, spot):
    """Rename a piece of equipment: every image that has it changes."""
    rows = play.here.sql("SELECT id, name FROM equipment ORDER BY id")
    if not rows:
        return False
    row, name = rows[spot % len(rows)]
    play.here.sql(
        "UPDATE equipment SET name = ? WHERE id = ?", f"{name.split(' v')[0]} v{play.number()}", row
    )
    return True


def _delete(play, which, spot):
    row = _row(play, which)
    if row is None:
        return False
    asset_id = play.assets[which % len(play.assets)]
    play.rows[asset_id] = play.here.sql(f"SELECT * FROM {IMAGES} WHERE id = ?", row)[0]
    play.here.sql(f"DELETE FROM {IMAGES} WHERE id = ?", row)
    return True


def _import_anew(play, which, spot):
    """Import an image that was deleted: it gets another id, and Immich's description."""
    asset = play.asset(which)
    row = play.rows.pop(asset.asset_id, None) if asset else None
    if row is None or _row(play, which) is not None:
        return False
    marks = ",".join("?" * len(row))
    play.here.sql(f"INSERT INTO {IMAGES} VALUES ({marks})", 1000 + play.number(), *row[1:])
    if spot % 2:
        _sets("description", asset.exif.description)(play, which, spot)
    return True


def _new_ids(play, which, spot):
    """Delete and import all at once: the very same images under other ids."""
    first = 2000 + 10 * play.number()
    for new, (old,) in enumerate(play.here.sql(f"SELECT id FROM {IMAGES} ORDER BY id"), first):
        for table, column in ((IMAGES, "id"), ("image_acquisition", "image_id"),
                              ("image_equipment", "image_id"), ("plate_solving_jobs", "image_id")):  # fmt: skip
            play.here.sql(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", new, old)
    return True


def _import_text(play, which, spot):
    asset = play.asset(which)
    if asset is None or asset.jobs:
        return False
    return _sets("description", asset.exif.description)(play, which, spot)


def _empty(play, which, spot):
    """Lose the whole catalogue, as Skymmich does when Immich answers an error."""
    done = [_delete(play, number, spot) for number in range(len(play.assets))]
    return any(done)


def _all_back(play, which, spot):
    done = [_import_anew(play, number, 0) for number in range(len(play.assets))]
    return any(done)


def _raw_sync(play, which, spot):
    """Press Skymmich's own button: it writes what it has, and takes no care of what is there."""
    row, asset = _row(play, which), play.asset(which)
    if row is None or asset is None or asset.deleted or asset.jobs:
        return False
    if asset.visibility == "locked" or asset.read_only:
        return False
    if play.here.settings.paused or play.here.state.queues.waiting:
        return False
    ((text, latitude, longitude, tags),) = play.here.sql(
        f"SELECT description, latitude, longitude, tags FROM {IMAGES} WHERE id = ?", row
    )
    play.oracle.check(asset.asset_id)
    if isinstance(text, str) and text.strip():
        before = asset.exif.description or ""
        play.here.person(asset.asset_id, "set_description", text)
        play.oracle.wrote(asset.asset_id, before, text, by_person=False)
        play.here.settle()
    still_there = asset.asset_id in play.here.state.assets
    if still_there and isinstance(latitude, float) and isinstance(longitude, float):
        play.here.person(asset.asset_id, "set_coordinates", [latitude, longitude])
        play.oracle.of(asset.asset_id).pin = None
        play.here.settle()
    try:
        names = json.loads(tags or "[]")
    except ValueError:
        names = []
    for name in names if isinstance(names, list) else ():
        if asset.asset_id not in play.here.state.assets:
            return True  # it was being deleted
        if str(name) in play.here.state.tags.values(asset):
            continue  # nothing changes: whosever it is, it stays theirs
        play.here.person(asset.asset_id, "add_tag", str(name))
        play.oracle.ours.discard((asset.asset_id, str(name)))
        play.here.settle()
    return True


SKYMMICH = {
    "title": _sets("title", lambda play, _: f"Title {play.number()}"),
    "description": _sets("description", lambda _, spot: f"Words of the catalogue {spot}.\nTwo lines."),
    "no description": _sets("description", None),
    "tags": _sets("tags", _tags),
    "place": _place,
    "target": _sets("target_name", lambda _, spot: ("NGC 224", "IC 434", "Mel022", None)[spot % 4]),
    "constellation": _sets("constellation", lambda _, spot: ("Orion", "Andromeda", None)[spot % 3]),
    "a lens": _sets("focal_length", lambda _, spot: 100.0 + spot),
    "gear renamed": _gear,
    "unlinked": _delete,
    "imported anew": _import_anew,
    "new ids": _new_ids,
    "text imported": _import_text,
    "emptied": _empty,
    "all back": _all_back,
    "unreadable tags": _sets("tags", "{oops"),
    "unreadable place": _sets("latitude", "north"),
    "raw sync": _raw_sync,
}
