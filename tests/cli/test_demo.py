from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_tells_its_story_and_all_it_claims_holds():
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo"],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 60
    for expected in (
        "55 images: 5",
        "photographs written and verified",
        "✓ Andromeda still says",
        "✓ Whirlpool still says",
        "+ Whirlpool, 35 hours",
        "Only the change was written: 1 request, to 1 photograph.",
        "no write at all.",
        "writes lost             0",
    ):
        assert expected in done.stdout
    assert "✗" not in done.stdout
