"""Asks Skymmich over HTTP: a few calls at a time, each within bounds of bytes and of time; reads only.

What an answer's rows mean is ``shapes``. Any failure is a ``CatalogueError`` that says what answered instead.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

import httpx

from reconciler.bounded import ACCEPT_ENCODING, BoundError, CutShortError, read_body, read_exact_json
from reconciler.errors import CatalogueError
from reconciler.http_way import Trust, Way
from reconciler.skymmich.address import split

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from reconciler.errors import Again

IN_FLIGHT: Final = 4
MOST_BYTES: Final = 128 << 20
"""Of a list: 13 MB are ten thousand images."""
MOST_OF_ONE: Final = 8 << 20
"""Of an answer about one image, or about the installation."""
_CONNECT_S: Final = 5.0
_READ_S: Final = 30.0
_TOTAL_S: Final = 120.0
"""Seconds for a whole answer: each byte that drips would start the patience anew."""
_KEEPALIVE_S: Final = 4.0
"""Skymmich closes idle connections after 5 s."""
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": ACCEPT_ENCODING,
    "cache-control": "no-cache",  # of a cache in front of it
}
_CHECK: Final = "Check [skymmich] source, and that Skymmich runs."
_PROXY: Final = "Check that [skymmich] proxy is right and leads there, and that Skymmich runs."
_IMMICH: Final = "[skymmich] source must be Skymmich's own address, not Immich's."


class MissingError(CatalogueError):
    """A 404 of Skymmich itself: there is no such route, or no such image."""


class RefusedError(CatalogueError):
    """Skymmich itself answered that it failed: a 5xx with JSON."""


class Transport:
    """What outlives a look: the address, the certificates, and what was counted.

    Args:
        url: Skymmich's web address; a login in it is never shown.
        stopped: asked before each request; once it says yes, none is sent any more.
        way: whom to trust, and a proxy.

    Raises:
        ConfigurationError: the certificates that were named are not usable.
    """

    def __init__(self, url: str, stopped: Callable[[], bool] = lambda: False, way: Way | None = None) -> None:
        self.address, self._login = split(url)
        self._stopped = stopped
        self.way = way or Way()
        self._trust = Trust(self.way, self.address)
        self.requests = 0
        self.received = 0
        """Bytes of bodies."""

    def open(self) -> Client:
        """Return a client for one look."""
        return Client(self, self._login, self._trust.context(), self._stopped)


class Client:
    """The connections of one look."""

    def __init__(
        self,
        transport: Transport,
        login: tuple[str, str] | None,
        tls: ssl.SSLContext | None,
        stopped: Callable[[], bool],
    ) -> None:
        self._transport, self._stopped = transport, stopped
        self.address = transport.address
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self.server_date = ""
        """The Date header of the last answer."""
        self._http = httpx.AsyncClient(
            headers=_HEADERS,
            auth=login,
            timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
            limits=httpx.Limits(
                max_connections=IN_FLIGHT,
                max_keepalive_connections=IN_FLIGHT,
                keepalive_expiry=_KEEPALIVE_S,
            ),
            follow_redirects=False,
            trust_env=False,
            verify=tls or False,
            proxy=transport.way.through(tls),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, route: str, *, most: int = MOST_BYTES) -> bytes:
        """Return the body of an answer.

        Args:
            route: ``/api/…``, with its query.
            most: bytes.

        Raises:
            MissingError: a 404.
            RefusedError: Skymmich failed.
            CatalogueError: anything else that is no answer of Skymmich.
        """
        async with self._slots:
            try:
                answer, body = await self._exchange(route, most)
            except httpx.RemoteProtocolError:
                # It closed the idle connection just as it was used; to read twice does no harm.
                answer, body = await self._again(route, most)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
        if answer.status_code == 200 and not _is_page(answer, body):
            return body
        raise self._strange(route, answer, body)

    async def _again(self, route: str, most: int) -> tuple[httpx.Response, bytes]:
        try:
            return await self._exchange(route, most)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def _exchange(self, route: str, most: int) -> tuple[httpx.Response, bytes]:
        if self._stopped():
            raise stopped()
        self._transport.requests += 1
        try:
            async with asyncio.timeout(_TOTAL_S):
                answer = await self._http.send(
                    self._http.build_request("GET", self.address + route), stream=True
                )
                body = await read_body(answer, most if answer.is_success else MOST_OF_ONE)
        except (BoundError, CutShortError) as error:
            raise self.unusable(route, error) from error
        except httpx.InvalidURL as error:  # httpx takes a Location apart, followed or not
            raise self._elsewhere("an address that is none") from error
        except TimeoutError as error:
            message = f"Skymmich at {self.address} did not answer {route} within {_TOTAL_S:.0f} s."
            raise CatalogueError(message, remedy=_CHECK, again="by_itself") from error
        self._transport.received += len(body)
        self.server_date = answer.headers.get("date", "")
        return answer, body

    @contextmanager
    def understanding(self, route: str) -> Iterator[None]:
        """Say of an answer that is beyond its bounds, or cut short, that it cannot be used.

        Raises:
            CatalogueError: it is so.
        """
        try:
            yield
        except (BoundError, CutShortError) as error:
            raise self.unusable(route, error) from error

    async def json(self, route: str) -> object:
        """Return an answer about the installation; raises as ``get`` does."""
        body = await self.get(route, most=MOST_OF_ONE)
        with self.understanding(route):
            return read_exact_json(body)

    def unusable(self, route: str, why: object) -> CatalogueError:
        """Say that an answer cannot be used: half an answer is no catalogue."""
        return CatalogueError(
            f"Skymmich's answer to {route} {why}.",
            remedy="What was read before stays. If it lasts, look into Skymmich's log.",
            again="by_itself",
        )

    def _unreachable(self, error: httpx.HTTPError) -> CatalogueError:
        late = isinstance(error, httpx.TimeoutException)
        reason = str(error) or ("no answer came in time" if late else "the connection broke")
        proxy = self._transport.way.proxy_address
        through, remedy = (f" through the proxy {proxy}", _PROXY) if proxy else ("", _CHECK)
        return CatalogueError(
            f"Skymmich at {self.address} cannot be reached{through}: {reason}.",
            remedy=remedy,
            again="by_itself",
        )

    def _elsewhere(self, where: str) -> CatalogueError:
        return CatalogueError(
            f"{self.address} leads to {where}, and that was not followed.",
            remedy="Is there a login in front of Skymmich, or has it another address now? [skymmich] source "
            "must lead to Skymmich itself.",
        )

    def _strange(self, route: str, answer: httpx.Response, body: bytes) -> CatalogueError:
        """Say what answered in Skymmich's place."""
        status, page = answer.status_code, _is_page(answer, body)
        if answer.is_redirect:
            location = answer.headers.get("location", "")
            there = split(location)[0] if "://" in location else "another path of the same address"
            return self._elsewhere(there[:200])
        if status == 404 and (b'"statusCode"' in body or b'"correlationId"' in body):
            return CatalogueError(
                f"{self.address} is not Skymmich: it answers as Immich does.", remedy=_IMMICH
            )
        what = f"{self.address} answers {status} to {route}"
        again: Again | None = "by_itself" if status >= 500 else None
        if status == 407:
            what += ": the proxy asks who uses it"
            remedy = "Give [skymmich] proxy the user and the password: http://user:password@…"
        elif status in {401, 403}:
            what += ": a login is asked for"
            remedy = "Skymmich has no login: one in front of it wants http://user:password@… as its address."
        elif status in {502, 503, 504}:
            what += ": a proxy in front of Skymmich does not reach it, or Skymmich is not well"
            remedy = _CHECK
        elif page:
            what += " with a web page where data was expected"
            remedy = "Is it a login page? [skymmich] source must lead to Skymmich itself."
        elif status == 404:
            return MissingError(f"{what}: it has no such thing.", remedy=_CHECK)
        elif status >= 500:
            remedy = "Look into Skymmich's log. What was read before stays."
            return RefusedError(f"{what}.", remedy=remedy, again=again)
        else:
            remedy = _CHECK
        return CatalogueError(f"{what}.", remedy=remedy, again=again)


def stopped() -> CatalogueError:
    """Say why nothing more is read."""
    return CatalogueError("The catalogue is not read any further: this program stops.", again="by_itself")


def _is_page(answer: httpx.Response, body: bytes) -> bool:
    """Return whether an answer is a page for people, whatever it calls itself."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "text/html" or body[:64].lstrip().startswith(b"<")
