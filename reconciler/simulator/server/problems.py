"""The simulated server's refusals, with their status and the form of their body by version."""

from __future__ import annotations

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
        """Return the JSON body; from version 3 the correlation id is only in a header."""
        shown: dict[str, object] = {
            "message": self.message,
            "error": _NAMES.get(self.status, "Error"),
            "statusCode": self.status,
        }
        if version < (3, 0, 0):
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
        if version < (3, 0, 0):
            shown["message"] = [complaint for _, complaint in self.complaints]
        else:
            shown["errors"] = [{"path": [path], "message": text} for path, text in self.complaints]
        return shown


def no_access(permission: str) -> ApiError:
    """Return the answer for an id that is unknown, deleted, locked or another user's: never a 404."""
    return ApiError(400, f"Not found or no {permission} access")
