"""What the catalogue's images are found by, kept small: their texts packed, their names with where they are.

Made of slices, and anew only of those that changed: a hundred thousand images take seconds the first time.
"""

from __future__ import annotations

import json
import zlib
from array import array
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING, Final

from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.sky import famous
from reconciler.web.finding.sheet import any_of
from reconciler.web.finding.terms import folded, identities, mentioned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.core.catalogue import Catalogue, CatalogueImage, CatalogueObject
    from reconciler.web.finding.terms import Term

TARGET: Final = "t"
EQUIPMENT: Final = "e"
_TAG: Final = "g"
_IDENTITY: Final = "i"
MOST_NAMES: Final = 100
"""Names of each kind that are offered while somebody types; any other can be typed."""
_BLOCK: Final = 2048
"""Images whose texts are packed together."""
_MANY: Final = 1024
"""From so many images on, a name's places are packed, too."""
_FEW: Final = 512
"""Of a block, so few images are looked through one by one."""
_LEVEL: Final = 3


@dataclass(frozen=True)
class Texts:
    """All that the images of one reading are found by. Places are counted in the catalogue's order."""

    count: int = 0
    names: Mapping[str, bytes | array[int]] = field(default_factory=dict)
    """A letter for the kind and a name as written → where its images are."""
    plain: tuple[str, ...] = ()
    """The same names, folded, each with its letter, in the same order."""
    titles: tuple[bytes, ...] = ()
    """Titles and file names, folded, a line an image, packed by the block."""
    common: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By kind: the names that most images have, as written."""

    def find(self, terms: Sequence[Term]) -> list[bytearray]:
        """Return for each term which images have it in their names or titles, a byte an image.

        What lacks a term is not looked through for the others, so that they may be missing from it. A term
        that names a state, too, rules out nothing.
        """
        every = [self._with_names(_spellings(term)) for term in terms]
        for found, term in zip(every, terms, strict=True):
            if term.identity:
                self._mark(found, _IDENTITY + term.identity)
        texts = [[one.encode() for one in _spellings(term)] for term in terms]
        start = 0
        for packed in self.titles:
            self._find_in(zlib.decompress(packed), start, terms, texts, every)
            start += _BLOCK
        return every

    def _find_in(
        self,
        block: bytes,
        start: int,
        terms: Sequence[Term],
        texts: Sequence[Sequence[bytes]],
        every: Sequence[bytearray],
    ) -> None:
        """Mark what a block of titles has; the first of its images is at ``start``."""
        end = start + block.count(b"\n") + 1
        lines: list[bytes] = []
        left: list[int] | None = None
        # The rarest first: the others are looked for in its few lines alone.
        counts = [sum(map(block.count, spellings)) for spellings in texts]
        for number in sorted(range(len(terms)), key=counts.__getitem__):
            found = every[number]
            for words in texts[number] if counts[number] else ():
                if left is None and counts[number] < _FEW:
                    for one in _lines_with(block, words):
                        found[start + one] = 1
                    continue
                lines = lines or block.split(b"\n")
                if left is None:
                    here = [words in line for line in lines]
                    found[start:end] = bytes(map(or_, found[start:end], here))
                for one in left or ():
                    found[start + one] |= words in lines[one]
            if not terms[number].states and found.count(1, start, end) < _FEW:
                few = [place - start for place in _marked(found, start, end)]
                left = few if left is None else sorted(set(left) & set(few))

    def _with_names(self, spellings: Sequence[str]) -> bytearray:
        """Return which images have a name with one of these within, a byte an image."""
        found = bytearray(self.count)
        joined, starts, names = self._joined
        for words in spellings:
            at = joined.find(words)
            while at >= 0:
                number = bisect_right(starts, at) - 1
                self._mark(found, names[number])
                at = joined.find(words, starts[number + 1]) if number + 1 < len(starts) else -1
        return found

    @cached_property
    def _joined(self) -> tuple[str, array[int], list[str]]:
        """All names but the objects', folded, with a blank at both ends, a line each; where they begin."""
        every = [
            (f" {plain[1:]} ", name)
            for name, plain in zip(self.names, self.plain, strict=True)
            if plain[0] != _IDENTITY
        ]
        starts = array("L", accumulate((len(line) + 1 for line, _ in every), initial=0))[: len(every)]
        return "\n".join(line for line, _ in every), starts, [name for _, name in every]

    def of_name(self, plain: str, kind: str, spelling: str = "") -> bytearray:
        """Return which images have a name of a kind, a byte an image: the whole name, else a part of one.

        Args:
            plain: the name, folded.
            kind: of the name.
            spelling: the name as an object of the sky may be written; empty: it is none.
        """
        found = self.named(plain.__eq__, kind)
        for identity in identities((spelling,)):
            self._mark(found, _IDENTITY + identity)
        return found if any(found) else self.named(lambda name: plain in name, kind)

    def named(self, fits: Callable[[str], bool], kinds: str) -> bytearray:
        """Return which images have a name that fits, of these kinds, a byte an image."""
        found = bytearray(self.count)
        for name, plain in zip(self.names, self.plain, strict=True):
            if plain[0] in kinds and fits(plain[1:]):
                self._mark(found, name)
        return found

    def _mark(self, found: bytearray, name: str) -> None:
        places = self.names.get(name, b"")
        if isinstance(places, bytes):
            if places:
                found[:] = any_of(found, zlib.decompress(places))
            return
        for place in places:
            found[place] = 1


def _spellings(term: Term) -> list[str]:
    """Return what a text may have within, with a blank at both ends of whole words."""
    whole = [term.words, *term.names] if term.is_whole else term.names
    return [f" {words} " for words in whole] + ([] if term.is_whole else [term.words])


def _lines_with(block: bytes, words: bytes) -> Iterator[int]:
    """Give the numbers of the lines that have these words."""
    line = last = 0
    at = block.find(words)
    while at >= 0:
        line += block.count(b"\n", last, at)
        yield line
        last = at
        end = block.find(b"\n", at)
        at = block.find(words, end) if end >= 0 else -1


def _marked(found: bytearray, start: int, end: int) -> Iterator[int]:
    """Give the places of a stretch that are marked: for few."""
    at = found.find(1, start, end)
    while at >= 0:
        yield at
        at = found.find(1, at + 1, end)


def target_of(image: CatalogueImage) -> str:
    """Return the target's name as people know it; empty if there is none."""
    return image.target_name or "" if image.target is None else target_name(image.target)


def target_name(target: CatalogueObject) -> str:
    """Return an object's name as people know it."""
    return " · ".join([target.messier or target.name, *target.common_names[:1]])


def read_texts(catalogue: Catalogue, rest: Callable[[], None] = lambda: None) -> Texts:
    """Make it of a reading: for a thread, which may rest after each slice so that it holds up nobody."""
    images = catalogue.images
    slices: Iterable[bytes] = images.each(_packed) if isinstance(images, PackedImages) else _sliced(images)
    places: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    titles: list[bytes] = []
    lines: list[str] = []
    begin = 0
    for packed in slices:
        rest()
        texts, names = json.loads(zlib.decompress(packed))
        for name, within in names.items():
            places[name].extend([begin + place for place in within])
        begin += len(texts)
        lines += texts
        while len(lines) >= _BLOCK:
            titles.append(_block(lines[:_BLOCK]))
            lines = lines[_BLOCK:]
    if lines:
        titles.append(_block(lines))
    for memory in (_of_target, _of_object):
        memory.cache_clear()
    kept = {name: _kept(found, begin) for name, found in places.items()}
    plain = tuple(name[0] + (name[1:] if name[0] == _IDENTITY else folded(name[1:])) for name in kept)
    counts = {name: len(found) for name, found in places.items()}
    common = {kind: _common(counts, kind) for kind in (TARGET, EQUIPMENT)}
    return Texts(begin, kept, plain, tuple(titles), common)


def _common(counts: Mapping[str, int], kind: str) -> tuple[str, ...]:
    names = sorted((name for name in counts if name[0] == kind), key=lambda name: (-counts[name], name))
    return tuple(name[1:] for name in names[:MOST_NAMES])


def _block(lines: list[str]) -> bytes:
    return zlib.compress("\n".join(lines).encode("utf-8", "replace"), _LEVEL)


def _kept(places: array[int], count: int) -> bytes | array[int]:
    if len(places) < _MANY:
        return array("I", places)
    mask = bytearray(count)
    for place in places:
        mask[place] = 1
    return zlib.compress(mask, _LEVEL)


def _sliced(images: Sequence[CatalogueImage]) -> Iterator[bytes]:
    for start in range(0, len(images), 64):
        yield _packed(images[start : start + 64])


def _packed(images: Sequence[CatalogueImage]) -> bytes:
    """Return titles and names of a slice's images, packed."""
    names: defaultdict[str, list[int]] = defaultdict(list)
    for place, image in enumerate(images):
        for name in _names(image):
            names[name].append(place)
    texts = [f" {folded(image.title)} {folded(image.filename)} " for image in images]
    return zlib.compress(json.dumps([texts, names]).encode(), _LEVEL)


def _names(image: CatalogueImage) -> set[str]:
    found = {EQUIPMENT + one.name for one in image.equipment}
    found |= {_TAG + tag for tag in image.tags}
    found |= _of_target(image.target_name, image.target)
    own = mentioned(f"{image.title} | {image.filename}")
    if (known := famous.named(image.title)) is not None:
        own |= {known.designation}
    for one in own:
        found |= _of_object(one)
    return found


@lru_cache(maxsize=8192)
def _of_target(name: str | None, target: CatalogueObject | None) -> frozenset[str]:
    """Return what an image is found by for its target."""
    if target is None:
        names = {TARGET + name} if name else set()
        return frozenset(names.union(*(map(_of_object, identities((name,))))))
    spellings = (name, target.name, target.messier, *target.identifiers, *target.common_names)
    shown = (target_name(target), name, *target.common_names)
    found = {TARGET + one for one in shown if one}
    return frozenset(found.union(*map(_of_object, identities(spellings))))


@lru_cache(maxsize=8192)
def _of_object(identity: str) -> frozenset[str]:
    entry = famous.find(identity)
    names = (entry.name, *entry.other_names) if entry is not None else ()
    return frozenset({_IDENTITY + identity, *(TARGET + name for name in names if name)})
