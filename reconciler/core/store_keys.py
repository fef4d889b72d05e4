"""The small values that the store keeps by name: each name once, with its type and how it is encoded.

A value is plain JSON in the store's table ``meta``. What has another form, of another version or
changed by hand, counts as absent. Records, journal and runs have tables of their own.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, TypedDict, cast

from reconciler.core.catalogue import SWITCHED_PARTS, Switch
from reconciler.core.notices import OCCASIONS, Book, Matter
from reconciler.core.store_values import Key

if TYPE_CHECKING:
    from collections.abc import Mapping


class CanaryState(TypedDict, total=False):
    """How the canary of some rules and some server went: it failed, with this error, or it passed."""

    key: str
    failed: str
    passed: bool


class KnownForm(TypedDict):
    """The Immich that was written to last: see ``engine.identity``."""

    address: str
    user_id: str | None
    without_assets: bool
    others: list[str]


class HintsForm(TypedDict):
    """What a look for hints saw; ``None``: it could not be asked. See ``engine.hints``."""

    tags: dict[str, str] | None
    assets: int | None


class OwnerForm(TypedDict):
    """Who this store is, as its records in Immich tell: see ``core.ownership.Owner``."""

    instance: str
    since: str
    generation: int
    sentinels: list[str]
    floor: int | None
    """The number above which Immich's records are still to be taken up; ``None``: all were."""
    former: tuple[str, int] | None
    """Whose place it took, and that one's last number: in JSON a list."""


class AnotherForm(TypedDict):
    """Another instance that keeps the library: see ``engine.standpoint.Another``."""

    instance: str
    host: str
    since: str
    seen_at: str


class UndoingForm(TypedDict, total=False):
    """What is being undone: see ``engine.undo_wish``."""

    everything: bool
    run_id: str
    asset_id: str
    to: str
    images: list[list[str]]


class StacksForm(TypedDict):
    """What stood beside, or in place of, linked assets: see ``core.stacks.Stacking``."""

    beside: dict[str, str]
    instead: dict[str, str]


class BegunForm(TypedDict):
    """When and by whom writing was begun: see ``core.permission``."""

    at: str
    by: str
    first: list[int] | None
    """The images that may be written, before all others may; ``None``: all may."""


class TemplateVersionForm(TypedDict):
    """A template that was written on the page, and when."""

    at: str
    text: str


class TemplateForm(TypedDict):
    """The page's template (``None``: the configured one holds), and what was written before."""

    text: str | None
    versions: list[TemplateVersionForm]


class SessionsForm(TypedDict):
    """The salt of the cookies' key, and the open sessions: a digest of the name → its end."""

    salt: str
    open: dict[str, float]


def _as_it_is(value: object) -> object:
    return value


def _text(kept: object) -> str | None:
    return kept if isinstance(kept, str) else None


def _number(kept: object) -> int | None:
    return kept if isinstance(kept, int) and not isinstance(kept, bool) else None


def _date(kept: object) -> datetime | None:
    try:
        return datetime.fromisoformat(kept) if isinstance(kept, str) else None
    except ValueError:
        return None


def _texts(kept: object) -> list[str] | None:
    return [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else None


def _canary(kept: object) -> CanaryState | None:
    return cast("CanaryState", kept) if isinstance(kept, dict) else None


def _undoing(kept: object) -> list[UndoingForm] | None:
    if not isinstance(kept, list):
        return None
    return [cast("UndoingForm", one) for one in kept if isinstance(one, dict)]


def _stacks(kept: object) -> StacksForm | None:
    return StacksForm(beside=_pairs(kept, "beside"), instead=_pairs(kept, "instead"))


def _pairs(kept: object, name: str) -> dict[str, str]:
    listed = kept.get(name) if isinstance(kept, dict) else None
    return {one: str(other) for one, other in listed.items()} if isinstance(listed, dict) else {}


def _switches(kept: object) -> dict[Switch, bool] | None:
    if not isinstance(kept, dict):
        return None
    return {part: kept[part] for part in SWITCHED_PARTS if isinstance(kept.get(part), bool)}


def _overrides(kept: object) -> dict[str, bool] | None:
    return {str(key): bool(value) for key, value in kept.items()} if isinstance(kept, dict) else None


def _known(kept: object) -> KnownForm | None:
    if not isinstance(kept, dict) or (address := _text(kept.get("address"))) is None:
        return None
    return KnownForm(
        address=address,
        user_id=_text(kept.get("user_id")),
        without_assets=kept.get("without_assets") is True,
        others=_texts(kept.get("others")) or [],
    )


def _hints(kept: object) -> HintsForm | None:
    if not isinstance(kept, dict):
        return None
    tags = kept.get("tags")
    return HintsForm(tags=tags if isinstance(tags, dict) else None, assets=_number(kept.get("assets")))


def _owner(kept: object) -> OwnerForm | None:
    if not isinstance(kept, dict) or not (instance := _text(kept.get("instance"))):
        return None
    if _date(kept.get("since")) is None or (generation := _number(kept.get("generation"))) is None:
        return None
    return OwnerForm(
        instance=instance,
        since=kept["since"],
        generation=generation,
        sentinels=_texts(kept.get("sentinels")) or [],
        floor=_number(kept.get("floor")),
        former=_former(kept.get("former")),
    )


def _another(kept: object) -> AnotherForm | None:
    if not isinstance(kept, dict) or not (instance := _text(kept.get("instance"))):
        return None
    if _date(kept.get("since")) is None or _date(kept.get("seen_at")) is None:
        return None
    host = _text(kept.get("host")) or ""
    return AnotherForm(instance=instance, host=host, since=kept["since"], seen_at=kept["seen_at"])


def _of_owner(form: OwnerForm) -> object:
    return {**form, "former": list(form["former"]) if form["former"] else None}


def _former(kept: object) -> tuple[str, int] | None:
    if not isinstance(kept, list) or len(kept) != 2:
        return None
    instance, generation = _text(kept[0]), _number(kept[1])
    return (instance, generation) if instance and generation is not None else None


def _begun(kept: object) -> BegunForm | None:
    if not isinstance(kept, dict) or _date(kept.get("at")) is None:
        return None
    first = kept.get("first")
    if not isinstance(first, list | None):
        return None  # to how many it was limited is not known: not to none
    some = None if first is None else [one for one in first if _number(one) is not None]
    return BegunForm(at=kept["at"], by=_text(kept.get("by")) or "", first=some)


def _template(kept: object) -> TemplateForm | None:
    if not isinstance(kept, dict):
        return None
    versions = kept.get("versions")
    return TemplateForm(
        text=_text(kept.get("text")),
        versions=[
            TemplateVersionForm(at=one["at"], text=one["text"])
            for one in (versions if isinstance(versions, list) else ())
            if isinstance(one, dict) and _date(one.get("at")) and isinstance(one.get("text"), str)
        ],
    )


def _sessions(kept: object) -> SessionsForm | None:
    if not isinstance(kept, dict):
        return None
    listed = kept.get("open")
    ends = listed.items() if isinstance(listed, dict) else ()
    return SessionsForm(
        salt=_text(kept.get("salt")) or "",
        open={name: end for name, end in ends if isinstance(end, int | float)},
    )


def _moments(kept: object) -> dict[Matter, datetime]:
    found = _matters(kept)
    return {one: at for one, at in found.items() if at is not None}


def _matters(kept: object) -> dict[Matter, datetime | None]:
    rows = kept if isinstance(kept, list) else []
    known = {name: name for name in OCCASIONS}
    return {
        Matter(known[row[0]], row[1]): _date(row[2])
        for row in rows
        if isinstance(row, list) and len(row) == 3 and row[0] in known and isinstance(row[1], str)
    }


def _book(kept: object) -> Book | None:
    if not isinstance(kept, dict) or not isinstance(kept.get("told"), list):
        return None
    return Book(
        waiting=_moments(kept.get("waiting")),
        due=_moments(kept.get("due")),
        told=_matters(kept["told"]),
        sent_at=_date(kept.get("sent_at")),
        tried_at=_date(kept.get("tried_at")),
        failures=_number(kept.get("failures")) or 0,
        trouble=_text(kept.get("trouble")) or "",
    )


def _of_book(book: Book) -> object:
    def written(at: datetime | None) -> str | None:
        return None if at is None else at.isoformat()

    def rows(matters: Mapping[Matter, datetime] | Mapping[Matter, datetime | None]) -> list[list[str | None]]:
        return [[one.occasion, one.key, written(matters[one])] for one in sorted(matters)]

    return {
        "waiting": rows(book.waiting),
        "due": rows(book.due),
        "told": rows(book.told),
        "sent_at": written(book.sent_at),
        "tried_at": written(book.tried_at),
        "failures": book.failures,
        "trouble": book.trouble,
    }


def _albums(kept: object) -> dict[str, tuple[str, bool, str]]:
    rows = kept.items() if isinstance(kept, dict) else ()
    listed = {name: row for name, row in rows if isinstance(row, list) and len(row) == 3}
    return {name: (str(row[0]), row[1] is True, str(row[2])) for name, row in listed.items()}


def _album_intents(kept: object) -> dict[str, list[str]] | None:
    return {str(name): _texts(ids) or [] for name, ids in kept.items()} if isinstance(kept, dict) else None


def _of_text(name: str) -> Key[str]:
    return Key(name, _text, _as_it_is)


def _of_date(name: str) -> Key[datetime]:
    return Key(name, _date, datetime.isoformat)


WATERMARK: Final = _of_date("watermark")
"""The date from which the next look asks Immich for what changed."""
FULL_LOOK_AT: Final = _of_date("full_look_at")
"""When every asset was last read, whatever its date said."""
CHECKED_AT: Final = _of_date("checked_at")
"""When a pass last went through: for whoever looks into the store."""
ARCHIVED: Final = Key("archived", _texts, _as_it_is)
"""The ids of managed assets that were in the archive when last read; absent: not known."""
RULES: Final = _of_text("rules")
"""The digest of the rules of the last good pass over all images."""
CANARY: Final = Key("canary", _canary, _as_it_is)
"""How the canary of the present rules and server went."""
CATALOGUE_COLUMNS: Final = Key("catalogue_columns", _texts, _as_it_is)
"""The ``table.column``s of all good passes."""
CATALOGUE_SWITCHES: Final = Key("catalogue_switches", _switches, _as_it_is)
"""Skymmich's switches as a good pass last read them."""
HINTS: Final = Key("hints", _hints, _as_it_is)
"""What the last look for hints saw."""
GUARD_APPROVED: Final = _of_text("guard.approved")
"""An approval that waits for a pass, by the hash of the harm."""
GUARD_MOMENT: Final = _of_text("guard.moment")
"""The name of the moment: the names of harm go on from it."""
OWNER: Final = Key("owner", _owner, _of_owner)
"""Who this store is, as its records in Immich tell."""
OWNER_WISHES: Final = Key("owner.wishes", _texts, _as_it_is)
"""What a person wants taken up at the next pass: see ``engine.ownership.Wish``."""
ANOTHER: Final = Key("owner.another", _another, _as_it_is)
"""Another instance that kept this library when it was last looked for."""
CATCHING_UP: Final = _of_date("owner.catching_up")
"""When a backup was put in the place of this store; forgotten once a pass has read the records in Immich."""
IMMICH_KNOWN: Final = Key("immich.known", _known, _as_it_is)
"""Whose Immich this is."""
IMMICH_CONFIRMED: Final = _of_text("immich.confirmed")
"""The address to which a person let the key go."""
SETTINGS_OVERRIDE: Final = Key("settings.override", _overrides, _as_it_is)
"""The switches that were set here and differ from Skymmich's own, by Skymmich's names."""
TEMPLATE_OVERRIDE: Final = Key("template.override", _template, _as_it_is)
"""The template that was written on the page, and earlier ones."""
OWN_SWITCHES_OVERRIDE: Final = Key("switches.own", _overrides, _as_it_is)
"""Our own switches as they were set here, over the configuration."""
PARTS_OVERRIDE: Final = Key("parts.override", _overrides, _as_it_is)
"""The block's parts that were switched on the page and differ from the configuration's."""
WEB_SESSIONS: Final = Key("web.sessions", _sessions, _as_it_is)
"""Who is logged in."""
BEGUN: Final = Key("begun", _begun, _as_it_is)
"""When and by whom writing to Immich was begun; see ``core.permission``."""
PAUSED: Final = _of_date("paused")
"""When a person paused the daemon: a restart does not undo it."""
NOTICES: Final = Key("notices", _book, _of_book)
"""What was told to people, and what is to be: see ``core.notices``."""
RUNNING: Final = _of_date("running")
"""When the daemon that runs began; still there at the next start, its end was not a clean one."""
STOPPED: Final = _of_date("stopped")
"""When the last clean end was: a store's file that was changed since was put there."""
BACKED_UP_AT: Final = _of_date("backed_up_at")
"""In a copy of a store, and in one that was restored from it: when the copy was made."""
RESTORED_AT: Final = _of_date("restored_at")
"""When this store was put back from a copy: what it says of before may be less than is true."""
UNDOING: Final = Key("undoing", _undoing, _as_it_is)
"""What was begun to be undone and has not come to its end: it is gone on with."""
CREATED_TAGS: Final = Key("tags.created", _texts, _as_it_is)
"""Paths of tags that this program made, with those above them: undoing everything deletes them."""
RENAMED_TAGS: Final = Key("tags.renamed", _texts, _as_it_is)
"""Paths of tags that a rename of their branch takes off: those that this program made, it deletes then."""
ALBUMS: Final = Key("albums", _albums, lambda kept: {name: list(row) for name, row in kept.items()})
"""The albums that images are put into, by the names they were made with: see ``core.albums.OwnAlbum``."""
ALBUM_INTENTS: Final = Key("albums.intents", _album_intents, _as_it_is)
"""Whom a run was about to put into which album: by name, asset ids. What it noted of them is gone."""
STACKS: Final = Key("stacks", _stacks, _as_it_is)
"""What stood beside, or in place of, linked assets at the last good pass: see ``engine.stack_watch``."""
LEASE_TERM: Final = Key("lease.term", _number, _as_it_is)
"""How often the lease was taken."""
ASSETS_MARK: Final = _of_text("assets_mark")
"""The mark of the last transaction that wrote to assets' rows."""

KEYS: Final[Mapping[str, Key[object]]] = {
    key.name: cast("Key[object]", key) for key in tuple(globals().values()) if isinstance(key, Key)
}
"""All of them, by name."""
