"""Telling systemd how the service stands: datagrams to ``$NOTIFY_SOCKET``, as sd_notify(3) describes.

Nothing depends on it: without the variable, or when nobody listens, it does nothing.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_STATUS = 512
"""Characters of a status line: it is shown in one."""


class Notifier:
    """Speaks to the service manager.

    Args:
        environ: ``NOTIFY_SOCKET`` (a path, or ``@name`` in the abstract namespace), ``WATCHDOG_USEC`` and
            ``WATCHDOG_PID`` are looked at.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._status = ""
        self.watchdog_seconds = _watchdog(environ)
        """How often a sign of life is awaited; ``None``: not at all."""

    def ready(self) -> None:
        """The service has started, or has taken a new configuration."""
        self._send("READY=1", patience=1.0)

    def status(self, text: str) -> None:
        """Show one line in ``systemctl status``; the same again is not sent."""
        line = " ".join(text.split())[:_MOST_STATUS]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def reloading(self) -> None:
        """A new configuration is being read; ``ready`` ends it. Type=notify-reload asks for the moment."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}", patience=1.0)

    def stopping(self, text: str) -> None:
        """The service ends."""
        self._send(f"STOPPING=1\nSTATUS={text}", patience=1.0)

    def watchdog(self) -> None:
        """Send a sign of life."""
        self._send("WATCHDOG=1")

    def _send(self, message: str, patience: float = 0.0) -> None:
        """Send; ``patience``: seconds to wait for a manager that does not read at once."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(patience)
                channel.connect(self._address)
                channel.send(message.encode())
        except OSError:
            return  # the manager is busy or gone; the next message may get through


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Read how often a sign of life is awaited, if it is awaited of this process."""
    microseconds, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if pid.isdecimal() and int(pid) != os.getpid():
        return None
    return int(microseconds) / 1e6
