"""The process that renders: ``python -m reconciler.rendering.worker``, started by ``process`` only.

It reads messages from its standard input, a socket, and answers there, a line each. What it may take is
limited by the kernel, so that also code which never comes back to Python is stopped: more CPU time than an
image may have ends the process by SIGPROF, more memory is a ``MemoryError``. Standard output and error are
files in memory that tell the parent, after such an end, which image it was and which line.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.desired.template import MAX_RENDERED, BlockTemplate
from reconciler.core.policy import DescriptionPolicy
from reconciler.errors import TemplateError
from reconciler.rendering.limits import IMAGE_SECONDS, KEPT, MEAN_CHARACTERS, MEAN_SECONDS, MEMORY
from reconciler.rendering.wire import encoded, to_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRESS, _NOTES = 1, 2
_IGNORED = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
"""Sent to all of a group of processes; the parent knows what they mean, and ends this one in time."""


def main() -> None:
    """Answer messages until the parent is gone."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable(_NOTES, all_threads=False)
    # Before the default, which ends the process, it writes down the line.
    faulthandler.register(signal.SIGPROF, _NOTES, all_threads=False, chain=True)
    _limit()
    kept: dict[str, BlockTemplate] = {}
    channel = socket.socket(fileno=0)
    for line in channel.makefile("rb"):
        message = json.loads(line)
        try:
            template = _compiled(message, kept, channel)
            answer: dict[str, object] = {"texts": _rendered(template, message["facts"])}
        except TemplateError as error:
            # What is left of the memory then may be in pieces.
            spent = isinstance(error.__cause__, MemoryError)
            answer = {"error": [error.reason, error.line], "spent": spent}
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        channel.sendall(encoded(answer))


def _limit() -> None:
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _compiled(
    message: dict[str, Any], kept: dict[str, BlockTemplate], channel: socket.socket
) -> BlockTemplate:
    """Return the template; one that is new comes with its text, and its lines are told."""
    key = message["key"]
    if (source := message.get("source")) is not None:
        if len(kept) >= KEPT:
            kept.clear()
        _begin(0)
        kept[key] = BlockTemplate(DescriptionPolicy(**source))
        channel.sendall(encoded({"lines": kept[key].lines()}))
    return kept[key]


def _rendered(template: BlockTemplate, several: Sequence[Sequence[object]]) -> list[str]:
    texts: list[str] = []
    began, length = time.process_time(), 0
    for number, values in enumerate(several, start=1):
        facts = to_facts(values)
        _begin(number)
        texts.append(template.render(facts))
        length += len(texts[-1])
        if time.process_time() - began > IMAGE_SECONDS + MEAN_SECONDS * number:
            raise _too_much(template, f"it takes more than {MEAN_SECONDS * 1000:.0f} ms an image")
        if length > MAX_RENDERED + MEAN_CHARACTERS * number:
            raise _too_much(template, f"it renders more than {MEAN_CHARACTERS} characters an image")
    return texts


def _begin(number: int) -> None:
    """Note what is begun, and start its time."""
    os.pwrite(_PROGRESS, number.to_bytes(4, "little"), 0)
    signal.setitimer(signal.ITIMER_PROF, IMAGE_SECONDS)


def _too_much(template: BlockTemplate, why: str) -> TemplateError:
    return TemplateError(why, source=template.name, line=None)


if __name__ == "__main__":
    main()
