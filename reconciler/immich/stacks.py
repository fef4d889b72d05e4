"""Immich's stacks: all in one listing, of which little is kept as it is read.

A row tells every member with all that Immich knows of it, 1.4 kB an asset (measured). Members in the trash
are left out, the primary one too; those in the archive are not. Only own stacks are listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.stacks import SeenStack
from reconciler.errors import ImmichAnswerError
from reconciler.immich.call import Call
from reconciler.immich.wire import is_uuid, member, text

if TYPE_CHECKING:
    from reconciler.immich.client import Client

LISTING: Final = "/stacks"
STACK_READ: Final = "stack.read"


async def listing(client: Client) -> list[SeenStack]:
    """List all stacks, in one request.

    Raises:
        ImmichAnswerError: a stack cannot be read: it must not be taken for gone.
        MissingPermissionError: the key lacks ``stack.read``.
    """
    call = Call("GET", LISTING, permission=STACK_READ, bulk=True, each=_read)
    found = await client.send(call)
    if not isinstance(found, list) or not all(isinstance(one, SeenStack) for one in found):
        raise ImmichAnswerError(
            f"Immich's answer to {call.name} is no list of stacks with their assets; "
            "nothing was done with it.",
            status=200,
            remedy="Nothing is lost. Look for a proxy in front of Immich, or update this program.",
        )
    return found


def _read(row: object) -> SeenStack | None:
    primary, assets = text(member(row, "primaryAssetId")).lower(), member(row, "assets")
    if not isinstance(assets, list):
        return None
    ids = tuple(text(member(one, "id")).lower() for one in assets)
    return SeenStack(primary, ids) if all(map(is_uuid, (primary, *ids))) else None
