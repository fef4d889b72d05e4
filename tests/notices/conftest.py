"""Somebody who is told: a real HTTP server that takes what apprise's ``json://`` sends."""

from __future__ import annotations

import pytest

from tests.notices.receiving import Receiver


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver
