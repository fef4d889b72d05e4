"""A world that people, Skymmich, faults and time act on, with the model of who wrote what beside it.

Each act is named, so that it can be counted, and takes numbers: which of the images, and where. What cannot be
done just then (an edit of an image that is deleted) is not done, and tells so.
"""

from __future__ import annotations

import json
from collections import Counter
from copy import copy
from dataclasses import replace

from reconciler.core.asset import Applied
from reconciler.core.desired.block import split
from reconciler.core.plan.conflicts import side
from reconciler.core.plan.plan import Rules
from reconciler.core.policy import GuardPolicy, MergePolicy, Policy
from reconciler.engine.conflicts import decidable, take_decision
from reconciler.engine.events import Event
from reconciler.engine.identity import KnownImmich
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.redo import write_again
from reconciler.engine.undo_report import UndoReport
from reconciler.errors import AnotherInstanceError, ReconcilerError, UnconfirmedError
from reconciler.simulator.server.state import USER_ID
from state.store import StateStore
from tests.model.faults import FAULTS, mend
from tests.model.oracle import Oracle, ViolationError
from tests.model.parts import Remembering, copy_of, copy_store, moulds
from tests.model.people import PEOPLE
from tests.model.skymmich import SKYMMICH
from tests.virtual.loop import run
from tests.virtual.world import World

ALWAYS = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,slow_tagging"
"""How every Immich is."""
PASSES = {
    "sync": {},
    "background": {"by_person": False},
    "audit": {"full": True},
    "hints": {"by_person": False, "hints": True},
    "force": {"force": True},
}
BREAKING = ("busy", "dropped", "slow", "down", "maintenance", "queue paused", "mended", "queue goes on")
"""What can go wrong within a pass."""
MOST_TURNS = 20_000
"""Turns of a pass's loop, of which most take some hundreds."""
MOST_REQUESTS = 60
"""Moments within a pass at which something can happen."""


class KilledError(BaseException):
    """The process is gone: nothing that runs on changes anything."""


class Moved(list):
    """Events, each noted in the oracle when it is told."""

    def __init__(self, play):
        super().__init__()
        self._play = play

    def append(self, event):
        if isinstance(event, Event):
            super().append(event)
            if event.name == "asset.crossed":
                self._play.oracle.told[event.asset_id] = self._play.here.clock.seconds


class Play:
    """See the module.

    Args:
        folder: for the files.
        seed: of the server's chance.
        unkind: beside ``ALWAYS``.
    """

    def __init__(self, folder, seed=1, *, unkind="", drain=60.0):
        self._folder, self._files = folder, 0
        self.here = here = World(
            copy_of(moulds().catalogue, folder / "catalogue.sqlite3"),
            StateStore.open(copy_of(moulds().store, self._file())),
            unkind=",".join(filter(None, (ALWAYS, unkind))),
            seed=seed,
            drain=drain,
        )
        self.standing = here.settings.unkind
        self.notes = []
        here.note = self.notes.append
        here.renderer = Remembering()
        self.oracle, self.tally = Oracle(here), Counter()
        here.events = Moved(self)
        here.clock.most_turns = MOST_TURNS
        here.line.meanwhile = self._meanwhile
        self.assets = [asset_id for _, asset_id in here.images()]
        self.rows, self.copies = {}, []
        self._count, self._due, self._deadly, self._dead = 0, {}, None, None
        self._words, self._read_at, self._first_read_at = 0, {}, {}
        self.other, self.died, self.moved = None, set(), set()
        here.stores = self._stores
        self._busy, self._placed, self._of_this_pass, self.overlaps = set(), {}, set(), []
        self._tap_store()
        self._tap_server()

    def close(self):
        for store in self._stores():
            store.close()

    def _stores(self):
        """Give all the stores that there are."""
        return [self.here.store, *([self.other.store] if self.other is not None else [])]

    def counts(self):
        """Give what was done, what was found where, and what the server did."""
        found = {f"not in Immich, but found: {name}": n for name, n in self.oracle.found.items()}
        names = ("persons_lost", "persons_own", "lost_to_person", "died", "reverted", "early_updated_at")
        faults = {f"server: {name}": self.here.faults[name] for name in names}
        return Counter({**self.tally, **found, **faults})

    # -- acts ----------------------------------------------------------------------------------------------

    def word(self):
        """Give a word that nobody has written yet."""
        self._words += 1
        return f"w{self._words:04}w"

    def number(self):
        self._words += 1
        return self._words

    def asset(self, which):
        """Give one of the assets, if it is still there."""
        return self.here.state.assets.get(self.assets[which % len(self.assets)])

    def act(self, group, kind, which=0, spot=0):
        """Let somebody do something, now; tells whether it could be done."""
        kinds = {"people": PEOPLE, "skymmich": SKYMMICH, "fault": FAULTS, "setting": SETTINGS}[group]
        self.here.state.advance(self.here.application.now())
        done = kinds[kind](self, which, spot) is not False
        self.tally[f"{group}: {kind}" if done else "not possible"] += 1
        return done

    def wait(self, seconds):
        self.here.clock.seconds += seconds
        self.here.state.advance(self.here.application.now())

    # -- the program ---------------------------------------------------------------------------------------

    def sync(self, kind="sync", *, due=(), deadly=None, only=None):
        """Do a pass.

        Args:
            kind: one of ``PASSES``.
            due: what happens within it: (at which moment, group, kind, which, spot).
            deadly: at which moment the process is killed: ("request" or "commit", which), or ``None``.
            only: this image's pass.
        """
        chosen = dict(PASSES[kind])
        if only is not None and (asset := self.asset(only)) is not None:
            ids = [image_id for image_id, asset_id in self.here.images() if asset_id == asset.asset_id]
            chosen["image_ids"] = frozenset(ids) or None
        wished = kind == "force" or self._wished()
        return self._process(lambda: self.here.run(**chosen), kind, due, deadly, wished=wished)

    def _wished(self):
        """Tell whether somebody wished that the catalogue's words take the place of a person's."""
        merge = self.here.policy.merge
        decided = any(record.resolutions for record in self.here.store.records().values())
        return decided or merge.on_conflict == "overwrite" or merge.on_drift_prose == "correct"

    def undo(self, which, *, due=(), deadly=None):
        """Take back one of the runs that the store knows."""
        runs = [
            one.run_id for one in self.here.store.runs(50) if self.here.store.journal_of(one.run_id, limit=1)
        ]
        if not runs:
            self.tally["not possible"] += 1
            return None
        run_id = runs[which % len(runs)]
        return self._process(lambda: self.here.take_back(run_id=run_id), "undo", due, deadly, wished=True)

    def undo_all(self, *, due=(), deadly=None):
        """Take everything back; what is ours is gone then, where nothing is said to be left."""
        report = self._process(
            lambda: self.here.take_back(everything=True), "undo all", due, deadly, wished=True
        )
        if not isinstance(report, UndoReport) or report.error or due or self.other is not None:
            return
        self._calm()
        left = {asset_id for asset_id, _ in report.left}
        for asset_id in set(report.undone) - left:
            asset, record = self.here.state.assets.get(asset_id), self.here.store.record(asset_id)
            if record is None or asset is None:
                continue
            if record.applied != Applied():
                raise ViolationError(f"everything was taken back, and yet this is ours: {record.applied}")
            ours = {tag for tag in self.here.state.tags.values(asset) if (asset_id, tag) in self.oracle.ours}
            if ours and not self.oracle.archived:
                raise ViolationError(f"everything was taken back, and yet {asset_id} carries {ours}")
        self.tally["undo all: whole"] += not left

    def redo(self):
        """Let what was taken back be written again."""
        write_again(self.here.store, None)
        self.tally["people: all written again"] += 1

    def another(self, kind="background"):
        """Let another instance, with a store of its own, do a pass on the same library."""
        self._calm()
        self._first_read_at = {}
        if self.other is None:
            self.oracle.meets_another()
            self.other = other = copy(self.here)
            path = self._folder / "other.sqlite3"
            other.store, other.runs = StateStore.open(copy_of(moulds().store, path)), 100_000
        self.other.policy, self.other.switches = self.here.policy, self.here.switches
        if kind == "force" or self._wished():
            self.oracle.licensed.add(f"run-{self.other.runs + 1}")
        self.tally["pass: of another instance"] += 1
        try:
            self.other.run(**PASSES[kind])
        except ReconcilerError as error:
            self.tally[f"refused: {type(error).__name__}, another instance"] += 1
        self._calm()

    def _process(self, doing, kind, due, deadly, *, wished):
        """Let the program do something, to its end, to an error, or until it is killed."""
        self._count, self._deadly, self._dead = 0, deadly, None
        self._first_read_at = {}
        self._due = {}
        for moment, *act in due:
            self._due.setdefault(moment, []).append(act)
        if wished:
            self.oracle.licensed.add(f"run-{self.here.runs + 1}")
        self.tally[f"pass: {kind}"] += 1
        try:
            report = doing()
        except KilledError:
            report = None
        except ReconcilerError as error:
            report = error
            self.tally[f"refused: {type(error).__name__}"] += 1
        finally:
            self._deadly, self._due = None, {}
            self._of_this_pass.clear()
        if self._dead is not None:
            self.tally["fault: killed"] += 1
            self._take_up(self._dead)
            self._dead, report = None, None
        return report

    def decide(self, which, spot):
        """Let a person decide one of an image's conflicts."""
        asset = self.asset(which)
        ids = [image for image, asset_id in self.here.images() if asset and asset_id == asset.asset_id]
        if not ids:
            return False

        async def act(cycle, _):
            wishes = Wishes(self.here.policy, self.here.switches)
            prepared = await cycle.prepare(Selection(image_ids=frozenset(ids), full=True), wishes)
            for item in prepared.items:
                if item.plan is None or not (found := decidable(item.plan)):
                    continue
                field = found[spot % len(found)].field
                keep = ("immich", "skymmich", "both")[spot % 3]
                at = self.here.clock.now()
                return take_decision(
                    self.here.store, item.plan, keep, rules=prepared.rules, at=at, field=field
                )
            return False

        try:
            done = run(self.here.clock, self.here._cycle(act))
        except ReconcilerError:
            done = False
        self.tally["people: decided" if done else "not possible"] += 1
        return done

    # -- the store -----------------------------------------------------------------------------------------

    def keep_copy(self):
        """Make a backup of the store, which may be put back later."""
        self.copies.append(copy_store(self.here.store.file, self._file()))
        self.tally["store: copied"] += 1

    def put_back(self, which):
        """Put an older copy of the store in its place."""
        if not self.copies:
            self.tally["not possible"] += 1
            return
        self._calm()
        self._archive()
        self._take_up(copy_store(self.copies[which % len(self.copies)], self._file()))
        self.tally["fault: older store"] += 1

    def _calm(self):
        """Let the server come to rest, also where its queue was paused."""
        self.here.settings.paused = False
        self.here.state.advance(self.here.application.now())
        if self.here.state.queues.waiting:
            self.wait(10)
        if self.here.state.queues.waiting:
            self.wait(20_000)  # what came while it stood still is digested after as long again
        self.here.settle()

    def lose_store(self):
        self._calm()
        self._archive()
        self.oracle.loses_store()
        self._take_up(copy_of(moulds().store, self._file()))
        self.tally["fault: store lost"] += 1

    def _archive(self):
        for entry in self.here.store.journal_of(limit=1_000_000):
            self.oracle.archived.setdefault(entry.asset_id, []).append(entry)

    def _take_up(self, path):
        """Go on with another file in the store's place."""
        place = self.here.store.file
        self.here.store.close()
        for end in ("", "-wal", "-shm"):
            place.with_name(place.name + end).unlink(missing_ok=True)
        path.rename(place)
        self.here.store = StateStore.open(place)
        self._tap_store()

    def _file(self):
        self._files += 1
        return self._folder / f"state-{self._files}.sqlite3"

    def _tap_store(self):
        store, transaction = self.here.store, self.here.store.transaction

        def tapped():
            self._moment("commit")
            return transaction()

        store.transaction = tapped

    def _tap_server(self):
        state = self.here.state
        write = state.write

        def tapped(asset, values, fields, actor):
            if actor == "client":
                read_at = self._read_at.get(asset.asset_id, 0.0) if "tags" not in fields else 0.0
                undigested_at = -1.0
                if asset.jobs > asset.client_jobs:
                    undigested_at = self._first_read_at.get(asset.asset_id, -1.0)
                self.oracle.writes(asset.asset_id, read_at, undigested_at, fields)
                if asset.client_jobs and asset.asset_id in self._busy:
                    self.tally["overlaps beside a person's edit"] += 1
                elif asset.client_jobs and state._is_dying(asset):
                    # Nothing tells when such a write is through, and nothing reads the file to lose one.
                    self.tally["overlaps on an image whose extraction dies"] += 1
                elif asset.client_jobs:
                    self.overlaps.append((asset.asset_id, tuple(fields), self.here.clock.seconds))
            write(asset, values, fields, actor)
            if actor == "client":
                self._placed[asset.asset_id] = asset.visibility, asset.trashed
                self._of_this_pass.add(asset.asset_id)
            if asset.jobs > asset.client_jobs:
                self._busy.add(asset.asset_id)

        state.write = tapped

    # -- within a pass -------------------------------------------------------------------------------------

    def _meanwhile(self, moment, method, path):
        if moment == "before":
            self._moment("request")
            self._note_write(method, path, self.here.line.sent[-1][3])
        self._count += 1
        for group, kind, which, spot in self._due.pop(self._count, ()):
            self.act(group, kind, which, spot)
        if moment == "after":
            self._moment("answer")

    def _moment(self, kind):
        """Die, if it is now."""
        if self._dead is not None:
            raise KilledError
        if self._deadly is None or self._deadly[0] != kind:
            return
        self._deadly = (kind, self._deadly[1] - 1)
        if self._deadly[1] < 0:
            self._dead = copy_store(self.here.store.file, self._file())
            raise KilledError

    def moved_by_hand(self, asset):
        """Note a move to the archive or the trash that looks as if Immich had digested a write of ours.

        Back to where the write met it only its date has moved; and in the pass that wrote it that Immich's
        queue stands still is not known yet.
        """
        if any(asset.asset_id in store.pending() for store in self.here.stores()):
            self.moved.add(asset.asset_id)
        back = self._placed.get(asset.asset_id) == (asset.visibility, asset.trashed)
        if asset.client_jobs and (back or asset.asset_id in self._of_this_pass):
            self._busy.add(asset.asset_id)

    def _note_write(self, method, path, body):
        parts = path.split("/")[2:]
        if method == "GET" and parts[0] == "assets" and len(parts) == 2:
            self._read_at[parts[1]] = self.here.clock.seconds
            self._first_read_at.setdefault(parts[1], self.here.clock.seconds)
            asset = self.here.state.assets.get(parts[1])
            if asset is not None and asset.jobs > asset.client_jobs:
                # Its date will move for that, soon: just after a write it looks as if it moved for the write.
                self._busy.add(parts[1])
        if method in {"PUT", "DELETE"} and parts[0] == "tags" and parts[-1] == "assets":
            self._note_tags(method, parts, json.loads(body))

    def _note_tags(self, method, parts, asked):
        tags = self.here.state.tags
        tag_ids = asked["tagIds"] if len(parts) == 2 else [parts[1]]
        for asset_id in asked.get("assetIds") or asked.get("ids"):
            asset = self.here.state.assets.get(asset_id)
            for tag in (tags.by_id[one] for one in tag_ids if one in tags.by_id):
                if asset is None:
                    continue
                if method == "PUT" and tag.tag_id not in asset.tags:
                    self.oracle.adds(asset_id, tag.value)
                elif method == "PUT":
                    self.oracle.adds_too(asset_id, tag.value, self._read_at.get(asset_id, 0.0))
                elif method == "DELETE" and tag.tag_id in asset.tags:
                    self.oracle.removes(asset_id, tag.value)

    # -- what must be true ---------------------------------------------------------------------------------

    def check(self):
        """Look at all that has settled.

        Raises:
            ViolationError: something is lost, or two writes met.
        """
        state = self.here.state
        state.advance(self.here.application.now())
        for asset in list(state.assets.values()):
            if asset.jobs == 0:
                self.oracle.check(asset.asset_id)
                self._busy.discard(asset.asset_id)
        if self.overlaps:
            raise ViolationError(f"two writes met: {self.overlaps}")

    def rest(self, most=2):
        """Let all faults end, and see the program come to rest; gives how long that took, in seconds.

        Raises:
            ViolationError: it goes on writing, or says in sync of what is not.
        """
        mend(self)
        self._calm()
        # A server's clock that was set back shows no move of what was written before, until it is there again. What
        # a person moved by hand is waited for an hour.
        self.wait(7200 if self.tally["fault: server's clock set back"] or self.moved else 120)
        began = last = self.here.clock.seconds
        for number in range(most + 1):
            report = self._in_peace()
            self.here.settle()
            if self.here.writes:
                last = self.here.clock.seconds
            if number < most:
                self.wait(60)
        self.check()
        if self.here.writes:
            what = [one[1:] for one in self.here.line.sent if one[1] in {"PUT", "DELETE"}][-6:]
            raise ViolationError(f"it does not come to rest: {report.outcomes}; {what}")
        # A lone one whose extraction died shows no date by which it could be told from one that is not digested.
        linked = {asset_id for _, asset_id in self.here.images()} - self.died
        if left := {one: write for one, write in self.here.store.pending().items() if one in linked}:
            raise ViolationError(f"writes are waited for at rest: {left}")
        self._assert_true()
        return last - began

    def _in_peace(self):
        """Do a pass that nothing stands in the way of; another library than before is confirmed."""
        if self._wished():
            self.oracle.licensed |= {f"run-{self.here.runs + number}" for number in (1, 2, 3)}
        for _ in range(2):  # one may stand behind the other
            try:
                return self.here.run(full=True)
            except AnotherInstanceError:
                # It is gone by now, and after half a day that is known.
                self.tally["another instance outwaited"] += 1
                self.wait(14 * 3600)
            except UnconfirmedError:
                self.tally["people: library confirmed"] += 1
                KnownImmich("http://immich.test", USER_ID, without_assets=True).keep(self.here.store)
        return self.here.run(full=True)

    def _assert_true(self):
        shown, linked = self.here.shown(), {asset_id for _, asset_id in self.here.images()}
        markers = Rules(self.here.policy, self.here.switches, "", "").markers
        for record in self.here.store.records().values():
            asset = shown.get(record.asset_id)
            if record.status != "in_sync" or asset is None or record.asset_id not in linked:
                continue
            applied, merge, switches = record.applied, self.here.policy.merge, self.here.switches
            missing = applied.tags - set(asset["tags"])
            if missing and switches.tags and merge.on_drift_tags == "correct":
                raise ViolationError(f"in sync without {missing}: {record}")
            correct = switches.description and merge.on_drift_block == "correct"
            decided = {
                one_side for one in record.resolutions if one.field == "block" for one_side in _kept(one)
            }
            if decided and side(split(asset["description"], markers, applied.block).block) in decided:
                continue  # a person has seen both, and it is as they left it
            if applied.block and correct and applied.block not in asset["description"]:
                raise ViolationError(f"in sync without its block: {record} {asset['description']!r}")


def _kept(decision):
    """Give the digests of what a person's decision leaves in Immich."""
    return {decision.result, decision.live if decision.keep == "immich" else ""} - {""}


def _setting(**chosen):
    def change(play, which, spot):
        groups = {}
        for name, value in chosen.items():
            group, _, field = name.partition("__")
            groups.setdefault(group, {})[field] = value
        policy = play.here.policy
        play.here.policy = replace(
            policy, **{group: replace(getattr(policy, group), **fields) for group, fields in groups.items()}
        )

    return change


def _switch(name):
    def change(play, which, spot):
        play.here.switches = replace(play.here.switches, **{name: not getattr(play.here.switches, name)})

    return change


def _usual(play, which, spot):
    play.here.policy = Policy(guard=GuardPolicy(canary=0), merge=MergePolicy())
    play.here.switches = type(play.here.switches)()


SETTINGS = {
    "usual": _usual,
    "overwrite": _setting(merge__on_conflict="overwrite"),
    "keep tags": _setting(merge__on_drift_tags="keep"),
    "keep places": _setting(merge__on_drift_coordinates="keep"),
    "keep blocks": _setting(merge__on_drift_block="keep"),
    "correct prose": _setting(merge__on_drift_prose="correct"),
    "release": _setting(merge__orphans="release"),
    "no root": _setting(tags__root=""),
    "another root": _setting(tags__root="Sky/Deep"),
    "no groups": _setting(tags__groups=False),
    "fewer tags": _setting(tags__equipment=False, tags__constellation=False),
    "other markers": _setting(description__opening="» ", description__closing="« Skymmich"),
    "german": _setting(description__language="de"),
    "small": _setting(description__max_bytes=700),
    "template": _setting(
        description__template="{{ title }}\nMade by hand\n",
        description__template_name="mine",
    ),
    "guard": _setting(guard__min_count=2, guard__max_fraction=0.3),
    "canary": _setting(guard__canary=2),
    "description switch": _switch("description"),
    "coordinates switch": _switch("coordinates"),
    "tags switch": _switch("tags"),
}
