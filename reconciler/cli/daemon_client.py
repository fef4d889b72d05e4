"""Asks the daemon that runs on this machine, or wherever ``[status]`` says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from reconciler.errors import DaemonRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    try:
        told = _answer(config, "/api/v1/status", _PATIENCE_S)
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in _REFUSALS:
                return None  # not a daemon of this program
            raise _refused(config, error.code, "it does not tell how things stand") from error
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return told if "headline" in told else None


def tell_daemon(
    config: Config, path: str, body: Mapping[str, object] | None = None, *, patience: float = 30.0
) -> dict[str, object]:
    """Ask the running daemon to do something, or how that goes on; gives its answer.

    Args:
        config: says where it is.
        path: of the API, below ``/api/v1``.
        body: what is sent; ``None``: it is only asked.
        patience: seconds.

    Raises:
        DaemonRefusedError: it cannot be reached, or refuses; nothing was done.
    """
    if not config.status.port:
        raise DaemonRefusedError(
            "A daemon has the right to write, and its HTTP interface is switched off ([status] port = 0), so "
            "it cannot be asked. Nothing was written.",
            remedy="Set [status] port, or stop the daemon, run this, and start it again.",
        )
    try:
        return _answer(config, f"/api/v1{path}", patience, body)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in _REFUSALS:
                raise _refused(config, error.code, "it does not do this") from error
            said = _json(error.read(_MOST_BYTES))
        raise DaemonRefusedError(
            f"The daemon refuses: {said.get('detail', f'HTTP {error.code}')}",
            remedy=str(said.get("remedy", "")),
        ) from error
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise DaemonRefusedError(
            f"A daemon has the right to write, but does not answer at {_where(config)}. Nothing was written.",
            remedy="Look whether it runs as [status] says; or stop it, run this, and start it again.",
        ) from error


def _where(config: Config) -> str:
    host = _EVERYWHERE.get(config.status.host, config.status.host)
    return f"[{host}]:{config.status.port}" if ":" in host else f"{host}:{config.status.port}"


def _answer(
    config: Config, path: str, patience: float, body: Mapping[str, object] | None = None
) -> dict[str, object]:
    sent = None if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if sent else {})
    request = urllib.request.Request(f"http://{_where(config)}{path}", data=sent, headers=headers)
    if sent and not config.status.token:
        request.add_header("Origin", f"http://{_where(config)}")  # who needs no token says where it is from
    if config.status.token:
        # Unredirected: it is for the daemon only.
        request.add_unredirected_header("Authorization", f"Bearer {config.status.token.get_secret_value()}")
    # A proxy of the environment has no business between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=patience) as answer:
        return _json(answer.read(_MOST_BYTES))


def _json(raw: bytes) -> dict[str, object]:
    told = json.loads(raw)
    if not isinstance(told, dict):
        raise ValueError("no object")  # noqa: TRY004 - its form is a value here
    return told


def _refused(config: Config, status: int, so: str) -> DaemonRefusedError:
    return DaemonRefusedError(
        f"A daemon answers at {_where(config)}, but {so}: {_REFUSALS[status]} (HTTP {status}).",
        remedy="Give this command the daemon's own configuration: [status] token_file, or "
        "RECONCILER_STATUS__TOKEN. A daemon takes a changed token when it is started again.",
    )
