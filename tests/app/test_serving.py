"""The page put together from a configuration."""

from __future__ import annotations

import pytest

from reconciler.app.serving import web_server
from reconciler.config import load
from reconciler.errors import ConfigurationError


def test_users_without_the_header_that_names_them_are_refused_at_the_start(tmp_path):
    environ = {"HOME": str(tmp_path), "RECONCILER_STATUS__USERS": "anna"}
    with pytest.raises(ConfigurationError) as caught:
        web_server(load(None, environ), None, None, None, renderer=None)
    assert "user_header is not" in caught.value.message
