"""The process that sends: reads one wish from its standard input, and writes a line for each address.

Only here is apprise imported. With all its services it is large (37 MB, half a second), notices are rare, and
what hangs in a library can be ended only with its process; so ``sender`` starts one for each message.
Addresses come by the pipe: neither the process list nor the environment shows them.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import TYPE_CHECKING

from apprise import Apprise, AppriseAsset, NotifyFormat

if TYPE_CHECKING:
    from reconciler.notices.wire import Outcome, Wish

_AT_ONCE = 8
_UNUSABLE = "apprise knows no such service, or the address lacks something"


def work(wish: Wish) -> None:
    """Do what is asked with each address, and say of each how it went, as soon as it has."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {
            pool.submit(partial(_outcome, wish, address)): number
            for number, address in enumerate(wish["addresses"])
        }
        for done in as_completed(running):
            said: Outcome = {"number": running[done], "error": done.result()}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()


def _outcome(wish: Wish, address: str) -> str:
    """Return what went wrong; empty: nothing did."""
    try:
        asset = AppriseAsset(app_id="skymmich-reconciler", service_timeout=wish["patience"])
        service = Apprise(asset=asset)
        if not service.add(address):
            return _UNUSABLE
        if wish["only_check"]:
            return ""
        result = service.notify(body=wish["body"], title=wish["title"], body_format=NotifyFormat.TEXT)
        if result:
            return ""
        said = [entry.message for entry in result.logs()]
    except Exception as error:  # noqa: BLE001  one of a hundred services' code: it costs only its address
        return type(error).__name__
    return said[-1] if said else "it was not taken"


if __name__ == "__main__":
    work(json.load(sys.stdin))
