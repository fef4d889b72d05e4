"""Draws the diagrams of the documentation, once: ``packages/site/diagrams.py PATH/TO/mermaid.min.js``.

GitHub draws what is fenced as ``mermaid``. The site would have to load mermaid for that, 3 MB from another host or
from here, so it shows a picture instead: one file for each diagram, named by what it is drawn from. Mermaid itself
comes from npm (``npm pack mermaid``, then ``package/dist/mermaid.min.js``), and Chromium lets it draw.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PICTURES: Final = ROOT / "docs" / "pictures" / "diagrams"
FENCE: Final = re.compile(r"^```mermaid\n(?P<source>.*?)^```$", re.MULTILINE | re.DOTALL)
_DRAW: Final = """async ([name, source]) => {
    mermaid.initialize({startOnLoad: false, theme: 'neutral', fontFamily: 'sans-serif', htmlLabels: false,
                        flowchart: {htmlLabels: false, useMaxWidth: false}, state: {useMaxWidth: false}});
    return (await mermaid.render(name, source)).svg;
}"""


def name_of(source: str) -> str:
    """Return the name of a diagram's file."""
    return f"{hashlib.sha256(source.encode()).hexdigest()[:12]}.svg"


def diagrams() -> dict[str, str]:
    """Return the source of each diagram in the documents, by its file's name."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))]
    return {name_of(one["source"]): one["source"] for text in texts for one in FENCE.finditer(text)}


def main() -> int:
    """Draw those that are missing, and take away those that nothing shows any more."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the hooks need only the names

    wanted = diagrams()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        if old.name not in wanted:
            old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=sys.argv[1])
        for name, source in wanted.items():
            if not (PICTURES / name).exists():
                svg = page.evaluate(_DRAW, [f"d{name[:12]}", source])
                (PICTURES / name).write_text(svg + "\n", encoding="utf-8")
                sys.stdout.write(f"{name}: {len(svg) / 1000:.0f} kB\n")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
