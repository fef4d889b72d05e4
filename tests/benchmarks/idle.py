"""What the daemon costs while nothing happens: resident memory and CPU, with 1,000 images in sync."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report import Table

SECONDS = 60.0
"""One of the daemon's polls of Immich is always within."""
MOST_MEMORY = 150.0
MOST_CPU = 1.0
IMAGES = 1000
SETTLE = 90.0


def processes(pid: int) -> list[int]:
    """Give a process and its children: what they use counts, too."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    return [pid, *(each for child in children for each in processes(int(child)))]


def cpu_seconds(pid: int) -> float:
    ticks = 0
    for each in processes(pid):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Give the resident memory in MiB."""
    pages = sum(int(Path(f"/proc/{p}/statm").read_text(encoding="ascii").split()[1]) for p in processes(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def has_daemon(env: dict[str, str]) -> bool:
    if find_spec("reconciler.__main__") is None:
        return False
    asked = [sys.executable, "-m", "reconciler", "run", "--help"]
    return subprocess.run(asked, capture_output=True, env=env, check=False).returncode == 0


def is_in_sync(store: Path) -> bool:
    """Return whether the daemon has recorded the end of a run that left nothing to do, with all images in sync.

    What the server was sent tells less: a pass goes on after its last write.
    """
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            (settled,) = connection.execute("SELECT count(*) FROM assets WHERE status = 'in_sync'").fetchone()
            (open_writes,) = connection.execute("SELECT count(*) FROM pending_writes").fetchone()
            (running,) = connection.execute("SELECT count(*) FROM runs WHERE finished_at IS NULL").fetchone()
    except sqlite3.OperationalError:
        return False  # not made yet
    return settled >= IMAGES and not open_writes and not running


def measure(table: Table, env: dict[str, str], catalogue: Path, url: str, key: str) -> None:
    """Let a daemon bring a catalogue in sync, then watch it for a while.

    Args:
        table: where the result goes.
        env: of the child.
        catalogue: with ``IMAGES`` images.
        url: of a simulated Immich.
        key: for it.
    """
    table.heading(f"The daemon with {IMAGES:,} images in sync, {SECONDS:g} s with nothing to do")
    if not has_daemon(env):
        table.row("skipped: there is no `python -m reconciler run` yet", "")
        return
    with tempfile.TemporaryDirectory(prefix="bench-idle-") as folder:
        settings = {
            "RECONCILER_SKYMMICH__SOURCE": str(catalogue),
            "RECONCILER_IMMICH__URL": url,
            "RECONCILER_IMMICH__API_KEY": key,
            "RECONCILER_STATE__URL": f"sqlite:///{folder}/state.sqlite3",
            "RECONCILER_STATUS__PORT": "0",
            "RECONCILER_POLICY__MODE": "sync",
            "HOME": folder,
        }
        log = Path(folder) / "log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [sys.executable, "-m", "reconciler", "run"],
                stdout=output, stderr=subprocess.STDOUT, cwd=folder, env={**env, **settings},
            ) as daemon,
        ):  # fmt: skip
            try:
                end = time.monotonic() + SETTLE
                while not is_in_sync(Path(folder) / "state.sqlite3"):
                    if daemon.poll() is not None or time.monotonic() > end:
                        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                        table.fail("the daemon did not bring the catalogue in sync: " + " | ".join(last))
                        return
                    time.sleep(0.5)
                time.sleep(5)  # what follows a pass is no idling
                before, began = cpu_seconds(daemon.pid), time.monotonic()
                time.sleep(SECONDS)
                spent = (cpu_seconds(daemon.pid) - before) / (time.monotonic() - began)
                table.limit("  resident memory, MiB", memory(daemon.pid), MOST_MEMORY, "{:.0f}")
                table.limit("  CPU, %", 100 * spent, MOST_CPU, "{:.2f}")
            finally:
                daemon.terminate()
                try:
                    daemon.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    daemon.kill()
