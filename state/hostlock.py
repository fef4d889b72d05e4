"""A lock beside the store's file that the kernel gives back at its holder's death: what no row can promise.

It is evidence for the lease, not a second right to write: nobody ever waits for it, a file system without
locks costs nothing but the evidence, and a process that is only stopped keeps it for as long as it is (that
one is kept from writing by the lease's term). Two containers on one kernel see it, though not each other's
processes.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MOST_NOTE = 200


def lock_path(store: Path) -> Path:
    """Return the lock's path for the store's."""
    return store.with_name(f"{store.name}.lock")


class HostLock:
    """One process's hand on the lock; two in one process exclude each other, too.

    Args:
        store: the store's file; the lock is beside it. ``None``: there is no file, and no lock.
    """

    def __init__(self, store: Path | None) -> None:
        self._path = None if store is None else lock_path(store)
        self._fd: int | None = None

    @property
    def file(self) -> tuple[int, int] | None:
        """Which file is locked (device and inode); ``None``: none is."""
        if self._fd is None:
            return None
        found = os.fstat(self._fd)
        return found.st_dev, found.st_ino

    def take(self, note: str) -> bool:
        """Take it if it is free, without waiting; tells whether it is held now.

        Args:
            note: who takes it, for people who read the file.
        """
        if self._fd is not None and self._is_there():
            return True
        self.release()
        if self._path is None:
            return False
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(self._path, flags, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody else's, or a file system without
            self.release()
            return False
        if not self._is_there():  # removed or replaced between the two
            self.release()
            return False
        with suppress(OSError):  # a full disk: it is locked all the same
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{note}\n".encode()[:_MOST_NOTE], 0)
        return True

    def release(self) -> None:
        """Give it back. The file stays: who removed it could remove another one's."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _is_there(self) -> bool:
        if self._path is None:
            return False
        try:
            found = self._path.stat(follow_symlinks=False)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.file


def lock_holder(store: Path) -> str | None:
    """Return who holds a store's lock, as the holder noted it; ``None``: nobody, or it cannot be told."""
    try:
        fd = os.open(lock_path(store), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(fd, _MOST_NOTE, 0).decode(errors="replace").strip() or "a process without a name"
    except OSError:
        return None
    finally:
        os.close(fd)
    return None
