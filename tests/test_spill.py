"""Byte strings that wait in a file without a name."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from random import Random

import pytest

from reconciler.spill import Spill


def _open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _strings(many=200):
    random = Random(7)
    return [random.randbytes(random.randrange(0, 300)) for _ in range(many)]


@pytest.mark.parametrize("in_memory", [0, 1_000, 1_000_000], ids=["all in the file", "some", "all in memory"])
def test_they_come_back_in_order_and_by_place(in_memory):
    strings, spill = _strings(), Spill(in_memory)
    for one in strings:
        spill.append(one)
    assert len(spill) == len(strings)
    assert list(spill) == strings
    assert [spill[place] for place in (150, 3, -1)] == [strings[150], strings[3], strings[-1]]
    with pytest.raises(IndexError):
        spill[len(strings)]


def test_the_file_has_no_name_and_goes_with_its_owner(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = _open_files()
    spill = Spill(0)
    spill.append(b"a person's words")
    assert list(tmp_path.iterdir()) == []
    assert _open_files() == before + 1
    del spill
    assert _open_files() == before


def test_where_no_file_can_be_made_they_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    strings, spill = _strings(20), Spill(0)
    for one in strings:
        spill.append(one)
    assert list(spill) == strings


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_once_the_disk_is_full_the_others_stay_in_memory(monkeypatch):
    strings, spill = _strings(20), Spill(0)
    for one in strings[:10]:
        spill.append(one)
    real = os.pwrite
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(os, "pwrite", lambda _, data, offset: real(full.fileno(), data, offset))
        for one in strings[10:15]:
            spill.append(one)
    monkeypatch.setattr(os, "pwrite", real)
    for one in strings[15:]:
        spill.append(one)
    assert list(spill) == strings
