"""The block's template, edited with a live preview: nothing is written to Immich until a pass does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from reconciler.errors import ReconcilerError, TemplateError
from reconciler.messages.template_names import PARTS
from reconciler.messages.translation import Message, say
from reconciler.messages.voice import told
from reconciler.web import params
from reconciler.web.api.problems import ProblemError
from reconciler.web.redirects import redirect
from reconciler.web.template_preview import checked_text, message_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.policy import Policy
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups
    from reconciler.web.pages.renderer import Pages
    from reconciler.web.template_preview import Trial


_SAVE_TEMPLATE: Final = Message("Save this template?")
_RESET_TEMPLATE: Final = Message("Go back to the configured template?")
_SAVE_PARTS: Final = Message("Save these parts?")
_RESET_PARTS: Final = Message("Go back to the configured parts?")


class TemplatePages:
    """The handlers; there are none where no template can be kept."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups, trial: Trial) -> None:
        self._panel, self._pages, self._lookups, self._trial = panel, pages, lookups, trial

    def routes(self) -> list[Route]:
        """List the addresses."""
        if self._panel.template is None:
            return []
        return [
            Route("/template", self.edit, methods=["GET"]),
            Route("/template", self.save, methods=["POST"]),
            Route("/template/preview", self.preview, methods=["POST"]),
            Route("/template/plan", self.plan, methods=["POST"]),
            Route("/template/parts", self.parts, methods=["POST"]),
            Route("/template/parts/reset", self.reset_parts, methods=["POST"]),
            Route("/template/reset", self.reset, methods=["POST"]),
        ]

    async def edit(self, request: Request) -> Response:
        """Show the template in force, or an earlier one."""
        text, versions = self._trial.keeper.text(), self._trial.keeper.versions()
        if "version" in request.query_params:
            chosen = params.whole(request.query_params, "version", 0, 0, 1000)
            if chosen >= len(versions):
                raise ProblemError(404, "There is no such version.")
            text = versions[chosen].text
        return await self._page(request, text, "")

    async def preview(self, request: Request) -> Response:
        """Show what a text renders for the chosen image: a part of the page, or all of it."""
        form = await params.form(request)
        text = checked_text(form.get("text", ""))
        if request.headers.get("hx-request") != "true":
            return await self._page(request, text, form.get("image", ""))
        _, chosen = await self._choices(form.get("image", ""))
        return self._pages.page(request, "_rendered.html", await self._rendered(text, chosen))

    async def save(self, request: Request) -> Response:
        """Let a text hold from the next pass on, if it renders, and once it was seen what it changes."""
        form = await params.form(request)
        text = checked_text(form.get("text", ""))
        _, chosen = await self._choices(form.get("image", ""))
        if "confirm" not in form:
            if (shown := await self._rendered(text, chosen))["error"]:
                return await self._page(request, text, form.get("image", ""), shown)
            fields = {"text": text, "image": form.get("image", "")}
            return await self._asked(request, say(_SAVE_TEMPLATE), fields, self._trial.with_text(text))
        try:
            # What the guard would hold back was shown with its numbers, on the page that names the hash.
            await self._trial.save(text, chosen, approved=form.get("approve", ""))
        except TemplateError as error:
            return await self._page(request, text, form.get("image", ""), _failed(error))
        return redirect("/template", said="template")

    async def reset(self, request: Request) -> Response:
        """Let the configured template hold again; what was written here stays among the earlier versions."""
        if "confirm" not in await params.form(request):
            return await self._asked(request, say(_RESET_TEMPLATE), {}, self._trial.with_text(None))
        self._trial.reset()
        return redirect("/template", said="reset")

    async def parts(self, request: Request) -> Response:
        """Switch what differs from what the page showed: another window may have switched others."""
        form = await params.form(request)
        shown: dict[str, bool] = {
            part: form[f"shown_{part}"] == "on" for part in PARTS if f"shown_{part}" in form
        }
        changes = {part: part in form for part, was in shown.items() if (part in form) != was}
        if not changes:
            return redirect("/template", said="parts_same")
        if "confirm" not in form:
            policy = self._trial.keeper.with_parts(changes)
            return await self._asked(request, say(_SAVE_PARTS), form, policy)
        try:
            await self._trial.save_parts(changes)
        except TemplateError as error:
            return await self._page(request, self._trial.keeper.text(), "", _failed(error))
        return redirect("/template", said="parts")

    async def reset_parts(self, request: Request) -> Response:
        """Let the configured parts hold again."""
        if "confirm" not in await params.form(request):
            return await self._asked(request, say(_RESET_PARTS), {}, self._trial.with_configured_parts())
        self._trial.reset_parts()
        return redirect("/template", said="parts_reset")

    async def plan(self, request: Request) -> Response:
        """Show what the text would change in all images."""
        form = await params.form(request)
        text = checked_text(form.get("text", ""))
        _, chosen = await self._choices(form.get("image", ""))
        if (shown := await self._rendered(text, chosen))["error"]:
            return await self._page(request, text, form.get("image", ""), shown)
        prepared = await self._trial.plan(text)
        return self._pages.preview(request, prepared, await self._lookups.latest(), template=text)

    async def _asked(
        self, request: Request, question: str, fields: Mapping[str, str], policy: Policy
    ) -> Response:
        """Show what a policy would change, and ask whether it is to hold: the form is sent again then."""
        foreseen, trouble = None, ""
        try:
            foreseen = await self._trial.foresee(policy)
        except TemplateError as error:
            text = fields.get("text", self._trial.keeper.text())
            return await self._page(request, text, fields.get("image", ""), _failed(error))
        except ReconcilerError as error:
            trouble = told(error, "daemon")
        snapshot = self._panel.control.snapshot()
        values = {
            "question": question,
            "action": request.url.path,
            "fields": fields,
            "foreseen": foreseen,
            "trouble": trouble,
            "snapshot": snapshot,
            "may_write": snapshot.permission.allows(None),
        }
        return self._pages.page(request, "saving.html", values)

    async def _page(
        self, request: Request, text: str, image: str, failed: Mapping[str, object] | None = None
    ) -> Response:
        choices, chosen = await self._choices(image)
        values = {
            "text": text,
            "unsaved": text != self._trial.keeper.text(),
            "origin": self._trial.keeper.origin(),
            "versions": self._trial.keeper.versions(),
            "choices": choices,
            "chosen": chosen,
            "names": await self._trial.names(),
            "parts": self._parts(),
            **(failed or await self._rendered(text, chosen)),
        }
        return self._pages.page(request, "template.html", values, 400 if failed else 200)

    def _parts(self) -> list[dict[str, object]]:
        """Return each part: its name, whether it is on, and whether the configuration has it on."""
        keeper = self._trial.keeper
        on, configured = keeper.policy().description.enabled_parts, keeper.configured_parts()
        return [
            {"name": part, "label": say(label), "on": part in on, "configured": part in configured}
            for part, label in PARTS.items()
        ]

    async def _choices(self, image: str) -> tuple[Sequence[CatalogueImage], CatalogueImage | None]:
        lookup, linked = await self._trial.choices()
        chosen = lookup.image(int(image)) if image.isascii() and image.isdigit() else None
        return linked, chosen or next(iter(linked), None)

    async def _rendered(self, text: str, chosen: CatalogueImage | None) -> dict[str, object]:
        try:
            return {"rendered": await self._trial.render(text, chosen) if chosen else None, "error": None}
        except TemplateError as error:
            return _failed(error)


def _failed(error: TemplateError) -> dict[str, object]:
    return {"rendered": None, "error": {"line": error.line, "message": message_of(error)}}
