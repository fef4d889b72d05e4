"""Notes that this program keeps on assets: one key of Immich's custom metadata, from 2.5 on.

They cost the server no job, move no date, and nobody sees them; they go with their asset. There is no reading
of many at once. Not for what a person sees: see ``writer``.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import TYPE_CHECKING

from reconciler.core.ownership import KEY
from reconciler.core.ports import Note
from reconciler.errors import AssetUnknownError, ImmichAnswerError, ImmichRejectedError
from reconciler.immich.call import Call
from reconciler.immich.wire import is_uuid, member, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.immich.client import Client

_PER_CALL = 500
_AT_ONCE = 50
"""Notes that are written between two turns of the event loop."""
_HOPELESS = 8
"""So many refused one by one, and none taken: no asset is at fault."""


async def read(client: Client, asset_id: str, *, is_id: Callable[[str], bool] = is_uuid) -> Note | None:
    """Read an asset's note; ``None`` if it has none. What is no ``is_id`` is not asked for.

    Raises:
        AssetUnknownError: the asset is gone, locked, or not ours.
        ImmichAnswerError: the answer is no list of notes.
    """
    if not is_id(asset_id):
        raise AssetUnknownError(asset_id)
    ids = {"id": asset_id.lower()}
    call = Call("GET", "/assets/{id}/metadata", ids=ids, permission="asset.read")
    try:
        answer = await client.send(call)
    except ImmichRejectedError as error:
        if error.status != 400:
            raise
        raise AssetUnknownError(asset_id) from error
    if not isinstance(answer, list):
        raise ImmichAnswerError(
            f"Immich's answer to {call.name} is not a list. It is not used.",
            status=200,
            remedy="Nothing is lost. Look for a proxy in front of Immich, or update this program.",
        )
    for item in answer:
        if member(item, "key") == KEY:
            return Note(member(item, "value"), moment(member(item, "updatedAt")))
    return None


async def write(
    client: Client,
    notes: Mapping[str, Mapping[str, object]],
    *,
    is_id: Callable[[str], bool] = is_uuid,
) -> frozenset[str]:
    """Write notes by asset id, many a call; gives the assets that were refused, which are gone or not ours.

    They are repeated without harm, so a lost answer is no doubt.

    Raises:
        MissingPermissionError: the key may not.
        ImmichRejectedError: it takes none of them: the call itself is at fault.
        ImmichError: not all were written.
    """
    refused = {asset_id for asset_id in notes if not is_id(asset_id)}
    waiting = deque(_cut(sorted(notes.keys() - refused), _PER_CALL))
    taken = False
    while waiting:
        ids = waiting.popleft()
        body = await _body(ids, notes)
        call = Call("PUT", "/assets/metadata", body=body, permission="asset.update", bulk=True)
        try:
            await client.send(call)
        except ImmichRejectedError as error:
            if error.status != 400:
                raise
            if len(ids) > 1:  # one asset that is gone refuses the whole call
                waiting.extendleft(reversed(_cut(ids, (len(ids) + 1) // 2)))
                continue
            refused.update(ids)
            if not taken and len(refused) >= _HOPELESS:
                raise
        else:
            taken = True
    return frozenset(refused)


async def _body(ids: Sequence[str], notes: Mapping[str, Mapping[str, object]]) -> bytes:
    """Return the call's body; hundreds of notes in one go would hold the event loop for long."""
    items = []
    for number, asset_id in enumerate(ids):
        items.append(json.dumps({"assetId": asset_id.lower(), "key": KEY, "value": notes[asset_id]}))
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
    return f'{{"items": [{", ".join(items)}]}}'.encode()


def _cut(ids: list[str], size: int) -> list[list[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
