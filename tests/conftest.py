"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real catalogue files beside the repository, where there is one (CI has it)."""
    if not (SHARED / "skymmich" / "seed.sqlite3").exists():
        pytest.skip("no folder of real catalogue files beside this clone")
    return SHARED
