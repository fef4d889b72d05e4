"""What the page's buttons do: plain forms, answered by a redirect, or by the part that changed.

With JavaScript htmx sends them, and the outcome appears on the spot; without, the browser does, and the page
comes back with the outcome in it. No action is a GET.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.routing import Route

from reconciler.core.policy import ALL_SWITCHES
from reconciler.service.api import Request as Wish
from reconciler.web import params
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import linked_image
from reconciler.web.api.switches import change_switches, follow_skymmich
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.web.context import Panel
    from reconciler.web.pages.images import ImagePages
    from reconciler.web.pages.toasts import Toasts

_AT_ONCE = 0.6
"""Seconds that a page with JavaScript waits for an outcome before it asks again."""
_PATIENTLY = 20.0
"""Seconds that a page without it waits."""


class Actions:
    """The handlers."""

    def __init__(self, panel: Panel, images: ImagePages, toasts: Toasts) -> None:
        self._panel, self._images, self._toasts = panel, images, toasts

    def routes(self) -> list[Route]:
        """List the addresses."""
        actions = {
            "sync-all": self.sync_all,
            "look": self.look,
            "stop": self.stop,
            "pause": self.pause,
            "resume": self.resume,
            "settings": self.settings,
            "switch-on": self.switch_on,
            "follow": self.follow,
            "approve": self.approve,
            "test-notice": self.test_notice,
        }
        return [
            Route("/images/{image_id:int}/sync", self.sync_one, methods=["POST"]),
            *(Route(f"/actions/{name}", action, methods=["POST"]) for name, action in actions.items()),
        ]

    async def sync_one(self, request: Request) -> Response:
        """Sync one image."""
        image_id = request.path_params["image_id"]
        form = await params.form(request)
        linked_image(self._panel, image_id)
        run_id = self._panel.control.request(Wish(frozenset({image_id}), trigger="page"))
        if request.headers.get("hx-request") == "true":
            await self._panel.control.wait(run_id, _AT_ONCE)
            part = params.asked_with(request, urlencode({"run": run_id}))
            return await self._images.state_part(part, image_id)
        await self._panel.control.wait(run_id, _PATIENTLY)
        back = params.local(form.get("back", ""), f"/images/{image_id}")
        return redirect(back, f"image-{image_id}", run=run_id, image=str(image_id))

    async def sync_all(self, request: Request) -> Response:
        """Compare and sync everything, whatever is remembered, by the switches that the form shows."""
        form = await params.form(request)
        if any(name.startswith(params.SHOWN) for name in form):
            await change_switches(self._panel, params.ticked_otherwise(form))
        run_id = self._panel.control.request(Wish(full=True, trigger="page"))
        return await self._toasts.answer(request, "asked", run=run_id, fragment="sync")

    async def look(self, request: Request) -> Response:
        """Look now."""
        run_id = self._panel.control.request(Wish(trigger="page"))
        return await self._toasts.answer(request, "asked", run=run_id)

    async def stop(self, request: Request) -> Response:
        """Stop the pass that runs."""
        current = self._panel.control.snapshot().current
        said, run_id = "nothing", ""
        if self._panel.control.stop_run() and current is not None:
            said, run_id = "stopping", current.run_id
        return await self._toasts.answer(request, said, run=run_id, fragment="sync")

    async def pause(self, request: Request) -> Response:
        """Start no pass by itself any more."""
        self._panel.control.pause()
        return await self._toasts.answer(request, "paused")

    async def resume(self, request: Request) -> Response:
        """Undo pause."""
        self._panel.control.resume()
        return await self._toasts.answer(request, "resumed")

    async def approve(self, request: Request) -> Response:
        """Let the guard pass what was shown, named by its hash, and nothing else."""
        form = await params.form(request)
        if not form.get("hash"):
            raise ProblemError(400, "The form names nothing to approve.")
        run_id = self._panel.control.request(params.wish({"approve": form["hash"]}, trigger="page"))
        return await self._toasts.answer(request, "asked", run=run_id)

    async def settings(self, request: Request) -> Response:
        """Change those switches that differ from what the form showed, where they live."""
        changes = params.ticked_otherwise(await params.form(request))
        changed = await change_switches(self._panel, changes)
        return await self._toasts.answer(request, "saved" if changed else "same", fragment="settings")

    async def switch_on(self, request: Request) -> Response:
        """Switch one thing on, where the page says that it is off."""
        form = await params.form(request)
        if form.get("name") not in ALL_SWITCHES:
            raise ProblemError(400, f"“name” must be one of {', '.join(ALL_SWITCHES)}.")
        changed = await change_switches(self._panel, {ALL_SWITCHES[form["name"]]: True})
        said = "saved" if changed else "same"
        return redirect(params.local(form.get("back", ""), "/"), "main", said=said)

    async def test_notice(self, request: Request) -> Response:
        """Send a test notice to every address."""
        messenger = self._panel.messenger
        delivered = await messenger.test() if messenger is not None else ()
        bad = sum(bool(one.error) for one in delivered)
        said = "notice_unsent" if bad else "notice_sent" if delivered else "notice_nobody"
        return await self._toasts.answer(request, said, back="/doctor")

    async def follow(self, request: Request) -> Response:
        """Let Skymmich's own switches hold again."""
        followed = await follow_skymmich(self._panel)
        return await self._toasts.answer(request, "followed" if followed else "same", fragment="settings")
