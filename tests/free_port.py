"""A port for a server that is started in a moment."""

from __future__ import annotations

import socket
from random import SystemRandom


def free_port() -> int:
    """Find a port that nobody has, and that the system gives to nobody who connects to another one meanwhile."""
    while True:
        port = SystemRandom().randrange(10_240, 32_768)  # systems give out those above
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
