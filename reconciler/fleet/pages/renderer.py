"""The pages that show no installation: the list of all, the login, what is said while one is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.web.context import utc_now
from reconciler.web.pages.environment import templates
from reconciler.web.pages.renderer import around

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from reconciler.web.access.policy import Access


class OuterPages:
    """Renders templates.

    Args:
        access: the rules of the place.
        installation: whose; empty: the list's.
    """

    def __init__(self, access: Access, installation: str = "") -> None:
        self._access, self._installation = access, installation

    def page(
        self, request: Request, template: str, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        """Render a page."""
        common = {
            **around(request, self._access, self._installation),
            "trusted": False,  # there is no daemon to listen to
            "has_doctor": False,
            "has_template": False,
            "toast": None,
        }
        return templates(utc_now).render(template, {**common, **values}, status)
