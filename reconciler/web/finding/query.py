"""What somebody looks for, and in which order: read from an address, and written into one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from reconciler.web import params
from reconciler.web.api.problems import ProblemError
from reconciler.web.finding.sheet import ORDERS
from reconciler.web.tones import CROSSED

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.web.finding.sheet import Order


@dataclass(frozen=True, slots=True)
class Query:
    """A list of images."""

    text: str = ""
    status: str = ""
    """A state, or ``CROSSED``; empty: any."""
    target: str = ""
    equipment: str = ""
    order: Order = "title"

    @classmethod
    def of(cls, request: Request) -> Query:
        """Read it from an address."""
        order = request.query_params.get("sort", "") or "title"
        if order not in ORDERS:
            raise ProblemError(400, f"“sort” must be one of {', '.join(ORDERS)}.")
        status = request.query_params.get("status", "")
        return cls(
            params.search_text(request),
            status if status == CROSSED else params.status(request) or "",
            params.name(request, "target"),
            params.name(request, "equipment"),
            order,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves any image out."""
        return replace(self, order="title") != Query()

    def fields(self) -> dict[str, str]:
        """Return it as an address has it; what is as ever is left out."""
        named = {
            "q": self.text,
            "status": self.status,
            "target": self.target,
            "equipment": self.equipment,
            "sort": "" if self.order == "title" else self.order,
        }
        return {name: value for name, value in named.items() if value}

    def address(self, path: str = "/images", **others: str | int) -> str:
        """Return the address of a page with this list; ``others``: parameters, or other values of its own."""
        fields = {**self.fields(), **others}
        query = urlencode({name: value for name, value in fields.items() if value != ""})
        return f"{path}?{query}" if query else path
