"""A plan on disk: what was shown, so that just that is applied later, and only where it is still the same."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler import __version__
from reconciler.errors import ReconcilerError
from reconciler.models.base import json_form
from reconciler.models.plans import Plan
from reconciler.redaction import redact_registered

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.core.catalogue import Catalogue
    from reconciler.engine.passes import Prepared

KIND: Final = "skymmich-reconciler plan"
VERSION: Final = 2
_MOST_BYTES: Final = 1 << 28


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What of a saved plan is needed to apply it; all else in the file is for people."""

    created: str
    expected: dict[str, str]
    """Asset id → digest of the change and of what it replaces."""
    titles: dict[str, str]
    images: dict[str, int]
    """Asset id → the image for which it stood."""

    def image_ids(self, catalogue: Catalogue) -> frozenset[int]:
        """Return the images that the plan is about, as the catalogue links them now."""
        linked = {image.image_id for image in catalogue.linked()}
        found = {image.image_id for image in catalogue.linked() if image.asset_id in self.expected}
        # Another member of a stack is in the catalogue by its image alone.
        return frozenset(found | (linked & set(self.images.values())))

    def gone(self, catalogue: Catalogue) -> tuple[str, ...]:
        """Return the titles of those that the catalogue no longer links."""
        linked = {image.asset_id for image in catalogue.linked()}
        return tuple(self.titles[asset_id] for asset_id in self.expected if asset_id not in linked)


def is_plan_file(text: str) -> bool:
    """Return whether an argument of ``apply`` names a file rather than an image."""
    return text.endswith(".json") or os.path.isfile(text)  # noqa: PTH113  Path.is_file raises where it may not look


def save_plan(path: Path, prepared: Prepared, created: datetime) -> None:
    """Write a plan; the file is the owner's only, for it holds descriptions and places.

    Raises:
        ReconcilerError: it cannot be written.
    """
    content = {
        "kind": KIND,
        "version": VERSION,
        "program": __version__,
        "created": created.isoformat(),
    } | dict(Plan.of(prepared, created))
    text = redact_registered(json.dumps(content, ensure_ascii=False, indent=2, default=json_form)) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ReconcilerError(f"The plan cannot be written to {path}: {error.strerror}.") from error


def read_plan(path: Path) -> SavedPlan:
    """Read a saved plan.

    Raises:
        ReconcilerError: there is none, or it is not one that this version understands.
    """
    remedy = "Make a new one: skymmich-reconciler plan --out FILE"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ReconcilerError(f"{path} is too large for a plan.", remedy=remedy)
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReconcilerError(f"The plan {path} cannot be read: {error.strerror}.", remedy=remedy) from error
    except (ValueError, RecursionError) as error:
        raise ReconcilerError(f"{path} is not a saved plan: it is not JSON.", remedy=remedy) from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise ReconcilerError(f"{path} is not a saved plan.", remedy=remedy)
    if content.get("version") != VERSION:
        raise ReconcilerError(
            f"The plan {path} has version {content.get('version')}; this program knows {VERSION}.",
            remedy=remedy,
        )
    items = content.get("items")
    entries = [entry for entry in items if isinstance(entry, dict)] if isinstance(items, list) else []
    plans = [(entry, entry["plan"]) for entry in entries if isinstance(entry.get("plan"), dict)]
    changing = [(entry, plan) for entry, plan in plans if plan.get("changes") is True]
    if not all(
        isinstance(text, str)
        for entry, plan in changing
        for text in (entry.get("asset_id"), plan.get("digest"))
    ):
        raise ReconcilerError(f"The plan {path} is damaged.", remedy=remedy)
    return SavedPlan(
        created=str(content.get("created", "")),
        expected={entry["asset_id"]: plan["digest"] for entry, plan in changing},
        images={
            entry["asset_id"]: entry["image_id"]
            for entry, _ in changing
            if isinstance(entry.get("image_id"), int)
        },
        titles={entry["asset_id"]: str(entry.get("title", "")) for entry, _ in changing},
    )
