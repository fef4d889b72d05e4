"""The pages of many installations, on a real PostgreSQL: who sees what, route by route, and who writes meanwhile."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest
from starlette.routing import Route

from reconciler.config import load
from reconciler.fleet import tasks
from reconciler.fleet.configured import Configured
from reconciler.fleet.pages.doors import Doors
from reconciler.fleet.pages.site import site_of
from reconciler.fleet.tasks import Task
from reconciler.web.app import create_app
from state.postgres import installations

from .conftest import faults

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


@pytest.fixture
def two(fleet):
    secret(fleet.folder / "operators.token", OPERATORS)
    for name in ("anna", "ben"):
        fleet.add(name)
        own(fleet, name)
    return fleet


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


def test_nobody_sees_another_s_pages_route_by_route(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            annas = await log_in(browser, "anna")
            assert (await browser.at("anna", headers={**annas, **HTML})).status_code == 200
            strangers = (
                {}, annas, {"remote-user": "anna"}, {"remote-user": "mallory"}, {"remote-user": ""},
            )  # fmt: skip
            assert sum([await refused(browser, two, one) for one in strangers]) > 700
            # Wrong tokens are answered ever later, so with anna's not everything is asked for.
            wrong = {"authorization": "Bearer the long token of anna"}
            for path in ("/", "/images", "/api/v1/status"):
                assert (await browser.at("ben", path, headers=wrong)).status_code == 401
            assert len(site.openings) == 1  # anna's: for strangers nothing was opened
            async with Browser(site.router, peer="192.0.2.7") as elsewhere:  # not the proxy
                for name in ("ben", "anna", ""):
                    answer = await elsewhere.at(name, headers={"remote-user": "ben", **HTML})
                    assert answer.status_code == 303, name

    asyncio.run(go())


def test_each_sees_theirs_and_operators_all_whichever_way_they_show_who_they_are(two):
    asset_id = two.sql("ben", "SELECT immich_id FROM astrophotography_images ORDER BY id LIMIT 1")[0][0]

    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            bens = ({"remote-user": "ben"}, {"authorization": "Bearer the long token of ben"})
            for headers in (*bens, await log_in(browser, "ben"), {"remote-user": "olga"}, OPERATOR):
                picture = await browser.at("ben", f"/thumbnails/{asset_id}", headers=headers)
                assert picture.headers["content-type"].startswith("image/")
                assert (await browser.at("ben", "/images", headers={**headers, **HTML})).status_code == 200
            for method, path in routes(two, "ben"):
                if method == "GET" and not path.endswith("/events"):
                    answer = await browser.at("ben", path, headers=bens[0])
                    assert answer.status_code in {200, 204, 303, 400, 404}, (path, answer.text)
            page = await browser.at("ben", headers={**bens[0], **HTML})
            assert f'href="//{DOMAIN}/"' in page.text
            assert "<b>ben</b>" in page.text

    asyncio.run(go())


def test_the_list_shows_each_theirs_and_operators_all(two):
    two.add("zoe")

    async def names(browser, **headers):
        answer = await browser.at("", "/api/v1/installations", headers=headers)
        return (
            [one["name"] for one in answer.json()["installations"]]
            if answer.is_success
            else answer.status_code
        )

    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            assert await names(browser) == 401
            assert await names(browser, **{"remote-user": "anna"}) == ["anna"]
            assert await names(browser, **{"remote-user": "mallory"}) == []
            assert await names(browser, **{"remote-user": "olga"}) == ["anna", "ben", "zoe"]
            assert await names(browser, **OPERATOR) == ["anna", "ben", "zoe"]
            page = await browser.at("", headers={"remote-user": "anna", **HTML})
            assert f"//anna.{DOMAIN}/" in page.text
            assert "ben" not in page.text
            assert "Pause" not in page.text
            page = await browser.at("", "/?q=zo", headers={"remote-user": "olga", **HTML})
            assert "zoe" in page.text
            assert f"//ben.{DOMAIN}/" not in page.text
            # Only operators ask for something here, and only from this place's own pages.
            origin = {"origin": f"http://{DOMAIN}"}
            asked = [
                await browser.at("", "/installations/ben/pause", "POST", headers=headers)
                for headers in (
                    {"remote-user": "ben", **origin}, {"remote-user": "olga", "origin": f"http://ben.{DOMAIN}"},
                    {"remote-user": "olga", "origin": f"http://{DOMAIN}", "sec-fetch-site": "same-site"},
                    {"remote-user": "olga", **origin},
                )
            ]  # fmt: skip
            assert [answer.status_code for answer in asked] == [403, 403, 403, 303]
            paused = {one.name for one in installations.installations(two.address) if one.paused_at}
            assert paused == {"ben"}
            page = await browser.at("ben", headers={"remote-user": "ben", **HTML})
            assert page.status_code == 503
            assert "ben is paused" in page.text
            assert (await browser.at("", "/metrics", headers={"remote-user": "ben"})).status_code == 403
            assert (
                "reconciler_installation_level" in (await browser.at("", "/metrics", headers=OPERATOR)).text
            )
            assert (
                await browser.at("", "/installations/nobody/sync", "POST", headers=OPERATOR)
            ).status_code == 404
            for unknown in ("nobody", "x.ben", "ben.evil.example"):
                assert (await browser.at(unknown, headers=OPERATOR)).status_code == 404
                # To strangers it looks like one that there is.
                stranger = [
                    await browser.at(name, headers={"remote-user": "anna"}) for name in (unknown, "ben")
                ]
                assert stranger[0].json() == stranger[1].json()
                assert stranger[0].status_code == 401
            elsewhere = await browser.request("GET", "http://evil.example/", headers=OPERATOR)
            assert elsewhere.status_code == 421

    asyncio.run(go())


def test_one_login_of_an_operator_opens_all_and_one_log_out_ends_it(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            form = {"token": OPERATORS}
            answer = await browser.at("", "/login", "POST", data=form, headers={"origin": f"http://{DOMAIN}"})
            assert f"Domain={DOMAIN}" in answer.headers["set-cookie"]
            for name in ("", "anna", "ben"):
                assert (await browser.at(name, headers=HTML)).status_code == 200
            kept = dict(browser.cookies)
            answer = await browser.at("ben", "/logout", "POST", headers={"origin": f"http://ben.{DOMAIN}"})
            assert answer.status_code == 303
            cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
            for name in ("", "anna", "ben"):
                assert (await browser.at(name, headers={**cookie, **HTML})).status_code == 303

    asyncio.run(go())


def test_a_configuration_that_can_not_be_read_lets_nobody_in_and_one_that_changed_holds_at_once(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            ben = {"remote-user": "ben", **HTML}
            assert (await browser.at("ben", headers=ben)).status_code == 200
            mend = two.spoil("ben")
            answer = await browser.at("ben", headers=ben)
            assert answer.status_code == 503
            # Not even what is wrong with it: who asks is not known.
            assert "cannot be shown now" in answer.text
            assert "source" not in answer.text
            assert "content-security-policy" in answer.headers
            assert (await browser.at("ben", "/livez")).status_code == 200
            mend()
            assert (await browser.at("ben", headers=ben)).status_code == 200
            file = two.folder / "installations" / "ben.toml"
            file.write_text(file.read_text().replace('users = ["ben"]', 'users = ["bella"]'))
            assert (await browser.at("ben", headers=ben)).status_code == 303
            assert (await browser.at("ben", headers={"remote-user": "bella", **HTML})).status_code == 200

    asyncio.run(go())


def test_a_worker_makes_room_in_the_middle_of_a_first_sync_and_goes_on_afterwards(fleet):
    fleet.add("anna", images=20, drain=6.0)
    process = fleet.worker()

    async def go():
        async with opened(fleet, idle=0.5) as site, Browser(site.router) as browser:
            await eventually(lambda: fleet.writes() > 6)
            assert not fleet.in_sync()
            assert (await browser.at("anna", headers=HTML)).status_code == 200
            with fleet.store("anna") as store:
                assert any(run.outcome == "stopped" for run in store.runs(9))
            # A person asks there, and a command's wish is taken there, too: the worker is not let in.
            origin = {"origin": f"http://anna.{DOMAIN}"}
            asked = await browser.at("anna", "/api/v1/reconcile?wait=60", "POST", headers=origin)
            assert asked.status_code in {200, 202}, asked.text
            code, _, err = await asyncio.to_thread(fleet.call, "installations", "sync", "anna")
            assert code == 0, err

            async def is_told():
                status = (await browser.at("anna", "/api/v1/status")).json()
                return status["standing"]["code"] == "in_sync"

            await eventually(is_told, 60)
            assert fleet.in_sync()
            # Nobody looks any more: the worker finds what changes next.
            await eventually(lambda: len(site.openings) == 0)
            fleet.sql("anna", "UPDATE astrophotography_images SET description = 'Later words.'")
            await eventually(lambda: "Later words." in str(fleet.simulators["anna"].assets()), 60)

    asyncio.run(go())
    assert not any(faults(fleet).values())
    assert "not visited" not in fleet.events(process)


def test_what_a_person_asked_for_is_done_though_the_window_was_closed(fleet):
    fleet.add("anna", images=12, drain=3.0)

    async def go():
        async with opened(fleet, idle=0.2) as site, Browser(site.router) as browser:
            origin = {"origin": f"http://anna.{DOMAIN}"}
            asked = await browser.at("anna", "/api/v1/reconcile", "POST", headers=origin)
            assert asked.status_code == 202
            await eventually(lambda: len(site.openings) == 0, 60)
            with fleet.store("anna") as store:
                assert [run.outcome for run in store.runs(9) if run.trigger == "api"] == ["succeeded"]
            # Asked for again, and the process is to end: workers do it then.
            fleet.sql("anna", "UPDATE astrophotography_images SET description = 'Later words.'")
            asked = await browser.at("anna", "/api/v1/reconcile", "POST", headers=origin)
            assert asked.status_code == 202
        return asked.json()["run_id"]

    asyncio.run(go())
    fleet.worker()

    def done():
        with fleet.store("anna") as store:
            return [run.outcome for run in store.runs(9) if run.trigger == "api"].count("succeeded") == 2

    fleet.until(done, 60)
    assert fleet.in_sync()
    assert not any(faults(fleet).values())


def test_a_wish_from_the_queue_is_carried_out_once_while_the_pages_are_open(fleet):
    fleet.add("anna", images=12, drain=1.5)  # so a run takes longer than a worker takes to look again

    async def go():
        async with opened(fleet) as site, Browser(site.router) as browser:
            assert (await browser.at("anna", headers=HTML)).status_code == 200
            process = await asyncio.to_thread(fleet.worker)
            fleet.sql("anna", "UPDATE astrophotography_images SET description = 'Later words.'")
            assert await asyncio.to_thread(tasks.put_by_person, fleet.address, Task("sync", "anna"))

            def is_crossed_out():
                asked = f"SELECT count(*) FROM {tasks.SCHEMA}.procrastinate_jobs WHERE task_name = 'sync'"
                with psycopg.connect(fleet.address) as connection:
                    return connection.execute(asked).fetchone() == (0,)

            await eventually(is_crossed_out, 60)
            await asyncio.sleep(8)  # a worker that had it would have put it back by now
            assert is_crossed_out()
            return process

    process = asyncio.run(go())
    with fleet.store("anna") as store:
        assert [run.trigger for run in store.runs(20)].count("api") == 1
    assert "not visited" not in fleet.events(process)
    assert not any(faults(fleet).values())


def test_many_requests_at_once_open_pages_once_and_a_session_outlives_other_changes(two):
    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            cookie = await log_in(browser, "ben")
            for change in (
                lambda: None,
                (two.folder / "installations" / "ben" / "status_token").touch,
            ):
                change()
                answers = await asyncio.gather(
                    *(browser.at("ben", "/images", headers={**cookie, **HTML}) for _ in range(12))
                )
                assert {answer.status_code for answer in answers} == {200}
            assert len(site.openings) == 1

    asyncio.run(go())


def test_an_attendance_that_breaks_says_so_and_costs_only_itself(two, monkeypatch):
    def broken(*_):
        raise RuntimeError("nobody expected this")

    async def go():
        async with opened(two, USERS) as site, Browser(site.router) as browser:
            with monkeypatch.context() as patch:
                patch.setattr("reconciler.fleet.pages.attendance.Present", broken)
                for _ in range(2):
                    answer = await browser.at("ben", headers={**OPERATOR, **HTML})
                    assert answer.status_code == 503
                    assert "met an error that nobody expected" in answer.text
            assert (await browser.at("anna", headers={**OPERATOR, **HTML})).status_code == 200
            await eventually(lambda: len(site.openings) == 1)
            assert (await browser.at("ben", headers={**OPERATOR, **HTML})).status_code == 200

    asyncio.run(go())


def test_the_pages_process_that_is_killed_loses_nothing_and_a_worker_goes_on(fleet):
    fleet.add("anna", images=12, drain=6.0)
    pages = fleet.start("pages", configure(fleet).rename(fleet.folder / "p.toml"))
    port = int(re.search(r":(\d+)", fleet.told(pages, "ready")["page"])[1])

    def ask(path="/"):
        return httpx.get(
            f"http://127.0.0.1:{port}{path}", headers={"host": f"anna.{DOMAIN}:{port}"}, timeout=60
        )

    assert ask().status_code == 200
    asset_id = min(fleet.simulators["anna"].assets())
    fleet.until(lambda: fleet.writes() > 5)
    fleet.simulators["anna"].person(asset_id, "add_tag", "family")
    pages.kill()
    pages.wait()
    assert not fleet.in_sync()
    fleet.worker()
    fleet.until(fleet.in_sync, 60)
    assert "family" in str(fleet.simulators["anna"].assets()[asset_id]["tags"])
    assert not any(faults(fleet).values())


def test_pages_that_are_cut_off_from_the_database_write_nothing_more_and_come_back(fleet):
    fleet.add("anna", images=12, drain=4.0)
    pages = fleet.start("pages", configure(fleet).rename(fleet.folder / "p.toml"), wire=True)
    port = int(re.search(r":(\d+)", fleet.told(pages, "ready")["page"])[1])
    anna = {"host": f"anna.{DOMAIN}:{port}"}

    def status():
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/status", headers=anna, timeout=60)

    assert status().status_code == 200
    fleet.until(lambda: fleet.writes() > 5)
    pages.wire.cut()
    fleet.worker()
    fleet.until(fleet.in_sync, 60)
    pages.wire.mend()
    fleet.until(lambda: (told := status()).is_success and told.json()["standing"]["code"] == "in_sync", 60)
    assert not any(faults(fleet).values())


def test_the_pages_process_ends_well_and_nothing_is_open_beyond_this_machine_without_a_token(fleet):
    fleet.add("anna", images=12, drain=6.0)
    pages = fleet.start("pages", configure(fleet).rename(fleet.folder / "p.toml"))
    port = int(re.search(r":(\d+)", fleet.told(pages, "ready")["page"])[1])
    base, host = f"http://127.0.0.1:{port}", {"host": f"anna.{DOMAIN}:{port}"}
    assert httpx.get(f"{base}/readyz").text == "ok\n"
    assert httpx.get(f"{base}/api/v1/status", headers=host, timeout=60).status_code == 200
    fleet.until(lambda: fleet.writes() > 2)
    pages.terminate()
    assert pages.wait(20) == 0
    assert "stopped" in fleet.events(pages)
    fleet.worker()
    fleet.until(fleet.in_sync, 60)
    assert not any(faults(fleet).values())
    code, _, err = fleet.call("pages", config=configure(fleet, 'host = "0.0.0.0"\n'))
    assert code == 78
    assert "without a token" in err
