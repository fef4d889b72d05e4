"""Pages from templates. Everything is escaped; a page shows values and decides nothing."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from reconciler.engine.outcomes import told_renames
from reconciler.messages.formats import first_upper
from reconciler.messages.reasons import words
from reconciler.web.pages.environment import templates
from reconciler.web.pages.toast import toast_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from reconciler.engine.passes import Prepared
    from reconciler.web.access.policy import Access
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup


PREVIEWED = 100
"""Images that a preview lists."""


class Pages:
    """Renders templates with what every page has.

    Args:
        panel: the daemon, for the state in the header.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._templates = templates(panel.now)

    async def warm(self) -> None:
        """Compile every template, one after another beside the loop: who comes first does not wait."""
        await self._templates.warm()

    def page(
        self, request: Request, template: str, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        """Render a page or a part of one."""
        panel, query = self._panel, request.query_params
        common = {
            **around(request, panel.access, panel.installation),
            "trusted": getattr(request.state, "trusted", False),
            "has_doctor": panel.doctor is not None,
            "has_template": panel.template is not None,
            "toast": toast_of(panel.control, query.get("said", ""), query.get("run", "")),
        }
        return self._templates.render(template, {**common, **values}, status)

    def preview(
        self,
        request: Request,
        prepared: Prepared,
        lookup: Lookup,
        *,
        other: Mapping[str, str] | None = None,
        template: str | None = None,
        first: int = 0,
    ) -> HTMLResponse:
        """Render what a pass would do.

        ``other``: the form of settings, ``template``: the template under which it would, and not in force;
        ``first``: with how many images a new installation may begin.
        """
        tally, telling = prepared.items.tally, prepared.items.telling
        held = list(islice((item.withheld for item in telling() if item.withheld), PREVIEWED))
        room, free = max(0, PREVIEWED - len(held)), tally.changing - tally.in_part
        written = (item.plan for item in telling() if item.plan and item.plan.changes and not item.withheld)
        values = {
            "prepared": prepared,
            "held": held,
            "held_count": tally.withheld,
            "plans": list(islice(written, min(room, free))),
            "count": tally.withheld + free,
            "left_out": max(0, free - room),
            "renames": [first_upper(words(one)) + "." for one in told_renames(tally.renamed)],
            "switches": prepared.rules.switches,
            "other": other,
            "template": template,
            "first": first,
            "snapshot": self._panel.control.snapshot(),
            "settings": self._panel.settings,
            "lookup": lookup,
        }
        return self.page(request, "preview.html", values)


def around(request: Request, access: Access, installation: str) -> dict[str, object]:
    """Return what every page has around it, whether an installation is shown or not.

    Args:
        request: to which it answers.
        access: the rules.
        installation: whose; empty: there is one only, or it is the list of all.
    """
    return {
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "can_log_out": access.has_cookie(request),
        "installation": installation,
        "above": _above(request, installation),
    }


def _above(request: Request, installation: str) -> str:
    """Return the address of the list of all installations; empty where there is only one.

    Each has a host name of its own, which begins with its name.
    """
    host = request.headers.get("host", "")
    inner = f"{installation}.".lower()
    return f"//{host[len(inner) :]}/" if installation and host.lower().startswith(inner) else ""
