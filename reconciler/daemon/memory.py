"""Keeping the daemon small: it runs for years beside what its machine is for.

Not needed for anything to work; where it cannot be done, nothing is lost but a few megabytes.
"""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final

from reconciler.app.wiring import store_of
from reconciler.errors import ReconcilerError
from reconciler.plainfile import exists

if TYPE_CHECKING:
    from reconciler.config import Config

_SELDOM: Final = 1_000
"""Sweeps over younger garbage between two over all."""
_LOADED_LATE: Final = ("anyio._core._sockets", "anyio._backends._asyncio", "anyio.streams.tls")
_M_ARENA_MAX: Final = -8
"""Of glibc's ``malloc.h``."""


def create_apart(config: Config) -> None:
    """Create a store that is not there yet in a child process, while this one has no threads.

    The library that does it, with all that it loads, would stay in this process for its whole life (14 MB).
    What goes wrong there goes wrong here again, and is told then.
    """
    if config.state.file is not None and exists(config.state.file):
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


def share_one_heap() -> None:
    """Let all threads take memory from one heap, before there are any.

    With one for each, as glibc has it, what a thread needed for a moment, to read a catalogue say, stays with
    it for good. They wait for each other in any case.
    """
    _to_glibc("mallopt", _M_ARENA_MAX, 1)


def settle_down() -> None:
    """Leave out of every later sweep of the garbage collector what stays for the process's whole life.

    A sweep over all the rest holds everybody, with very many images for some 30 ms: it is made seldom, and
    after a pass by ``give_back``. Younger garbage is collected as ever. What AnyIO would load with the first
    request is loaded before: on the event loop it would hold everybody for longer than any sweep.
    """
    for part in _LOADED_LATE:
        with suppress(ImportError):
            import_module(part)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _SELDOM)


def give_back() -> None:
    """Give freed memory back to the system: a pass over a thousand images needs some that idling does not."""
    gc.collect()
    _to_glibc("malloc_trim", 0)


def _to_glibc(function: str, *arguments: int) -> None:
    try:
        # Where no memory may be made executable, the import itself can fail.
        import ctypes  # noqa: PLC0415  see above

        getattr(ctypes.CDLL(None), function)(*arguments)
    except (ImportError, MemoryError, OSError, AttributeError):
        return  # not glibc, or not allowed
