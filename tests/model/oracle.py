"""The model of who wrote what: what people and Skymmich did in Immich, and whether it is still to be found.

Each thing that a person enters is one of a kind, so that it can be looked for by itself: in Immich, in the
journal, or in what was told of edits that crossed. It knows nothing of the program but these three.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from reconciler.core.desired.block import Markers, split
from reconciler.core.ownership import KEY
from reconciler.simulator.server.roundtrip import settled_description

TOKEN = re.compile(r"\bw\d{4}w\b")
"""What makes a person's line one of a kind."""
_BORDERS = re.compile(r"^((✦|») )+")


class ViolationError(AssertionError):
    """Something that is promised was not kept."""


def tokens(text):
    return set(TOKEN.findall(text or ""))


def plain(line):
    """Give a line as it is compared: a heading that is moved out of a block loses its opening marker."""
    return _BORDERS.sub("", line.strip()).strip()


def as_sent(lines):
    """Give these lines, and as they would end.

    An image whose extraction dies shows a text as it was sent, "&amp;amp;" for a person's "&amp;", also once it is
    mended; and each store that is lost forgets that once more.
    """
    while not (decoded := {settled(line) for line in lines}) <= lines:
        lines = lines | decoded
    return lines


def settled(line):
    """Give it as it ends in Immich, whatever it was when it was read: ``&amp;`` is decoded only once."""
    return plain(settled_description(line))


@dataclass(slots=True)
class Entered:
    """What is to be found on one asset."""

    words: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Token → its line as Immich shows it, and when it was entered, in seconds of the world."""
    tags: dict[str, float] = field(default_factory=dict)
    pin: tuple[float, float, float] | None = None
    """Latitude, longitude, and when."""


class Oracle:
    """See the module.

    Args:
        here: the world.
    """

    def __init__(self, here):
        self.here = here
        self.entered: dict[str, Entered] = {}
        self.ours: set[tuple[str, str]] = set()
        """Asset and tag that a client's call put there; a person's own putting it there takes it out."""
        self.undigested: set[str] = set()
        """Assets whose extraction died once: what they show may never have been through Immich."""
        self.unremembered: set[str] = set()
        """Assets whose store was lost before Immich was told what is ours: what stands between our markers is ours
        to update there, and the journal keeps it."""
        self.imported: set[tuple[str, str]] = set()
        """Asset and token of texts that Skymmich took over: its own since, so that its next edit replaces them."""
        self.licensed: set[str] = set()
        """Runs in which somebody wished for the catalogue to win, or for something to be taken back."""
        self.told: dict[str, float] = {}
        """Assets whose edits were told to have crossed, and when they last were."""
        self.archived: dict[str, list] = {}
        """Journals of stores that were lost, by asset."""
        self.fresh: dict[str, dict[tuple[str, object], float]] = {}
        """What was entered on an asset since it last settled, and when."""
        self.window: set[tuple[str, str, object]] = set()
        """What was entered in the very moment of a write, when Immich itself can lose one of two."""
        self.both: set[tuple[str, str]] = set()
        """Asset and tag that a person put on between the program's reading and its own putting it there."""
        self.unseen: set[tuple[str, str]] = set()
        """Asset and tag that a person put on where it was ours, before a pass took notice: the store, the record in
        Immich, or the write that is on its way has it as ours."""
        self.found = Counter()
        """Where what is not in Immich any more was found."""

    def of(self, asset_id):
        return self.entered.setdefault(asset_id, Entered())

    # -- what people do ----------------------------------------------------------------------------------

    def wrote(self, asset_id, before, text, *, by_person=True):
        """Note that somebody who saw one text saved another: what is not in it any more they took out."""
        words, now = self.of(asset_id).words, self.here.clock.seconds
        lines = {token: line for line in settled_description(text).splitlines() for token in tokens(line)}
        for token in tokens(before) - lines.keys():
            words.pop(token, None)
        for token, line in lines.items():
            if token in words:
                grown = by_person and line != words[token][0]
                words[token] = (line, now if grown else words[token][1])
                if grown:  # what is looked for is the line, and that is as new as its newest word
                    self._entered(asset_id, "description", token)
            elif by_person and token not in tokens(before):
                words[token] = (line, now)
                self._entered(asset_id, "description", token)

    def tagged(self, asset_id, tag):
        self.of(asset_id).tags[tag] = self.here.clock.seconds
        self._entered(asset_id, "tags", tag)
        records = (store.record(asset_id) for store in self.here.stores())
        noted = self.here.notes().get(asset_id, {}).get(KEY, {}).get("tags", ())
        writes = (store.pending().get(asset_id) for store in self.here.stores())
        known = tag in noted or any(one is not None and tag in one.applied.tags for one in records)
        # Put on where the program's own call has just put it: Immich says that it is there, and no more.
        known = known or any(one is not None and tag in one.tags for one in writes)
        if known:
            self.unseen.add((asset_id, tag))
        self.ours.discard((asset_id, tag))

    def untagged(self, asset_id, tag):
        self.of(asset_id).tags.pop(tag, None)

    def pinned(self, asset_id, place):
        self.of(asset_id).pin = (*place, self.here.clock.seconds)
        self._entered(asset_id, "coordinates", place)

    def _entered(self, asset_id, which, key):
        self.fresh.setdefault(asset_id, {})[which, key] = self.here.clock.seconds
        if self.here.state.assets[asset_id].client_jobs:
            self.window.add((asset_id, which, key))

    def forget(self, asset_id):
        self.entered.pop(asset_id, None)

    def tag_deleted(self, value):
        for known in self.entered.values():
            for tag in [tag for tag in known.tags if tag == value or tag.startswith(f"{value}/")]:
                del known.tags[tag]

    def displaced(self, asset_id):
        """Note that another program wrote the file anew: what it left out it took."""
        self.forget(asset_id)

    # -- what the program does ---------------------------------------------------------------------------

    def writes(self, asset_id, read_at, undigested_at=-1.0, fields=()):
        """Note that a write of the program comes to Immich: what was entered since the reading is in its window.

        So is what was entered just before the pass's first reading, asked at ``undigested_at``, that Immich is digesting
        still, and that is none of the fields of the write, which would carry it on: each reading shows it, and no
        date tells that it is new.
        """
        for (which, key), when in self.fresh.get(asset_id, {}).items():
            if when >= read_at or (which not in fields and when <= undigested_at):
                self.window.add((asset_id, which, key))

    def loses_store(self):
        """Note of which assets nobody remembers what is ours there, nor what stood beside a write under way."""
        for asset_id, entered in self.fresh.items():
            asset = self.here.state.assets.get(asset_id)
            if asset is not None and asset.client_jobs:
                self.window |= {(asset_id, which, key) for which, key in entered}
        self.meets_another()

    def meets_another(self):
        """Note of which assets a store that is new to them is told nothing by Immich, or by one before 2.5."""
        tells = self.here.settings.version >= (2, 5)
        self.unremembered |= {
            asset_id for asset_id, notes in self.here.notes().items() if not (tells and KEY in notes)
        }

    def adds(self, asset_id, tag):
        if (asset_id, "tags", tag) in self.window and tag in self.of(asset_id).tags:
            # A person put it on in the moment of a write, and Immich lost it: this one is the program's.
            self.both.add((asset_id, tag))
        self.ours.add((asset_id, tag))

    def adds_too(self, asset_id, tag, read_at):
        """Note that the program puts on what is there already: of a tag that came since it read, nobody can tell."""
        if self.of(asset_id).tags.get(tag, -1.0) >= read_at:
            self.both.add((asset_id, tag))

    def removes(self, asset_id, tag):
        """Note that the program takes a tag off.

        Raises:
            ViolationError: it is a person's.
        """
        if (asset_id, tag) in self.both and tag in self.of(asset_id).tags:
            self.both.discard((asset_id, tag))
            self.untagged(asset_id, tag)
            self.ours.add((asset_id, tag))  # it comes back with the extraction after, and is taken off again
            self.found["a tag that both put on at once"] += 1
            return
        if (asset_id, tag) in self.unseen and tag in self.of(asset_id).tags:
            # It was ours at one pass, and is there at the next: nobody can tell.
            self.unseen.discard((asset_id, tag))
            self.untagged(asset_id, tag)
            self.found["a tag that went and came back unseen"] += 1
            return
        if tag in self.of(asset_id).tags:
            raise ViolationError(f"a person's tag {tag!r} is taken off {asset_id}")
        if (asset_id, tag) not in self.ours:
            raise ViolationError(f"the tag {tag!r} that is not ours is taken off {asset_id}")

    # -- looking for it ----------------------------------------------------------------------------------

    def check(self, asset_id):
        """Look for all that was entered on an asset that has settled.

        Raises:
            ViolationError: something is nowhere to be found.
        """
        known, asset = self.entered.get(asset_id), self.here.state.assets.get(asset_id)
        self.fresh.pop(asset_id, None)
        if asset is not None and asset.dying:
            self.undigested.add(asset_id)
        if known is None or asset is None:
            return
        lines = {settled(line) for line in (asset.exif.description or "").splitlines()}
        if asset_id in self.undigested:
            lines = as_sent(lines)
        for token, (line, when) in list(known.words.items()):
            if settled(line) not in lines:
                self._missing(asset_id, "description", token, line, when)
                del known.words[token]
        shown = set(self.here.state.tags.values(asset))
        for tag, when in list(known.tags.items()):
            if tag not in shown:
                self._missing(asset_id, "tags", tag, tag, when)
                del known.tags[tag]
        if known.pin is not None:
            place = asset.exif.coordinates
            if place is None or max(abs(a - b) for a, b in zip(place, known.pin, strict=False)) > 2e-6:
                self._missing(asset_id, "coordinates", known.pin[:2], known.pin[:2], known.pin[2])
                known.pin = None

    def _missing(self, asset_id, which, token, whole, when):
        stores = self.here.stores()
        entries = [one for store in stores for one in store.journal_of(asset_id=asset_id, limit=1_000_000)]
        runs = _replaced(entries, which, token) or _replaced(entries, which, whole)
        told = self.told.get(asset_id, -1.0) >= when and self._is_crossed(asset_id)
        self.here.note(f"not in Immich: {which} {whole!r} of {asset_id}: runs {sorted(runs)}, told {told}")
        in_window = (asset_id, which, token) in self.window
        if told:
            self.found["told"] += 1
        elif in_window and not runs:
            self.found["in a write's moment, not seen"] += 1
        elif runs:
            # A place that is ours is put right when it is moved, and so are lines within the block.
            if in_window:
                pass
            elif which == "description" and asset_id in self.unremembered and _in_block(entries, token):
                self.found["within a block that nobody remembers"] += 1
                return
            elif (asset_id, token) in self.imported:
                self.found["the catalogue's own since it was imported"] += 1
                return
            elif which == "tags" or (which == "description" and not runs & self.licensed):
                raise ViolationError(f"{whole!r} on {asset_id} was replaced without anybody's wish: {runs}")
            self.found["journal"] += 1
        elif any(_replaced(self.archived.get(asset_id, ()), which, one) for one in (token, whole)):
            self.found["journal of a lost store"] += 1
        else:
            raise ViolationError(f"{which} {whole!r} of {asset_id}, entered at {when:.3f}, is nowhere")

    def _is_crossed(self, asset_id):
        records = (store.record(asset_id) for store in self.here.stores())
        return any(record is not None and record.crossing is not None for record in records)


def _replaced(entries, which, token):
    """Give the runs that replaced something, by the journal: a word, or the whole line that it was in.

    Of a line that grew the catalogue may have the first words, since it imported them.
    """
    return {
        one.run_id
        for one in entries
        if one.field == which and _has(which, one.before, token) and not _has(which, one.after, token)
    }


def _in_block(entries, token):
    """Return whether it stood between our own markers when it was replaced."""
    texts = (one.before for one in entries if one.field == "description" and token in tokens(one.before))
    return any(token in tokens(split(text, Markers()).block) for text in texts)


def _has(which, value, token):
    if which == "description":
        text = value if isinstance(value, str) else ""
        return token in tokens(text) or settled(token) in {settled(line) for line in text.splitlines()}
    if which == "tags":
        return token in (value or ())
    return bool(value) and max(abs(a - b) for a, b in zip(value, token, strict=True)) < 2e-6
