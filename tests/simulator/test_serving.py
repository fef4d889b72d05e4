"""Starting, seeding from a catalogue, stopping; and what a test may ask of the simulator itself."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.errors import CatalogueError, ConfigurationError
from reconciler.simulator.__main__ import main
from reconciler.simulator.serve import Simulator, serve
from reconciler.simulator.server.state import PARTNER_ID, USER_ID
from reconciler.simulator.server.unkindness import UNKINDNESS, parse_unkind

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., Simulator]
Open = Callable[..., httpx.Client]
DEAD = "00000000-0000-4000-8000-00000000dead"


def catalogue(
    path: Path, rows: list[tuple[object, ...]], columns: str = "immich_id, filename, capture_date"
) -> Path:
    """Write a Skymmich file that has just these columns."""
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE astrophotography_images (id INTEGER PRIMARY KEY, {columns})")
    marks = ", ".join("?" * len(columns.split(",")))
    connection.executemany(f"INSERT INTO astrophotography_images ({columns}) VALUES ({marks})", rows)
    connection.commit()
    connection.close()
    return path


def linked(count: int) -> list[tuple[object, ...]]:
    return [(f"0a0b0c0d-0000-4000-8000-{n:012}", f"M{n}.jpg", 1_600_000_000 + n) for n in range(count)]


def test_each_usable_link_gets_an_asset_and_odd_rows_give_none(tmp_path: Path) -> None:
    rows = [
        *linked(3),
        (None, "a", 1),
        ("", "b", 1),
        ("no-uuid", "c", "x"),
        (f" {DEAD.upper()} ", "d", "2024-05-01"),
    ]
    with serve(catalogue=catalogue(tmp_path / "s.sqlite3", rows), unkind="none") as simulator:
        assert set(simulator.assets()) == {row[0] for row in rows[:3]} | {DEAD}
        assert simulator.state.assets[DEAD].filename == "d"


def test_missing_columns_are_no_matter(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "s.sqlite3", [(DEAD,)], "immich_id")
    with serve(catalogue=path, unkind="none") as simulator:
        assert list(simulator.assets()) == [DEAD]


def test_a_file_that_is_no_catalogue_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite3").write_text("no database")
    with pytest.raises(CatalogueError, match="cannot be read"), serve(catalogue=tmp_path / "s.sqlite3"):
        pass


def test_the_catalogue_file_is_not_touched(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "s.sqlite3", linked(3))
    before = (path.read_bytes(), sorted(tmp_path.iterdir()))
    with serve(catalogue=path):
        pass
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before


def test_with_all_unkindness_some_assets_are_special(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "s.sqlite3", [*linked(60), (DEAD, "dead.jpg", 5)])
    with serve(catalogue=path, extra=5) as simulator:
        shown = simulator.assets()
        assert DEAD not in shown
        assert len(shown) == 60 + 5
        archived = [item["ownerId"] for item in shown.values() if item["visibility"] == "archive"]
        assert Counter(archived) == {USER_ID: 2, PARTNER_ID: 1}
        assert sum(item["visibility"] == "locked" for item in shown.values()) == 1
        assert sum(bool(item["trashed"]) for item in shown.values()) == 1
        assert sum(bool(item["readOnly"]) for item in shown.values()) == 2
        assert len({item["ownerId"] for item in shown.values()}) == 2


def test_without_a_dead_id_one_linked_asset_is_missing(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "s.sqlite3", linked(40))
    missing = []
    for seed in (1, 1, 2):
        with serve(catalogue=path, unkind="missing", seed=seed) as simulator:
            missing.append({str(row[0]) for row in linked(40)} - simulator.assets().keys())
    assert [len(ids) for ids in missing] == [1, 1, 1]
    assert missing[0] == missing[1] != missing[2]


def test_with_no_unkindness_every_linked_asset_is_there_and_ordinary(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "s.sqlite3", [*linked(40), (DEAD, "dead.jpg", 5)])
    with serve(catalogue=path, unkind="none") as simulator:
        shown = simulator.assets().values()
        assert len(shown) == 41
        assert {(item["visibility"], item["trashed"], item["readOnly"]) for item in shown} == {
            ("timeline", False, False)
        }


def test_the_command_says_where_it_listens_and_stops_when_told(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "s.sqlite3", linked(3))
    command = [sys.executable, "-m", "reconciler.simulator", "--port", "0", "--catalogue", str(path)]
    for stop in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout
            url, key = (process.stdout.readline().strip().partition(": ") for _ in range(2))
            assert (url[0], key[0]) == ("URL", "API key")
            answer = httpx.get(f"{url[2]}/api/api-keys/me", headers={"x-api-key": key[2]})
            while answer.status_code in {429, 503}:
                answer = httpx.get(f"{url[2]}/api/api-keys/me", headers={"x-api-key": key[2]})
            assert answer.json()["permissions"] == ["all"]
            process.send_signal(stop)
            output, errors = process.communicate(timeout=10)
            assert (process.returncode, output, errors) == (0, "", "")


def test_a_port_that_is_taken_is_said_so(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    port = start().url.rsplit(":", 1)[1]
    assert main(["--port", port]) == 78
    assert "cannot listen" in capsys.readouterr().err


def test_an_unknown_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unkind", "lost_update"]) == 78
    assert "lost_updates" in capsys.readouterr().err


def test_the_help_lists_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in UNKINDNESS)


def test_names_of_unkindness() -> None:
    assert parse_unkind("all") == set(UNKINDNESS)
    assert parse_unkind("none") == set()
    assert parse_unkind("round-trip, busy") == {"round_trip", "busy"}
    with pytest.raises(ConfigurationError):
        parse_unkind("kind")


def test_requests_are_counted_by_route_and_reset(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    for asset_id in ids[:3]:
        http.get(f"/assets/{asset_id}")
    http.put(f"/assets/{ids[0]}", json={"description": "x"})
    http.put(f"/assets/{ids[0]}", json={"description": None})
    http.post("/search/metadata", json={})
    http.get("/nothing")
    control = f"{simulator.url}/_simulator"
    assert httpx.get(f"{control}/requests").json() == {
        "GET (unknown)": 1,
        "GET /assets/{id}": 3,
        "POST /search/metadata": 1,
        "PUT /assets/{id}": 2,
        "total": 7,
        "writes": 2,
        "reads": 5,
    }
    faults = httpx.get(f"{control}/faults").json()
    assert (faults["rejected"], faults["lost"], faults["overlaps"]) == (1, 0, 0)
    assert faults["examples"][0]["request"] == "PUT /assets/{id}"
    assert httpx.post(f"{control}/reset").json() == {}
    assert httpx.get(f"{control}/requests").json()["total"] == 0
    assert httpx.get(f"{control}/nothing").status_code == 404


@pytest.mark.parametrize(
    ("action", "value", "field", "shown"),
    [
        ("set_description", "words", "description", "words"),
        ("append_description", " more", "description", "M 31 more"),
        ("add_tag", "Mine/Best", "tags", ["Mine/Best", "ours"]),
        ("remove_tag", "ours", "tags", []),
        ("set_coordinates", [48.5, 11.25], "latitude", 48.5),
        ("trash", None, "trashed", True),
        ("archive", None, "visibility", "archive"),
    ],
)
def test_a_person_acts_through_the_same_queues_and_is_not_counted(
    start: Start, client: Open, ids: list[str], action: str, value: object, field: str, shown: object
) -> None:
    simulator = start()
    http = client(simulator)
    http.put(f"/assets/{ids[0]}", json={"description": "M 31"})
    simulator.wait_until_idle()
    tag_id = http.put("/tags", json={"tags": ["ours"]}).json()[0]["id"]
    http.put("/tags/assets", json={"assetIds": ids[:1], "tagIds": [tag_id]})
    simulator.wait_until_idle()
    before = simulator.assets()[ids[0]]["updatedAt"]
    simulator.reset()
    body = {"asset_id": ids[0], "action": action, "value": value}
    assert httpx.post(f"{simulator.url}/_simulator/person", json=body).status_code == 200
    simulator.wait_until_idle()
    assert simulator.assets()[ids[0]][field] == shown
    assert str(simulator.assets()[ids[0]]["updatedAt"]) > str(before)
    assert simulator.requests()["total"] == 0


def test_a_person_can_not_do_what_nobody_knows(start: Start, ids: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="fly"):
        start().person(ids[0], "fly")
    with pytest.raises(ConfigurationError, match="no asset"):
        start().person(DEAD, "trash")


def test_settings_change_while_it_runs(start: Start, client: Open) -> None:
    simulator = start()
    control = f"{simulator.url}/_simulator/settings"
    shown = httpx.post(control, json={"unkind": ["busy"], "drain": 9, "version": "3.1.0"}).json()
    assert (shown["unkind"], shown["drain"], shown["version"]) == (["busy"], 9.0, "3.1.0")
    assert httpx.post(control, json={"unkind": "kind"}).status_code == 400
    assert httpx.post(control, json={"drain": "fast"}).status_code == 400
    simulator.configure(unkind="none")
    assert client(simulator).get("/server/version").json()["major"] == 3


def test_idle_says_when_both_queues_are_empty(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    simulator.configure(paused=True)
    client(simulator).put(f"/assets/{ids[0]}", json={"description": "x"})
    address = f"{simulator.url}/_simulator/idle"
    assert httpx.get(address).json() == {"idle": False, "waiting": 1}
    with pytest.raises(TimeoutError):
        simulator.wait_until_idle(0.05)
    simulator.configure(paused=False)
    simulator.wait_until_idle()
    assert httpx.get(address).json() == {"idle": True, "waiting": 0}


def test_the_real_catalogue_is_served(shared: Path) -> None:
    with serve(catalogue=shared / "skymmich" / "seed.sqlite3") as simulator:
        assert len(simulator.assets()) == 60
        assert DEAD not in simulator.assets()
