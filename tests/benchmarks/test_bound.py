"""The bare loop writes what it is told, in the order that it is told, and notices what did not stay."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from bound import FIELDS_FIRST, KEY, TAGS_FIRST, Bound

from reconciler.simulator.serve import Simulator, serve

ASSETS = [str(UUID(int=number, version=4)) for number in range(6)]


def run(server: Simulator, monkeypatch, order: tuple[str, str], **more: object) -> dict:
    monkeypatch.setenv(KEY, server.api_key)
    texts = {asset: json.dumps({"description": f"M {number}"}) for number, asset in enumerate(ASSETS)}
    plan = {
        "url": server.url,
        "seen": {asset: server.assets()[asset]["updatedAt"] for asset in ASSETS},
        "fields": [{"id": asset, "body": body} for asset, body in texts.items()],
        "tags": [{"id": asset, "tags": ["Astro/Galaxy", f"Astro/{asset[-1]}"]} for asset in ASSETS],
        "order": order,
        **more,
    }
    return asyncio.run(Bound(plan).run())


@pytest.mark.parametrize("order", [FIELDS_FIRST, TAGS_FIRST])
def test_each_kind_is_settled_before_the_next_is_sent(order, monkeypatch) -> None:
    with serve(assets=ASSETS, unkind="settling,lost_updates", drain=100.0) as server:
        server.state.settings.loss = 1.0
        found = run(server, monkeypatch, order, verify=True)
        shown, faults = server.assets(), server.faults()
    assert list(found["phases"]) == list(order)
    assert (found["wrong"], faults["overlaps"], faults["lost"]) == (0, 0, 0)
    assert {asset: shown[asset]["description"] for asset in ASSETS} == {
        asset: f"M {number}" for number, asset in enumerate(ASSETS)
    }
    assert all(len(shown[asset]["tags"]) == 2 for asset in ASSETS)
    assert found["requests"]["writes"] == 6 + 1 + 6


def test_assets_that_get_the_same_tags_share_a_call(monkeypatch) -> None:
    with serve(assets=ASSETS, unkind="settling", drain=500.0) as server:
        same = [{"id": asset, "tags": ["Astro/Galaxy"]} for asset in ASSETS]
        found = run(server, monkeypatch, FIELDS_FIRST, tags=same, verify=True)
    assert found["wrong"] == 0
    assert found["requests"]["PUT /tags/assets"] == 1


def test_what_did_not_stay_is_counted(monkeypatch) -> None:
    with serve(assets=ASSETS, unkind="settling,read_only", drain=500.0) as server:
        server.state.assets[ASSETS[2]].read_only = True
        assert run(server, monkeypatch, FIELDS_FIRST, verify=True)["wrong"] == 1
