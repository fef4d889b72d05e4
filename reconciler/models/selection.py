"""What is done with some images at once, as JSON: what is asked for, and what it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from reconciler.core.records import AssetStatus
from reconciler.models.base import Count, Model, Text
from reconciler.models.requests import MAX_ID, MAX_IMAGES, MAX_NAME, Approval
from reconciler.models.undo import Taken

if TYPE_CHECKING:
    from collections.abc import Mapping

Name = Annotated[str, Field(max_length=MAX_NAME)]


class ImageFilter(Model):
    """Which images: as the list of images is searched; what is empty lets all through."""

    q: Name = ""
    status: AssetStatus | Literal["", "crossed"] = ""
    target: Name = ""
    equipment: Name = ""

    def fields(self) -> Mapping[str, str]:
        """Return it as an address has it."""
        return {name: value for name, value in self.model_dump().items() if value}


class Selection(Model):
    """What is to be done with which images: named by ``image_ids``, or by a ``filter``."""

    action: Literal["sync", "undo", "redo", "approve", "immich", "skymmich", "both"]
    image_ids: (
        Annotated[list[Annotated[int, Field(ge=0, lt=MAX_ID)]], Field(min_length=1, max_length=MAX_IMAGES)]
        | None
    ) = None
    filter: ImageFilter | None = None
    confirm: Annotated[
        bool, Field(description="What it does was seen; without, that is told, and nothing is done")
    ] = False
    hash: Annotated[Approval, Field(description="To approve: as it was told")] = ""
    shown: Annotated[
        str, Field(max_length=64, description="To decide conflicts: what was seen of them, as it was told")
    ] = ""


class LeftAlone(Model):
    """An image that is left as it is, and why."""

    image_id: int
    title: Text
    reason: Text
    url: Text


class Proposed(Model):
    """What would be done; ``image_ids``, ``hash`` and ``shown`` are what to confirm it with."""

    action: Text
    title: Text
    possible: bool
    lines: list[Text]
    note: Text
    image_ids: list[int]
    hash: Text
    shown: Text
    items: list[Taken]
    more: Count
    """Images that would be changed and are not listed."""
    left: list[LeftAlone]
