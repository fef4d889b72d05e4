"""``notices`` and what ``doctor`` says of them: with the real program, and a real server that is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from reconciler.core.notices import Book
from reconciler.core.store_keys import NOTICES
from state.store import StateStore
from tests.notices.receiving import PASSWORD, TOKEN, Receiver


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def it(install, receiver):
    """An installation that tells somebody, with the address in a file of its own."""
    with install(33) as it:
        (it.folder / "urls").write_text(f"# my phone\n{receiver.address}\n")
        (it.folder / "urls").chmod(0o600)
        it.configure('[notices]\nurls_file = "urls"\nquiet_hours = "00:00-23:59"\npage_url = "http://page"\n')
        yield it


def test_a_test_arrives_also_in_quiet_hours_and_says_so(it, receiver):
    done = it.run("notices", "test")
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ address 1 (json): sent" in done.stdout
    assert receiver.titles == ["skymmich-reconciler: A test"]
    assert receiver.got[0]["message"].endswith("\nhttp://page/")


def test_a_test_that_fails_exits_1_says_why_and_shows_no_secret(it, receiver):
    receiver.status = 403
    for command in (("notices", "test", "--verbose"), ("notices", "test", "--json", "--verbose")):
        done = it.run(*command)
        said = done.stdout + done.stderr
        assert done.returncode == 1
        assert "403" in said
        assert PASSWORD not in said
        assert TOKEN not in said
    found = json.loads(done.stdout)
    assert found["sent"] is False
    assert (found["addresses"][0]["address"], found["addresses"][0]["service"]) == (1, "json")


def test_without_an_address_it_is_said_how_to_name_one(it):
    it.configure()
    done = it.call("notices", "test")
    assert done.returncode == 78
    assert "No address for notices is configured." in done.stderr
    assert "urls_file" in done.stderr
    assert "Nobody is told" in it.call("notices").stdout


def test_what_is_told_and_what_went_wrong_is_shown_and_the_doctor_says_it_too(it, receiver):
    with StateStore.open(it.store) as store:
        NOTICES.write(
            store, Book(trouble="address 1 (json): Forbidden", tried_at=datetime.now(UTC), failures=1)
        )
    shown = it.call("notices").stdout
    assert "✓ address 1 (json): can be used" in shown
    assert "00:00-23:59" in shown
    assert "immich_down" in shown
    assert "Forbidden" in shown
    assert json.loads(it.call("notices", "--json").stdout)["trouble"] == "address 1 (json): Forbidden"
    doctor = it.call("doctor")
    assert "✓ address 1 (json) can be used" in doctor.stdout
    assert "The last notice was not sent" in doctor.stdout
    assert "skymmich-reconciler notices test" in doctor.stdout
    assert "[notices] urls is set (not shown)" in " ".join(doctor.stdout.split())
    (it.folder / "urls").write_text(f"nonsense://{TOKEN}\n")
    doctor = it.call("doctor")
    assert doctor.returncode == 1
    assert "Address 1 (nonsense) cannot be used" in doctor.stdout
    assert TOKEN not in doctor.stdout + shown
    assert not receiver.asked.is_set()
