"""Asks the daemon that runs on this machine, or wherever ``[status]`` says, if it is the one of this store.

============================== ==================================================================
at the daemon's address        and so
============================== ==================================================================
nobody, or another program     there is no daemon to ask
a daemon with another store    it is another installation's: nothing is asked of it, and it is said
a daemon with this store       it is asked; if it refuses, that is said with the remedy
a daemon that does not say     an earlier version: as one with this store
============================== ==================================================================
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from reconciler.app.store_place import place_of, store_mark
from reconciler.errors import DaemonRefusedError, ReconcilerError
from reconciler.web.ports import STORE_MARK

if TYPE_CHECKING:
    import http.client
    from collections.abc import Mapping

    from reconciler.config import Config

_PATIENCE_S: Final = 3.0
_MOST_BYTES: Final = 1 << 22
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not listened on
_REFUSALS: Final = {
    401: "it expects another token",
    403: "it lets nobody in from here",
    429: "it is asked too often",
}
_STATUS: Final = "/api/v1/status"


@dataclass(frozen=True, slots=True)
class Daemon:
    """One that answers."""

    address: str
    same_store: bool | None
    """Whether it works with the store of this command's configuration; ``None``: it does not say."""
    told: dict[str, object] | None
    """What it says of itself; ``None``: nothing to this command."""
    refused: DaemonRefusedError | None = None
    """Why."""

    @property
    def is_ours(self) -> bool:
        """Whether it is this installation's, as far as that shows."""
        return self.same_store is not False

    @property
    def is_open(self) -> bool:
        """Whether it is this installation's, and lets this command in."""
        return self.is_ours and self.refused is None


def find_daemon(config: Config) -> Daemon | None:
    """Return the daemon that answers at the configured address; ``None``: none does."""
    if not config.status.port:
        return None
    address = _address(config)
    try:
        with _open(_request(config, "GET", _STATUS), _PATIENCE_S) as answer:
            told = json.loads(answer.read(_MOST_BYTES))
            same = _same_store(config, answer.headers.get(STORE_MARK, ""))
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in _REFUSALS:
                return None  # not a daemon of this program
            same = _same_store(config, error.headers.get(STORE_MARK, ""))
            return Daemon(address, same, None, _refusal(address, error.code, same))
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return Daemon(address, same, told) if isinstance(told, dict) and "headline" in told else None


def ask_daemon(config: Config) -> dict[str, object] | None:
    """Return what this installation's daemon says of itself; ``None`` if none answers.

    Raises:
        DaemonRefusedError: one answers, and says nothing to this command.
    """
    found = find_daemon(config)
    if found is None or not found.is_ours:
        return None
    if found.refused is not None:
        raise found.refused
    return found.told


def require_daemon(config: Config) -> None:
    """Make sure that this installation's daemon, which has the right to write, takes what it is told.

    Raises:
        DaemonRefusedError: it cannot be reached, or does not let this command in; nothing was done.
    """
    if not config.status.port:
        raise DaemonRefusedError(
            "A daemon has the right to write, and its HTTP interface is switched off ([status] port = 0), so "
            "it cannot be asked. Nothing was written.",
            remedy="Set [status] port, or stop the daemon, run this, and start it again.",
        )
    found = find_daemon(config)
    if found is None or not found.is_ours:
        other = " (another installation's does)" if found else ""
        raise DaemonRefusedError(
            f"A daemon has the right to write, but does not answer at {_address(config)}{other}. "
            "Nothing was written.",
            remedy="Look whether it runs as [status] says; or stop it, run this, and start it again.",
        )
    if found.refused is not None:
        raise found.refused


def tell_daemon(
    config: Config, method: str, path: str, body: Mapping[str, object] | None = None, *, wait: int = 0
) -> dict[str, object]:
    """Have a daemon that was found to be open do something, and return its answer.

    Args:
        config: says where it is.
        method: HTTP's.
        path: of the API, with its query.
        body: JSON.
        wait: seconds for which the daemon may keep the answer back.

    Raises:
        ReconcilerError: it did not do it, or nobody knows whether it did; in the daemon's own words.
    """
    request = _request(config, method, path, body)
    try:
        with _open(request, _PATIENCE_S + wait) as answer:
            told = json.loads(answer.read(_MOST_BYTES) or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            try:
                said = json.loads(error.read(_MOST_BYTES))
            except ValueError:
                said = {}
        said = said if isinstance(said, dict) else {}
        detail = said.get("detail") or f"The daemon at {_address(config)} answered HTTP {error.code}."
        raise ReconcilerError(str(detail), remedy=str(said.get("remedy") or "")) from error
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise ReconcilerError(
            f"The daemon at {_address(config)} did not answer whether it did it.",
            remedy="Look how things stand: skymmich-reconciler status",
        ) from error
    return told if isinstance(told, dict) else {}


def _address(config: Config) -> str:
    host = _EVERYWHERE.get(config.status.host, config.status.host)
    return f"{f'[{host}]' if ':' in host else host}:{config.status.port}"


def _request(
    config: Config, method: str, path: str, body: Mapping[str, object] | None = None
) -> urllib.request.Request:
    base = f"http://{_address(config)}"
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the address is http's
        base + path, data=content, method=method, headers={"Accept": "application/json"}
    )
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if config.status.token:
        # Unredirected: it is for the daemon only.
        request.add_unredirected_header("Authorization", f"Bearer {config.status.token.get_secret_value()}")
    else:
        request.add_header("Origin", base)
    return request


def _open(request: urllib.request.Request, patience: float) -> http.client.HTTPResponse:
    # A proxy of the environment has no business between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return cast("http.client.HTTPResponse", opener.open(request, timeout=patience))


def _same_store(config: Config, mark: str) -> bool | None:
    own = store_mark(place_of(config))
    # A store that is not there yet is nobody's: the daemon that answers has another one.
    return mark == own if mark else None


def _refusal(address: str, code: int, same: bool | None) -> DaemonRefusedError:  # noqa: FBT001 - as found
    has = ", and has this state store" if same else ""
    return DaemonRefusedError(
        f"A daemon answers at {address}{has}, but it does not tell how things stand: "
        f"{_REFUSALS[code]} (HTTP {code}).",
        remedy="Give this command the daemon's own configuration: [status] token_file, or "
        "RECONCILER_STATUS__TOKEN. A daemon takes a changed token when it is started again.",
    )
