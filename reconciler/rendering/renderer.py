"""The renderer: the built-in template at once, a user's own in a process that can be stopped."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from signal import Signals
from typing import TYPE_CHECKING

from reconciler.core.desired.builtin import BuiltIn
from reconciler.core.desired.template import digest_of, while_rendering
from reconciler.core.fingerprint import digest
from reconciler.errors import RendererError, TemplateError
from reconciler.rendering.limits import ANSWER_SECONDS, IMAGE_SECONDS, KEPT, STARTS_A_SECOND
from reconciler.rendering.process import WorkerDiedError, WorkerProcess, exceeded_time
from reconciler.rendering.wire import from_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from reconciler.core.desired.facts import Facts
    from reconciler.core.policy import DescriptionPolicy
    from reconciler.core.ports import Renderer

_REMEDY = "Mend the template. Nothing was written."


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a template was refused, and at which image: asked for the same, it need not be tried again."""

    reason: str
    line: int | None
    facts: Facts | None
    """``None``: it could not even be compiled."""


class SafeRenderer:
    """Renders templates; fulfils ``engine.ports.Renderer``. Close it when done.

    One template at a time; the process is started when the first template of a user is to be rendered.

    Args:
        start: starts a process.
    """

    def __init__(self, start: Callable[[], WorkerProcess] = WorkerProcess) -> None:
        self._start = start
        self._built_in = BuiltIn()
        self._thread = ThreadPoolExecutor(1, "rendering")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._worker: WorkerProcess | None = None
        self._starts: deque[float] = deque(maxlen=STARTS_A_SECOND)
        self._refused: dict[str, _Refusal] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The id of the process, if there is one."""
        worker = self._worker
        return worker.pid if worker else None

    async def render(self, policy: DescriptionPolicy, facts: Sequence[Facts]) -> list[str]:
        """Render the block for each; see ``engine.ports.Renderer``."""
        if policy.template is None:
            return await self._built_in.render(policy, facts)
        if self._closed.is_set():
            raise _closed()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.render_now, policy, facts)

    def render_now(self, policy: DescriptionPolicy, facts: Sequence[Facts]) -> list[str]:
        """Do the same, and let the caller's thread wait."""
        if policy.template is None:
            return self._built_in.render_now(policy, facts)
        key = digest(digest_of(policy), policy.opening, policy.closing)
        with self._lock:
            known = self._refused.get(key)
            if known is not None and (known.facts is None or known.facts in facts):
                raise _error(policy, known.reason, known.line, runaway=True)
            return self._asked(policy, key, facts)

    def close(self) -> None:
        """End the process, also one that renders just now, and render nothing any more."""
        self._closed.set()
        if worker := self._worker:
            worker.kill()
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._end()

    def _asked(self, policy: DescriptionPolicy, key: str, facts: Sequence[Facts]) -> list[str]:
        source = {
            "template": policy.template,
            "template_name": policy.template_name,
            "opening": policy.opening,
            "closing": policy.closing,
            "language": policy.language,
        }
        values = [from_facts(each) for each in facts]
        for attempt in (1, 2):
            worker = self._running()
            try:
                answer = worker.ask(key, source, values)
            except WorkerDiedError as death:
                self._end()
                if self._closed.is_set():
                    raise _closed() from None
                # Something else may have ended it: the kernel for want of memory, or a person.
                if attempt == 1 and death.by is not None and not exceeded_time(death):
                    continue
                raise self._refuse(policy, key, facts, death) from None
            if answer.spent:
                self._end()
            if answer.reason:
                raise _error(policy, answer.reason, answer.line, runaway=answer.spent)
            return answer.texts
        raise AssertionError("the second attempt returns or raises")

    def _running(self) -> WorkerProcess:
        """Return the process; a new one if there is none, though not too many in a second."""
        if self._worker is None:
            now = time.monotonic()
            if len(self._starts) == STARTS_A_SECOND and (wait := self._starts[0] + 1.0 - now) > 0:
                self._closed.wait(wait)
            self._starts.append(time.monotonic())
            self._worker = self._start()
        if self._closed.is_set():  # after it is known to ``close``, which may not have seen it
            self._end()
            raise _closed()
        return self._worker

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _refuse(
        self, policy: DescriptionPolicy, key: str, facts: Sequence[Facts], death: WorkerDiedError
    ) -> TemplateError:
        image = facts[death.number - 1] if 0 < death.number <= len(facts) else None
        if exceeded_time(death):
            why = f"it takes more than {IMAGE_SECONDS:g} s of computing"
        elif death.by is None:
            why = f"it gave no answer for {ANSWER_SECONDS:g} s"
        else:
            by = Signals(-death.by).name if death.by < 0 else f"exit code {death.by}"
            why = f"it breaks the process that renders it ({by})"
        found = _Refusal(
            f"{why} ({while_rendering(image) if image else 'while reading it'})", death.line, image
        )
        # Silence and SIGKILL may be want of a processor, or of memory, for which the template can do nothing.
        if death.by not in {None, -Signals.SIGKILL}:
            if len(self._refused) >= KEPT:
                self._refused.clear()
            self._refused[key] = found
        return _error(policy, found.reason, found.line, runaway=True)


def _error(policy: DescriptionPolicy, reason: str, line: int | None, *, runaway: bool) -> TemplateError:
    return TemplateError(reason, source=policy.template_name, line=line, remedy=_REMEDY, runaway=runaway)


def _closed() -> RendererError:
    return RendererError("This program is being stopped; the template was not rendered.")


if TYPE_CHECKING:
    _fulfils: type[Renderer] = SafeRenderer
