"""The doctor on the page and in the API: of the application, and of a real daemon that examines itself."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import ROOT, Place, eventually, post

from reconciler.core.permission import Permission
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from reconciler.web.app import create_app
from reconciler.web.ports import Check

PEOPLE = {"accept": "text/html"}
FOUND = (
    Check("configuration", "Configuration", "ok", "/etc/config.toml"),
    Check("immich", "Immich", "warning", "The key lacks <b>tag.create</b>", "Add it."),
    Check("immich", "Immich", "problem", "It did not answer, api_key=abcdefghijklmnop"),
)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def client(build, asked):
    async def doctor():
        asked.append("run")
        return FOUND

    return build(doctor=doctor)


def test_an_open_page_runs_the_checks_by_itself_and_a_click_does_without_javascript(client, asked):
    text = client.get("/doctor", headers=PEOPLE).text
    assert 'hx-get="/doctor/checks"' in text
    assert 'href="/doctor?run=1"' in text
    assert not asked
    part = client.get("/doctor/checks", headers=PEOPLE).text
    whole = client.get("/doctor?run=1", headers=PEOPLE).text
    assert asked == ["run", "run"]
    assert "hx-get" not in whole
    for shown in (part, whole):
        assert "1 problem to fix." in shown
        assert "1 thing worth knowing." in shown
        assert "&lt;b&gt;tag.create&lt;/b&gt;" in shown
        assert "Add it." in shown
        assert "abcdefghijklmnop" not in shown
        assert shown.index("<h3>Configuration</h3>") < shown.index("<h3>Immich</h3>")


def test_programs_get_the_findings_of_the_command_line(client):
    answer = client.get("/api/v1/doctor")
    assert answer.json()["ok"] is False
    assert answer.json()["findings"][1] == {
        "section": "immich",
        "level": "warning",
        "what": "The key lacks <b>tag.create</b>",
        "remedy": "Add it.",
    }
    assert "abcdefghijklmnop" not in answer.text


def test_without_a_doctor_the_page_names_the_command(build):
    client = build()
    assert "skymmich-reconciler doctor" in client.get("/doctor", headers=PEOPLE).text
    assert client.get("/doctor/checks", headers=PEOPLE).status_code == 404
    assert client.get("/api/v1/doctor").json()["remedy"] == "Run: skymmich-reconciler doctor"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    build_sample(folder / "skymmich.db")
    with serve(catalogue=folder / "skymmich.db", unkind="settling", drain=2000.0) as simulator:
        place = Place(folder, folder / "skymmich.db", simulator)
        try:
            place.start()
            eventually(place.settled, "the first pass", 180)
            yield place
        finally:
            place.kill()


def findings(place) -> list[dict]:
    return json.loads(place.get("/api/v1/doctor"))["findings"]


def said(place, section: str) -> str:
    return "\n".join(f"{one['what']} {one['remedy']}" for one in findings(place) if one["section"] == section)


def test_a_running_daemon_shows_every_check_of_the_command_line(place):
    command = [sys.executable, "-m", "reconciler", "doctor", "--json", "--config", str(place.config)]
    environ = {"PATH": "/usr/bin", "RECONCILER_IMMICH__API_KEY": place.simulator.api_key}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    page = unescape(re.sub(r"<[^>]+>", "", place.get("/doctor?run=1").decode()))
    for one in json.loads(done.stdout)["findings"]:
        if one["what"].startswith("the right to write"):
            assert "the right to write is with: daemon, process" in one["what"]
        else:
            assert one["what"] in page
            assert one["remedy"] in page
    # It holds the right itself: no other process does.
    assert "the right to write is with this daemon" in page


def test_a_configuration_that_changed_on_the_disk_is_told(place):
    before = place.config.read_text()
    assert "on disk" not in said(place, "configuration")
    try:
        place.config.write_text(before + "[guard]\ncanary = 0\n")
        assert "has changed since this daemon read it. Have it read again: systemctl reload" in said(
            place, "configuration"
        )
        place.config.write_text(before + "[guard]\ncanarry = 0\n")
        assert "cannot be used; the one above stays in force" in said(place, "configuration")
        assert "canary" in said(place, "configuration")
    finally:
        place.config.write_text(before)


def test_what_is_wrong_with_immich_is_told_with_its_remedy(place):
    place.simulator.configure(scopes=["asset.read", "asset.update", "tag.read"])
    try:
        assert "The key lacks tag.create; it costs: tags" in said(place, "immich")
    finally:
        place.simulator.configure(scopes=["all"])


def test_a_catalogue_that_is_gone_does_not_hide_immich(place):
    elsewhere = place.catalogue.with_suffix(".moved")
    place.catalogue.rename(elsewhere)
    try:
        eventually(lambda: "There is no file" in said(place, "catalogue"), "the daemon notices")
        assert "the key works" in said(place, "immich")
    finally:
        elsewhere.rename(place.catalogue)
        eventually(lambda: "images, 55 of them" in said(place, "catalogue"), "it is read again")


def test_the_page_names_its_own_buttons_and_no_command_for_what_it_can_do(place):
    post(place, "/api/v1/settings", {"syncTags": False})
    try:
        told = said(place, "skymmich")
        assert "the button below the switches" in told
        assert "skymmich-reconciler settings" not in told
    finally:
        post(place, "/api/v1/settings", {"syncTags": True})


@pytest.mark.anyio
async def test_several_pages_before_it_begins_wait_for_the_same_checks(control, store):
    control.shown = replace(control.shown, permission=Permission("ask"))
    runs, begun, ready = [], asyncio.Event(), asyncio.Event()

    async def doctor():
        runs.append("run")
        begun.set()
        await ready.wait()
        return FOUND

    app = create_app(control, store, doctor=doctor)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        pages = [asyncio.create_task(client.get("/", headers=PEOPLE)) for _ in range(3)]
        pages.append(asyncio.create_task(client.get("/parts/first_run")))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, ready.set)
        answers = await asyncio.gather(*pages)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all("It did not answer" in answer.text for answer in answers)
    assert runs == ["run"]
