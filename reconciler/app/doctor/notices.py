"""The doctor's look at notices: whether each address can be used, and how the last message went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.findings import Finding
from reconciler.core.store_keys import NOTICES
from reconciler.errors import StateError
from reconciler.notices.sender import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.config import Config
    from reconciler.messages.translation import Voice
    from state.store import StateStore

_REMEDY: Final[Mapping[Voice, str]] = {
    "command": "To send a test to every address: skymmich-reconciler notices test",
    "daemon": "To send a test to every address: the button on this page.",
}


async def check_notices(config: Config, store: StateStore | None, voice: Voice) -> list[Finding]:
    """Look at the addresses, which sends nothing, and at the last message; nothing where there is none."""
    if not config.notices.addresses:
        return []
    findings = []
    for one in await check(config.notices.addresses):
        if one.error:
            what = f"Address {one.name} cannot be used: {one.error}."
            findings.append(Finding("notices", "problem", what, "Mend it where it is kept."))
        else:
            findings.append(Finding("notices", "ok", f"address {one.name} can be used"))
    try:
        book = NOTICES.read(store) if store is not None else None
    except StateError:
        return findings  # the store's own check says so
    if book is not None and book.trouble:
        when = f" at {book.tried_at.astimezone():%Y-%m-%d %H:%M}" if book.tried_at else ""
        what = f"The last notice was not sent{when}: {book.trouble}. It is tried again by the daemon."
        findings.append(Finding("notices", "warning", what, _REMEDY[voice]))
    return findings
