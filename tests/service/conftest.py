"""The service is tested in the daemon's world: the real store, catalogue and client, on a clock that tests move."""

from __future__ import annotations

from tests.daemon.conftest import fake_clock, make_world

__all__ = ["fake_clock", "make_world"]
