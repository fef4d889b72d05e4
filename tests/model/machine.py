"""The state machine that Hypothesis drives: anybody does anything, in any order, and nothing may be lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model.faults import FAULTS
from tests.model.people import PEOPLE
from tests.model.play import BREAKING, MOST_REQUESTS, PASSES, SETTINGS, Play
from tests.model.skymmich import SKYMMICH

WHICH, SPOT = st.integers(0, 3), st.integers(0, 63)
KINDS = {"people": PEOPLE, "skymmich": SKYMMICH, "fault": FAULTS, "setting": SETTINGS}
DEEDS = st.tuples(
    st.integers(1, MOST_REQUESTS), st.just("people"), st.sampled_from(sorted(PEOPLE)), WHICH, SPOT
)
CHANGES = st.tuples(
    st.integers(1, MOST_REQUESTS), st.just("skymmich"), st.sampled_from(sorted(SKYMMICH)), WHICH, SPOT
)
BREAKS = st.tuples(st.integers(1, MOST_REQUESTS), st.just("fault"), st.sampled_from(BREAKING), WHICH, SPOT)
DUE = st.lists(DEEDS | CHANGES | BREAKS, max_size=4)
DEADLY = (
    st.none() | st.none() | st.tuples(st.sampled_from(("request", "answer", "commit")), st.integers(0, 30))
)


class Model(RuleBasedStateMachine):
    """See the module."""

    def __init__(self):
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="model-")
        self.play = None

    @initialize(seed=st.integers(1, 1000), drain=st.sampled_from((8.0, 60.0, 200.0)), synced=st.booleans())
    def begin(self, seed, drain, synced):
        self.play = Play(Path(self._folder.name), seed, drain=drain)
        if synced:
            self.play.sync()

    @rule(kind=st.sampled_from(sorted(PEOPLE)), which=WHICH, spot=SPOT)
    def people(self, kind, which, spot):
        self.play.act("people", kind, which, spot)

    @rule(kind=st.sampled_from(sorted(SKYMMICH)), which=WHICH, spot=SPOT)
    def skymmich(self, kind, which, spot):
        self.play.act("skymmich", kind, which, spot)

    @rule(kind=st.sampled_from(sorted(FAULTS)), which=WHICH, spot=SPOT)
    def fault(self, kind, which, spot):
        self.play.act("fault", kind, which, spot)

    @rule(kind=st.sampled_from(sorted(SETTINGS)))
    def setting(self, kind):
        self.play.act("setting", kind)

    @rule(seconds=st.sampled_from((0.05, 0.4, 2.0, 30.0, 7200.0)))
    def wait(self, seconds):
        self.play.wait(seconds)

    @rule(kind=st.sampled_from(sorted(PASSES)), due=DUE, deadly=DEADLY, only=st.none() | st.none() | WHICH)
    def sync(self, kind, due, deadly, only):
        self.play.sync(kind, due=due, deadly=deadly, only=only)

    @rule(due=DUE, deadly=DEADLY)
    def look(self, due, deadly):
        self.play.sync("background", due=due, deadly=deadly)

    @rule(which=st.integers(0, 9), due=DUE, deadly=DEADLY)
    def undo(self, which, due, deadly):
        self.play.undo(which, due=due, deadly=deadly)

    @rule(due=DUE, deadly=DEADLY)
    def undo_all(self, due, deadly):
        self.play.undo_all(due=due, deadly=deadly)

    @rule()
    def redo(self):
        self.play.redo()

    @rule(kind=st.sampled_from(sorted(PASSES)))
    def another_instance(self, kind):
        self.play.another(kind)

    @rule(which=WHICH, spot=SPOT)
    def decide(self, which, spot):
        self.play.decide(which, spot)

    @rule(kind=st.sampled_from(("copied", "copied", "put back", "lost")), which=st.integers(0, 3))
    def store(self, kind, which):
        if kind == "copied":
            self.play.keep_copy()
        elif kind == "put back":
            self.play.put_back(which)
        else:
            self.play.lose_store()

    @invariant()
    def nothing_is_lost(self):
        if self.play is not None:
            self.play.check()

    def teardown(self):
        play = self.play
        if play is None:
            return
        try:
            play.rest()
        finally:
            for text in play.notes:
                note(text)
            play.close()
            self._folder.cleanup()
