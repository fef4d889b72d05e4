"""Writes fields and tags, exact in what it sends.

One bad id makes Immich refuse a whole bulk call without naming it, so a refused call is halved until only
the bad ones are left; nothing that was accepted is sent again. Waves, settling and verification are the
engine's: here a call is one call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.fields import values_of
from reconciler.core.ports import WriteOutcome
from reconciler.errors import (
    AssetUnknownError,
    ImmichAnswerError,
    ImmichError,
    ImmichRejectedError,
    MissingPermissionError,
    ReconcilerError,
    WriteInDoubtError,
)
from reconciler.immich.call import Call
from reconciler.immich.roundtrip import (
    MAX_BYTES,
    field_body,
    fits,
    settled_description,
    settled_tag,
    writable,
)
from reconciler.immich.wire import is_uuid, items, member, moment, tag_values, text, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.ports import FieldWrite
    from reconciler.immich.capabilities import Capabilities
    from reconciler.immich.client import Client
    from reconciler.immich.observer import Observer

    Send = Callable[[Sequence[str]], Awaitable[None]]

ASSETS_PER_CALL = 500
PATHS_PER_CALL = 200
_UPDATE = "asset.update"
"""The right to write an asset, as Immich names it where it refuses one."""
FRESH = 1.5
"""Seconds after which a text is not sent any more: see ``client.Call.fresh``."""


@dataclass(slots=True)
class _Ledger:
    """What has become of the ids of one write so far."""

    sent: set[str] = field(default_factory=set)
    rejected: dict[str, ReconcilerError] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)
    dates: dict[str, datetime] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    hopeless: ReconcilerError | None = None
    """Set once the request itself, not an id, is found to be at fault."""

    def outcome(self) -> WriteOutcome:
        sent, unchanged = frozenset(self.sent), frozenset(self.unchanged)
        return WriteOutcome(sent, dict(self.rejected), unchanged, dict(self.dates), frozenset(self.foreign))


class Writer:
    """The writing half of the target.

    Args:
        client: sends.
        capabilities: of this server.
        observer: to learn why an asset was refused.
    """

    def __init__(self, client: Client, capabilities: Capabilities, observer: Observer) -> None:
        self._client = client
        self._observer = observer
        self._is_id = capabilities.is_id
        self._bulk_description = capabilities.bulk_description
        self._method = "PATCH" if capabilities.patch else "PUT"

    async def write_fields(self, asset_ids: Sequence[str], write: FieldWrite) -> WriteOutcome:
        """Write description and values; the same to all these assets."""
        ids, ledger = _usable(asset_ids, self._is_id)
        if error := _never_sent(write):
            ledger.rejected.update(dict.fromkeys(ids, error))
            return ledger.outcome()
        if not any(value is not None for value in (write.description, *values_of(write))):
            ledger.sent.update(ids)
            ledger.unchanged.update(ids)
            return ledger.outcome()

        async def send(part: Sequence[str]) -> None:
            date = await self._send_fields(part, write)
            ledger.sent.update(part)
            if date is not None:
                ledger.dates[part[0]] = date

        size = 1 if write.description is not None and not self._bulk_description else ASSETS_PER_CALL
        return await self._run(ids, size, send, ledger)

    async def ensure_tags(self, paths: Iterable[str]) -> Mapping[str, str]:
        """Return the id of each tag path, creating what is missing; what cannot be made is left out."""
        wanted = {path: tag for path in paths if (tag := settled_tag(path)) is not None}
        made: dict[str, str] = {}
        for part in _chunks(list(dict.fromkeys(wanted.values())), PATHS_PER_CALL):
            made.update(await self._upsert(part))
        if made:
            # Tags are given by id: an answer that is another request's would give an asset the wrong ones.
            try:
                listed = await self.tag_ids()
            except MissingPermissionError:  # what the key may not list cannot be compared
                listed = {}
            wrong = [path for path, tag_id in made.items() if listed.get(path, tag_id) != tag_id]
            if wrong:
                raise ImmichAnswerError(
                    f"Immich's answers to PUT /api/tags and GET /api/tags differ in the id of {wrong[0]!r}; "
                    "no tag was written.",
                    status=200,
                    remedy="Nothing is lost. Look for a cache or a proxy in front of Immich.",
                )
        return {path: made[tag] for path, tag in wanted.items() if tag in made}

    async def tag_ids(self) -> Mapping[str, str]:
        """List own tags: full path → id.

        Raises:
            ImmichAnswerError: the list is none, or has a tag without path or id.
        """
        call = Call("GET", "/tags", permission="tag.read")
        return _tag_list(await self._client.send(call), call)

    async def add_tags(self, asset_ids: Sequence[str], tag_ids: Sequence[str]) -> WriteOutcome:
        """Add all these tags to all these assets. Tag ids that no longer exist are skipped by Immich."""
        ids, ledger = _usable(asset_ids, self._is_id)
        tags = list(dict.fromkeys(tag.lower() for tag in tag_ids if is_uuid(tag)))

        async def send(part: Sequence[str]) -> None:
            body = json.dumps({"assetIds": list(part), "tagIds": tags}).encode()
            answer = await self._client.send(
                Call("PUT", "/tags/assets", body=body, write=True, permission="tag.asset", bulk=True)
            )
            ledger.sent.update(part)
            if whole(member(answer, "count")) == 0:
                ledger.unchanged.update(part)

        if not tags:
            ledger.sent.update(ids)
            ledger.unchanged.update(ids)
            return ledger.outcome()
        return await self._run(ids, ASSETS_PER_CALL, send, ledger)

    async def remove_tag(self, asset_ids: Sequence[str], tag_id: str) -> WriteOutcome:
        """Take one tag from these assets. An asset without it, or a tag that is gone, is ``unchanged``."""
        ids, ledger = _usable(asset_ids, self._is_id)

        async def send(part: Sequence[str]) -> None:
            call = Call(
                "DELETE",
                "/tags/{id}/assets",
                body=json.dumps({"ids": list(part)}).encode(),
                ids={"id": tag_id.lower()},
                write=True,
                permission="tag.asset",
                bulk=True,
            )
            try:
                answer = await self._client.send(call)
            except ImmichRejectedError as error:
                if error.status != 400:
                    raise
                # Assets never make this call fail as a whole; a 400 is about the tag, so nobody has it.
                ledger.sent.update(part)
                ledger.unchanged.update(part)
                return
            _note_removals(part, answer, ledger)

        if not is_uuid(tag_id):
            ledger.sent.update(ids)
            ledger.unchanged.update(ids)
            return ledger.outcome()
        return await self._run(ids, ASSETS_PER_CALL, send, ledger)

    async def delete_tag(self, tag_id: str) -> None:
        """Delete a tag, with those below it. A 400 is about the tag: it is gone already."""
        call = Call("DELETE", "/tags/{id}", ids={"id": tag_id.lower()}, write=True, permission="tag.delete")
        try:
            await self._client.send(call)
        except ImmichRejectedError as error:
            if error.status != 400:
                raise

    async def _send_fields(self, ids: Sequence[str], write: FieldWrite) -> datetime | None:
        """Send, and give the date that a single asset had before; a bulk call's answer is empty."""
        description = None if write.description is None else settled_description(write.description)
        one = len(ids) == 1
        method = self._method
        call = Call(
            method,
            "/assets/{id}" if one else "/assets",
            body=field_body(
                description=description,
                coordinates=write.coordinates,
                taken_at=write.taken_at,
                ids=None if one else ids,
            ),
            ids={"id": ids[0]} if one else {},
            write=True,
            permission="asset.update",
            bulk=not one,
            fresh=FRESH,
        )
        try:
            answer = await self._client.send(call)
        except ImmichRejectedError as error:
            if method == "PUT" or error.status not in {404, 405}:
                raise
            # An early build of 3.0 lacks PATCH, and no document names it; PUT stays until 4.0. Several calls
            # may find out at the same time.
            self._method = "PUT"
            return await self._send_fields(ids, write)
        if not one or answer is None:
            return None
        if text(member(answer, "id")).lower() != ids[0]:
            raise WriteInDoubtError(
                f"Immich's answer to {call.name} is not about asset {ids[0]}: perhaps it was not written.",
                status=200,
                remedy="Nothing to do: it is looked up in Immich. Look for a cache in front of it.",
            )
        if self._observer.user_id is None:
            # The key may not ask whose it is, but only the owner's assets can be written.
            self._observer.user_id = text(member(answer, "ownerId")) or None
        return moment(member(answer, "updatedAt"))

    async def _upsert(self, paths: Sequence[str]) -> dict[str, str]:
        """Create what is missing. It touches no asset, so it may be repeated."""
        body = json.dumps({"tags": list(paths)}).encode()
        call = Call("PUT", "/tags", body=body, permission="tag.create")
        try:
            answer = await self._client.send(call)
        except ImmichRejectedError as error:
            if error.status != 400:
                raise
            if len(paths) == 1:
                return {}
            middle = len(paths) // 2
            return {**await self._upsert(paths[:middle]), **await self._upsert(paths[middle:])}
        # By value, not by position: the answer can be shorter than the question.
        return dict(_tag_list(answer, call))

    async def _run(self, ids: Sequence[str], size: int, send: Send, ledger: _Ledger) -> WriteOutcome:
        try:
            for part in _chunks(ids, size):
                await self._divide(part, send, ledger)
        except ImmichError as error:
            if not ledger.sent and not isinstance(error, WriteInDoubtError):
                raise
            doubt = WriteInDoubtError(
                error.message,
                status=error.status,
                retry_after=getattr(error, "retry_after", None),
                remedy=error.remedy,
                again=error.again,
            )
            doubt.accepted, doubt.rejected = frozenset(ledger.sent), dict(ledger.rejected)
            raise doubt from error
        return ledger.outcome()

    async def _divide(
        self, ids: Sequence[str], send: Send, ledger: _Ledger, *, surely_bad: bool = False
    ) -> None:
        """Send; after a 400 send the halves, and so on. ``surely_bad``: the whole is known to be refused."""
        if ledger.hopeless:
            ledger.rejected.update(dict.fromkeys(ids, ledger.hopeless))
            return
        if not surely_bad or len(ids) == 1:
            try:
                await send(ids)
            except ImmichRejectedError as error:
                if error.status != 400:
                    raise
                if len(ids) == 1:
                    await self._explain(ids[0], error, ledger)
                    return
            else:
                return
        middle = len(ids) // 2
        await self._divide(ids[:middle], send, ledger)
        first_half_is_good = ledger.sent.issuperset(ids[:middle])
        await self._divide(ids[middle:], send, ledger, surely_bad=first_half_is_good)

    async def _explain(self, asset_id: str, refusal: ImmichRejectedError, ledger: _Ledger) -> None:
        """Find out whether the asset or the request is at fault; a 400 alone does not tell."""
        try:
            seen = await self._observer.asset(asset_id)
        except AssetUnknownError as error:
            ledger.rejected[asset_id] = error
            return
        except ImmichAnswerError:  # what is known is that it was refused
            ledger.rejected[asset_id] = refusal
            return
        own = self._observer.user_id
        if own is None or seen.owner_id != own:
            ledger.rejected[asset_id] = ImmichRejectedError(
                f"Immich refuses to write to asset {asset_id}; it is probably another user's."
            )
            # A refusal of the value itself does not name the right that is missing.
            if own is not None or _UPDATE in refusal.message:
                ledger.foreign.add(asset_id)
            return
        # The asset is there and ours, so any other one would be refused as well: no further halving.
        ledger.hopeless = ledger.rejected[asset_id] = refusal


def _tag_list(answer: object, call: Call) -> Mapping[str, str]:
    """Read a list of tags as full path → id; what cannot be read is not taken for a shorter list."""
    tags = tag_values(answer)
    if tags is None:
        raise ImmichAnswerError(
            f"Immich's answer to {call.name} is no list of tags with paths and ids; no tag was written.",
            status=200,
            remedy="Nothing is lost. Look for a proxy in front of Immich, or update this program.",
        )
    return tags


def _usable(asset_ids: Sequence[str], is_id: Callable[[str], bool]) -> tuple[list[str], _Ledger]:
    """Return ids in lower case, for Immich compares strings, and each once, for it would write as often.

    What the server cannot have (``is_id``) is rejected here: it would refuse the whole call for it.
    """
    ledger = _Ledger()
    ids = list(dict.fromkeys(asset_id.lower() for asset_id in asset_ids))
    for asset_id in ids:
        if not is_id(asset_id):
            ledger.rejected[asset_id] = AssetUnknownError(asset_id)
    return [asset_id for asset_id in ids if asset_id not in ledger.rejected], ledger


def _never_sent(write: FieldWrite) -> ImmichRejectedError | None:
    """Return why a write cannot survive, as the last barrier; ``None`` if it can."""
    if write.description is not None and not fits(write.description):
        size = len(write.description.encode("utf-8", "surrogatepass"))
        return ImmichRejectedError(
            f"The description has {size} bytes; from {MAX_BYTES} on Immich may corrupt it."
        )
    if write.coordinates is not None and not writable(write.coordinates):
        place = f"{write.coordinates.latitude}, {write.coordinates.longitude}"
        return ImmichRejectedError(
            f"The place {place} is out of range, or 0/0, which Immich reads as no place."
        )
    return None


def _note_removals(ids: Sequence[str], answer: object, ledger: _Ledger) -> None:
    said = {text(member(row, "id")).lower(): row for row in items(answer)}
    for asset_id in ids:
        row = said.get(asset_id)
        error = text(member(row, "error"))
        if member(row, "success") is False and error != "not_found":
            ledger.rejected[asset_id] = ImmichRejectedError(
                f"Immich did not take the tag from asset {asset_id}: {error or '?'}."
            )
            continue
        ledger.sent.add(asset_id)
        if error == "not_found":
            ledger.unchanged.add(asset_id)


def _chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
