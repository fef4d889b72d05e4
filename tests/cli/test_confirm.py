"""Where the key goes: only where its owner sent it, or where a person says so once."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import asynccontextmanager
from random import Random

import pytest

from reconciler.app.wiring import Installed
from reconciler.config import load
from reconciler.engine.identity import KnownImmich
from reconciler.errors import UnconfirmedError
from reconciler.immich.client import SystemClock
from reconciler.messages.conditions import message
from reconciler.service.api import Request
from reconciler.service.service import Service
from state.store import StateStore

RING, M13, JELLYFISH, ECLIPSE = 19, 20, 33, 34
KEY = "an-api-key-that-only-its-owner-sends-anywhere"
STOPPED = 78


class Ear:
    """Listens on an address of its own, and keeps every byte that comes."""

    def __init__(self):
        self.heard, self.visitors = b"", 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visitors += 1
            with visitor:
                visitor.settimeout(5)
                self.heard += visitor.recv(65536)
                visitor.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def ear():
    listening = Ear()
    yield listening
    listening.close()


def skymmich_names(installation, *, host, key=None):
    """Let whoever reaches Skymmich save another address, and perhaps another key."""
    installation.sql(
        "UPDATE admin_settings SET value = json_set(value, '$.host', ?) WHERE key = 'immich'", host
    )
    if key is not None:
        installation.sql(
            "UPDATE admin_settings SET value = json_set(value, '$.apiKey', ?) WHERE key = 'immich'", key
        )


def configure(installation, *, url="", key=""):
    """Write a configuration with or without an address, and set the key or leave it out."""
    named = f'[immich]\nurl = "{url}"\n' if url else ""
    installation.config.write_text(
        f'[skymmich]\nsource = "{installation.catalogue}"\n[state]\nurl = "{installation.store}"\n'
        f"{named}[status]\nport = 0\n[guard]\ncanary = 0\n"
    )
    installation.environ["RECONCILER_IMMICH__API_KEY"] = key


def test_a_configured_key_does_not_go_to_an_address_that_the_catalogue_names(two, ear):
    configure(two, key=KEY)
    skymmich_names(two, host=ear.url, key="skymmichs-own-key-of-no-use")
    for words in (
        ("plan",),
        ("apply", "--yes"),
        ("explain", "M 57"),
        ("undo", str(RING)),
        ("conflicts",),
        ("doctor",),
    ):
        done = two.call(*words)
        assert done.returncode != 0, words
        assert KEY not in done.stdout + done.stderr
    stopped = two.call("plan")
    assert stopped.returncode == STOPPED
    assert "Nothing was sent" in stopped.stderr
    assert ear.url in stopped.stderr
    assert "skymmich-reconciler confirm" in stopped.stderr
    assert (ear.visitors, ear.heard) == (0, b"")


def test_an_address_that_was_written_on_this_machine_is_a_persons_word(two, ear):
    """Skymmich's own name for Immich often only means something in its container."""
    configure(two, url=two.simulator.url)
    skymmich_names(two, host=ear.url, key=two.simulator.api_key)
    assert two.call("apply", "--yes").returncode == 0
    skymmich_names(two, host=ear.url + "/elsewhere")
    assert two.call("plan").returncode == 0
    assert ear.visitors == 0


def test_doctor_tells_where_address_and_key_come_from(two, ear):
    configure(two, key=KEY)
    skymmich_names(two, host=ear.url)
    told = two.call("doctor").stdout
    assert f"{ear.url}  (from Skymmich's settings)" in told
    assert "the API key is from this program's configuration" in told
    assert "nobody confirmed that they belong together" in told
    assert KEY not in told
    assert ear.visitors == 0


def test_once_a_person_confirmed_the_pair_it_is_used(two):
    configure(two, key=two.simulator.api_key)
    skymmich_names(two, host=two.simulator.url, key="wrong")
    assert two.call("plan").returncode == STOPPED
    refused = two.call("confirm")
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert two.call("plan").returncode == STOPPED
    done = two.call("confirm", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Confirmed: address" in done.stdout
    assert two.call("apply", "--yes").returncode == 0
    assert two.call("doctor").returncode == 0
    again = two.call("confirm", "--json")
    assert json.loads(again.stdout)["confirmed"] == []


def test_a_person_is_asked_before_the_key_is_sent(two, ear):
    configure(two, key=KEY)
    skymmich_names(two, host=ear.url)
    code, shown = two.typed("confirm", answer="n")
    assert code == 1, shown
    assert "Send the API key to" in shown
    assert ear.visitors == 0
    code, shown = two.typed("confirm", answer="y")
    assert KEY.encode() in ear.heard, shown


def test_an_address_that_changes_in_the_catalogue_is_sent_nothing(two, ear):
    """Both from Skymmich: the first sight is trusted, a change asks once."""
    configure(two)
    skymmich_names(two, host=two.simulator.url, key=two.simulator.api_key)
    assert two.call("apply", "--yes").returncode == 0
    skymmich_names(two, host=ear.url)
    for words in (("plan",), ("apply", "--yes"), ("explain", str(RING)), ("doctor",)):
        done = two.call(*words)
        assert done.returncode == STOPPED, words
        assert "it was " + two.simulator.url in done.stderr + done.stdout
    assert (ear.visitors, ear.heard) == (0, b"")
    skymmich_names(two, host=two.simulator.url + "/")
    assert two.call("plan").returncode == 0
    skymmich_names(two, host=ear.url)
    two.call("confirm", "--yes")
    assert two.simulator.api_key.encode() in ear.heard


def test_an_address_that_its_owner_changed_in_the_configuration_is_no_question(two, install, tmp_path):
    key = two.simulator.api_key
    configure(two, url=two.simulator.url, key=key)
    assert two.call("apply", "--yes").returncode == 0
    configure(two, url=two.simulator.url.replace("127.0.0.1", "localhost"), key=key)
    done = two.call("plan")
    assert done.returncode == 0, done.stderr


def test_another_users_key_in_the_catalogue_is_noticed_before_a_write(install):
    with install(RING, M13, JELLYFISH, ECLIPSE) as three:
        assert three.call("apply", "--yes").returncode == 0
        three.sql("UPDATE astrophotography_images SET title = title || ' II'")
        three.simulator.reset()
        three.simulator.configure(another_user=True)
        stopped = three.call("apply", "--yes")
        assert stopped.returncode == STOPPED
        assert "another user's library" in stopped.stderr
        assert three.call("doctor").returncode == STOPPED
        assert three.writes == 0
        done = three.call("confirm", "--yes")
        assert done.returncode == 0, done.stderr
        assert "Confirmed: library" in done.stdout
        assert three.call("plan").returncode != STOPPED
        assert three.call("doctor").returncode == 0
        # It is as carefully kept as the first one was.
        three.simulator.configure(another_user=False)
        assert three.call("plan").returncode == STOPPED


@asynccontextmanager
async def daemon(installation):
    """The real service on what the real configuration leads to."""
    config = load(installation.config, {k: v for k, v in installation.environ.items() if v})
    with StateStore.open(installation.store) as store:
        installed = Installed(config, store)
        try:
            yield store, Service(installed, store, SystemClock(), random=Random(1))
        finally:
            await installed.aclose()


def condition(service, kind):
    return next(one for one in service.snapshot().conditions if one.type == kind)


def test_a_running_daemon_stops_at_a_changed_address_says_why_and_goes_on_once_confirmed(two, ear):
    configure(two)
    skymmich_names(two, host=two.simulator.url, key=two.simulator.api_key)

    async def live():
        async with daemon(two) as (store, service):

            async def look():
                service.enqueue(Request(by_person=False, trigger="schedule"))
                assert await service.tick()

            await look()
            assert condition(service, "Configured").status == "True"
            assert KnownImmich.of(store).address == two.simulator.url
            skymmich_names(two, host=ear.url)
            await look()
            told = condition(service, "Configured")
            assert (told.status, told.reason) == ("False", "Unconfirmed")
            assert ear.url in message(told)
            assert "skymmich-reconciler confirm" in message(told)
            assert service.snapshot().level == "trouble"
            with pytest.raises(UnconfirmedError):
                await service.preview()
            assert (ear.visitors, ear.heard) == (0, b"")
            # It is another name of the same server after all.
            other = two.simulator.url.replace("127.0.0.1", "localhost")
            skymmich_names(two, host=other)
            await look()
            assert condition(service, "Configured").status == "False"
            assert await asyncio.to_thread(two.call, "confirm", "--yes")
            await look()
            assert condition(service, "Configured").status == "True"
            assert KnownImmich.of(store).address == other
            await service.stop(1.0)

    asyncio.run(live())


def test_no_redirect_takes_the_key_to_another_address(two, ear):
    with socket.create_server(("127.0.0.1", 0)) as first:

        def answer():
            for _ in range(2):
                try:
                    visitor, _ = first.accept()
                except OSError:  # nobody else came
                    return
                with visitor:
                    visitor.recv(65536)
                    visitor.sendall(
                        f"HTTP/1.1 308 Permanent Redirect\r\nLocation: {ear.url}/api/server/version\r\n"
                        "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
                    )

        threading.Thread(target=answer, daemon=True).start()
        configure(two, url=f"http://127.0.0.1:{first.getsockname()[1]}", key=KEY)
        assert two.call("plan").returncode == 1
    assert (ear.visitors, ear.heard) == (0, b"")
