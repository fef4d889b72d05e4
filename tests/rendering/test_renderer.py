"""The process that renders: what it gives, what it knows, and how it lives and dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.core.desired.facts import Facts, facts_of
from reconciler.core.desired.integration_facts import FilterIntegration
from reconciler.core.desired.template import DEFAULT_TEMPLATE, BlockTemplate
from reconciler.core.policy import DescriptionPolicy
from reconciler.errors import RendererError, TemplateError
from reconciler.rendering import process
from reconciler.rendering.process import WorkerProcess
from reconciler.rendering.renderer import SafeRenderer
from reconciler.rendering.wire import encoded, from_facts, to_facts
from reconciler.simulator.sample.build import build_sample
from reconciler.skymmich.sources import open_catalogue

ROOT = Path(__file__).resolve().parents[2]
M31 = Facts("M 31", frames=3)
RUNAWAY = "\n{{ (frames + 9) ** (10 ** 8) > 5 }}"
SHOWS_ALL = (
    "{{ telescopes }} {{ integration }} {% for row in integration %}{{ row.filter }}{{ row.total }}{% endfor %}"
    "{{ frames + nights }} {{ (telescopes, cameras) }} {{ software | first | default('none') }} {{ optics | e }}"
)


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "skymmich.db"
    build_sample(path)
    images = open_catalogue(str(path)).read().linked()
    return [facts_of(image, DescriptionPolicy(), (6248, 4176)) for image in images]


@pytest.mark.parametrize(
    "text", [DEFAULT_TEMPLATE, SHOWS_ALL, "{{ heading }}\r\n\n{{ title }}\n", "✦ x ﷽ {{ ra }}"]
)
def test_all_of_the_sample_reads_to_the_byte_as_it_does_without_the_process(renderer, mine, facts, text):
    here = BlockTemplate(mine(text))
    assert renderer.render_now(mine(text), facts) == [here.render(each) for each in facts]


def test_the_built_in_template_needs_no_process(renderer, facts):
    here = BlockTemplate(DescriptionPolicy())
    assert renderer.render_now(DescriptionPolicy(), facts) == [here.render(each) for each in facts]
    assert renderer.pid is None


def test_facts_arrive_as_they_were(renderer, mine):
    odd = Facts(
        "\ud83d ✦\u2028",
        telescopes=("a", "b"),
        integration=(FilterIntegration("L", "", "5h", ""),),
        frames=10**300,
    )
    assert to_facts(json.loads(encoded(from_facts(odd)))) == odd
    assert renderer.render_now(mine("{{ heading }}|{{ frames }}"), [odd]) == [
        f"✦ \ud83d ✦\u2028|{10**300}\n— Skymmich"
    ]


def test_markers_and_versions_of_a_template_are_kept_apart(renderer):
    for number in range(30):
        for opening in ("✦ ", "* "):
            policy = DescriptionPolicy(template=f"{{{{ heading }}}} {number}", opening=opening)
            assert renderer.render_now(policy, [M31]) == [f"{opening}M 31 {number}\n— Skymmich"]


def test_one_that_fails_costs_no_other_its_place(renderer, mine):
    renderer.render_now(mine("0"), [M31])
    first = renderer.pid
    for number in range(40):
        for text in ("{{ nope }}", "{% if %}", "{{ heading }}"):
            with suppress(TemplateError):
                renderer.render_now(mine(f"{number % 11}{text}"), [M31])
        renderer.render_now(mine(f"{number % 3}"), [M31])
    assert renderer.pid == first


def test_without_facts_a_template_is_only_read(renderer, mine):
    assert renderer.render_now(mine("{{ nope }}"), []) == []
    with pytest.raises(TemplateError, match=r"mine\.j2:2: "):
        renderer.render_now(mine("\n{% if %}"), [])
    with pytest.raises(TemplateError, match="empty"):
        renderer.render_now(mine(" \n"), [])


def test_it_knows_no_secret_and_holds_no_file_of_its_parent(renderer, mine, monkeypatch, tmp_path):
    monkeypatch.setenv("RECONCILER_IMMICH__API_KEY", "the-key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    with (tmp_path / "state").open("w") as held:
        os.set_inheritable(held.fileno(), True)  # noqa: FBT003 - the library's own
        renderer.render_now(mine("x"), [M31])
    environment = Path(f"/proc/{renderer.pid}/environ").read_bytes()
    assert b"the-key" not in environment
    assert b"RECONCILER" not in environment
    assert b"CREDENTIALS" not in environment
    assert sorted(each.name for each in Path(f"/proc/{renderer.pid}/fd").iterdir()) == ["0", "1", "2"]


def test_it_takes_little_memory_while_it_waits(renderer, mine):
    renderer.render_now(mine(DEFAULT_TEMPLATE), [M31])
    status = Path(f"/proc/{renderer.pid}/smaps_rollup").read_text()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines()[1:]}
    assert kilobytes["Rss"] < 48_000


def test_one_that_somebody_ended_is_started_anew_and_nobody_notices(renderer, mine):
    renderer.render_now(mine("{{ heading }}"), [M31])
    first = renderer.pid
    os.kill(first, signal.SIGKILL)
    assert renderer.render_now(mine("{{ heading }}"), [M31]) == ["✦ M 31\n— Skymmich"]
    assert renderer.pid != first
    # Ctrl+C and systemd mean the whole group.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(renderer.pid, number)
    second = renderer.pid
    assert renderer.render_now(mine("{{ heading }}"), [M31]) == ["✦ M 31\n— Skymmich"]
    assert renderer.pid == second


class Scripted:
    """Starts ``sh`` in the place of the process that renders."""

    def __init__(self, monkeypatch, script):
        self.started = []
        plain = subprocess.Popen

        def start(_, **more):
            self.started.append(time.monotonic())
            return plain(["/bin/sh", "-c", script], **more)

        monkeypatch.setattr(process.subprocess, "Popen", start)


def test_one_that_breaks_every_time_is_a_template_that_is_refused(monkeypatch, mine, renderer):
    scripted = Scripted(monkeypatch, "read -r line; kill -SEGV $$")
    with pytest.raises(TemplateError, match=r"breaks the process that renders it \(SIGSEGV\)"):
        renderer.render_now(mine("x"), [M31])
    assert len(scripted.started) == 2


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        "[]",
        "{}",
        '{"texts": 5}',
        '{"error": 3}',
        '{"texts": [1]}',
        '{"texts": []}',
        '{"lines": 5}',
        "[" * 9000,
    ],
)
def test_an_answer_that_makes_no_sense_is_not_believed(monkeypatch, mine, renderer, answer):
    Scripted(monkeypatch, f"read -r line; echo '{answer}' >&0; read -r line")
    with pytest.raises(TemplateError, match="breaks the process"):
        renderer.render_now(mine("x"), [M31])


def test_an_answer_without_end_is_cut_off(monkeypatch, mine, renderer):
    monkeypatch.setattr(process, "ANSWER_BYTES", 1 << 20)
    Scripted(monkeypatch, "read -r line; exec yes | tr -d '\\n' >&0")
    with pytest.raises(TemplateError, match="breaks the process"):
        renderer.render_now(mine("x"), [M31])


def test_one_that_says_the_same_without_end_is_ended(monkeypatch, mine, renderer):
    Scripted(monkeypatch, "read -r line; exec yes '{\"lines\": []}' >&0")
    with pytest.raises(TemplateError, match="breaks the process"):
        renderer.render_now(mine("x"), [M31])


def test_one_that_drips_is_ended(monkeypatch, mine, renderer):
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.3)
    Scripted(monkeypatch, "read -r line; while printf ' ' >&0; do :; done")
    with pytest.raises(TemplateError, match="no answer"):
        renderer.render_now(mine("x"), [M31])


def test_one_that_is_silent_is_ended(monkeypatch, mine, renderer):
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.2)
    Scripted(monkeypatch, "read -r line; kill -STOP $$")
    with pytest.raises(TemplateError, match="no answer"):
        renderer.render_now(mine("x"), [M31])
    assert renderer.pid is None


def test_it_is_started_a_few_times_a_second_at_most(monkeypatch, mine, renderer):
    scripted = Scripted(monkeypatch, "read -r line; kill -SEGV $$")
    for number in range(5):
        with pytest.raises(TemplateError):
            renderer.render_now(mine(f"{number}"), [M31])
    times = scripted.started
    assert len(times) == 10
    assert all(later - earlier >= 0.99 for earlier, later in zip(times, times[4:], strict=False))


def test_where_no_process_can_be_started_that_is_said_and_no_template_is_blamed(monkeypatch, mine, renderer):
    monkeypatch.setattr(process.sys, "executable", "/nonexistent/python")
    before = open_files()
    with pytest.raises(RendererError, match="cannot be started"):
        renderer.render_now(mine("x"), [M31])
    assert open_files() == before


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_ends_with_its_parent_however_that_ends():
    script = (
        "import sys, time, threading\n"
        "from reconciler.core.desired.facts import Facts\n"
        "from reconciler.core.policy import DescriptionPolicy\n"
        "from reconciler.rendering.renderer import SafeRenderer\n"
        "renderer = SafeRenderer()\n"
        "renderer.render_now(DescriptionPolicy(template='x'), [Facts('M 31')])\n"
        f"if sys.argv[1:]: threading.Thread(target=renderer.render_now, args=(DescriptionPolicy(template={RUNAWAY!r}), [Facts('M 31', frames=3)])).start()\n"
        "print(renderer.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    for more in ((), ("busy",)):
        command = [sys.executable, "-c", script, *more]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
            pid = int(parent.stdout.readline())
            parent.kill()
        until(lambda pid=pid: not running(pid))


def running(pid):
    """Tell whether a process runs; one that ended may still wait for whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_a_template_runs_away(renderer, mine):
    await renderer.render(mine("x"), [M31])
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    pulse = asyncio.create_task(beat())
    with pytest.raises(TemplateError):
        await renderer.render(mine(RUNAWAY), [M31])
    pulse.cancel()
    assert beats > 20


@pytest.mark.anyio
async def test_closing_ends_what_runs_away_at_once_and_nothing_is_rendered_any_more(mine):
    renderer = SafeRenderer()
    await renderer.render(mine("x"), [M31])
    pid = renderer.pid
    task = asyncio.create_task(renderer.render(mine(RUNAWAY), [M31]))
    waiting = asyncio.create_task(renderer.render(mine("x"), [M31]))
    await asyncio.to_thread(until, lambda: busy(pid))
    began = time.monotonic()
    renderer.close()
    assert time.monotonic() - began < 0.9
    with pytest.raises(RendererError, match="being stopped"):
        await task
    with pytest.raises((RendererError, asyncio.CancelledError)):
        await waiting
    assert not running(pid)
    with pytest.raises(RendererError):
        await renderer.render(mine("x"), [M31])
    renderer.close()


def busy(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11]) > 25


def test_a_process_that_starts_while_it_is_closed_is_ended(mine):
    began, go_on = threading.Event(), threading.Event()

    def slowly():
        began.set()
        go_on.wait(10)
        return WorkerProcess()

    renderer = SafeRenderer(slowly)
    errors = []

    def render():
        try:
            renderer.render_now(mine("x"), [M31])
        except RendererError as error:
            errors.append(error)

    thread = threading.Thread(target=render)
    thread.start()
    began.wait(10)
    closing = threading.Thread(target=renderer.close)
    closing.start()
    until(renderer._closed.is_set)
    go_on.set()
    thread.join(10)
    closing.join(10)
    assert errors
    assert renderer.pid is None
