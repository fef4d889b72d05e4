"""Trying a template before it holds: rendered for images, compared with all of them, then saved.

For the page and for the API alike. Rendering runs in a thread with a limit of time: loops within loops must
not stop the daemon, and one that runs on must not have company.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.desired import Form, desire
from reconciler.core.template import BlockTemplate
from reconciler.engine.control import Request as Wish
from reconciler.engine.preparing import Wishes
from reconciler.errors import TemplateError
from reconciler.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.policy import Policy
    from reconciler.engine.passes import Prepared
    from reconciler.web.lookup import Lookup, Lookups
    from reconciler.web.panel import Panel
    from reconciler.web.ports import TemplateKeeper

MAX_TEMPLATE = 16_000
"""Characters; a form's body may have 64 kB, and percent signs triple some."""
_CHOICES = 200
_TRIED = 40
"""Images that a template must render for before it is saved."""
_PATIENCE = 5.0
"""Seconds for one image."""
_AS_IT_IS = Form(lambda text: text, lambda tag: tag)


class Trial:
    """Tries templates, one rendering at a time.

    Args:
        panel: the daemon, and where the template is kept.
        lookups: its images.
    """

    def __init__(self, panel: Panel, lookups: Lookups) -> None:
        self._panel, self._lookups = panel, lookups
        self._rendering: asyncio.Future[str] | None = None

    @property
    def keeper(self) -> TemplateKeeper:
        """Where the template is kept.

        Raises:
            ProblemError: nowhere.
        """
        if self._panel.template is None:
            raise ProblemError(404, "There is no template to edit here.")
        return self._panel.template

    async def choices(self) -> tuple[Lookup, Sequence[CatalogueImage]]:
        """Give the images, and the linked ones that a template is shown on: not all of very many."""
        lookup = await self._lookups.latest()
        return lookup, list(lookup.by_asset.values())[:_CHOICES]

    async def render(self, text: str, image: CatalogueImage) -> str:
        """Render a template for an image; empty if it gives nothing.

        Raises:
            TemplateError: it does not render, or takes too long.
        """
        if self._rendering is not None and not self._rendering.done():
            raise _too_long("an earlier preview is still being computed")
        record = await asyncio.to_thread(self._panel.history.record, image.asset_id or "")
        pixels = (record.width, record.height) if record and record.width and record.height else None
        self._rendering = asyncio.ensure_future(asyncio.to_thread(_render, self._policy(text), image, pixels))
        done, _ = await asyncio.wait({self._rendering}, timeout=_PATIENCE)
        if not done:
            self._rendering.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise _too_long(f"it takes more than {_PATIENCE:.0f} s")
        return self._rendering.result()

    async def plan(self, text: str) -> Prepared:
        """Plan all images with a template; nothing is written."""
        async with self._panel.planning:
            return await self._panel.control.preview(
                Wishes(self._policy(text), self._panel.control.snapshot().switches)
            )

    async def save(self, text: str, shown: CatalogueImage | None = None, *, approved: str = "") -> None:
        """Let a template hold from the next pass on, if it renders for the first images, and begin that pass.

        Args:
            text: the template.
            shown: an image that it must render for, too.
            approved: names what the guard would hold back, as it was shown with its numbers.

        Raises:
            TemplateError: it does not; nothing was changed.
        """
        _, linked = await self.choices()
        for image in [*([shown] if shown else []), *linked[:_TRIED]]:
            await self.render(text, image)
        self.keeper.save(text)
        wish = Wish(by_person=bool(approved), approved=approved, trigger="settings")
        self._panel.control.request(wish)

    def reset(self) -> None:
        """Let the configured template hold again; what was written here stays among the earlier versions."""
        self.keeper.save(None)
        self._panel.control.request(Wish(by_person=False, trigger="settings"))

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
    """Give an error's sentence without the place, which stands beside it."""
    return str(error).removeprefix(f"{error.source}:{error.line or '?'}: ")


def _render(policy: Policy, image: CatalogueImage, pixels: tuple[int, int] | None) -> str:
    return desire(image, policy, BlockTemplate(policy.description), _AS_IT_IS, pixels).block or ""


def _too_long(why: str) -> TemplateError:
    return TemplateError(why, source="template", line=None, remedy="Shorten its loops.")
