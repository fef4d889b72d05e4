"""Logging: for people on a terminal, JSON lines otherwise, and never a secret in either.

structlog's lines and those of the libraries (httpx, uvicorn, apscheduler, alembic, ``warnings``) take the
same way: through one handler on the root logger, whose last steps hide secrets. A line about an image carries
``image_id``, ``asset_id`` and ``run``: use ``image_logger``, within ``run_context``.

Not for what a command prints: that goes through ``redact`` where it may hold what a server said.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

import structlog

from reconciler.redaction import redact, redact_event, redact_registered, register_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = [
    "configure",
    "image_logger",
    "log_uncaught",
    "printable",
    "redact",
    "register_secret",
    "run_context",
]

_CHATTY: Final = (
    "httpx",
    "httpcore",
    "apscheduler",
    "alembic",
    "asyncio",
    "uvicorn",
    "websockets",
)
"""Libraries that report each of their steps: their warnings are heard, the rest is not."""

_CONTROLS: Final = {
    code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if code not in {0x09, 0x0A}
} | {code: f"\\u{code:04x}" for code in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""What a title may not do to a terminal: move the cursor, change colours, turn the direction of text."""


def printable(text: str) -> str:
    """Return a text that can do nothing to a terminal: control characters are shown, lines and tabs stay."""
    return text.translate(_CONTROLS)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream; a line that cannot be written costs only itself, and shows none of its content."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say that a line was lost. The inherited method would print its arguments, secrets too."""
        kind = sys.exc_info()[0]
        if kind is not None and issubclass(kind, (OSError, ValueError)) and self.stream.closed:
            return
        try:
            name = kind.__name__ if kind else "an error"
            self.stream.write(
                f"a log line of {record.name} was lost: {name} ({record.module}:{record.lineno})\n"
            )
        except (OSError, ValueError):
            return  # the stream itself is gone; there is nowhere to say so


def configure(stream: TextIO | None = None, *, json: bool | None = None, level: str = "info") -> None:
    """Set up all logging of the process; may be called again, and then replaces the former setup.

    Args:
        stream: where lines go; ``None``: standard error.
        json: JSON lines, or text for people; ``None``: text if the stream is a terminal.
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    out = stream if stream is not None else sys.stderr
    terminal = out.isatty()
    as_json = not terminal if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _complete,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                _ordered,
                _json if as_json else _console(colors=terminal and "NO_COLOR" not in os.environ),
                _writable(out),
            ],
        )
    )
    _take_over(handler, level.upper())


def _take_over(handler: logging.Handler, level: str) -> None:
    """Make ``handler`` the one way out: libraries' own handlers would write past the redaction."""
    root = logging.getLogger()
    for old in [
        old for old in root.handlers if isinstance(old, _Handler) or type(old) is logging.StreamHandler
    ]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _CHATTY:
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.WARNING, root.level))
        logger.handlers.clear()
        logger.propagate = True
        # A library's own setup reaches below: uvicorn's mutes uvicorn.error and cuts uvicorn.access off.
        below = [known for known in logging.root.manager.loggerDict if known.startswith(f"{name}.")]
        for child in map(logging.getLogger, below):
            child.setLevel(logging.NOTSET)
            child.handlers.clear()
            child.propagate = True
    logging.captureWarnings(capture=True)


def log_uncaught() -> None:
    """Send tracebacks that end the process or a thread to the log: Python prints them as they are."""

    def report(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        logging.getLogger("reconciler").critical(
            "ended by an unexpected error", exc_info=(kind, error or kind(), trace)
        )

    sys.excepthook = report
    threading.excepthook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)


@contextmanager
def run_context(run_id: str) -> Iterator[None]:
    """Bind ``run`` to every line that is logged within, also by libraries and by tasks started here."""
    with structlog.contextvars.bound_contextvars(run=run_id):
        yield


def image_logger(image_id: int | None, asset_id: str | None) -> structlog.stdlib.BoundLogger:
    """Return the logger for lines about one image."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.image")
    return logger.bind(image_id=image_id, asset_id=asset_id)


def _complete(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return a line about an image all three of its keys, known or not, so that one query finds them."""
    if "image_id" in event or "asset_id" in event:
        for key in ("image_id", "asset_id", "run"):
            event.setdefault(key, None)
    return event


def _ordered(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put what every line has first."""
    first = ("timestamp", "level", "logger", "event", "run", "image_id", "asset_id")
    return {key: event[key] for key in first if key in event} | dict(event)


_json: Final = structlog.processors.JSONRenderer(ensure_ascii=False)


def _console(*, colors: bool) -> Processor:
    """Make the renderer for people; its tracebacks show no variables."""
    render = structlog.dev.ConsoleRenderer(
        colors=colors, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def rendered(logger: WrappedLogger, method: str, event: EventDict) -> str:
        cleaned = {key: printable(value) if isinstance(value, str) else value for key, value in event.items()}
        return str(render(logger, method, cleaned))

    return rendered


def _writable(stream: TextIO) -> Processor:
    """Make the last step: hide what only rendering put together, and escape what the stream cannot encode.

    Words that look like a secret were hidden before; doing it here would spoil the JSON.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"

    def final(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
        return redact_registered(str(line)).encode(encoding, "backslashreplace").decode(encoding)

    return final
