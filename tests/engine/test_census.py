"""What of all records decides about a look: told by those that were written to, or read anew where they are many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.records import AssetRecord
from reconciler.engine.planner import candidates
from reconciler.engine.planner.candidates import Memory, take_census
from state.store import StateStore

pytestmark = pytest.mark.anyio
FEW, MANY = 4, 30
RECORDS = [AssetRecord(f"asset-{number:02}", number) for number in range(40)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(candidates, "MOST", FEW)
    with StateStore.open(tmp_path / "state.sqlite3") as opened:
        opened.save_records(RECORDS)
        yield opened


@pytest.mark.parametrize("many", [1, FEW, FEW + 1, MANY])
async def test_it_is_the_same_however_many_were_written_to_and_few_records_are_read(store, many):
    memory, asked = Memory(), []
    await take_census(memory, store)
    store.save_records(
        replace(record, linked=False)
        if record.image_id % 2
        else replace(record, status="held", fingerprint="mark", held="harm")
        for record in RECORDS[:many]
    )
    records_of = store.records_of
    store.records_of = lambda asset_ids: (asked.append(len(asset_ids)), records_of(asset_ids))[1]
    found, fresh = await take_census(memory, store), await take_census(Memory(), store)
    assert (found.linked, dict(found.held)) == (fresh.linked, dict(fresh.held))
    assert len(found.held) == (many + 1) // 2
    assert asked == ([many] if many <= FEW else [])
