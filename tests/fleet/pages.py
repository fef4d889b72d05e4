"""The pages of many installations in this process, asked as a browser asks through a reverse proxy."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import httpx
from starlette.routing import Route

from reconciler.config import load
from reconciler.fleet import tasks
from reconciler.fleet.configured import Configured
from reconciler.fleet.pages.doors import Doors
from reconciler.fleet.pages.site import site_of
from reconciler.web.app import create_app

DOMAIN = "photos.example.org"
HTML = {"accept": "text/html"}
PUBLIC = {"/livez", "/readyz", "/login", "/logout", "/api/v1/openapi.json"}
"""Answered to strangers, and the same to everybody."""


class Browser(httpx.AsyncClient):
    """Asks as the reverse proxy on this machine, or from elsewhere."""

    def __init__(self, router, *, peer="127.0.0.1", **more):
        transport = httpx.ASGITransport(router, client=(peer, 1234), raise_app_exceptions=False)
        super().__init__(transport=transport, timeout=60, **more)

    async def at(self, name, path="/", method="GET", **more):
        """Ask, and ask again for as long as the pages are being opened."""
        host = f"{name}.{DOMAIN}" if name else DOMAIN
        while True:
            answer = await self.request(method, f"http://{host}{path}", **more)
            if answer.status_code != 503 or answer.headers.get("retry-after") != "2":
                return answer
            await asyncio.sleep(0.2)


def configure(fleet, status=""):
    config = fleet.folder / "pages.toml"
    config.write_text(
        f'[fleet]\nfolder = "{fleet.folder}/installations"\nlook_seconds = 5\nright_seconds = 6\n'
        f'domain = "{DOMAIN}"\n[status]\nport = 0\n{status}'
    )
    return config


def secret(file, text):
    file.write_text(text)
    file.chmod(0o600)
    return file


def own(fleet, name):
    """Let a user of the proxy, and who knows a token, see an installation's pages."""
    folder = fleet.folder / "installations"
    file = folder / f"{name}.toml"
    file.write_text(f'{file.read_text()}[status]\nusers = ["{name}"]\n')
    secret(folder / name / "status_token", f"the long token of {name}")


@asynccontextmanager
async def opened(fleet, status="", **more):
    config = load(configure(fleet, status), fleet.environ())
    configured, queue = Configured(config), tasks.app_at(fleet.address)
    tasks.make_tables(fleet.address)
    async with (
        queue.open_async(),
        site_of(config, configured, Doors(config, configured), queue, **more) as site,
    ):
        yield site


async def eventually(condition, seconds=30.0):
    async with asyncio.timeout(seconds):
        while not (await found if asyncio.iscoroutine(found := condition()) else found):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def routes(fleet, name):
    """Every address of an installation's pages, with what is its own in it."""
    image_id, asset_id = fleet.sql(
        name, "SELECT id, immich_id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id"
    )[0]
    values = {
        "image_id": image_id,
        "asset_id": asset_id,
        "run_id": "0" * 12,
        "name": "app.css",
        "id": image_id,
    }
    for route in create_app(None, None, template=object(), doctor=object()).routes:
        assert isinstance(route, Route)
        path = re.sub(r"{(\w+)(:\w+)?}", lambda found: str(values.get(found[1], 1)), route.path)
        for method in sorted(route.methods - {"HEAD"}):
            yield method, path


OPERATORS = "the operator's own long token"
OPERATOR = {"authorization": f"Bearer {OPERATORS}"}
USERS = 'user_header = "Remote-User"\nusers = ["olga"]\ntoken_file = "operators.token"\n'


async def log_in(browser, name):
    """Return the cookie of who logs in with an installation's own token."""
    answer = await browser.at(
        name, "/login", "POST", data={"token": f"the long token of {name}"},
        headers={"origin": f"http://{name}.{DOMAIN}"},
    )  # fmt: skip
    assert answer.status_code == 303
    browser.cookies.clear()
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


async def refused(browser, fleet, headers):
    """Ask for everything of ben's; gives how much, all of which was refused without a word of his."""
    titles = [title for (title,) in fleet.sql("ben", "SELECT title FROM astrophotography_images")]
    asked = 0
    for method, path in routes(fleet, "ben"):
        if path in PUBLIC or path.startswith("/static/"):
            continue
        for more in ({}, HTML, {"origin": f"http://ben.{DOMAIN}", "sec-fetch-site": "same-origin"}):
            answer = await browser.at("ben", path, method, headers={**headers, **more})
            told = (headers, method, path, answer.status_code)
            assert answer.status_code in {303, 401, 403}, told
            assert answer.status_code != 303 or answer.headers["location"].startswith("/login"), told
            assert not any(title in answer.text for title in titles), told
            asked += 1
    return asked
