"""Files that are no plain files, put where a test wants them."""

import os
import socket
from pathlib import Path


def put_pipe(path: Path) -> None:
    """Put a named pipe at ``path``."""
    os.mkfifo(path)


def bind_at(channel: socket.socket, path: Path) -> None:
    """Bind a socket to ``path``, however long that is: the address itself may have 107 bytes only."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        channel.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def put_socket(path: Path) -> None:
    """Put a socket at ``path`` that nobody listens to."""
    with socket.socket(socket.AF_UNIX) as made:
        bind_at(made, path)


def put_device(path: Path) -> None:
    """Put at ``path`` a link to a device that never ends."""
    path.symlink_to("/dev/zero")
