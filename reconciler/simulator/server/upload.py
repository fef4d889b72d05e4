"""``POST /assets``: a multipart upload, as far as tests need it."""

from __future__ import annotations

import base64
import hashlib
import struct
import uuid
from typing import TYPE_CHECKING

from reconciler.simulator.server import validation
from reconciler.simulator.server.model import Asset
from reconciler.simulator.server.problems import ValidationError
from reconciler.simulator.server.requests import Answer, Request, answer
from reconciler.simulator.server.state import USER_ID

if TYPE_CHECKING:
    from reconciler.simulator.server.state import State


def upload(state: State, request: Request) -> Answer:
    """Take a file in: 201 and its id, or 200 and the id of the asset with the same content."""
    parts = multipart(request.raw, request.headers.get("content-type", ""))
    name, content = parts.get("assetData", ("", b""))
    if not name:
        raise ValidationError([("assetData", "assetData should not be empty")])
    text = parts.get("fileCreatedAt", ("", b""))[1].decode("utf-8", "replace")
    created = validation.parse_date(text)
    if created is None:
        raise ValidationError([("fileCreatedAt", "fileCreatedAt must be a Date instance")])
    changed = parts.get("fileModifiedAt", ("", b""))[1].decode("utf-8", "replace")
    checksum = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
    for known in state.assets.values():
        if known.checksum == checksum and known.owner_id == USER_ID:
            return answer({"id": known.asset_id, "status": "duplicate"})
    # an id of its own for each upload, even of content that was there before
    asset_id = str(uuid.UUID(bytes=hashlib.md5(f"{checksum}{state.now}".encode()).digest(), version=4))  # noqa: S324 - an id, no secret
    width, height = _png_size(content)
    asset = Asset(
        asset_id=asset_id,
        owner_id=USER_ID,
        filename=name,
        created=int(created.timestamp() * 1000),
        modified=int((validation.parse_date(changed) or created).timestamp() * 1000),
        added=state.milliseconds,
        updated=state.milliseconds,
        width=width,
        height=height,
        size=len(content),
        checksum=checksum,
        path=f"/data/upload/{asset_id}/{name}",
        mime="image/png" if content.startswith(b"\x89PNG") else "image/jpeg",
        extracted=False,
    )
    state.add(asset)
    state.extract_new(asset)
    return answer({"id": asset_id, "status": "created"}, 201)


def multipart(raw: bytes, content_type: str) -> dict[str, tuple[str, bytes]]:
    """Read ``multipart/form-data`` (RFC 7578): field name → file name (may be empty) and content."""
    _, _, boundary = content_type.partition("boundary=")
    boundary = boundary.split(";")[0].strip().strip('"')
    if not boundary:
        return {}
    found = {}
    for piece in (b"\r\n" + raw).split(b"\r\n--" + boundary.encode("latin-1"))[1:]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            continue
        names = _disposition(head.decode("utf-8", "replace"))
        if "name" in names:
            found[names["name"]] = (names.get("filename", ""), content)
    return found


def _disposition(head: str) -> dict[str, str]:
    """Read the parameters of ``Content-Disposition``."""
    for line in head.split("\r\n"):
        if line.lower().startswith("content-disposition:"):
            pairs = (part.strip().partition("=") for part in line.split(";")[1:])
            return {key.lower(): value.strip('"') for key, _, value in pairs}
    return {}


def _png_size(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG; of anything else a common sensor's."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    return 6248, 4176
