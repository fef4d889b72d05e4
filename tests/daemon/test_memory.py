"""What is made ready before the daemon says that it is: nothing of it may come in the midst of a look."""

from __future__ import annotations

import subprocess
import sys

FIRST_REQUEST = """
import asyncio, sys
from reconciler.daemon.memory import settle_down
from reconciler.errors import ImmichUnreachableError
from reconciler.immich.target import Immich

async def ask():
    immich = Immich("http://127.0.0.1:1", "key")
    before = set(sys.modules)
    try:
        await immich.open()
    except ImmichUnreachableError:
        print("asked", *sorted(set(sys.modules) - before))
    await immich.aclose()

settle_down()
asyncio.run(ask())
"""


def test_a_first_request_loads_nothing_any_more():
    done = subprocess.run([sys.executable, "-c", FIRST_REQUEST], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["asked"]
