"""``python -m reconciler.simulator``: a simulated Immich to try things against, until it is stopped."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from reconciler.errors import ReconcilerError
from reconciler.simulator.serve import serve
from reconciler.simulator.server.unkindness import UNKINDNESS


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; give the exit code."""
    options = _parser().parse_args(argv)
    stop = threading.Event()
    names = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(name, lambda *_: stop.set()) for name in names]
    try:
        with serve(
            catalogue=options.catalogue,
            seed=options.seed,
            unkind=options.unkind,
            drain=options.drain,
            version=options.version,
            extra=options.extra,
            host=options.host,
            port=options.port,
        ) as simulator:
            sys.stdout.write(f"URL: {simulator.url}\nAPI key: {simulator.api_key}\n")
            sys.stdout.flush()
            stop.wait()
    except ReconcilerError as error:
        sys.stderr.write(f"{error}\n{error.remedy}\n")
        return error.exit_code
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
    return 0


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {name:18}{meaning}" for name, meaning in UNKINDNESS.items())
    parser = argparse.ArgumentParser(
        prog="python -m reconciler.simulator",
        description="An in-memory Immich over real HTTP, as unkind as the real one.",
        epilog=f"unkindness:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--catalogue", type=Path, help="Skymmich's SQLite file: an asset for each linked image"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of everything drawn by chance")
    parser.add_argument("--unkind", default="all", help="all, none, or names with commas")
    parser.add_argument("--drain", type=float, default=200.0, help="assets a second through the queues")
    parser.add_argument("--version", default="2.7.5", help="the version of Immich to be")
    parser.add_argument("--extra", type=int, default=0, help="assets that the catalogue does not know")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
