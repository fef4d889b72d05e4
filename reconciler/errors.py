"""The one error tree of this project.

Every error that a person may read says what happened, to which image, what stays safe, and what to do;
``remedy`` holds the last part, so that a page or a terminal can set it apart. Libraries' own errors are
turned into these at one boundary each (``raise … from``), so nothing above an adapter knows its library.

::

    ReconcilerError
    ├── ConfigurationError          exit 78
    │   └── UnconfirmedError        another address or library than before: a person says whether it is right
    ├── CatalogueError              the catalogue as a whole cannot be read
    ├── TemplateError               the description's template (file and line)
    ├── UnusableImageError          one image's values cannot be worked with
    ├── RendererError               the process that renders templates cannot be used
    ├── GuardError                  a pass was refused
    │   ├── NotBegunError           nobody has begun it yet: nothing is written
    │   └── ObservingError          this installation only observes
    ├── AnotherInstanceError        another instance keeps this library: this one stands back
    ├── UndoError                   it cannot be undone, or there is nothing to undo; nothing was written
    ├── DaemonRefusedError          a daemon answers, but does not let this command in
    ├── StateError                  the daemon's own store
    │   ├── StateTooNewError
    │   ├── StateCorruptError
    │   ├── StateGoneError          its file was deleted, moved or replaced
    │   └── LeaseHeldError          another process is writing
    │       └── LeaseLostError      it took over while this one stood still
    └── ImmichError
        ├── ImmichTemporaryError    network, timeout, 408/429/5xx: try again later
        │   ├── ImmichUnreachableError
        │   │   └── ImmichSlowError      an answer that did not come to its end in time
        │   ├── ImmichAnswerError    an answer that is not used: too long, too deep, not what was asked
        │   │   ├── AssetIncompleteError   it says less of one asset than it must
        │   │   ├── StaleAnswerError       it is older than what was shown before
        │   │   └── UnfamiliarServerError  so do many: nothing more is written
        │   ├── MaintenanceError
        │   └── WriteInDoubtError   a write's answer was lost: look before writing again
        ├── ImmichRejectedError     400: this request, never again as it is
        │   └── AssetUnknownError   the asset is gone or not ours
        ├── ImmichUnauthorizedError 401
        └── MissingPermissionError  403
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

Again = Literal["by_itself", "next_pass", "when_changed"]
"""When a daemon does it once more: soon, at the next pass, or once something about it changes. A command
that ends does nothing by itself, so the faces say it, each in its own voice: see ``reconciler.messages``."""


class ReconcilerError(Exception):
    """The root: ``str(error)`` says what happened, ``remedy`` what to do (may be empty).

    ``again`` tells whether a daemon tries it once more; no sentence of an error says it.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "", again: Again | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.again = again


class ConfigurationError(ReconcilerError):
    """The configuration is wrong; the process ends with 78 (EX_CONFIG), so systemd does not restart it."""

    exit_code = 78


class UnconfirmedError(ConfigurationError):
    """Where our key would go, or whose library it opens, is not what was known, and nobody confirmed it."""


class CatalogueError(ReconcilerError):
    """The catalogue as a whole cannot be read. One odd row is never this: see ``Catalogue.problems``."""


class TemplateError(ReconcilerError):
    """The description's template fails; nothing is written.

    Args:
        message: what is wrong.
        source: the template's file, or a name for the built-in one.
        line: the line in it, counted from 1; ``None`` when not known.
        remedy: what to do.
        runaway: whether it went beyond a limit, so that it is not tried on other images.
    """

    def __init__(
        self, message: str, *, source: str, line: int | None, remedy: str = "", runaway: bool = False
    ) -> None:
        super().__init__(f"{source}:{line or '?'}: {message}", remedy=remedy)
        self.reason = message
        """Without the place."""
        self.source = source
        self.line = line
        self.runaway = runaway


class UnusableImageError(ReconcilerError):
    """What the catalogue has of one image cannot be worked with: it is left as it is, the others go on."""


class RendererError(ReconcilerError):
    """The process that renders users' templates cannot be used; that is no fault of the template."""


class GuardError(ReconcilerError):
    """A pass would have taken too much away and was refused."""


class NotBegunError(GuardError):
    """Nobody has begun it: a new installation writes nothing before a person said so."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing is written yet: this installation waits until a person begins.",
            remedy="See what it would write, and begin: on its page, with skymmich-reconciler apply, or for "
            'good with [policy] mode = "sync".',
        )


class ObservingError(GuardError):
    """This installation only observes, as its configuration says."""

    def __init__(self) -> None:
        super().__init__(
            'This installation only observes ([policy] mode = "observe"); nothing was written.',
            remedy='To have it write, set [policy] mode = "ask" or "sync", and systemctl reload '
            "skymmich-reconciler where it runs.",
        )


class AnotherInstanceError(ReconcilerError):
    """Another instance of this program keeps this library: this one stands back, and writes nothing.

    Args:
        instance: what it calls itself in its records.
        since: when it began.
        seen_at: its last sign of life, as far as it was looked for: it may have written since.
        host: the name of its host, if known.
    """

    def __init__(self, instance: str, since: datetime, seen_at: datetime, host: str = "") -> None:
        name = f"{instance} on {host}" if host else instance
        super().__init__(
            f"Another instance of this program ({name}) has kept this library since "
            f"{since:%Y-%m-%d %H:%M} UTC; its last sign of life seen from here was at "
            f"{seen_at:%Y-%m-%d %H:%M:%S} UTC. This one stands back: nothing was written.",
            remedy="Keep only one of the two: stop the other one, and this one goes on within half a day, or "
            "take over at once: skymmich-reconciler adopt --take-over",
        )
        self.instance, self.since, self.seen_at, self.host = instance, since, seen_at, host


class DecisionError(ReconcilerError):
    """A person's decision of a conflict cannot be taken: there is none, or it is another one by now."""


class UndoError(ReconcilerError):
    """What a person wants to undo cannot be undone; nothing was written."""


class DaemonRefusedError(ReconcilerError):
    """A daemon runs and answers, but does not tell this command anything."""


class StateError(ReconcilerError):
    """The daemon's own store cannot be used."""


class StateTooNewError(StateError):
    """The store was written by a newer version of this program."""


class StateCorruptError(StateError):
    """The store is damaged; it was set aside, not overwritten."""


class StateGoneError(StateError):
    """The store's file is not where it was opened: deleted, moved, or another one is in its place."""


class LeaseHeldError(StateError):
    """Another process holds the right to write; ``by``: what it is, such as ``daemon`` or ``page``."""

    def __init__(self, message: str, *, remedy: str = "", again: Again | None = None, by: str = "") -> None:
        super().__init__(message, remedy=remedy, again=again)
        self.by = by


class LeaseLostError(LeaseHeldError):
    """Another process took the right to write over: what this one would record or send is refused."""


class ImmichError(ReconcilerError):
    """Immich answered something else than success; ``status`` is the HTTP status, 0 when none came."""

    def __init__(
        self, message: str, *, status: int = 0, remedy: str = "", again: Again | None = None
    ) -> None:
        super().__init__(message, remedy=remedy, again=again)
        self.status = status


class ImmichTemporaryError(ImmichError):
    """Worth trying again; ``retry_after`` is the server's own wish in seconds, if it named one."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        retry_after: float | None = None,
        remedy: str = "",
        again: Again | None = None,
    ) -> None:
        super().__init__(message, status=status, remedy=remedy, again=again)
        self.retry_after = retry_after


class ImmichUnreachableError(ImmichTemporaryError):
    """No answer at all, or the circuit is open because there was none lately."""


class ImmichSlowError(ImmichUnreachableError):
    """An answer did not come to its end in time, though a byte came now and then. Not asked again at once."""


class ImmichAnswerError(ImmichTemporaryError):
    """Immich answered success with what is not used: beyond a bound, too little, or about something else.

    The server is well, so this opens no circuit; and asking again at once would bring the same.
    """


class AssetIncompleteError(ImmichAnswerError):
    """The answer about one asset lacks fields, or they are of another type: they are unknown, not empty.

    Args:
        asset_id: the asset.
        fields: those that are unknown, by their place in the answer.
        route: what was asked, for people.
        version: the server's.
    """

    def __init__(self, asset_id: str, fields: tuple[str, ...], *, route: str, version: str) -> None:
        self.fields, self.route, self.version = fields, route, version
        self.unextracted = fields == ("exifInfo",)
        """So it is until Immich has read the file."""
        super().__init__(
            "Immich has not read the file's metadata yet."
            if self.unextracted
            else f"Immich {version} does not tell {', '.join(fields)} of asset {asset_id} ({route}). What is "
            "unknown is not empty, so the asset is left as it is.",
            status=200,
            remedy=""
            if self.unextracted
            else "Nothing is lost. If it stays so, look for a proxy or a cache in front of Immich, or update "
            "this program.",
            again="next_pass" if self.unextracted else None,
        )


class StaleAnswerError(ImmichAnswerError):
    """The answer about an asset is older than what Immich has shown of it before: a cache answered.

    Args:
        asset_id: the asset.
        shown: its ``updatedAt`` in this answer.
        known: the one that was shown before.
    """

    def __init__(self, asset_id: str, *, shown: datetime, known: datetime) -> None:
        super().__init__(
            f"Immich's answer about asset {asset_id} is of {shown:%H:%M:%S.%f}, older than the one of "
            f"{known:%H:%M:%S.%f} that it gave before. It is not used, and the asset is left as it is.",
            status=200,
            remedy="Nothing is lost. Look for a cache in front of Immich, and let /api pass it untouched.",
        )


class UnfamiliarServerError(ImmichAnswerError):
    """The server leaves so much unknown that nothing more is written to it.

    Args:
        fields: those that are unknown, by their place in the answer.
        route: what was asked, for people.
        version: the server's.
        count: how many assets lack them.
        of: how many were told of.
    """

    def __init__(self, fields: Collection[str], *, route: str, version: str, count: int, of: int) -> None:
        super().__init__(
            f"Immich {version} does not tell {', '.join(sorted(fields))} of {count} of {of} assets in its "
            f"answers to {route}. What is unknown is not empty, so nothing more is written.",
            status=200,
            remedy="Nothing is lost. Look for a proxy or a cache in front of Immich; if there is none, "
            "update this program: this Immich answers in a way that it does not know.",
        )


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
        again: when it is tried once more.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        retry_after: float | None = None,
        remedy: str = "",
        again: Again | None = None,
    ) -> None:
        super().__init__(message, status=status, retry_after=retry_after, remedy=remedy, again=again)
        self.accepted: frozenset[str] = frozenset()
        """Assets of the same request whose part was answered with success."""
        self.rejected: dict[str, ReconcilerError] = {}
        """Assets of the same request that were refused, and why. All others are in doubt."""


class ImmichRejectedError(ImmichError):
    """Immich refused this very request (400, or a 404 of a route)."""


class AssetUnknownError(ImmichRejectedError):
    """The asset is gone, locked, or another user's; confirmed on the asset itself, outside maintenance."""

    def __init__(self, asset_id: str) -> None:
        super().__init__(
            f"Immich does not show asset {asset_id} to this key: it is deleted, in the locked folder, "
            "or belongs to another user.",
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
