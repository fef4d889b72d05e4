"""Asks the daemon that runs on this machine, or wherever ``[status]`` says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from reconciler.errors import ConfigurationError

if TYPE_CHECKING:
    from reconciler.config import Config

_PATIENCE_S: Final = 3.0
_MOST_BYTES: Final = 1 << 22
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not listened on


def ask_daemon(config: Config) -> dict[str, object] | None:
    """Give what the daemon says of itself; ``None`` if none answers.

    Raises:
        ConfigurationError: one answers, and does not accept this configuration's token.
    """
    if not config.status.port:
        return None
    host = _EVERYWHERE.get(config.status.host, config.status.host)
    host = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(
        f"http://{host}:{config.status.port}/api/v1/status", headers={"Accept": "application/json"}
    )
    if config.status.token:
        # Unredirected: it is for the daemon only.
        request.add_unredirected_header("Authorization", f"Bearer {config.status.token.get_secret_value()}")
    # A proxy of the environment has no business between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE_S) as answer:
            told = json.loads(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code not in {401, 403}:
            return None
        raise ConfigurationError(
            f"A daemon answers at {host}:{config.status.port}, and refuses to tell ({error.code}): "
            "this configuration's token is not the one that it was started with.",
            remedy="Set [status] token_file to the daemon's, or restart the daemon.",
        ) from error
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return told if isinstance(told, dict) and "headline" in told else None
