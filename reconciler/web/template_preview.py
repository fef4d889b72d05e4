"""Trying a template before it holds: rendered for images, compared with all of them, then saved.

For the page and for the API alike. The renderer sees to it that no template takes more than it may; here, one
is tried at a time.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from reconciler.engine.foreseen import foresee
from reconciler.engine.planner.desired import sized, try_template
from reconciler.engine.planner.wishes import Wishes
from reconciler.errors import TemplateError
from reconciler.models.requests import MAX_TEMPLATE
from reconciler.service.api import Request as Wish
from reconciler.web.api.problems import ProblemError
from reconciler.web.template_names import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.policy import Policy
    from reconciler.engine.foreseen import Foreseen
    from reconciler.engine.passes import Prepared
    from reconciler.engine.planner.desired import DesiredStates
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup, Lookups
    from reconciler.web.ports import TemplateKeeper
    from reconciler.web.template_names import Name

_CHOICES = 200
_WHOLE = 2_000
"""Images up to which all are compared …"""
_BOUND_S = 6.0
"""… if that takes no more seconds than these …"""
_SAMPLE = 200
"""… and else so many, spread over all."""
_PATIENCE = 5.0
"""Seconds to wait for another trial's end."""


class Trial:
    """Tries templates, one rendering at a time.

    Args:
        panel: the daemon, and where the template is kept.
        lookups: its images.
    """

    def __init__(self, panel: Panel, lookups: Lookups) -> None:
        self._panel, self._lookups = panel, lookups
        self._turn = asyncio.Lock()

    @property
    def keeper(self) -> TemplateKeeper:
        """Where the template is kept.

        Raises:
            ProblemError: nowhere.
        """
        if self._panel.template is None:
            raise ProblemError(404, "There is no template to edit here.")
        return self._panel.template

    def now(self) -> datetime:
        """Return the time."""
        return self._panel.now()

    async def choices(self) -> tuple[Lookup, Sequence[CatalogueImage]]:
        """Return the images, and the linked ones that a template is shown on: not all of very many."""
        lookup = await self._lookups.latest()
        return lookup, list(islice(lookup.catalogue.linked(), _CHOICES))

    async def render(self, text: str, image: CatalogueImage) -> str:
        """Return what a template renders for an image; it may be empty.

        Raises:
            TemplateError: it does not render, or takes too much.
        """
        desires = await self._compute(self._policy(text), [image])
        return desires.of(image).block or ""

    async def plan(self, text: str) -> Prepared:
        """Plan all images with a template; nothing is written."""
        async with self._panel.planning:
            return await self._panel.control.preview(
                Wishes(self._policy(text), self._panel.control.snapshot().switches)
            )

    async def foresee(self, policy: Policy) -> Foreseen:
        """Look what a policy would change, in a few seconds: of very many images only some are compared.

        Raises:
            ReconcilerError: that cannot be told now.
        """
        control = self._panel.control
        wishes = Wishes(policy, control.snapshot().switches)
        lookup = await self._lookups.latest()
        linked = lookup.catalogue.linked()
        async with self._panel.planning:
            prepared = None
            if len(linked) <= _WHOLE:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_BOUND_S):
                        prepared = await control.preview(wishes)
            if prepared is None:
                some = islice(linked, 0, None, -(-len(linked) // _SAMPLE))
                prepared = await control.preview(
                    wishes, image_ids=frozenset(image.image_id for image in some)
                )
        return await asyncio.to_thread(foresee, prepared, self.now())

    async def save(self, text: str, shown: CatalogueImage | None = None, *, approved: str = "") -> None:
        """Let a template hold from the next pass on, if it renders for all images, and begin that pass.

        Args:
            text: the template.
            shown: an image that it must render for, too.
            approved: names what the guard would hold back, as it was shown with its numbers.

        Raises:
            TemplateError: it does not; nothing was changed.
        """
        lookup = await self._lookups.latest()
        linked = lookup.catalogue.linked()
        await self._compute(self._policy(text), chain([shown] if shown else [], linked))
        self.keeper.save(text)
        wish = Wish(by_person=bool(approved), approved=approved, trigger="template")
        self._panel.control.request(wish)

    def reset(self) -> None:
        """Let the configured template hold again; what was written here stays among the earlier versions."""
        self.keeper.save(None)
        self._panel.control.request(Wish(by_person=False, trigger="template"))

    async def names(self) -> tuple[Name, ...]:
        """Return the names that a template may use, with examples."""
        lookup = await self._lookups.latest()
        policy = self.keeper.policy().description
        return names_of(lookup.catalogue.images, policy, self._panel.history)

    async def save_parts(self, changes: Mapping[str, bool]) -> None:
        """Switch some parts from the next pass on, if the template renders for all images without them.

        Raises:
            TemplateError: it does not; nothing was changed.
        """
        lookup = await self._lookups.latest()
        await self._compute(self.keeper.with_parts(changes), lookup.catalogue.linked())
        self.keeper.save_parts(changes)
        self._panel.control.request(Wish(by_person=False, trigger="template"))

    def reset_parts(self) -> None:
        """Let the configured parts hold again."""
        self.keeper.save_parts(None)
        self._panel.control.request(Wish(by_person=False, trigger="template"))

    async def _compute(self, policy: Policy, images: Iterable[CatalogueImage]) -> DesiredStates:
        """Compute what images want under a policy."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            wanted = sized(images, self._panel.history.record)
            return await try_template(self._panel.renderer, policy, wanted)
        finally:
            self._turn.release()

    def with_text(self, text: str | None) -> Policy:
        """Return the policy in force with another template; ``None``: with the configured one."""
        return self._policy(self.keeper.configured() if text is None else text)

    def with_configured_parts(self) -> Policy:
        """Return the policy in force with the configured parts."""
        policy, on = self.keeper.policy(), self.keeper.configured_parts()
        return replace(policy, description=replace(policy.description, enabled_parts=on))

    def _policy(self, text: str) -> Policy:
        policy = self.keeper.policy()
        described = replace(policy.description, template=text, template_name="template")
        return replace(policy, description=described)


def checked_text(text: str) -> str:
    """Take a template as it was sent.

    Raises:
        ProblemError: it is too long.
    """
    text = text.replace("\r\n", "\n")
    if len(text) > MAX_TEMPLATE:
        raise ProblemError(413, f"A template may have {MAX_TEMPLATE} characters.")
    return text


def message_of(error: TemplateError) -> str:
    """Return an error's sentence without the place, which stands beside it."""
    return error.reason


def _busy() -> TemplateError:
    return TemplateError(
        "another template is still being tried", source="template", line=None, remedy="Try it again."
    )
