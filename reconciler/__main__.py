"""``python -m reconciler`` and the console script."""

from __future__ import annotations

from reconciler.cli.app import main as _main


def main() -> int:
    """Run a command; give the exit code."""
    return _main()


if __name__ == "__main__":
    raise SystemExit(main())
