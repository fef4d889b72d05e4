"""Simulated servers and clients for their own tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest

from reconciler.simulator.serve import Simulator, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDS = [str(UUID(int=number, version=4)) for number in range(1, 61)]


@pytest.fixture(scope="session")
def ids() -> list[str]:
    return IDS


@pytest.fixture
def start() -> Iterator[Callable[..., Simulator]]:
    """Start simulators that end with the test; without more words a faithful one with 60 assets."""
    with ExitStack() as stack:

        def starter(**options: object) -> Simulator:
            settings = {"unkind": "none", "drain": 5000.0} | options
            if "catalogue" not in settings:
                settings.setdefault("assets", IDS)
            return stack.enter_context(serve(**settings))

        yield starter


@pytest.fixture
def client() -> Iterator[Callable[[Simulator], httpx.Client]]:
    """Open clients with the right key that close with the test."""
    with ExitStack() as stack:

        def opener(simulator: Simulator, **options: object) -> httpx.Client:
            headers = {"x-api-key": simulator.api_key}
            settings = {"base_url": f"{simulator.url}/api", "headers": headers, "timeout": 15} | options
            return stack.enter_context(httpx.Client(**settings))

        yield opener
