"""An HTTP client for the few calls that are needed: patience, limits and retries; no knowledge of assets.

Reads are repeated after temporary failures. Writes are not, unless they surely never arrived: Immich loses
one of two writes that come close together, although each answers success, and a repeated write can overlap
with the settling of the first. So a write whose answer was lost is ``WriteInDoubtError``, and whoever asked
looks before writing again. (That rule is why there is a loop of its own here and no retry library: what may
be repeated depends on the call and on how far it got.)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from http.cookiejar import CookieJar
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Self

import httpx

from reconciler.bounded import ACCEPT_ENCODING, BoundError, CutShortError, read_body
from reconciler.errors import (
    ImmichAnswerError,
    ImmichError,
    ImmichRejectedError,
    ImmichSlowError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
    WriteInDoubtError,
)
from reconciler.immich import answers
from reconciler.immich.answers import Answer
from reconciler.immich.call import Call, Patience
from reconciler.immich.circuit import Circuit
from reconciler.immich.connection import Connection
from reconciler.immich.wire import member

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.ports import Clock

_LARGE = 64 << 10
"""Bytes of an answer that is read beside the event loop."""
_PICTURES_IN_FLIGHT = 2
"""Connections of their own, so that a page full of pictures never stands in the way of a pass."""

_CHANGES = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods of what changes something; a POST is a search."""

_LAST_MOMENTS = frozenset({"http11.send_request_headers.started", "http11.send_request_body.started"})
"""httpcore's names for when the socket is about to get bytes. Without its body a request does nothing."""

# Immich closes idle connections after 5 s: one that is reused just then breaks under the request.
_KEEPALIVE_EXPIRY = 4.0


class _NoCookies(CookieJar):
    """Keeps none: a server could make them grow without end, and none is ever needed."""

    def extract_cookies(self, *_: object) -> None:
        return None


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """Wall clock, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Client:
    """Sends calls to one Immich with one key.

    Args:
        url: Immich's address; see ``answers.base_url``.
        api_key: never shown anywhere.
        in_flight: most calls at the same time.
        patience: timeouts and retries.
        clock: time, injected.
        random: for jitter, injected.
        transport: httpx's seam for tests.
        connection: headers, authorities and a proxy, as configured.
        permit: asked before each request that changes something leaves; raises if it must not.

    Raises:
        ConfigurationError: address, key or authorities cannot be used.
    """

    def __init__(  # noqa: PLR0913 - httpx's seams and time, by name
        self,
        url: str,
        api_key: str,
        *,
        in_flight: int = 4,
        patience: Patience | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connection: Connection | None = None,
        permit: Callable[[], None] | None = None,
    ) -> None:
        self.address = answers.base_url(url)
        """The normalised address without credentials, fit for people."""
        self._connection = connection or Connection()
        key = answers.usable_key(api_key)
        self._secrets = (key, *(value for _, value in self._connection.headers))
        tls = self._connection.tls(self.address)
        self._patience = patience or Patience()
        self._clock: Clock = clock or SystemClock()
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._permit = permit
        self._slots = asyncio.Semaphore(in_flight)
        self._picture_slots = asyncio.Semaphore(_PICTURES_IN_FLIGHT)
        self.circuit = Circuit(
            self._clock,
            threshold=self._patience.circuit_threshold,
            probe_interval=self._patience.probe_interval,
        )
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """Requests sent, by (method, route template, status); status 0 is no answer."""
        self._server_date: datetime | None = None
        self._server_date_at = float("-inf")
        self._not_in_maintenance_at = float("-inf")
        self._http = httpx.AsyncClient(
            headers={
                **dict(self._connection.headers),
                "x-api-key": key,
                # Always: without it Immich ignores the body, and a search gives its first page for ever.
                "content-type": "application/json",
                "accept": "application/json",
                "cache-control": "no-cache",  # of a cache in front of Immich: what it kept may be old
                "accept-encoding": ACCEPT_ENCODING,
            },
            cookies=_NoCookies(),
            limits=httpx.Limits(
                max_connections=in_flight + _PICTURES_IN_FLIGHT,
                max_keepalive_connections=in_flight + _PICTURES_IN_FLIGHT,
                keepalive_expiry=_KEEPALIVE_EXPIRY,
            ),
            auth=answers.credentials(url),
            follow_redirects=False,
            transport=transport,
            verify=tls,
            proxy=self._connection.through(tls),
        )

    def __repr__(self) -> str:
        return f"<Client of {self.address}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def seconds(self) -> float:
        """Return its clock's seconds, which never run backwards."""
        return self._clock.monotonic()

    def date_is_younger_than(self, seconds: float) -> bool:
        """Return whether an answer with a Date came in the last ``seconds``."""
        return self._clock.monotonic() - self._server_date_at < seconds

    def server_date(self) -> datetime:
        """Return the server's clock as of its last answer (whole seconds); ours if it never told."""
        return self._server_date or self._clock.now()

    async def send(self, call: Call) -> object:
        """Send a call, again if that is safe and worth it, and give the answer's JSON (``None`` if empty).

        Raises:
            WriteInDoubtError: a write that may have been carried out.
            MaintenanceError: a 404, and the server says that it is in maintenance mode.
            ImmichError: any other of its kinds.
        """
        try:
            return await self._patiently(call)
        except ImmichRejectedError as error:
            if error.status == 404:
                await self.check_maintenance()
            raise

    async def picture(self, call: Call) -> tuple[bytes, str, str]:
        """Fetch a picture: once, only while the server is well, and without a say in whether it is.

        Gives its bytes, content type and ETag, as ``answers.read_picture`` does.

        Raises:
            ImmichUnreachableError: the server is being left alone; nothing was sent.
            ImmichError: any other of its kinds; ``ImmichRejectedError`` where there is no such picture.
        """
        if self.circuit.is_open or self.circuit.pause() > 0:
            raise ImmichUnreachableError(f"{self.address} is being left alone for now: {self.circuit.cause}")
        async with self._picture_slots:
            answer = await self._respond(call)
        return answers.read_picture(
            answer, call, base=self.address, secrets=self._secrets, now=self._clock.now()
        )

    async def check_maintenance(self, *, no_older_than: float = 0.0) -> None:
        """Make sure that the server is not in maintenance mode, which answers 404 to every other route.

        Args:
            no_older_than: seconds for which an earlier good answer is good enough.

        Raises:
            MaintenanceError: it is.
        """
        if self._clock.monotonic() - self._not_in_maintenance_at < no_older_than:
            return
        try:
            config = await self._patiently(Call("GET", "/server/config"))
        except ImmichRejectedError:
            return  # a server without this route; then a 404 is just a missing route
        if member(config, "maintenanceMode") is True:
            error = MaintenanceError(
                "Immich is in maintenance mode.",
                status=404,
                remedy="Nothing is lost. Wait until the maintenance is over.",
                again="by_itself",
            )
            self.circuit.failed(error)
            raise error
        self._not_in_maintenance_at = self._clock.monotonic()

    async def _patiently(self, call: Call) -> object:
        """Send a call, again after a temporary error if that is safe."""
        until = self._clock.monotonic() + call.fresh
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return await self._attempt(call, until, final=attempt == self._patience.attempts)
            except (WriteInDoubtError, ImmichAnswerError, ImmichSlowError):
                raise
            except ImmichTemporaryError as error:
                delay = self._delay(attempt, error.retry_after)
                over = attempt == self._patience.attempts or self._clock.monotonic() + delay > until
                if over or self.circuit.is_open:
                    raise
                await self._clock.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(self, call: Call, until: float, *, final: bool) -> object:
        """Send once, when there is room and the circuit lets it; ``final``: a failure is not retried."""
        if (pause := self.circuit.pause()) > 0:
            if self._clock.monotonic() + pause > until:
                raise ImmichTemporaryError(
                    f"{self.address} asks to be left alone for {pause:.0f} s; {call.name} was not sent.",
                    retry_after=pause,
                    remedy="Nothing to do: the asset is read again, and then written.",
                )
            await self._clock.sleep(pause)
        async with self._slots:
            if self._permit is not None and call.method in _CHANGES:
                self._permit()  # the wait for a slot may have been long
            self.circuit.admit()
            try:
                answer = await self._exchange(call)
            except ImmichTemporaryError as error:
                if error.status == 429 or isinstance(error, ImmichAnswerError):  # busy or odd, but not down
                    self.circuit.succeeded()
                elif final or self.circuit.is_open or isinstance(error, WriteInDoubtError | ImmichSlowError):
                    self.circuit.failed(error)
                if error.retry_after:
                    self.circuit.hold(min(error.retry_after, self._patience.retry_after_cap))
                raise
            except ImmichError:
                self.circuit.succeeded()
                raise
            else:
                self.circuit.succeeded()
                return answer
            finally:
                self.circuit.release()

    async def _exchange(self, call: Call) -> object:
        """Send once; every failure leaves as an error of ours."""
        answer = await self._respond(call)
        try:
            now = self._clock.now()
            read = partial(answers.read, answer, call, base=self.address, secrets=self._secrets, now=now)
            # A page of a thousand rows takes tens of milliseconds: not on the event loop.
            return await asyncio.to_thread(read) if len(answer.body) > _LARGE else read()
        except ImmichTemporaryError as cause:
            # 429 is a refusal before any work. A 5xx may come from a proxy that lost patience, or from a
            # server that broke, while the write went on.
            raise (cause if cause.status == 429 else _in_doubt(cause, call)) from cause.__cause__

    async def _respond(self, call: Call) -> Answer:
        """Send once, count it, and note the server's clock."""
        query = f"?{call.query}" if call.query else ""
        patience = self._patience.bulk if call.bulk else self._patience.read
        request = self._http.build_request(
            call.method,
            f"{self.address}/api{call.route.format(**call.ids)}{query}",
            content=call.body,
            timeout=httpx.Timeout(patience, connect=self._patience.connect),
        )
        if self._permit is not None and call.method in _CHANGES:
            request.extensions["trace"] = self._ask_again
        try:
            async with asyncio.timeout(patience * self._patience.total):
                head = await self._http.send(request, stream=True)
                body = await self._body(head, call)
        except httpx.HTTPError as error:
            self.requests[call.method, call.route, 0] += 1
            cause = answers.unreachable(error, call, self.address, self._connection.proxy_address)
            raise (cause if answers.never_arrived(error) else _in_doubt(cause, call)) from error
        except httpx.InvalidURL as error:  # httpx takes a Location apart, followed or not
            self.requests[call.method, call.route, 0] += 1
            raise answers.led_astray(call, self.address) from error
        except TimeoutError as error:
            self.requests[call.method, call.route, 0] += 1
            slow = answers.too_slow(call, self.address, patience * self._patience.total)
            raise _in_doubt(slow, call) from error
        self.requests[call.method, call.route, head.status_code] += 1
        if (date := answers.http_date(head.headers.get("date", ""))) is not None:
            self._server_date, self._server_date_at = date, self._clock.monotonic()
        if isinstance(body, bytes):
            return Answer(head, body)
        if call.write or not head.is_success:
            return Answer(head, b"")  # the status says what became of it
        raise answers.unusable(body, call, head.status_code) from body

    async def _ask_again(self, event: str, _: object) -> None:
        """Ask for the permit as late as can be: a connection was made meanwhile, or the process slept."""
        if self._permit is not None and event in _LAST_MOMENTS:
            self._permit()

    @staticmethod
    async def _body(head: httpx.Response, call: Call) -> bytes | BoundError | CutShortError:
        """Read the body within its bound; give what is wrong with it otherwise."""
        most = answers.most_bytes(call) if head.is_success else answers.MOST_WORDS
        try:
            return await read_body(head, most)
        except (BoundError, CutShortError) as error:
            return error

    def _delay(self, attempt: int, retry_after: float | None) -> float:
        ceiling = min(self._patience.backoff_cap, self._patience.backoff * 2 ** (attempt - 1))
        jittered = self._random.uniform(0.0, ceiling)
        return max(jittered, min(retry_after or 0.0, self._patience.retry_after_cap))


def _in_doubt(cause: ImmichTemporaryError, call: Call) -> ImmichTemporaryError:
    if not call.write:
        return cause
    return WriteInDoubtError(
        f"{cause.message} Whether the write was carried out is not known; it is not sent again blindly.",
        status=cause.status,
        retry_after=cause.retry_after,
        remedy="Nothing to do: it is looked up in Immich, and written again if it is not there.",
    )
