"""Asks the daemon that runs on this machine, or wherever ``[status]`` says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from reconciler.errors import DaemonRefusedError

if TYPE_CHECKING:
    from reconciler.config import Config

_PATIENCE_S: Final = 3.0
_MOST_BYTES: Final = 1 << 22
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not listened on


_REFUSALS: Final = {
    401: "it wants another token",
    403: "it lets nobody in from here",
    429: "it is asked too often",
}


def ask_daemon(config: Config) -> dict[str, object] | None:
    """Return what the daemon says of itself; ``None`` if none answers.

    Raises:
        DaemonRefusedError: one answers, and says nothing to this command.
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
        with error:
            if error.code not in _REFUSALS:
                return None  # not a daemon of this program
            raise DaemonRefusedError(
                f"A daemon answers at {host}:{config.status.port}, but it does not tell how things stand: "
                f"{_REFUSALS[error.code]} (HTTP {error.code}).",
                remedy="Give this command the daemon's own configuration: [status] token_file, or "
                "RECONCILER_STATUS__TOKEN. A daemon takes a changed token when it is started again.",
            ) from error
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return told if isinstance(told, dict) and "headline" in told else None
