"""Processes of the program that start quickly: one process imports everything, and forks for each.

``QuickProcess`` is a ``subprocess.Popen`` of ``python -m reconciler …``: a process of its own, with its own
environment, streams and signals. It saves the second of computing that the imports take; what is told by starting
as a user does (``tests/daemon/test_process.py``, ``tests/systemd``, ``tests/packages``) starts as a user does.

Run as a script it is the process that forks. Each message on its socket is an order in JSON with four descriptors:
standard input, output and error, and a socket on which it answers the new process's id, and later how it ended.
"""

from __future__ import annotations

import atexit
import inspect
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST = 1 << 20
"""Bytes of an order."""
AT_THE_START = {"FORCE_COLOR", "GITHUB_ACTIONS", "LANGUAGE", "NO_COLOR", "PY_COLORS", "TERMINAL_WIDTH"}
"""What is read while something is imported: a process that is given one of them starts as ever."""
SILENT = {
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "PYTHONUNBUFFERED",
    "PYTHONWARNINGS",
}
"""What of the interpreter's own changes nothing, or is seen to; with any other it starts as ever."""
BIND = inspect.signature(subprocess.Popen._execute_child)


class QuickProcess(subprocess.Popen):
    """Takes what ``subprocess.Popen`` takes, for ``[sys.executable, "-m", "reconciler", …]``."""

    _answers: socket.socket | None = None

    def _execute_child(self, *given, **named):
        told = BIND.bind(self, *given, **named).arguments
        command, environ = list(told["args"]), told["env"]
        if environ is None:
            environ = dict(os.environ)
        if command[:3] != [sys.executable, "-m", "reconciler"] or not _ordinary(environ):
            super()._execute_child(*given, **named)
            return
        order = {
            "arguments": [str(one) for one in command[3:]],
            "environ": environ,
            "folder": str(told["cwd"] or Path.cwd()),
            "session": bool(told["start_new_session"]),
        }
        streams = [told["p2cread"], told["c2pwrite"], told["errwrite"]]
        streams = [number if one == -1 else one for number, one in enumerate(streams)]
        self._answers, theirs = socket.socketpair()
        try:
            with theirs:
                _send(_starter(), json.dumps(order).encode(), [*streams, theirs.fileno()])
            self.pid = int(self._answered(None))
        finally:
            self._close_pipe_fds(
                *(
                    told[name]
                    for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
                )
            )
        self._child_created = True

    def _answered(self, timeout):
        self._answers.settimeout(timeout)
        return self._answers.recv(64)

    def _internal_poll(self, *given, **named):
        if self._answers is None:
            return super()._internal_poll(*given, **named)
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self._wait(None)
        return self.returncode

    def _wait(self, timeout):
        if self._answers is None:
            return super()._wait(timeout)
        with self._waitpid_lock:
            if self.returncode is None:
                try:
                    answer = self._answered(timeout)
                except TimeoutError:
                    raise subprocess.TimeoutExpired(self.args, timeout) from None
                assert answer, "the process that starts others has ended"
                self.returncode = int(answer)
                self._answers.close()
        return self.returncode


def _ordinary(environ):
    """Whether nothing in it is for the interpreter's start, and texts are in UTF-8."""
    given = {name for name, value in environ.items() if value}
    named = {name for name in given if name.startswith("PYTHON")} - SILENT | given & AT_THE_START
    spoken = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "C.UTF-8")
    return not named and spoken.upper().endswith("UTF-8")


_LOCK = threading.Lock()


def _send(channel, message, descriptors):
    with _LOCK:
        socket.send_fds(channel, [message], descriptors)


@cache
def _starter():
    """The socket of this process's starter, which ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for one in (ours, theirs):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"},
        )  # fmt: skip

    def end():
        ours.close()
        process.wait(20)

    atexit.register(end)
    return ours


def _preload():
    """Import what the daemon and the commands import once they are called, and load what they load at first use."""
    import asyncio
    from importlib import import_module

    import anyio
    import httpx

    from reconciler.app.source import _SKY
    from reconciler.cli.app import COMMANDS
    from reconciler.core.desired.builtin import BuiltIn
    from reconciler.core.policy import Policy

    for name in COMMANDS:
        import_module(f"reconciler.cli.commands.{name.replace('-', '_')}")
    for name in (
        "reconciler.__main__",
        "reconciler.daemon.main",
        "reconciler.fleet.pages.process",
        "reconciler.fleet.worker",
        "reconciler.web.app",
        "uvicorn.protocols.http.h11_impl",
        "alembic.command",
        "alembic.config",
        "deepdiff",
        "encodings.ascii",
        "encodings.utf_8_sig",
        "httpcore",
        "psycopg_pool",
        "rich._emoji_codes",
        "rich._unicode_data.unicode17-0-0",
        "sqlalchemy.dialects.postgresql",
        "typer._adapters",
        "typer._click.decorators",
    ):
        import_module(name)
    httpx.AsyncHTTPTransport(verify=False)
    asyncio.run(anyio.lowlevel.checkpoint())  # what anyio needs with asyncio
    BuiltIn().render_now(Policy().description, [])
    assert _SKY.find("no object of this name") is None
    from tests.quick_templates import compile_all

    compile_all()


def _serve(channel):
    """Fork for each order; return in the child, with what it is to do, and ``None`` at the end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([channel, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            with children.pop(pid) as answers:
                _tell(answers, os.waitstatus_to_exitcode(status))
        if channel not in ready:
            continue
        message, descriptors, _, _ = socket.recv_fds(channel, MOST, 4)
        if not message:
            return None
        answers = socket.socket(fileno=descriptors.pop())
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            return json.loads(message), descriptors
        children[pid] = answers
        _tell(answers, pid)
        for one in descriptors:
            os.close(one)


def _tell(answers, number):
    try:
        answers.send(str(number).encode())
    except OSError:
        return  # nobody waits for it any more


def _become(order, descriptors):
    """Make of this child what a new interpreter would be."""
    import time
    import warnings

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["session"]:
        os.setsid()
    for number, one in enumerate(descriptors):
        os.dup2(one, number, inheritable=True)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environ"])
    time.tzset()
    sys.argv = [str(ROOT / "reconciler" / "__main__.py"), *order["arguments"]]
    if said := order["environ"].get("PYTHONWARNINGS"):
        sys.warnoptions[:] = said.split(",")
        warnings._processoptions(sys.warnoptions)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter does
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same
    sys.stderr = sys.__stderr__ = open(  # noqa: SIM115 - the same
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )


def main() -> int:
    sys.path.insert(0, str(ROOT))
    channel = socket.socket(fileno=int(sys.argv[1]))
    _preload()
    assert threading.active_count() == 1, threading.enumerate()
    import gc

    gc.collect()
    gc.freeze()
    found = _serve(channel)
    if found is None:
        return 0
    channel.detach()
    _become(*found)
    from reconciler.__main__ import main as program

    return program()


if __name__ == "__main__":
    raise SystemExit(main())
