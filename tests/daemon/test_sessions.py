"""Logins of a real daemon, over the loss of its store, a backup in its place, and restarts."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from reconciler.core.store_keys import STOPPED
from state.store import StateStore
from tests.daemon.test_process import QUICK, a_home, ended, until
from tests.daemon.test_store_file import files

TOKEN = "right-token-of-24-characters"


class Browser:
    """Asks as a page of the daemon's own would."""

    def __init__(self, process):
        found = until(lambda: re.search(r'"page": "http://([^"]+)"', process.log.read_text()))
        self.host = found[1]

    def ask(self, method, path, cookie="", body="", **headers):
        with closing(http.client.HTTPConnection(self.host, timeout=30)) as connection:
            headers = {"Origin": f"http://{self.host}", "Cookie": cookie, **headers}
            if body:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("set-cookie") or ""

    def log_in(self):
        status, cookie = self.ask("POST", "/login", body=urlencode({"token": TOKEN}))
        assert status == 303
        return cookie.partition(";")[0]

    def log_out(self, cookie):
        status, cleared = self.ask("POST", "/logout", cookie)
        assert status == 303
        assert '=""' in cleared

    def is_in(self, cookie):
        return self.ask("GET", "/api/v1/status", cookie)[0] == 200


@pytest.fixture
def home(tmp_path):
    with a_home(tmp_path, images=3, drain=500.0) as made:
        (tmp_path / "token").write_text(TOKEN)
        (tmp_path / "token").chmod(0o600)
        made.configure(f'token_file = "{tmp_path / "token"}"\n' + QUICK)
        yield made


def copy_of(home):
    backup = home.folder / "backup.sqlite3"
    with closing(sqlite3.connect(home.state)) as one, closing(sqlite3.connect(backup)) as two:
        one.backup(two)
    return backup


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert ended(process, 20)[0] == 0


def put_there(home, backup):
    for file in files(home):
        file.unlink(missing_ok=True)
    shutil.copy(backup, home.state)


def test_the_store_gone_and_a_backup_in_its_place_revive_no_login_and_end_none(home):
    process = home.started()
    browser = Browser(process)
    stays, ends = browser.log_in(), browser.log_in()
    backup = copy_of(home)
    for file in files(home):
        file.unlink(missing_ok=True)
    until(lambda: browser.ask("GET", "/readyz")[0] == 503)
    browser.log_out(ends)
    meanwhile = browser.log_in()
    assert [browser.is_in(each) for each in (stays, ends, meanwhile)] == [True, False, True]
    shutil.copy(backup, home.state)
    until(lambda: '"store.taken"' in process.log.read_text(), 30)
    assert [browser.is_in(each) for each in (stays, ends, meanwhile)] == [True, False, True]
    stop(process)
    process = home.started()
    browser = Browser(process)
    assert [browser.is_in(each) for each in (stays, ends, meanwhile)] == [True, False, True]
    stop(process)


@pytest.mark.parametrize("taken", ["while it ran", "while it was stopped"])
def test_a_backup_put_there_while_it_was_stopped_revives_no_login(home, taken):
    process = home.started()
    browser = Browser(process)
    ends = browser.log_in()
    if taken == "while it was stopped":
        stop(process)
    backup = copy_of(home)
    if taken == "while it was stopped":
        with StateStore.open(backup) as store:  # an hour ago
            stopped = STOPPED.read(store) - timedelta(hours=1)
            STOPPED.write(store, stopped)
        process = home.started()
        browser = Browser(process)
        assert browser.is_in(ends)  # a clean restart keeps it
    browser.log_out(ends)
    stop(process)
    put_there(home, backup)
    process = home.started()
    browser = Browser(process)
    assert not browser.is_in(ends)
    assert browser.is_in(browser.log_in())
    stop(process)
