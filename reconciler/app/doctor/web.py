"""The doctor's look at a catalogue that is read over Skymmich's web address: how old what is known is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.app.doctor.findings import Finding
from reconciler.app.source import close_source, source_of
from reconciler.messages.formats import lasting
from reconciler.skymmich.rest.source import RestCatalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue


def check_web(config: Config, catalogue: Catalogue) -> Iterator[Finding]:
    """Say how a catalogue is read over the web, and how old what is known is; nothing of any other source.

    Args:
        config: names it.
        catalogue: as read.
    """
    source = source_of(config, leave_no_trace=True)
    if not isinstance(source, RestCatalogue):
        return
    try:
        known = source.freshness()
    finally:
        close_source(source)
    section = config.skymmich
    if known.lists_at:
        oldest = known.details_at if known.details_at is not None else known.lists_at
        yield Finding(
            "catalogue", "ok",
            f"read over the web: its lists {_ago(known.lists_at)}, all links of equipment "
            f"{_ago(known.links_at)}, and the sub-exposures of each image since {_ago(oldest)}",
        )  # fmt: skip
    if catalogue.images and not known.stamp_tells and known.lists_at:
        yield Finding(
            "catalogue", "warning",
            "Skymmich does not say when something was saved. So equipment that is linked or taken off is "
            f"seen within {lasting(section.links_seconds)}, and that an image lost its last sub-exposure "
            f"within {lasting(section.details_hours * 3600)}; all else within "
            f"{lasting(section.list_seconds)}.",
            "Read its database itself where it can be reached, or lower [skymmich] links_seconds and "
            "details_hours.",
        )  # fmt: skip
    if catalogue.settings.masked and config.immich.url is None:
        yield Finding(
            "catalogue", "warning",
            "Immich's address is taken from Skymmich, which anyone can change who reaches it.",
            "Set [immich] url beside the key.",
        )  # fmt: skip


def _ago(moment: float) -> str:
    return f"{lasting(max(0.0, time.time() - moment))} ago"
