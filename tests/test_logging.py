"""What is logged, how it looks, and that no secret is ever in it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, quote_plus

import httpx
import pytest
import structlog
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from reconciler import redaction
from reconciler.logging import (
    configure,
    image_logger,
    log_uncaught,
    redact,
    register_secret,
    run_context,
)

KEY = "pl4nted/K€y+with \"quotes\" & 'more'%"
SPELLINGS = {
    KEY,
    quote(KEY),
    quote(KEY, safe=""),
    quote_plus(KEY),
    quote(KEY, safe="").lower(),
    json.dumps(KEY)[1:-1],
    repr(KEY)[1:-1],
    repr(KEY.encode())[2:-1],
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Leave the process's logging, and its list of secrets, as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(redaction, "_registry", redaction._Registry())
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.delenv("NO_COLOR", raising=False)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(params=["json", "console", "colours"])
def emitted(request):
    """Configure one of the renderers, register the planted key, and give all that was written so far."""
    stream = Terminal() if request.param == "colours" else io.StringIO()
    configure(stream, json=request.param == "json", level="debug")
    register_secret(KEY)
    return stream.getvalue


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def assert_hidden(text: str, proof: str = "[redacted]") -> None:
    assert proof in text
    assert not [spelling for spelling in SPELLINGS if spelling in text]
    assert "pl4nted" not in text


# --- the looks --------------------------------------------------------------------------------------------


def test_without_a_terminal_a_line_is_an_object_with_time_level_logger_and_event():
    stream = io.StringIO()
    configure(stream)

    structlog.get_logger("reconciler.engine").warning("guard held", assets=12, title="θ¹ Ori – 星雲")

    (line,) = lines(stream.getvalue())
    assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC
    assert line | {"timestamp": ""} == {
        "timestamp": "",
        "level": "warning",
        "logger": "reconciler.engine",
        "event": "guard held",
        "assets": 12,
        "title": "θ¹ Ori – 星雲",
    }
    assert "星雲" in stream.getvalue()


def test_on_a_terminal_a_line_is_text_in_colours_unless_they_are_not_wanted(monkeypatch):
    coloured, plain, forced = Terminal(), Terminal(), io.StringIO()
    configure(coloured)
    structlog.get_logger().info("hello", count=3)
    monkeypatch.setenv("NO_COLOR", "1")
    configure(plain)
    structlog.get_logger().info("hello", count=3)
    configure(forced, json=False)
    structlog.get_logger().info("hello", count=3)

    assert "\x1b[" in coloured.getvalue()
    assert "hello" in plain.getvalue()
    assert "count=3" in plain.getvalue()
    assert "\x1b[" not in plain.getvalue() + forced.getvalue()


def test_a_level_hides_what_is_below_it():
    stream = io.StringIO()
    configure(stream, level="warning")

    structlog.get_logger().info("no")
    logging.getLogger("state").info("no")
    structlog.get_logger().warning("yes")

    assert [line["event"] for line in lines(stream.getvalue())] == ["yes"]


def test_configuring_again_replaces_the_former_setup():
    first, second = io.StringIO(), io.StringIO()
    configure(first)
    configure(second)

    structlog.get_logger().info("once")

    assert first.getvalue() == ""
    assert len(lines(second.getvalue())) == 1


def test_a_title_can_not_play_tricks_on_a_terminal():
    stream = Terminal()
    configure(stream)

    structlog.get_logger().info("M 31\x1b[2J\x07", title="a\u202eb", note="c\x9bd\re")

    text = stream.getvalue()
    assert "\\x1b[2J\\x07" in text
    assert not [sign for sign in "\x07\u202e\x9b\r" if sign in text]
    assert "\x1b[2J" not in text


# --- lines about an image ---------------------------------------------------------------------------------


def test_a_line_about_an_image_carries_image_asset_and_run():
    stream = io.StringIO()
    configure(stream)

    with run_context("r-1"):
        image_logger(7, "5c00").info("written", field="block")
    image_logger(8, None).info("skipped")

    inside, outside = lines(stream.getvalue())
    assert (inside["image_id"], inside["asset_id"], inside["run"]) == (7, "5c00", "r-1")
    assert (outside["image_id"], outside["asset_id"], outside["run"]) == (8, None, None)


def test_the_run_is_on_the_lines_of_libraries_and_of_tasks_too_and_ends_with_the_run():
    stream = io.StringIO()
    configure(stream)

    async def work():
        logging.getLogger("httpx").warning("slow")
        image_logger(1, "a").info("seen")

    async def two_runs():
        with run_context("r-1"):
            first = asyncio.create_task(work())
        with run_context("r-2"):
            second = asyncio.create_task(work())
        await asyncio.gather(first, second)

    asyncio.run(two_runs())
    structlog.get_logger().info("idle")

    *during, after = lines(stream.getvalue())
    assert sorted((line["event"], line["run"]) for line in during) == [
        ("seen", "r-1"), ("seen", "r-2"), ("slow", "r-1"), ("slow", "r-2")
    ]  # fmt: skip
    assert "run" not in after


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_registered_secret_is_hidden_wherever_it_stands(emitted):
    log = structlog.get_logger("x")
    log.info(f"key {KEY} refused")  # noqa: G004  people do
    log.info("positional %s", KEY)
    log.info("value", value=KEY, nested={"a": [{"b": (KEY, {KEY})}], KEY: 1}, deep=deep(KEY, 20))
    log.info("bytes", raw=KEY.encode(), array=bytearray(KEY.encode()), in_list=[KEY.encode()])
    log.info(
        "address", url=f"http://h/?key={quote(KEY)}&k={quote_plus(KEY)}", lower=quote(KEY, safe="").lower()
    )
    log.info(
        "objects", path=Path(KEY), space=SimpleNamespace(inner=KEY), error=ValueError(KEY), kind=type(KEY)
    )
    log.bind(bound=KEY).info("bound")
    log.info("escaped", text=json.dumps({"x": KEY}), code=repr(KEY), raw=repr(KEY.encode()))
    with structlog.contextvars.bound_contextvars(context=KEY):
        log.info("context")
    log.info("stack", stack_info=True, where=KEY)

    assert_hidden(emitted())
    assert len(emitted().splitlines()) >= 10


def deep(value, levels):
    return {"in": deep(value, levels - 1)} if levels else value


def test_a_secret_in_a_traceback_is_hidden(emitted):
    log = structlog.get_logger("x")

    def fail():
        password_of_the_frame = KEY
        try:
            raise ValueError(f"inner {password_of_the_frame}")  # noqa: TRY301  a chain is wanted
        except ValueError as error:
            error.add_note(f"note {KEY}")
            raise RuntimeError("outer", {"key": KEY}, KEY.encode()) from error

    try:
        fail()
    except RuntimeError as error:
        log.exception("failed")
        log.error("failed", exc_info=error)  # noqa: TRY400  this form is tested too
        log.error("failed", error=error, group=ExceptionGroup(KEY, [error]))  # noqa: TRY400  this form is tested too
        logging.getLogger("library").exception("failed %r", KEY)
        logging.getLogger("library").error("failed", exc_info=ExceptionGroup("several", [error]))  # noqa: TRY400  this form is tested too

    text = emitted()
    assert "Traceback (most recent call last)" in text
    assert "RuntimeError" in text
    assert_hidden(text)


def test_a_secret_in_a_librarys_line_is_hidden(emitted):
    for name in (
        "httpx",
        "httpcore.http11",
        "uvicorn.error",
        "uvicorn.access",
        "apscheduler.scheduler",
        "other",
    ):
        logger = logging.getLogger(name)
        logger.warning("sent %s with %r", KEY, {"x-api-key": KEY.encode()})
        logger.error(KEY, extra={"api_key": KEY}, stack_info=True)
    logging.getLogger("other").warning("%(a)s", {"a": KEY})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"deprecated: {KEY}", UserWarning, stacklevel=1)

    assert_hidden(emitted())
    assert "deprecated" in emitted()


def test_a_line_that_can_not_be_made_shows_nothing_of_its_content(emitted, monkeypatch):
    root = logging.getLogger()
    ours = [handler for handler in root.handlers if handler.__module__ == "reconciler.logging"]
    monkeypatch.setattr(root, "handlers", ours)  # pytest's own would fail on such a line
    logging.getLogger("library").warning("%d", KEY)
    logging.getLogger("library").warning("too many", KEY, KEY)  # noqa: PLE1205  on purpose

    assert_hidden(emitted(), proof="a log line of library was lost: TypeError (test_logging:")


def test_what_looks_like_a_secret_is_hidden_although_nobody_registered_it(emitted):
    log = structlog.get_logger("x")
    log.info("a", api_key="unknown-1", **{"x-api-key": "unknown-2", "Authorization": "Bearer unknown-3"})
    log.info("b", settings={"immich": {"apiKey": "unknown-4", "syncTags": True}, "accessToken": "unknown-5"})
    log.info("c", headers=[("X-Api-Key", "unknown-6"), (b"x-api-key", b"unknown-7")], password=123454321)
    log.info(
        "d", url="postgresql://me:unknown-8@h/x", text="GET /?apiKey=unknown-9&b=1 api_key: 'unknown-10'"
    )
    log.info(
        "Authorization: Bearer unknown-11, Basic dW5rbm93bi0xMg==",
        headers=httpx.Headers({"x-api-key": "unknown-13"}),
    )
    log.info(
        "e", password=None, token="", has_token=True, tokens_seen=3, keys=["a", "b"], title="The Key Nebula"
    )

    text = emitted()
    assert "unknown" not in text
    assert "dW5rbm93bi" not in text
    assert "123454321" not in text
    assert text.count("[redacted]") >= 13
    assert "The Key Nebula" in text
    assert "syncTags" in text


def test_words_that_only_sound_secret_stay():
    stream = io.StringIO()
    configure(stream)

    structlog.get_logger().info("e", password=None, token="", has_token=True, tokens_seen=3, keys=["a", "b"])

    (line,) = lines(stream.getvalue())
    assert (line["password"], line["token"], line["tokens_seen"], line["keys"]) == (None, "", 3, ["a", "b"])


def test_a_secret_that_is_a_number_is_hidden_in_a_number(emitted):
    register_secret("7294610")

    structlog.get_logger("x").info("number", value=7294610, raw=[7294610])

    assert "7294610" not in emitted()


def test_a_very_short_secret_does_not_make_the_log_unreadable():
    register_secret("ab")
    register_secret("")

    assert redact("about abc") == "about abc"


@given(st.text(alphabet="xyzXYZ€é星/+%&='\"\\\ud800 ", min_size=4), st.text(alphabet="0123456789"))
def test_any_registered_secret_is_hidden_in_any_of_its_spellings(secret, around):
    redaction._registry = redaction._Registry()
    register_secret(secret)
    raw = secret.encode("utf-8", "surrogatepass")

    for spelling in (
        secret,
        quote(raw, safe=""),
        quote(raw),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        repr(raw)[2:-1],
    ):
        assert redact(f"{around}{spelling}{around}") == f"{around}[redacted]{around}"


def test_an_error_that_ends_the_process_is_logged_without_its_secret(tmp_path):
    program = (
        "import sys, threading\n"
        "from reconciler.logging import configure, log_uncaught, register_secret\n"
        "configure(); log_uncaught(); register_secret(sys.argv[1])\n"
        "thread = threading.Thread(target=lambda: int(sys.argv[1])); thread.start(); thread.join()\n"
        "raise ValueError(sys.argv[1])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, KEY],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).resolve().parents[1],
    )  # fmt: skip

    assert ended.returncode == 1
    assert [line["level"] for line in lines(ended.stderr)] == ["critical", "critical"]
    assert_hidden(ended.stdout + ended.stderr)


def test_an_interrupt_by_the_keyboard_is_no_line():
    stream = io.StringIO()
    configure(stream)
    log_uncaught()

    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)

    assert stream.getvalue() == ""


# --- libraries --------------------------------------------------------------------------------------------


def test_the_chatter_of_libraries_is_silenced_and_their_warnings_are_heard():
    stream = io.StringIO()
    configure(stream, level="debug")

    for name in (
        "httpx",
        "httpcore.connection",
        "uvicorn.access",
        "uvicorn.error",
        "apscheduler.executors",
        "alembic",
    ):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")

    assert {line["event"] for line in lines(stream.getvalue())} == {"trouble"}
    assert len(lines(stream.getvalue())) == 6


def test_what_a_library_set_up_before_does_not_mute_it():
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.access").propagate = False
    stream = io.StringIO()
    configure(stream)

    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).warning("trouble")

    assert len(lines(stream.getvalue())) == 2


def test_a_request_of_httpx_leaves_no_line():
    stream = io.StringIO()
    configure(stream)

    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("http://h/?apiKey=x")

    assert stream.getvalue() == ""


def test_uvicorns_own_handlers_do_not_write_past_the_redaction():
    uvicorn.Config(
        lambda: None
    ).configure_logging()  # what a uvicorn with its default log_config leaves behind
    stream = io.StringIO()
    configure(stream)
    register_secret(KEY)

    logging.getLogger("uvicorn.error").error("Exception in ASGI application: %s", KEY)

    assert logging.getLogger("uvicorn").handlers == []
    assert_hidden(stream.getvalue())


def test_a_handler_that_a_library_put_on_the_root_is_replaced():
    stray, stream = io.StringIO(), io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(stray))
    configure(stream)

    logging.getLogger("other").warning("hello")

    assert stray.getvalue() == ""
    assert "hello" in stream.getvalue()


# --- streams ----------------------------------------------------------------------------------------------


def test_a_stream_that_can_not_encode_a_sign_gets_its_number():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    configure(stream, json=False)

    structlog.get_logger().info("✦ M 31", odd="\ud800")
    stream.flush()

    assert b"\\u2726 M 31" in raw.getvalue()
    assert b"\\ud800" in raw.getvalue()


def test_a_closed_or_broken_stream_costs_only_the_line(tmp_path):
    closed = io.StringIO()
    configure(closed)
    closed.close()
    structlog.get_logger().info("into the void")

    reading, writing = os.pipe()
    os.close(reading)
    broken = os.fdopen(writing, "w", buffering=1)
    configure(broken)
    structlog.get_logger().info("nobody reads")
    with pytest.raises(BrokenPipeError):
        broken.close()


def test_a_password_that_is_this_programs_own_name_does_not_garble_its_commands():
    register_secret("skymmich")
    assert redact("run skymmich-reconciler apply") == "run skymmich-reconciler apply"
    assert "skymmich@" not in redact("postgresql://me:skymmich@host/db")
