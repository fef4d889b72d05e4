"""Broken answers: a proxy that is busy, connections that break, answers that are late."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from reconciler.simulator.serve import Simulator

Start = Callable[..., Simulator]
Open = Callable[..., httpx.Client]


def describe_all(http: httpx.Client, ids: list[str]) -> dict[str, int]:
    """Write to every asset once; give the status by asset, 0 for a connection that broke."""
    found = {}
    for asset_id in ids:
        try:
            found[asset_id] = http.put(f"/assets/{asset_id}", json={"description": "M 31"}).status_code
        except httpx.RemoteProtocolError:
            found[asset_id] = 0
    return found


def test_a_busy_server_answers_before_or_after_the_write_took_effect(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start(unkind="busy")
    simulator.configure(failures=0.5)
    answers = describe_all(client(simulator), ids)
    assert set(answers.values()) == {200, 429, 503}
    written = {asset_id for asset_id, shown in simulator.assets().items() if shown["description"]}
    spoilt = {asset_id for asset_id, status in answers.items() if status != 200}
    assert spoilt & written
    assert spoilt - written
    faults = simulator.faults()
    assert faults["busy_after"] == len(spoilt & written)
    assert faults["busy_before"] == len(spoilt - written)


def test_retry_after_comes_in_some_of_the_answers(start: Start, client: Open) -> None:
    simulator = start(unkind="busy")
    simulator.configure(failures=1.0)
    http = client(simulator)
    wishes = {http.get("/server/ping").headers.get("retry-after") for _ in range(40)}
    assert wishes == {"0", "1", None}


def test_connections_break_before_or_after_the_write_took_effect(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start(unkind="dropped", assets=ids)
    http = client(simulator)
    broken = 0
    for _ in range(20):
        broken += sum(status == 0 for status in describe_all(http, ids[:30]).values())
    faults = simulator.faults()
    assert broken == faults["dropped_before"] + faults["dropped_after"] > 0
    assert broken < 20


def test_the_same_seed_breaks_the_same_requests(start: Start, client: Open, ids: list[str]) -> None:
    runs = []
    for _ in range(2):
        simulator = start(unkind="busy", seed=5)
        simulator.configure(failures=0.3)
        runs.append(describe_all(client(simulator), ids))
    assert runs[0] == runs[1]


def test_a_server_that_is_down_answers_nothing(start: Start, client: Open) -> None:
    simulator = start()
    simulator.configure(down=True)
    http = client(simulator)
    with pytest.raises(httpx.TransportError, match="disconnected"):
        http.get("/server/ping")
    simulator.configure(down=False)
    assert http.get("/server/ping").status_code == 200


def test_tagging_takes_its_time_per_asset(start: Start, client: Open, ids: list[str]) -> None:
    http = client(start(unkind="slow_tagging"))
    tag_id = http.put("/tags", json={"tags": ["Galaxy"]}).json()[0]["id"]
    answer = http.put("/tags/assets", json={"assetIds": ids, "tagIds": [tag_id]})
    assert answer.json() == {"count": len(ids)}
    assert answer.elapsed.total_seconds() >= 0.01 * len(ids)
