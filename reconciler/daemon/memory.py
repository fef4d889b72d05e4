"""Keeping the daemon small: it runs for years beside what its machine is for.

Not needed for anything to work; where it can not be done, nothing is lost but a few megabytes.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError
from reconciler.wiring import store_of

if TYPE_CHECKING:
    from reconciler.config import Config


def create_apart(config: Config) -> None:
    """Create a store that is not there yet in a child process, while this one has no threads.

    The library that does it, with all that it loads, would stay in this process for its whole life (14 MB).
    What goes wrong there goes wrong here again, and is told then.
    """
    if config.state.path.exists():
        return
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        store_of(config).close()
    except ReconcilerError:
        os._exit(1)
    finally:
        os._exit(0)


def settle_down() -> None:
    """Leave out of every later sweep of the garbage collector what stays for the process's whole life."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Give freed memory back to the system: a pass over a thousand images needs some that idling does not."""
    gc.collect()
    try:
        # Where no memory may be made executable, the import itself can fail.
        import ctypes  # noqa: PLC0415  see above

        ctypes.CDLL(None).malloc_trim(0)
    except (ImportError, MemoryError, OSError, AttributeError):
        return  # not glibc, or not allowed
