"""Worlds for tests in virtual time."""

from __future__ import annotations

import itertools
import shutil
from contextlib import ExitStack, contextmanager

import pytest

from reconciler.simulator.sample.build import build_sample
from state.store import StateStore
from tests.catalogues import FIRST_LINKED, keep_only
from tests.virtual.world import World, forbid_two_at_once


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """Give the sample catalogue with so many copies of its pictures, each made once."""
    folder, made = tmp_path_factory.mktemp("samples"), {}

    def sample(copies=1):
        if copies not in made:
            made[copies] = folder / f"sample-{copies}.sqlite3"
            build_sample(made[copies], copies=copies)
        return made[copies]

    return sample


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "empty.sqlite3"
    StateStore.open(path).close()
    return path


@contextmanager
def making(folder, samples, empty_store):
    """Make worlds in a folder, of the first ``count`` linked images of the sample or of a given catalogue."""
    with ExitStack() as stack:
        numbers = itertools.count(1)

        def make(*, count=None, copies=1, catalogue=None, **how):
            number = next(numbers)
            path, store_path = folder / f"skymmich-{number}.sqlite3", folder / f"state-{number}.sqlite3"
            shutil.copyfile(catalogue or samples(copies), path)
            shutil.copyfile(empty_store, store_path)
            if count is not None:
                keep_only(path, FIRST_LINKED, count)
            return World(path, stack.enter_context(StateStore.open(store_path)), **how)

        yield make


@pytest.fixture
def world(tmp_path, samples, empty_store):
    """Make worlds that end with the test."""
    with making(tmp_path, samples, empty_store) as make:
        yield make


@pytest.fixture(scope="module")
def worlds(tmp_path_factory, samples, empty_store):
    """Make worlds that end with the file."""
    with making(tmp_path_factory.mktemp("worlds"), samples, empty_store) as make:
        yield make


@pytest.fixture
def no_two_at_once(monkeypatch):
    forbid_two_at_once(monkeypatch)
