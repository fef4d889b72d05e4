"""A real renderer with its real process, and what to give it."""

from __future__ import annotations

import pytest

from reconciler.core.policy import DescriptionPolicy
from reconciler.rendering.renderer import SafeRenderer


@pytest.fixture
def renderer():
    with SafeRenderer() as renderer:
        yield renderer


@pytest.fixture
def mine():
    """Make the policy of a user's template."""
    return lambda text: DescriptionPolicy(template=text, template_name="mine.j2")
