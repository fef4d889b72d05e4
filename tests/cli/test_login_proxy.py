"""Immich behind a login: what the doctor says of it, and that everything works past it."""

from __future__ import annotations

import pytest

from tests.immich.gates import ID, SECRET, TOKEN, cloudflare, gate

PAST = {
    "RECONCILER_IMMICH__HEADERS__CF_ACCESS_CLIENT_ID": TOKEN[ID.lower()],
    "RECONCILER_IMMICH__HEADERS__CF_ACCESS_CLIENT_SECRET": TOKEN[SECRET.lower()],
}


@pytest.fixture
def behind(two):
    with gate(two.simulator.url, cloudflare) as standing:
        two.configure("[guard]\ncanary = 0\n", url=standing.url)
        yield two


def flat(done):
    return " ".join((done.stdout + done.stderr).split())


def test_the_doctor_names_the_login_and_the_headers_that_help(behind):
    done = behind.call("doctor")
    assert done.returncode != 0
    said = flat(done)
    assert "a proxy in front of Immich asks for a login of Cloudflare Access" in said
    assert "CF-Access-Client-Id and CF-Access-Client-Secret" in said
    assert "[immich.headers]" in said


def test_past_the_login_it_plans_and_writes_and_shows_no_value(behind):
    told = behind.call("doctor", **PAST)
    assert told.returncode == 0, told.stdout
    assert f"every request has the headers {ID}, {SECRET}".lower() in flat(told).lower()
    applied = behind.call("apply", "--yes", **PAST)
    assert applied.returncode == 0, flat(applied)
    shown = "".join(flat(done) for done in (told, applied))
    assert not [secret for secret in TOKEN.values() if secret in shown]
    assert any(asset["description"] for asset in behind.simulator.assets().values())


def test_headers_do_not_go_where_only_skymmich_says_that_immich_is(behind):
    """Whoever reaches Skymmich can change that address: the headers' values would be theirs."""
    behind.config.write_text(
        f'[skymmich]\nsource = "{behind.catalogue}"\n[state]\nurl = "{behind.store}"\n[status]\nport = 0\n'
    )
    behind.sql(
        "UPDATE admin_settings SET value = json_set(value, '$.apiKey', ?, '$.host', ?) WHERE key = 'immich'",
        behind.simulator.api_key,
        behind.simulator.url,
    )
    alone = behind.call("doctor", RECONCILER_IMMICH__API_KEY="")
    assert "the key works" in flat(alone)
    behind.simulator.reset()
    theirs = behind.call("doctor", RECONCILER_IMMICH__API_KEY="", **PAST)
    assert behind.simulator.requests()["total"] == 0
    assert "The headers from this program's configuration would go to" in flat(theirs)
    assert "Nothing was sent" in flat(theirs)
