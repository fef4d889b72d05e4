"""The simulated server's refusals, with their status and the form of their body by version."""

from __future__ import annotations

V3 = (3, 0, 0)
"""From here on errors, types and ids are checked by another library."""
_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class ApiError(Exception):
    """A request that is refused. Raised by handlers, turned into an answer in one place."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self, version: tuple[int, int, int], correlation: str) -> dict[str, object]:
        """Return the JSON body; from version 3 it is the message alone, and the rest is only in the head."""
        shown: dict[str, object] = {"message": self.message}
        if version < V3:
            shown["error"] = _NAMES.get(self.status, "Error")
            shown["statusCode"] = self.status
            shown["correlationId"] = correlation
        return shown


class ValidationError(ApiError):
    """A request whose values are wrong: field and complaint for each."""

    def __init__(self, complaints: list[tuple[str, str]]) -> None:
        super().__init__(400, "Validation failed")
        self.complaints = complaints

    def body(self, version: tuple[int, int, int], correlation: str) -> dict[str, object]:
        """Up to 2.x ``message`` is a list of sentences; from 3.0 there is ``errors`` with paths."""
        shown = super().body(version, correlation)
        if version < V3:
            shown["message"] = [complaint for _, complaint in self.complaints]
        else:
            shown["errors"] = [
                {"code": "invalid_type", "path": _steps(path), "message": text}
                for path, text in self.complaints
            ]
        return shown


def _steps(path: str) -> list[object]:
    """Take ``items.0.key`` apart as it is told from 3.0 on: names and numbers; none is the whole body."""
    return [int(step) if step.isdecimal() else step for step in path.split(".") if step]


def no_access(permission: str) -> ApiError:
    """Return the answer for an id that is unknown, deleted, locked or another user's: never a 404."""
    return ApiError(400, f"Not found or no {permission} access")
