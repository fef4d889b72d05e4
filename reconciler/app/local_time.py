"""This machine's own time."""

from __future__ import annotations

import logging
from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

from tzlocal import get_localzone

if TYPE_CHECKING:
    from datetime import tzinfo


def local_zone() -> tzinfo:
    """Return this machine's time zone; UTC where it is set up in a way that cannot be understood."""
    try:
        return get_localzone()
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        logging.getLogger("reconciler.app").warning("no local time zone, UTC is used: %s", error)
        return UTC
