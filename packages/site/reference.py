"""Writes the reference of the documentation from the program itself: ``make reference``.

One page each for the configuration, the commands, the metrics and the API, in ``docs/reference``. They are
committed, so that they can be read where the source is; ``tests/test_docs.py`` fails where one is not what
the code gives now.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api_page import api_page
from commands_page import commands_page
from configuration_page import configuration_page
from metrics_page import metrics_page

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES: Final[dict[str, Callable[[], str]]] = {
    "configuration.md": configuration_page,
    "commands.md": commands_page,
    "metrics.md": metrics_page,
    "api.md": api_page,
}
"""File → what makes its text."""


def main() -> int:
    """Write those that changed, and name them."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        file, text = FOLDER / name, page()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            sys.stdout.write(f"docs/reference/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
