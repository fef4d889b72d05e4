"""Which process is this, and is that other one still there? For the lease and for runs that died.

The write-ahead log of a store in a file ties all its users to one kernel. Those of rows in PostgreSQL may
be on any machine, and two may have one name: there only a boot id that both know shows that they are on one.
A pid alone would be a trap, as pids are given again; a pid with its start time is not.
"""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process, as far as it can be named. ``""`` and ``None``: the system did not say."""

    host: str
    boot: str
    """The kernel's boot id; hidden by systemd's ``ProcSubset=pid``."""
    namespace: str
    """Of pids: two containers both have a pid 1."""
    pid: int
    started: int | None
    """Clock ticks since boot (``/proc/PID/stat``, field 22: proc(5))."""
    one_kernel: bool = field(default=True, compare=False)
    """Whether it must be on this machine where the hosts have one name."""

    def as_json(self) -> dict[str, Any]:
        """Return the form that the store keeps."""
        return {name: value for name, value in asdict(self).items() if name != "one_kernel"}

    @classmethod
    def of_json(cls, value: Mapping[str, Any], *, one_kernel: bool = True) -> ProcessIdentity:
        """Read the form that the store keeps."""
        return cls(
            one_kernel=one_kernel,
            host=value["host"],
            boot=value["boot"],
            namespace=value["namespace"],
            pid=value["pid"],
            started=value["started"],
        )

    def is_gone(self) -> bool:
        """Return whether the process has certainly ended; ``False`` also when it cannot be known."""
        here = this_process()
        # Else it may be on another machine of the same name.
        known = self.one_kernel or self.boot == here.boot != ""
        if self.host != here.host or not known:
            return False
        if self.boot and here.boot and self.boot != here.boot:
            return True  # the machine was started anew since
        if self.namespace != here.namespace:
            return False  # its pid means nothing here
        # Signal 0 first: other users' processes may be hidden in /proc (hidepid, ProtectProc), but not here.
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        state, started = _stat(self.pid)
        if state in {"Z", "X"}:
            return True
        return None not in {self.started, started} and self.started != started


def this_process() -> ProcessIdentity:
    """Name the calling process."""
    pid = os.getpid()
    return ProcessIdentity(
        host=socket.gethostname(), boot=_boot(), namespace=_namespace(), pid=pid, started=_stat(pid)[1]
    )


def machine() -> str:
    """Name the machine, or the container, as far as it stays the same when it is started anew."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip() + socket.gethostname()
    except (OSError, UnicodeDecodeError):
        return socket.gethostname()


def host() -> str:
    """Name the host, without its domain."""
    return socket.gethostname().partition(".")[0]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, int | None]:
    """Return state letter and start time of a process; empty where they are hidden."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", None
    # The second field is the program's name in brackets, which may hold blanks and brackets itself.
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])
