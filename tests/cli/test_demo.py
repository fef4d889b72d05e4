from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from reconciler.cli.commands.demo import finish
from reconciler.cli.demo_stage import stage
from reconciler.cli.demo_story import Told
from reconciler.cli.output.screen import Screen
from reconciler.config.sections import StatusSection
from tests.free_port import free_port

ROOT = Path(__file__).resolve().parents[2]


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read()


@contextmanager
def started(*options: str, patience: float):
    """Run the demo as a process, killed after so many seconds."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "reconciler", "demo", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        late = threading.Timer(patience, demo.kill)
        late.start()
        try:
            yield demo
        finally:
            late.cancel()
            demo.kill()  # of a test that failed; one that passed has waited for its end


def test_the_demo_tells_its_story_and_all_it_claims_holds_and_it_serves_its_page_with_pictures():
    began = time.monotonic()
    with started("--serve", patience=120) as demo:
        told, page = [], ""
        for line in demo.stdout:
            told.append(line)
            if found := re.search(r'"event": "ready", "page": "([^"]+)"', line):
                page = found.group(1)
                break
        story = "".join(told)
        assert page, story
        assert time.monotonic() - began < 90
        assert f"The page: {page}/" in story
        end = time.monotonic() + 30  # it answers before it has read the catalogue
        while "Whirlpool, 35 hours" not in get(f"{page}/images?q=Whirlpool").decode():
            assert time.monotonic() < end, get(f"{page}/images?q=Whirlpool").decode()
            time.sleep(0.1)
        grid = get(f"{page}/images").decode()
        picture = re.search(r'"(/thumbnails/[^"]+)"', grid).group(1)
        assert get(page + picture).startswith(b"\x89PNG")
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(30) == 0, rest
    for expected in (
        "55 images: 5",
        "images written and verified",
        "✓ Andromeda still says",
        "✓ Whirlpool still says",
        "+ Whirlpool, 35 hours",
        "Only the change was written: 1 request, to 1 image.",
        "no write at all.",
        "writes lost             0",
    ):
        assert expected in story
    assert "✗" not in story


def stopped_at(place: str) -> tuple[int, str]:
    """Press Ctrl-C once the demo has come to a line; give its exit code, and all that it said afterwards."""
    with started(patience=60) as demo:
        for line in demo.stdout:
            if place in line:
                break
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        code = demo.wait(30)
    return code, rest


def test_ctrl_c_stops_the_demo_before_its_next_step():
    while_reading, said = stopped_at("The plan:")
    assert (while_reading, said.strip().splitlines()[-1]) == (130, "Stopped.")
    assert "Apply:" not in said
    while_writing, said = stopped_at("Apply:")
    assert (while_writing, said.strip().splitlines()[-1]) == (130, "Stopped.")
    assert "before and after" not in said
    assert "✗" not in said


def test_the_page_of_the_demo_is_where_it_is_wished():
    port = free_port()
    with stage(port) as built:
        assert built.config.status.port == port
    with stage(0) as built:
        assert built.config.status.port not in {0, StatusSection().port}


def test_the_demo_ends_by_naming_its_page(capsys):
    finish(Screen(), Told())
    assert "make demo SERVE=1" in capsys.readouterr().out
