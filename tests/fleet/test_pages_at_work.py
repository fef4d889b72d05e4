"""Who writes while somebody looks at an installation's pages, and what becomes of what was asked for there."""

from __future__ import annotations

import asyncio
import re

import httpx
import psycopg

from reconciler.fleet import tasks
from reconciler.fleet.tasks import Task

from .conftest import faults
from .pages import (
    DOMAIN,
    HTML,
    OPERATOR,
    USERS,
    Browser,
    configure,
    eventually,
    opened,
)


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
    fleet.add("anna", images=8, drain=4.0)

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
    fleet.add("anna", images=6, drain=1.2)  # so a run takes longer than a worker takes to look again

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
            await asyncio.sleep(6.5)  # a worker that had it would have put it back by now
            assert is_crossed_out()
            return process

    process = asyncio.run(go())
    with fleet.store("anna") as store:
        assert [run.trigger for run in store.runs(20)].count("api") == 1
    assert "not visited" not in fleet.events(process)
    assert not any(faults(fleet).values())


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
