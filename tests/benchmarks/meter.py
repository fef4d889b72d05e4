"""The CPU that processes and all their children use: of a server whose process ids a person gives."""

from __future__ import annotations

import os
from pathlib import Path


def _stats() -> dict[int, list[int]]:
    """Give of every process its parent, and its clock ticks with those of its children that are gone."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (
                (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            )
        except OSError:  # it ended
            continue
        found[int(folder.name)] = [int(fields[1]), sum(map(int, fields[11:15]))]
    return found


PIDS = "BENCH_SERVER_PIDS"
"""In the environment: the server's processes, separated by blanks."""


def server_cpu() -> float | None:
    """Give the CPU seconds so far of the server's processes; ``None``: nobody named any."""
    pids = [int(pid) for pid in os.environ.get(PIDS, "").split()]
    return cpu_seconds(pids) if pids else None


def since(before: float | None) -> float | None:
    """Give the CPU seconds that the server has used since ``server_cpu`` gave this."""
    now = server_cpu()
    return None if before is None or now is None else now - before


def cpu_seconds(pids: list[int]) -> float:
    """Give the CPU seconds so far of these processes and all below them, dead ones too."""
    stats = _stats()
    family, before = {pid for pid in pids if pid in stats}, -1
    while len(family) > before:
        before = len(family)
        family |= {pid for pid, (parent, _) in stats.items() if parent in family}
    ticks = sum(stats[pid][1] for pid in family)
    return ticks / os.sysconf("SC_CLK_TCK")
