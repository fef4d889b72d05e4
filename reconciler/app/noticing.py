"""Looks every few seconds whether a notice is due, sends it, and keeps what was told.

What is seen is ``service.noticing``'s, what is due ``core.notices``', the words ``messages.letters``'. A
message goes in a process of its own, so nothing waits for it; one that fails is said once in the log, and
stands as a condition until one went.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reconciler.core.notices import (
    Book,
    anew,
    began_before,
    failed,
    seen,
    sending,
    sent,
    to_tell,
)
from reconciler.core.reasons import reason
from reconciler.core.store_keys import NOTICES
from reconciler.engine.events import Event
from reconciler.errors import StateError
from reconciler.messages.letters import Facts, examples, letter, trial_letter
from reconciler.notices.sender import send
from reconciler.service.noticing import (
    BY_STATE,
    CROSSED,
    MOST,
    Images,
    count_in,
    is_synced,
    matters,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, tzinfo
    from typing import Protocol

    from reconciler.config.sections import NoticesSection
    from reconciler.core.notices import Matter, Rules
    from reconciler.core.ports import Clock
    from reconciler.engine.events import Listener
    from reconciler.messages.letters import Letter
    from reconciler.notices.sender import Delivery
    from reconciler.service.api import Snapshot
    from reconciler.service.service import Service
    from state.store import StateStore

    class Send(Protocol):
        """What sends: ``notices.sender.send``."""

        async def __call__(self, addresses: Sequence[str], title: str, body: str) -> tuple[Delivery, ...]:
            """Send a message; tells of each address how it went, and raises nothing."""
            ...


TICK: Final = 20.0
"""Seconds between looks: everything that is told lasts for a minute at least."""


class Noticing:
    """Tells people what needs them.

    Args:
        service: the running daemon.
        store: open for writing; keeps what was told.
        clock: time.
        zone: the reader's time zone.
        section: to whom, what, and when not; without addresses, nothing is looked at.
        listen: takes events for the log.
        send_by: sends.
        anew: whether what could not be sent is tried at once again, as after a restart; not where processes
            take turns.
    """

    def __init__(  # noqa: PLR0913 - each is one thing it is given, by name
        self,
        service: Service,
        store: StateStore,
        clock: Clock,
        *,
        zone: tzinfo,
        section: NoticesSection,
        listen: Listener,
        send_by: Send = send,
        anew: bool = True,
    ) -> None:
        self._anew = anew
        self._service, self._store, self._clock, self._zone = service, store, clock, zone
        self._section, self._listen, self._send = section, listen, send_by
        self._book: Book | None = None
        self._kept: Book | None = None
        """As the store has it."""
        self._asked_for: object = None
        """What the images below were asked for: they are asked again when it changes."""
        self._images = Images()
        self._wanted, self._one = asyncio.Event(), asyncio.Lock()
        self.take(section)

    def take(self, section: NoticesSection) -> None:
        """Go by another configuration from now on."""
        if section.addresses != self._section.addresses and self._book is not None:
            self._book = anew(self._book)
        self._section = section
        if section.addresses:
            self._wanted.set()
        else:
            self._wanted.clear()
            self._service.health.conditions.forget("NoticesSent")

    @property
    def addresses(self) -> int:
        """To how many addresses notices go."""
        return len(self._section.addresses)

    async def keep(self) -> None:
        """Look until cancelled."""
        while True:
            await self._wanted.wait()
            await self._clock.sleep(TICK)
            await self.look()

    async def look(self) -> None:
        """Look once, and send what is due."""
        # Before a pass has ended, conditions say nothing yet.
        if not self._section.addresses or not self._service.passes.total():
            return
        try:
            await self._look(self._service.snapshot())
        except StateError as error:
            self._unread(error)

    async def test(self) -> tuple[Delivery, ...]:
        """Send a test to every address, whatever is due and whatever the hour; empty: there is none."""
        page = self._page()
        async with self._one:
            return await self._sent(trial_letter(page))

    async def _look(self, snapshot: Snapshot) -> None:
        now, rules = self._clock.now().astimezone(self._zone), self._section.rules
        before = self._read(snapshot)
        images = await self._looked_for(snapshot)
        # Apart: with thousands of images it takes a moment.
        found, book = await asyncio.to_thread(_noted, before, snapshot, images, rules, now)
        self._book = book
        told = to_tell(book, rules, now)
        if not told:
            await self._keep(book)
            return
        facts = Facts(
            snapshot,
            since={one: book.due[one].astimezone(self._zone) for one in told},
            now=found.keys(),
            titles=await asyncio.to_thread(self._titles, told),
            page=self._page(),
        )
        self._book = sending(book, told, now)
        await self._keep(self._book)
        async with self._one:
            delivered = await self._sent(letter(told, facts))
        if any(not one.error for one in delivered):
            self._book = sent(self._book)
        else:
            why = _why(delivered)
            self._book = failed(self._book, book, told, why, self._clock.now().astimezone(self._zone))
        await self._keep(self._book)

    async def _sent(self, message: Letter) -> tuple[Delivery, ...]:
        """Send, and say how it went, where that is news."""
        addresses = self._section.addresses
        if not addresses:
            return ()
        delivered = await self._send(addresses, message.title, message.body)
        bad = [one for one in delivered if one.error]
        put = self._service.health.put
        if not bad:
            put("NoticesSent", "True", "Sent", reason("notices_sent"))
            self._listen(Event("notice.sent", "info", details={"addresses": len(delivered)}))
            return delivered
        why = _why(bad)
        known = self._service.health.condition("NoticesSent")
        told = reason("notices_partly" if len(bad) < len(delivered) else "notices_unsent", text=why)
        news = known is None or known.details != (told,)
        put("NoticesSent", "False", "NotSent", told)
        self._listen(Event("notice.failed", "warning" if news else "debug", details={"error": why}))
        return delivered

    def _read(self, snapshot: Snapshot) -> Book:
        """Return what is known; what the store has is read once, for only this process writes it."""
        if self._book is None:
            self._kept = NOTICES.read(self._store)
            # Notices that are new in a library that was in sync before them have no first sync to tell.
            new = began_before(Book()) if is_synced(snapshot) and self._store_is_old() else Book()
            known = anew(self._kept) if self._kept is not None and self._anew else self._kept
            self._book = new if known is None else known
        return self._book

    def _store_is_old(self) -> bool:
        """Return whether runs went before the daemon that runs began."""
        return any(run.started_at < self._service.health.started_at for run in self._store.runs(2))

    async def _keep(self, book: Book) -> None:
        """Let the store have it. Where it cannot, people are told all the more; memory has it meanwhile."""
        if book == self._kept:
            return
        try:
            await asyncio.to_thread(NOTICES.write, self._store, book)
        except StateError as error:
            self._unread(error)
        else:
            self._kept = book

    def _unread(self, error: StateError) -> None:
        # The condition of the store says it to people.
        self._listen(Event("notices.unrecorded", "debug", details={"error": error.message}))

    async def _looked_for(self, snapshot: Snapshot) -> Images:
        """Return the images in the states that are told, from the store where anything may have changed."""
        counts = {name: count_in(snapshot, name) for name in BY_STATE}
        mark = (counts, snapshot.last and snapshot.last.run_id, snapshot.crossed)
        if mark != self._asked_for:
            self._images = await asyncio.to_thread(self._ask, [name for name in counts if counts[name]])
            self._asked_for = mark
        return self._images

    def _ask(self, states: Collection[str]) -> Images:
        search = self._store.search
        found = {
            name: search(limit=MOST, crossed=True) if name == CROSSED else search(status=name, limit=MOST)
            for name in states
        }
        return Images({name: [one.asset_id for one in records] for name, records in found.items()})

    def _titles(self, told: Collection[Matter]) -> dict[str, str]:
        records = (self._store.record(asset_id) for asset_id in examples(told))
        return {one.asset_id: one.title for one in records if one is not None}

    def _page(self) -> str:
        return self._section.page_url.get_secret_value() if self._section.page_url else ""


def _noted(
    book: Book, snapshot: Snapshot, images: Images, rules: Rules, now: datetime
) -> tuple[Mapping[Matter, datetime], Book]:
    found = matters(snapshot, images, now)
    return found, seen(book, found, rules, now)


def _why(delivered: Collection[Delivery]) -> str:
    return "; ".join(f"address {one.name}: {one.error.rstrip('.')}" for one in delivered if one.error)
