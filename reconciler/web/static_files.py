"""``/static``: the stylesheet, the scripts, the icons. Their addresses change with their content."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import tagged_bytes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class StaticFiles:
    """The handler."""

    def __init__(self) -> None:
        folder = resources.files("reconciler.web") / "static"
        self._files = {
            one.name: (one.read_bytes(), _TYPES[suffix])
            for one in folder.iterdir()
            if (suffix := "." + one.name.rpartition(".")[2]) in _TYPES
        }

    def routes(self) -> list[Route]:
        """List the address."""
        return [Route("/static/{name}", self.file)]

    async def file(self, request: Request) -> Response:
        """Answer with a file: to be kept for ever where the address names its content."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise ProblemError(404, "There is no such file.")
        age = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
        return tagged_bytes(request, found[0], found[1], {"cache-control": age})
