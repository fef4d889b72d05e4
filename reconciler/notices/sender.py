"""Sends one message to several addresses, by a process that is ended when it takes too long.

No text that comes from here has anything of an address in it but the name of its service.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import reconciler
from reconciler.redaction import HIDDEN, parts_of, redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.notices.wire import Wish

PATIENCE: Final = 20.0
"""Seconds for one address."""
_BEYOND: Final = 10.0
"""Seconds for the process to start, beyond that."""
_SHORT: Final = 3
"""Characters of a piece of an address that are not looked for in what went wrong."""
_LONGEST: Final = 300
_PASSED_ON: Final = (
    "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PATH", "HOME", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy",
    "no_proxy",
)  # fmt: skip
"""What the process may need of the environment: above all the way out. No secret of ours goes along."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it went with one address."""

    number: int
    """Its place in the configuration, from 1."""
    service: str
    """Its scheme: all that may be shown of it."""
    error: str = ""
    """What went wrong, without secrets; empty: nothing did."""

    @property
    def name(self) -> str:
        """What it is called for people."""
        return f"{self.number} ({self.service})"


async def send(
    addresses: Sequence[str], title: str, body: str, *, patience: float = PATIENCE
) -> tuple[Delivery, ...]:
    """Send a message; tells of each address how it went, and raises nothing.

    Args:
        addresses: apprise's URLs.
        title: one line.
        body: plain text.
        patience: seconds for one address.
    """
    return await _ask(addresses, title, body, patience=patience)


async def check(addresses: Sequence[str]) -> tuple[Delivery, ...]:
    """Say of each address whether it can be used, and send nothing."""
    return await _ask(addresses, only_check=True)


async def _ask(
    addresses: Sequence[str],
    title: str = "",
    body: str = "",
    *,
    patience: float = PATIENCE,
    only_check: bool = False,
) -> tuple[Delivery, ...]:
    wish: Wish = {
        "addresses": list(addresses),
        "title": title,
        "body": body,
        "patience": patience,
        "only_check": only_check,
    }
    errors, ending = await _work(json.dumps(wish).encode(), patience + _BEYOND)
    return tuple(
        Delivery(number + 1, _service(address), _without_secrets(errors.get(number, ending), address))
        for number, address in enumerate(addresses)
    )


async def _work(wish: bytes, patience: float) -> tuple[dict[int, str], str]:
    """Run the process; gives what it said by address, and what is to be said of those it did not speak of."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-s", "-m", "reconciler.notices.worker",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=_environment(), cwd="/",
        )  # fmt: skip
    except OSError as error:
        return {}, f"the process that sends cannot be started: {error.strerror}"
    said = bytearray()
    ending = "the process that sends ended before it had an answer"
    try:
        async with asyncio.timeout(patience):
            await _talk(process, wish, said)
    except TimeoutError:
        ending = f"no answer within {patience:.0f} s"
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    return _read(bytes(said)), ending


async def _talk(process: asyncio.subprocess.Process, wish: bytes, said: bytearray) -> None:
    if process.stdin is None or process.stdout is None:
        return
    try:
        process.stdin.write(wish)
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended, and said nothing
    process.stdin.close()
    while piece := await process.stdout.read(1 << 16):
        said += piece
    await process.wait()


def _read(said: bytes) -> dict[int, str]:
    found = {}
    for line in said.splitlines():
        try:
            outcome = json.loads(line)
            found[int(outcome["number"])] = str(outcome["error"])
        except (ValueError, TypeError, LookupError):
            continue  # a library's own words
    return found


def _service(address: str) -> str:
    return address.partition("://")[0].lower()


def _without_secrets(text: str, address: str) -> str:
    """Return what went wrong on one line, without any piece of the address."""
    for piece in (address, *parts_of(address)):
        if len(piece) > _SHORT:
            text = text.replace(piece, HIDDEN)
    return redact(" ".join(text.split()))[:_LONGEST]


def _environment() -> dict[str, str]:
    path = [str(Path(reconciler.__file__).parents[1]), *(entry for entry in sys.path if entry)]
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
