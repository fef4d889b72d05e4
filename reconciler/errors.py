"""The one error tree of this project.

Every error that a person may read says what happened, to which image, what stays safe, and what to do;
``remedy`` holds the last part, so that a page or a terminal can set it apart. Libraries' own errors are
turned into these at one boundary each (``raise … from``), so nothing above an adapter knows its library.

::

    ReconcilerError
    ├── ConfigurationError          exit 78
    ├── CatalogueError              the catalogue as a whole can not be read
    ├── TemplateError               the description's template (file and line)
    ├── RendererError               the process that renders templates can not be used
    ├── GuardError                  a pass was refused
    ├── StateError                  the daemon's own store
    │   ├── StateTooNewError
    │   ├── StateCorruptError
    │   └── LeaseHeldError          another process is writing
    └── ImmichError
        ├── ImmichTemporaryError    network, timeout, 408/429/5xx: try again later
        │   ├── ImmichUnreachableError
        │   ├── MaintenanceError
        │   └── WriteInDoubtError   a write's answer was lost: look before writing again
        ├── ImmichRejectedError     400: this request, never again as it is
        │   └── AssetUnknownError   the asset is gone or not ours
        ├── ImmichUnauthorizedError 401
        └── MissingPermissionError  403
"""

from __future__ import annotations


class ReconcilerError(Exception):
    """The root: ``str(error)`` says what happened, ``remedy`` what to do (may be empty)."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class ConfigurationError(ReconcilerError):
    """The configuration is wrong; the process ends with 78 (EX_CONFIG), so systemd does not restart it."""

    exit_code = 78


class CatalogueError(ReconcilerError):
    """The catalogue as a whole can not be read. One odd row is never this: see ``Catalogue.problems``."""


class TemplateError(ReconcilerError):
    """The description's template fails; nothing is written.

    Args:
        message: what is wrong.
        source: the template's file, or a name for the built-in one.
        line: the line in it, counted from 1; ``None`` when not known.
        remedy: what to do.
    """

    def __init__(self, message: str, *, source: str, line: int | None, remedy: str = "") -> None:
        super().__init__(f"{source}:{line or '?'}: {message}", remedy=remedy)
        self.reason = message
        """Without the place."""
        self.source = source
        self.line = line


class RendererError(ReconcilerError):
    """The process that renders users' templates can not be used; that is no fault of the template."""


class GuardError(ReconcilerError):
    """A pass would have taken too much away and was refused."""


class DecisionError(ReconcilerError):
    """A person's decision of a conflict can not be taken: there is none, or it is another one by now."""


class StateError(ReconcilerError):
    """The daemon's own store can not be used."""


class StateTooNewError(StateError):
    """The store was written by a newer version of this program."""


class StateCorruptError(StateError):
    """The store is damaged; it was set aside, not overwritten."""


class LeaseHeldError(StateError):
    """Another process holds the right to write."""


class ImmichError(ReconcilerError):
    """Immich answered something else than success; ``status`` is the HTTP status, 0 when none came."""

    def __init__(self, message: str, *, status: int = 0, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class ImmichTemporaryError(ImmichError):
    """Worth trying again; ``retry_after`` is the server's own wish in seconds, if it named one."""

    def __init__(
        self, message: str, *, status: int = 0, retry_after: float | None = None, remedy: str = ""
    ) -> None:
        super().__init__(message, status=status, remedy=remedy)
        self.retry_after = retry_after


class ImmichUnreachableError(ImmichTemporaryError):
    """No answer at all, or the circuit is open because there was none lately."""


class MaintenanceError(ImmichTemporaryError):
    """Immich is in maintenance mode: it answers 404 to everything; that never means an asset is gone."""


class WriteInDoubtError(ImmichTemporaryError):
    """A write may or may not have been carried out: its answer was lost, or came from something in between.

    It was not sent again, because two writes close together can lose one for ever. Whoever asked for it
    treats it as sent, waits for it to settle, and observes again.

    Args:
        message: what happened.
        status: the HTTP status, 0 when none came.
        retry_after: the server's own wish in seconds, if it named one.
        remedy: what to do.
    """

    def __init__(
        self, message: str, *, status: int = 0, retry_after: float | None = None, remedy: str = ""
    ) -> None:
        super().__init__(message, status=status, retry_after=retry_after, remedy=remedy)
        self.accepted: frozenset[str] = frozenset()
        """Assets of the same request whose part was answered with success."""
        self.rejected: dict[str, str] = {}
        """Assets of the same request that were refused, with the reason. All others are in doubt."""


class ImmichRejectedError(ImmichError):
    """Immich refused this very request (400, or a 404 of a route)."""


class AssetUnknownError(ImmichRejectedError):
    """The asset is gone, locked, or another user's; confirmed on the asset itself, outside maintenance."""

    def __init__(self, asset_id: str) -> None:
        super().__init__(
            f"Immich does not show asset {asset_id} to this key: it is deleted, in the locked folder, "
            "or another user's.",
            status=400,
            remedy="Check the image's link in Skymmich, or the owner of the API key.",
        )
        self.asset_id = asset_id


class ImmichUnauthorizedError(ImmichError):
    """The API key is wrong, or missing."""


class MissingPermissionError(ImmichError):
    """The API key lacks a scope; ``permission`` names it when Immich did."""

    def __init__(self, message: str, *, permission: str = "", remedy: str = "") -> None:
        super().__init__(message, status=403, remedy=remedy)
        self.permission = permission
