"""The benchmark on a server that is not its own: it takes away what it made, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from library import FILE, NAME, Library, RefusedError, picture

from reconciler.simulator.serve import Simulator, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUN = Path(__file__).with_name("run.py")
REAL = "settling,round_trip,unstable_paging"
STRANGERS = 3
ANOTHERS = f"{NAME}-0123456789ab"


@pytest.fixture
def server() -> Iterator[Simulator]:
    """A library with pictures and a tag of somebody's."""
    from uuid import UUID

    ids = [str(UUID(int=number, version=4)) for number in range(STRANGERS)]
    with serve(assets=ids, unkind=REAL, drain=2000.0) as simulator:
        for asset_id in ids:
            simulator.person(asset_id, "add_tag", "Family/Sunday")
        simulator.wait_until_idle()
        yield simulator


def api(server: Simulator) -> httpx.Client:
    return httpx.Client(base_url=f"{server.url}/api", headers={"x-api-key": server.api_key}, timeout=15)


def tags(server: Simulator) -> set[str]:
    with api(server) as http:
        return {tag["value"] for tag in http.get("/tags").json()}


def upload(server: Simulator, name: str) -> str:
    taken = "2024-05-01T12:00:00.000Z"
    fields = {"deviceAssetId": name, "deviceId": "test", "fileCreatedAt": taken, "fileModifiedAt": taken}
    with api(server) as http:
        files = {"assetData": (name, picture(name, 1), "image/png")}
        return http.post("/assets", data=fields, files=files).json()["id"]


def begin(server: Simulator, *arguments: str) -> subprocess.Popen:
    env = {**os.environ, "IMMICH_TEST_API_KEY": server.api_key}
    command = [sys.executable, str(RUN), "--server", server.url, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def end(process: subprocess.Popen) -> None:
    """Wait for its end; one that hangs is killed, and fails its test instead of keeping all others waiting."""
    try:
        process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def wait(condition: Callable[[], bool], what: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, what
        time.sleep(0.01)


def only_the_strangers_are_left(server: Simulator) -> bool:
    return len(server.assets()) == STRANGERS and tags(server) == {"Family", "Family/Sunday"}


@pytest.mark.slow
def test_a_whole_run_measures_everything_and_takes_away_all_that_it_made(server: Simulator) -> None:
    before = server.assets()
    process = begin(server, "--images", "4", "--tags", "3", "--server-pid", str(os.getpid()))
    output, errors = process.communicate(timeout=120)
    for row in ("bare loop, fields then tags", "bare loop, tags then fields", "the reconciler's first sync", "the server's CPU",
                "from reading to writing", "second apply", "one image changed", "undo of the first apply"):  # fmt: skip
        assert row in output, output + errors
    assert "do not carry" not in output
    assert only_the_strangers_are_left(server)
    assert server.assets() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_takes_away_what_it_made(server: Simulator, number: int) -> None:
    with begin(server, "--images", "40") as process:
        wait(lambda: len(server.assets()) > STRANGERS + 10, "uploads", process)
        process.send_signal(number)
        end(process)
    assert process.returncode != 0
    assert only_the_strangers_are_left(server)


def test_a_run_that_is_interrupted_while_it_writes_takes_away_its_tags_too(server: Simulator) -> None:
    with begin(server, "--images", "20") as process:
        wait(lambda: any(tag.startswith(f"{NAME}-") for tag in tags(server)), "tags", process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # impatience does not disturb it
        end(process)
    assert only_the_strangers_are_left(server)


def test_what_a_killed_run_left_makes_the_next_one_refuse_and_is_removed_when_told_so(
    server: Simulator,
) -> None:
    left = upload(server, f"{ANOTHERS}-a0001.png")
    process = begin(server, "--images", "6")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "1 pictures and 0 tags of another run" in errors
    assert "--clean-up" in errors
    assert left in server.assets()
    process = begin(server, "--clean-up")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert only_the_strangers_are_left(server)


def test_pictures_and_tags_that_are_only_named_alike_are_nobodys_business(server: Simulator) -> None:
    like = [f"{NAME}-holiday.png", f"my {ANOTHERS}-a0001.png", f"{ANOTHERS}-a0001.png.jpg", f"{NAME}.png"]
    theirs = {upload(server, name) for name in like}
    with api(server) as http:
        http.put("/tags", json={"tags": [f"{NAME}/results", f"mine/{ANOTHERS}-a"]}).raise_for_status()
    server.wait_until_idle()
    with Library(server.url, server.api_key, still=0.1) as library:
        library.check()
        library.upload("a", 2)
    assert theirs <= server.assets().keys()
    assert len(server.assets()) == STRANGERS + len(theirs)
    assert {f"{NAME}/results", f"mine/{ANOTHERS}-a"} <= tags(server)


def test_a_picture_that_immich_has_already_is_not_taken_for_its_own(server: Simulator) -> None:
    with Library(server.url, server.api_key, run="abcdefabcdef", still=0.1) as library:
        with api(server) as http:
            name = "somebody's.png"
            taken = "2024-05-01T12:00:00.000Z"
            fields = {"fileCreatedAt": taken, "fileModifiedAt": taken}
            files = {"assetData": (name, picture(f"{NAME}-abcdefabcdef-a", 0), "image/png")}
            theirs = http.post("/assets", data=fields, files=files).json()["id"]
        with pytest.raises(RefusedError, match="did not take"):
            library.upload("a", 1)
    assert theirs in server.assets()


@pytest.mark.parametrize("scope", ["asset.delete", "tag.delete"])
def test_a_key_that_may_not_remove_again_makes_nothing(server: Simulator, scope: str) -> None:
    granted = {"asset.upload", "asset.delete", "asset.read", "asset.update", "tag.read", "tag.create", "tag.asset",
               "tag.delete", "user.read"}  # fmt: skip
    server.configure(scopes=sorted(granted - {scope}))
    process = begin(server, "--images", "6")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"may not {scope}" in errors
    assert only_the_strangers_are_left(server)


def test_a_user_without_tags_is_not_measured(server: Simulator) -> None:
    server.configure(tags_enabled=False)
    process = begin(server, "--images", "6")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Tags are switched off" in errors


def test_a_late_upload_is_removed_too(server: Simulator) -> None:
    """Its answer was lost, and it shows itself when the clean-up has begun."""
    library = Library(server.url, server.api_key, still=0.5)
    with library:
        library.upload("a", 2)
        look, shown = library.pictures, []

        def late(name: str) -> dict:
            found = look(name)
            if not found and not shown:
                shown.append(upload(server, f"{library.name}-a0777.png"))
            return found

        library.pictures = late
    assert shown
    assert only_the_strangers_are_left(server)


def test_a_server_that_is_not_there_is_told_in_a_line() -> None:
    env = {**os.environ, "IMMICH_TEST_API_KEY": "key"}
    command = [sys.executable, str(RUN), "--server", "http://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Refused: ")
    assert "Traceback" not in done.stderr


def test_what_cannot_be_removed_is_named(server: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    with Library(server.url, server.api_key, still=0.1) as library:
        library.upload("a", 2)
        server.configure(scopes=["asset.read", "tag.read", "user.read"])
    assert not library.removed
    assert f"NOT REMOVED: pictures and tags whose names begin with {library.name}" in capsys.readouterr().err


def test_a_server_that_is_away_for_a_moment_is_waited_for(server: Simulator) -> None:
    with Library(server.url, server.api_key, still=0.1) as library:
        library.upload("a", 2)
        server.configure(down=True)
        threading.Timer(1.0, lambda: server.configure(down=False)).start()
    assert library.removed
    assert only_the_strangers_are_left(server)


def test_no_two_pictures_are_the_same() -> None:
    made = {picture(text, number) for text in ("one", "two") for number in range(300)}
    assert len(made) == 600
    assert FILE.fullmatch(f"{ANOTHERS}-a0001.png")
