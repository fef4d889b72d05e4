"""Notices on the page: a test by a click, what went wrong, and a real daemon that tells somebody."""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import Place, eventually

from reconciler.notices.sender import Delivery
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from tests.notices.receiving import PASSWORD, TOKEN, Receiver

PEOPLE = {"accept": "text/html"}
SAME = {"origin": "http://127.0.0.1:8287"}


@dataclass
class Messenger:
    addresses: int = 2
    error: str = ""
    tests: int = 0

    async def test(self):
        self.tests += 1
        return tuple(Delivery(number, "json", self.error) for number in range(1, self.addresses + 1))


@pytest.mark.parametrize(
    ("messenger", "said"),
    [
        (Messenger(), "A test notice was sent to every address."),
        (Messenger(error="Forbidden"), "The test notice could not be sent to every address"),
        (Messenger(addresses=0), "No address for notices is configured"),
    ],
)
def test_a_click_sends_a_test_and_says_how_it_went(build, messenger, said):
    client = build(messenger=messenger)
    answer = client.post("/actions/test-notice", headers=SAME, follow_redirects=False)
    assert (answer.status_code, messenger.tests) == (303, 1)
    assert answer.headers["location"].startswith("/doctor?")
    assert "#" not in answer.headers["location"]  # it is said at the top
    assert said in client.get(answer.headers["location"], headers=PEOPLE).text


def test_the_doctors_page_has_the_button_where_somebody_is_told(build):
    assert 'action="/actions/test-notice"' in build(messenger=Messenger()).get("/doctor", headers=PEOPLE).text
    nobody = build(messenger=Messenger(addresses=0)).get("/doctor", headers=PEOPLE).text
    assert "test-notice" not in nobody
    assert "[notices] urls_file" in nobody
    assert "Notices" not in build().get("/doctor", headers=PEOPLE).text


def test_no_other_site_and_no_stranger_sends_one(build, guarded):
    messenger = Messenger()
    client = build(messenger=messenger)
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post("/actions/test-notice", headers=headers).status_code == 403
    assert client.get("/actions/test-notice", headers=PEOPLE).status_code == 405
    assert messenger.tests == 0
    assert guarded.post("/actions/test-notice", headers=SAME).status_code in {401, 403}


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def place(tmp_path_factory, receiver):
    folder = tmp_path_factory.mktemp("notices")
    build_sample(folder / "skymmich.db")
    with serve(catalogue=folder / "skymmich.db", unkind="settling", drain=2000.0) as simulator:
        place = Place(folder, folder / "skymmich.db", simulator)
        place.config.write_text(place.config.read_text() + '[log]\nlevel = "debug"\n')
        try:
            place.start(RECONCILER_NOTICES__URLS=receiver.address)
            eventually(place.settled, "the first pass", 180)
            yield place
        finally:
            place.kill()


def clicked(place) -> str:
    request = urllib.request.Request(
        f"{place.url}/actions/test-notice", b"", {"origin": place.url, "accept": "text/html"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def test_a_real_daemon_tells_that_its_first_sync_is_done(receiver, place):
    eventually(lambda: receiver.got, "the first notice", 90)
    assert "The first sync is done." in receiver.got[0]["message"]


def test_a_real_daemon_sends_a_test_shows_a_failure_as_a_condition_and_never_a_secret(place, receiver):
    assert "A test notice was sent to every address." in clicked(place)
    assert receiver.titles[-1] == "skymmich-reconciler: A test"
    receiver.status = 403
    page = clicked(place)
    assert "The last notice was not sent" in page
    assert "403" in page
    conditions = {one["type"]: one for one in place.status()["conditions"]}
    assert conditions["NoticesSent"]["status"] == "False"
    checks = place.get("/doctor?run=1").decode()
    assert "address 1 (json) can be used" in checks
    log = (place.folder / "daemon.log").read_text()
    assert "notice.failed" in log
    for shown in (page, checks, log, str(conditions), place.get("/metrics").decode()):
        assert PASSWORD not in shown
        assert TOKEN not in shown
    receiver.status = 200
    assert "Notices can be sent" in clicked(place)
