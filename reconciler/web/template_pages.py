"""The block's template, edited with a live preview: nothing is written to Immich until a pass does."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from reconciler.core.desired import Form, desire
from reconciler.core.facts import Facts
from reconciler.core.template import BlockTemplate
from reconciler.engine.control import Request as Wish
from reconciler.engine.preparing import Wishes
from reconciler.errors import TemplateError
from reconciler.web import inputs
from reconciler.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.policy import Policy
    from reconciler.web.lookup import Lookups
    from reconciler.web.panel import Panel
    from reconciler.web.ports import TemplateKeeper
    from reconciler.web.rendering import Pages

MAX_TEMPLATE = 16_000
"""Characters; a form's body may have 64 kB, and percent signs triple some."""
_CHOICES = 200
_TRIED = 40
"""Images that a template must render for before it is saved."""
_PATIENCE = 5.0
_AS_IT_IS = Form(lambda text: text, lambda tag: tag)


class TemplatePages:
    """The handlers; there are none where no template can be kept."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups) -> None:
        self._panel, self._pages, self._lookups = panel, pages, lookups
        self._rendering: asyncio.Future[str | None] | None = None

    def routes(self) -> list[Route]:
        """List the addresses."""
        if self._panel.template is None:
            return []
        return [
            Route("/template", self.edit, methods=["GET"]),
            Route("/template", self.save, methods=["POST"]),
            Route("/template/preview", self.preview, methods=["POST"]),
            Route("/template/plan", self.plan, methods=["POST"]),
            Route("/template/reset", self.reset, methods=["POST"]),
        ]

    @property
    def _keeper(self) -> TemplateKeeper:
        if self._panel.template is None:
            raise ProblemError(404, "There is no template to edit here.")
        return self._panel.template

    async def edit(self, request: Request) -> Response:
        """Show the template in force, or an earlier one."""
        text, versions = self._keeper.text(), self._keeper.versions()
        if "version" in request.query_params:
            chosen = inputs.whole(request.query_params, "version", 0, 0, 1000)
            if chosen >= len(versions):
                raise ProblemError(404, "There is no such version.")
            text = versions[chosen].text
        return await self._page(request, text, "")

    async def preview(self, request: Request) -> Response:
        """Show what a text renders for the chosen image: a part of the page, or all of it."""
        form = await inputs.form(request)
        text = _text(form)
        if request.headers.get("hx-request") != "true":
            return await self._page(request, text, form.get("image", ""))
        _, chosen = await self._choices(form.get("image", ""))
        return self._pages.page(request, "_rendered.html", await self._rendered(text, chosen))

    async def save(self, request: Request) -> Response:
        """Let a text hold from the next pass on, if it renders."""
        form = await inputs.form(request)
        text = _text(form)
        choices, chosen = await self._choices(form.get("image", ""))
        try:
            for image in [*([chosen] if chosen else []), *choices[:_TRIED]]:
                await self._render(text, image)
            self._keeper.save(text)
        except TemplateError as error:
            return await self._page(request, text, form.get("image", ""), _failed(error))
        # What the guard would hold back was shown with its numbers, on the page that names the hash.
        approved = form.get("approve", "")
        self._panel.control.request(Wish(by_person=bool(approved), approved=approved, trigger="settings"))
        return RedirectResponse("/template?said=template", status_code=303)

    async def reset(self, _: Request) -> Response:
        """Let the configured template hold again; what was written here stays among the earlier versions."""
        self._keeper.save(None)
        self._panel.control.request(Wish(by_person=False, trigger="settings"))
        return RedirectResponse("/template?said=reset", status_code=303)

    async def plan(self, request: Request) -> Response:
        """Show what the text would change in all images."""
        form = await inputs.form(request)
        text = _text(form)
        _, chosen = await self._choices(form.get("image", ""))
        if (shown := await self._rendered(text, chosen))["error"]:
            return await self._page(request, text, form.get("image", ""), shown)
        async with self._panel.planning:
            prepared = await self._panel.control.preview(
                Wishes(self._policy(text), self._panel.control.snapshot().switches)
            )
        return self._pages.preview(request, prepared, await self._lookups.latest(), template=text)

    async def _page(
        self, request: Request, text: str, image: str, failed: Mapping[str, object] | None = None
    ) -> Response:
        choices, chosen = await self._choices(image)
        values = {
            "text": text,
            "origin": self._keeper.origin(),
            "versions": self._keeper.versions(),
            "choices": choices,
            "chosen": chosen,
            "names": [entry.name for entry in fields(Facts)],
            **(failed or await self._rendered(text, chosen)),
        }
        return self._pages.page(request, "template.html", values, 400 if failed else 200)

    async def _choices(self, image: str) -> tuple[Sequence[CatalogueImage], CatalogueImage | None]:
        lookup = await self._lookups.latest()
        linked = list(lookup.by_asset.values())[:_CHOICES]
        chosen = lookup.by_id.get(int(image)) if image.isascii() and image.isdigit() else None
        return linked, chosen or next(iter(linked), None)

    async def _rendered(self, text: str, chosen: CatalogueImage | None) -> dict[str, object]:
        try:
            return {"rendered": await self._render(text, chosen) if chosen else None, "error": None}
        except TemplateError as error:
            return _failed(error)

    async def _render(self, text: str, image: CatalogueImage) -> str | None:
        """Render in a thread: loops within loops must not stop the daemon."""
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

    def _policy(self, text: str) -> Policy:
        policy = self._keeper.policy()
        described = replace(policy.description, template=text, template_name="template")
        return replace(policy, description=described)


def _render(policy: Policy, image: CatalogueImage, pixels: tuple[int, int] | None) -> str | None:
    return desire(image, policy, BlockTemplate(policy.description), _AS_IT_IS, pixels).block or ""


def _failed(error: TemplateError) -> dict[str, object]:
    message = str(error).removeprefix(f"{error.source}:{error.line or '?'}: ")
    return {"rendered": None, "error": {"line": error.line, "message": message}}


def _too_long(why: str) -> TemplateError:
    return TemplateError(why, source="template", line=None, remedy="Shorten its loops.")


def _text(form: dict[str, str]) -> str:
    text = form.get("text", "").replace("\r\n", "\n")
    if len(text) > MAX_TEMPLATE:
        raise ProblemError(413, f"A template may have {MAX_TEMPLATE} characters.")
    return text
