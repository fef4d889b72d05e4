"""Photographs every page of the control room, as people see it: ``make screenshots``.

The sample catalogue, a simulated Immich with pictures of its own, the real daemon between them, people and
Skymmich who do something, and Debian's Chromium: every page at two widths, light, dark and in forced colours. With ``--pictures``
also those that the documentation shows, as WebP. It is no test, but ends with an error if a page does not come, or if there
is one of which it takes no picture.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import socket
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parent))
from browsing import ARGUMENTS, CHROMIUM, IMAGES, ROOT, Place, eventually

from reconciler.cli.demo_stage import UNKINDNESS
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from reconciler.web.app import create_app

WIDTHS = {1280: 900, 380: 780}
SCHEMES = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "dark", "forced_colors": "active"},
}
BOTH = ("light", "dark")
SMALL = {"schemes": ("light",), "scale": 1.0}
"""A picture of the page of screenshots; those of the README are for dark pages, too, and for fine screens."""
PARTS = ("/state", "/progress", "/parts/", "/checks", "/toast", "/static/", "/thumbnails/")
"""What is no page of its own."""
TOKEN = "stage-token-for-the-picture-of-the-login"
FAST, SLOW = 400.0, 6.0
ANDROMEDA, ORION, WITCH, WHIRLPOOL, ROSETTE = 1, 3, 12, 22, 29
FLIPPED = 36
"""Gets a place beside Greenwich's meridian, where Immich turns the sign."""


@dataclass(frozen=True)
class Shot:
    """A page to photograph; ``part`` names a part of it (CSS), ``typed`` is typed into the template's editor."""

    name: str
    path: str
    part: str = ""
    typed: str = ""


@dataclass(frozen=True)
class Kept:
    """A window for the documentation: CSS pixels, and what stands at its upper edge."""

    name: str
    path: str
    width: int
    height: int
    top: str = ""
    schemes: tuple[str, ...] = BOTH
    scale: float = 1.5


class Session:
    """One window that goes from page to page."""

    def __init__(self, browser, place: Place, asked: argparse.Namespace) -> None:
        self.browser = browser
        self.place, self.folder, self.pictures, self.only = place, asked.folder, asked.pictures, asked.only
        # A window for each: one that was in forced colours keeps its black canvas in the others.
        self.windows = {
            scheme: browser.new_page(base_url=place.url, reduced_motion="reduce", **media)
            for scheme, media in SCHEMES.items()
        }
        self.keepers = {
            scale: browser.new_page(base_url=place.url, reduced_motion="reduce", device_scale_factor=scale)
            for scale in (1.0, 1.5)
        }
        self.wide: list[str] = []
        self.opened: set[str] = set()

    def take(self, *shots: Shot) -> None:
        """Photograph each at every width, light, dark and in forced colours, whole."""
        for shot in shots:
            if self.only and shot.name not in self.only:
                continue
            for scheme, page in self.windows.items():
                self._open(page, shot.path)
                if shot.typed:
                    page.locator("#text").fill(shot.typed)
                    page.locator("#preview .said").wait_for()
                for width, height in WIDTHS.items():
                    page.set_viewport_size({"width": width, "height": height})
                    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                        self.wide.append(f"{shot.name} at {width}, {scheme}")
                    file = self.folder / f"{shot.name}-{width}-{scheme}.png"
                    if shot.part:
                        page.locator(shot.part).screenshot(path=file, animations="disabled")
                    else:
                        page.screenshot(path=file, full_page=True, animations="disabled")
            print(shot.name, flush=True)

    def keep(self, *windows: Kept) -> None:
        """Photograph what the documentation shows."""
        for one in windows if self.pictures else ():
            page = self.keepers[one.scale]
            page.set_viewport_size({"width": one.width, "height": one.height})
            self._open(page, one.path)
            if one.top:
                page.locator(one.top).first.evaluate("one => one.scrollIntoView({block: 'start'})")
            for scheme in one.schemes:
                page.emulate_media(color_scheme=scheme)
                file = self.pictures / f"{one.name}-{scheme}.webp"
                file.write_bytes(as_webp(self.browser, page.screenshot(animations="disabled")))
                print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB", flush=True)

    def untaken(self) -> list[str]:
        """List the addresses of pages that were never opened."""
        patterns = [
            (route.path, route.path_regex)
            for route in create_app(None, None, template=object()).routes
            if isinstance(route, Route) and "GET" in (route.methods or ())
        ]
        pages = [(path, regex) for path, regex in patterns if is_page(path)]
        return [path for path, regex in pages if not any(map(regex.match, self.opened))]

    def _open(self, page, path: str) -> None:
        page.goto(path)
        self.opened.add(path.partition("?")[0])
        page.evaluate("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
        drawn = "[...document.images].every(one => one.complete)"
        eventually(lambda: page.evaluate(drawn), f"the pictures of {path}", 60)
        # what has arrived is not yet decoded, and would be photographed as a hole
        page.evaluate("Promise.all([...document.images].map(one => one.decode()))")


def is_page(path: str) -> bool:
    """Tell whether an address is a page that people look at."""
    machines = path.startswith(("/api/", "/livez", "/readyz", "/metrics", "/events"))
    return not machines and not any(part in path for part in PARTS)


def as_webp(browser, png: bytes, quality: float = 0.75) -> bytes:
    """Let the browser write a picture as WebP, which it can do and the standard library cannot."""
    with browser.new_page() as page:
        source = "data:image/png;base64," + base64.b64encode(png).decode()
        text = page.evaluate(
            """async ([source, quality]) => {
                const image = new Image(); image.src = source; await image.decode();
                const canvas = document.createElement('canvas');
                canvas.width = image.width; canvas.height = image.height;
                canvas.getContext('2d').drawImage(image, 0, 0);
                return canvas.toDataURL('image/webp', quality);
            }""",
            [source, quality],
        )
    return base64.b64decode(text.partition(",")[2])


def desktop_fonts(folder: Path) -> dict[str, str]:
    """Give an environment in which a page's ``system-ui`` is a desktop's, where one is installed (fonts-inter)."""
    file = folder / "fonts.conf"
    family = "".join(f"<string>{name}</string>" for name in ("Inter", "Cantarell", "Noto Sans"))
    rules = "".join(
        f'<match target="pattern"><test name="family"><string>{generic}</string></test>'
        f'<edit name="family" mode="prepend" binding="strong">{family}</edit></match>'
        for generic in ("system-ui", "sans-serif", "sans")
    )
    system = '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
    file.write_text(f"<fontconfig>{system}{rules}</fontconfig>")
    return {**os.environ, "FONTCONFIG_FILE": str(file)}


@contextmanager
def stage(folder: Path):
    """Build catalogue, Immich and daemon; the daemon is not started yet."""
    catalogue = folder / "skymmich.db"
    build_sample(catalogue)
    with serve(catalogue=catalogue, unkind=UNKINDNESS, drain=FAST, port=free(2283)) as simulator:
        place = Place(folder, catalogue, simulator)
        place.port = free(8287) or place.port
        place.url = f"http://127.0.0.1:{place.port}"
        configure(place)
        try:
            yield place
        finally:
            place.kill()


def free(port: int) -> int:
    """Give the port if nothing listens there, else 0: the usual ports look best."""
    with socket.socket() as probe:
        return 0 if probe.connect_ex(("127.0.0.1", port)) == 0 else port


def configure(place: Place, more: str = "", mode: str = "sync") -> None:
    """Write the configuration: as delivered, but for a catalogue that is looked at more often."""
    place.config.write_text(
        f'[skymmich]\nsource = "{place.catalogue}"\n[state]\nurl = "sqlite:///{place.folder}/state.sqlite3"\n'
        f'[immich]\nurl = "{place.simulator.url}"\n[status]\nport = {place.port}\n{more}'
        f'[policy]\nmode = "{mode}"\n'
        "[schedule]\ncatalogue_seconds = 2\nimmich_seconds = 10\ndebounce_seconds = 0.1\n"
    )


def post(place: Place, path: str) -> None:
    """Press a button, as the API."""
    request = urllib.request.Request(place.url + path, b"", {"origin": place.url}, method="POST")
    with urllib.request.urlopen(request, timeout=70):
        pass


def before_the_first_pass(place: Place) -> None:
    """Let people have written before this program came."""
    person = place.simulator.person
    person(place.asset_of(ORION), "set_description", "A cold night in January; the mount behaved for once.")
    person(place.asset_of(WITCH), "set_coordinates", [53.1214, 8.2139])
    person(place.asset_of(ROSETTE), "add_tag", "Wall")
    place.sql(f"UPDATE {IMAGES} SET latitude = 51.48, longitude = 0.001 WHERE id = ?", FLIPPED)
    place.simulator.wait_until_idle()


def life_goes_on(place: Place) -> None:
    """Let people and Skymmich do something, one after the other."""
    person = place.simulator.person
    whirlpool, andromeda = place.asset_of(WHIRLPOOL), place.asset_of(ANDROMEDA)
    facts = str(place.shown(ANDROMEDA)["description"])
    person(
        andromeda, "set_description", f"Shown at the club evening in March. Grandpa's favourite.\n\n{facts}"
    )
    person(whirlpool, "append_description", "\n\nPrinted 60 × 40 cm, hangs in the hallway.")
    person(whirlpool, "add_tag", "Wall")
    place.simulator.wait_until_idle()
    for image_id, title in ((WHIRLPOOL, "Whirlpool, 35 hours"), (ROSETTE, "Rosette, the whole flower")):
        place.sql(
            "UPDATE image_acquisition SET frame_count = frame_count + 120 WHERE id ="
            " (SELECT min(id) FROM image_acquisition WHERE image_id = ?)",
            image_id,
        )
        place.sql(f"UPDATE {IMAGES} SET title = ? WHERE id = ?", title, image_id)
        arrived(place, image_id, title)
    place.sql("UPDATE equipment SET name = 'Esprit 100ED Super APO' WHERE name = 'Sky-Watcher Esprit 100ED'")
    arrived(place, ROSETTE, "Super APO")


def arrived(place: Place, image_id: int, words: str) -> None:
    """Wait until Immich shows something of an image, and the pass that brought it is over."""
    eventually(lambda: words in place.shown(image_id)["description"], f"{words} is in Immich", 90)
    eventually(place.settled, "the pass is over", 90)


def not_begun(session: Session, place: Place) -> None:
    """Show a daemon that does not reach Immich yet, then one that waits for a person to begin."""
    take, simulator = session.take, place.simulator
    simulator.configure(down=True)
    place.start()
    eventually(lambda: place.status()["level"] == "trouble", "the daemon misses Immich")
    take(Shot("first-overview", "/"), Shot("first-images", "/images"), Shot("first-runs", "/runs"))
    place.kill()

    simulator.configure(down=False)
    before_the_first_pass(place)
    configure(place, mode="ask")
    place.start()
    eventually(lambda: place.status()["would_write"], "it says what it would write", 60)
    take(Shot("begin", "/"))
    session.keep(Kept("begin", "/", 1000, 760, **SMALL))
    place.kill()


def play(session: Session, place: Place) -> None:
    """Go from scene to scene."""
    not_begun(session, place)
    take, simulator = session.take, place.simulator
    configure(place)
    place.start()
    eventually(place.settled, "the first pass", 120)
    life_goes_on(place)
    runs = json.loads(place.get("/api/v1/runs"))["items"]
    take(
        Shot("overview", "/"),
        Shot("settings", "/", part="#settings"),
        Shot("images", "/images"),
        Shot("images-list", "/images?density=list&sort=written"),
        Shot("images-found", "/images?q=ngc+7000&density=cards"),
        Shot("images-none", "/images?q=nothing+like+this"),
        Shot("image", f"/images/{ANDROMEDA}"),
        Shot("image-conflict", f"/images/{ORION}"),
        Shot("image-place", f"/images/{WITCH}"),
        Shot("image-not-kept", f"/images/{FLIPPED}"),
        Shot("image-unlinked", "/images/56"),
        Shot("runs", "/runs"),
        Shot("run", f"/runs/{runs[1]['run_id']}"),
        Shot("template", "/template"),
        Shot("template-error", "/template", typed="{{ heading }}\n{{ oops }}"),
        Shot("doctor", "/doctor?run=1"),
        Shot("problem", "/images/12345"),
        Shot("undo", "/undo?everything=true"),
        Shot("undo-run", f"/undo?run_id={runs[1]['run_id']}"),
        Shot("before-a-pause", "/decide?action=pause&everything=true"),
    )
    session.keep(
        Kept("overview", "/", 1200, 1180),
        Kept("images", "/images", 1200, 900),
        Kept("image", f"/images/{ORION}", 1200, 1110),
        Kept("images-list", "/images?density=list&sort=written", 1000, 640, **SMALL),
        Kept("image-in-sync", f"/images/{ANDROMEDA}", 1000, 900, **SMALL),
        Kept("image-not-kept", f"/images/{FLIPPED}", 1000, 560, **SMALL),
        Kept("runs", "/runs", 1000, 520, **SMALL),
        Kept("run", f"/runs/{runs[1]['run_id']}", 1000, 760, **SMALL),
        Kept("undo", f"/undo?run_id={runs[0]['run_id']}", 1000, 700, **SMALL),
        Kept("template", "/template", 1000, 860, **SMALL),
        Kept("doctor", "/doctor?run=1", 1000, 860, **SMALL),
        Kept("phone", "/", 380, 780, **SMALL),
        Kept("phone-images", "/images", 380, 780, **SMALL),
    )

    for image_id in (WHIRLPOOL, ROSETTE):
        place.note_crossing(image_id)
    post(place, "/api/v1/reconcile?wait=60")
    take(
        Shot("image-crossed", f"/images/{WHIRLPOOL}"),
        Shot("images-crossed", "/images?status=crossed"),
        Shot("overview-crossed", "/"),
    )
    post(place, "/api/v1/seen")

    post(place, "/api/v1/pause")
    place.sql(f"UPDATE {IMAGES} SET title = 'Andromeda, at last', longitude = 8.3 WHERE id = ?", ANDROMEDA)
    place.sql(f"UPDATE {IMAGES} SET tags = json_insert(tags, '$[#]', 'Calendar 2026') WHERE id IN (2, 8, 10)")
    take(Shot("preview", "/preview"), Shot("paused", "/"))
    session.keep(Kept("preview", "/preview", 1000, 700, **SMALL))
    simulator.configure(drain=SLOW)
    place.sql(f"UPDATE {IMAGES} SET description = description || ' More to come.'")
    post(place, "/api/v1/resume")
    post(place, "/api/v1/reconcile")
    eventually(
        lambda: ((place.status()["current"] or {}).get("progress") or {}).get("done", 0) > 3,
        "it is under way",
        60,
    )
    take(Shot("working", "/"))
    simulator.configure(drain=FAST)
    eventually(place.settled, "the pass is over", 120)

    place.sql(f"UPDATE {IMAGES} SET tags = '[]', description = NULL, object_type = NULL")
    eventually(lambda: "guard" in place.get("/").decode(), "the guard steps in", 60)
    take(Shot("guard", "/"))
    session.keep(Kept("guard", "/", 1000, 620, **SMALL))
    simulator.configure(down=True)
    eventually(lambda: place.status()["level"] == "trouble", "the daemon misses Immich", 60)
    take(Shot("down", "/"))
    place.kill()

    (place.folder / "token").write_text(TOKEN)
    configure(place, f'token_file = "{place.folder}/token"\n')
    place.start()
    take(Shot("login", "/login"))
    session.keep(Kept("login", "/login", 1000, 420, **SMALL))


def main() -> int:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--pictures", type=Path, help="also those of the documentation, into this folder")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these pages")
    asked = parser.parse_args()
    if not Path(CHROMIUM).exists():
        print("This needs Chromium, and there is none here. Debian: apt install chromium", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    for folder in filter(None, (asked.folder, asked.pictures)):
        folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="skymmich-reconciler-shots-") as folder,
        stage(Path(folder)) as place,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, env=desktop_fonts(Path(folder))
        )
        session = Session(browser, place, asked)
        play(session, place)
        browser.close()
    untaken = [] if asked.only else session.untaken()
    print(f"In {asked.folder}")
    for one in session.wide:
        print(f"Wider than its window: {one}", file=sys.stderr)
    for path in untaken:
        print(f"No picture was taken of {path}", file=sys.stderr)
    return 1 if session.wide or untaken else 0


if __name__ == "__main__":
    sys.exit(main())
