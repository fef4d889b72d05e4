"""One process that renders, as its parent sees it: started, asked, and ended."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from bisect import bisect_right
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reconciler
from reconciler.errors import RendererError
from reconciler.rendering.limits import ANSWER_BYTES, ANSWER_SECONDS, KEPT
from reconciler.rendering.wire import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FRAME = re.compile(rb'File "<template>", line (\d+)')
_PASSED_ON = "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME"
"""What an interpreter may need of the environment. Nothing else goes along, above all no secret."""


class WorkerDiedError(Exception):
    """The process ended in the middle of a request.

    Args:
        number: what it was at: 0 while it compiled, then the image of the request, counted from 1.
        by: the signal that ended it, negative; an exit code; ``None``: it did not answer, and was killed.
        line: the template's, if it was in one.
    """

    def __init__(self, number: int, by: int | None, line: int | None) -> None:
        super().__init__(f"ended by {by} at {number}")
        self.number, self.by, self.line = number, by, line


@dataclass(frozen=True, slots=True)
class Answer:
    """What the process said: the texts, or why there are none."""

    texts: list[str] = field(default_factory=list)
    reason: str = ""
    line: int | None = None
    spent: bool = False
    """Whether the process is not to be asked again."""


class WorkerProcess:
    """A process that renders. Used by one thread at a time; ``kill`` may come from any.

    Raises:
        RendererError: it cannot be started.
    """

    def __init__(self) -> None:
        self._known: dict[str, Sequence[tuple[int, int]]] = {}
        self._buffer = bytearray()
        with ExitStack() as undone:
            try:
                self._channel, theirs = socket.socketpair()
                undone.callback(self._channel.close)
                with theirs:
                    self._progress = _file_in_memory(undone)
                    self._notes = _file_in_memory(undone)
                    self._process: subprocess.Popen[bytes] = subprocess.Popen(
                        [sys.executable, "-P", "-s", "-m", "reconciler.rendering.worker"],
                        stdin=theirs.fileno(), stdout=self._progress, stderr=self._notes,
                        env=_environment(), cwd="/",
                    )  # fmt: skip
            except OSError as error:
                raise RendererError(
                    f"The process that renders templates cannot be started: {error.strerror}.",
                    remedy="Nothing was written. Allow this program some more processes and memory.",
                ) from error
            self._open = undone.pop_all()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, key: str, source: Mapping[str, object], facts: Sequence[Sequence[object]]) -> Answer:
        """Render.

        Args:
            key: names the template.
            source: its text and what else belongs to it.
            facts: as ``wire`` has them.

        Raises:
            WorkerDiedError: it ended; ``end`` it.
        """
        message: dict[str, object] = {"key": key, "facts": facts}
        if key not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            message["source"] = source
        try:
            deadline = time.monotonic() + ANSWER_SECONDS
            self._channel.settimeout(ANSWER_SECONDS)
            self._channel.sendall(encoded(message))
            said = json.loads(self._line(deadline))
            if "lines" in said:  # once, of a template that is new and could be compiled
                self._known[key] = [(int(line), int(code)) for line, code in said["lines"]]
                said = json.loads(self._line(deadline))
            answer = _answer(said, len(facts))
        except TimeoutError:
            self.kill()
            raise self._death(key, silent=True) from None
        except (OSError, EOFError, ValueError, TypeError, LookupError, RecursionError):
            # Not only gone: what breaks out of the sandbox may answer whatever it likes.
            raise self._death(key) from None
        return answer

    def kill(self) -> None:
        """End it at once; who waits for an answer is told."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> None:
        """Kill it, wait for that, and close everything."""
        self.kill()
        self._process.wait()
        self._open.close()

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            piece = self._channel.recv(1 << 18)
            if not piece or len(self._buffer) > ANSWER_BYTES:
                raise EOFError
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _death(self, key: str, *, silent: bool = False) -> WorkerDiedError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.kill()
        by = self._process.wait()
        number = int.from_bytes(os.pread(self._progress, 4, 0), "little")
        # The first frame is the innermost one.
        found = _FRAME.search(os.pread(self._notes, 1 << 16, 0))
        line = _line_in(self._known.get(key, ()), int(found[1])) if found else None
        return WorkerDiedError(number, None if silent else by, line)


def _file_in_memory(stack: ExitStack) -> int:
    number = os.memfd_create("rendering")
    stack.callback(os.close, number)
    return number


def _answer(said: Any, count: int) -> Answer:  # noqa: ANN401  whatever it was
    """Take what was said, if it answers a request for so many texts."""
    if "error" in said:
        reason, line = said["error"]
        return Answer([], str(reason), None if line is None else int(line), bool(said["spent"]))
    texts = said["texts"]
    if not isinstance(texts, list) or len(texts) != count or not all(isinstance(one, str) for one in texts):
        raise ValueError("no texts")
    return Answer(texts)


def exceeded_time(death: WorkerDiedError) -> bool:
    """Return whether it was ended because it took too much CPU time."""
    return death.by == -signal.SIGPROF


def _environment() -> dict[str, str]:
    path = [str(Path(reconciler.__file__).parents[1]), *(entry for entry in sys.path if entry)]
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        **({"PYTHONDONTWRITEBYTECODE": "1"} if sys.dont_write_bytecode else {}),
    }


def _line_in(lines: Sequence[tuple[int, int]], code: int) -> int | None:
    """Return the template's line for one of the code that Jinja2 made of it, as Jinja2 does."""
    at = bisect_right([each[1] for each in lines], code)
    return lines[at - 1][0] if at else None
