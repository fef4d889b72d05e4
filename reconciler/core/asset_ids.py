"""Very many asset ids in sixteen bytes each: Immich's are UUIDs, and a text of one takes eighty-five.

``AssetIds`` is a set that stays as it is, ``AssetIndex`` a list that grows and tells where an id stands in
it. An id that is no UUID is kept as it is: both take any text.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.by_place import ByPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WIDTH: Final = 16
NO_KEY: Final = bytes(WIDTH)
"""Stands for what is no UUID, or no id."""
_TEXT: Final = 36
"""Characters of a UUID."""
_PARTS: Final = 256
"""By its first byte, an id is in one of so many parts: one is worked on after the other."""
_BUCKETS: Final = 1024


def key_of(asset_id: str) -> bytes:
    """Return an id in sixteen bytes; ``NO_KEY``: it is no UUID as Immich writes them, in lower case."""
    if len(asset_id) == _TEXT:
        try:
            key = bytes.fromhex(asset_id.replace("-", ""))
        except ValueError:
            return NO_KEY
        if len(key) == WIDTH and key != NO_KEY and id_of(key) == asset_id:
            return key
    return NO_KEY


def id_of(key: bytes) -> str:
    """Return the id again."""
    text = key.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class AssetIds(AbstractSet[str], ByPlace[str]):
    """A set of asset ids, in order: that of their texts.

    Args:
        ids: in any order, also twice.
    """

    __slots__ = ("_keys", "_odd", "_places")

    def __init__(self, ids: Iterable[str] = ()) -> None:
        parts = [bytearray() for _ in range(_PARTS)]
        odd = set[str]()
        for asset_id in ids:
            if (key := key_of(asset_id)) is NO_KEY:
                odd.add(asset_id)
            else:
                parts[key[0]] += key
        self._keep((sorted(set(_cut(part))) for part in parts), odd)

    @classmethod
    def of_keys(cls, keys: bytes | bytearray, odd: Iterable[str] = ()) -> AssetIds:
        """Make it of keys in any order, ``NO_KEY`` left out, and of ids that have none."""
        parts = [bytearray() for _ in range(_PARTS)]
        for start in range(0, len(keys), WIDTH):
            parts[keys[start]] += keys[start : start + WIDTH]
        found = cls()
        found._keep((sorted(set(_cut(part)) - {NO_KEY}) for part in parts), set(odd))
        return found

    def places_of_keys(self, keys: bytes | bytearray, odd: Mapping[int, str]) -> array[int]:
        """Return where each of these keys stands here, in their order; −1: it does not.

        Args:
            keys: ``NO_KEY`` for none, and for an id that has none.
            odd: such ids by their place among the keys.
        """
        found = array("i", [-1]) * (len(keys) // WIDTH)
        asked: list[list[int]] = [[] for _ in range(_PARTS)]
        for place in range(len(found)):
            asked[keys[WIDTH * place]].append(place)
        begin = 0
        for part, places in zip(self._parts(), asked, strict=True):
            numbers = {key: begin + number for number, key in enumerate(part)}
            begin += len(numbers)
            for place in places:
                number = numbers.get(bytes(keys[WIDTH * place : WIDTH * (place + 1)]), -1)
                found[place] = number + self._before(number) if self._odd and number >= 0 else number
        for place, name in odd.items():
            if (at := self.place_of(name)) is not None:
                found[place] = at
        return found

    def _before(self, number: int) -> int:
        """Return how many odd ones come before a UUID."""
        return bisect_left(self._odd, id_of(self._keys[WIDTH * number : WIDTH * (number + 1)]))

    def _keep(self, parts: Iterable[Iterable[bytes]], odd: Iterable[str]) -> None:
        self._keys = b"".join(b"".join(part) for part in parts)
        self._odd = tuple(sorted(odd))
        # Where the odd ones stand among all: there are none, or few.
        between = (self._place(one) + number for number, one in enumerate(self._odd))
        self._places = array("q", between)

    def __len__(self) -> int:
        return len(self._keys) // WIDTH + len(self._odd)

    def __iter__(self) -> Iterator[str]:
        if self._odd:
            return (self[place] for place in range(len(self)))
        return map(id_of, _cut(self._keys))

    def __contains__(self, asset_id: object) -> bool:
        return isinstance(asset_id, str) and self.place_of(asset_id) is not None

    def _at(self, place: int) -> str:
        before = bisect_left(self._places, place)
        if before < len(self._places) and self._places[before] == place:
            return self._odd[before]
        at = WIDTH * (place - before)
        return id_of(self._keys[at : at + WIDTH])

    def place_of(self, asset_id: str) -> int | None:
        """Return where an id stands; ``None``: it is not here."""
        if (key := key_of(asset_id)) is NO_KEY:
            number = bisect_left(self._odd, asset_id)
            there = number < len(self._odd) and self._odd[number] == asset_id
            return self._places[number] if there else None
        place = self._lowest(key)
        if self._keys[WIDTH * place : WIDTH * (place + 1)] != key:
            return None
        return place + bisect_left(self._odd, asset_id) if self._odd else place

    def _lowest(self, key: bytes) -> int:
        keys = self._keys
        return bisect_left(
            range(len(keys) // WIDTH), key, key=lambda place: keys[WIDTH * place : WIDTH * (place + 1)]
        )

    def _place(self, odd: str) -> int:
        """Return how many UUIDs come before a text that is none."""
        keys = self._keys
        return bisect_left(
            range(len(keys) // WIDTH), odd, key=lambda place: id_of(keys[WIDTH * place : WIDTH * (place + 1)])
        )

    # Of two sets of this kind: part by part, so that never all are texts at once

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AssetIds):
            return self._keys == other._keys and self._odd == other._odd
        return (
            isinstance(other, AbstractSet) and len(self) == len(other) and all(one in self for one in other)
        )

    __hash__ = None  # type: ignore[assignment]  # as of any container

    def __and__(self, other: AbstractSet[Any]) -> AbstractSet[str]:
        """Return those of both."""
        if isinstance(other, AssetIds):
            return self if self == other else self._joined(other, set.__and__)
        return frozenset(one for one in other if one in self)

    __rand__ = __and__

    def __or__(self, other: AbstractSet[Any]) -> AssetIds:
        """Return those of either."""
        if isinstance(other, AssetIds):
            return self if self == other else self._joined(other, set.__or__)
        new = {one for one in other if one not in self}
        return self._spliced(new, b"".join) if new else self

    __ror__ = __or__

    def __sub__(self, other: AbstractSet[Any]) -> AssetIds:
        """Return those that the other has not."""
        if isinstance(other, AssetIds):
            return AssetIds() if self == other else self._joined(other, set.__sub__)
        gone = {one for one in other if one in self}
        return self._spliced(gone, lambda _: b"") if gone else self

    def __rsub__(self, other: AbstractSet[Any]) -> AbstractSet[str]:
        """Return those of the other that are not here."""
        return frozenset(one for one in other if one not in self)

    def difference(self, other: AbstractSet[Any]) -> AssetIds:
        """Return those that the other has not."""
        return self - other

    def isdisjoint(self, other: Iterable[Any]) -> bool:
        """Return whether none of these is here."""
        return not any(one in self for one in other)

    def _spliced(self, few: set[str], put: Callable[[tuple[bytes]], bytes]) -> AssetIds:
        """Return it with a few ids more, or less: all others are copied in one go."""
        pieces, last, whole = list[bytes | memoryview](), 0, memoryview(self._keys)
        keys = {one: key_of(one) for one in few}
        for key in sorted(key for key in keys.values() if key is not NO_KEY):
            at = WIDTH * self._lowest(key)
            pieces += [whole[last:at], put((key,))]
            last = at + WIDTH * (whole[at : at + WIDTH] == key)
        found = AssetIds()
        odd = {one for one, key in keys.items() if key is NO_KEY}
        found._keep(((b"".join([*pieces, whole[last:]]),),), odd.symmetric_difference(self._odd))
        return found

    def _joined(self, other: AssetIds, join: Callable[[set[Any], set[Any]], set[Any]]) -> AssetIds:
        found = AssetIds()
        pairs = zip(self._parts(), other._parts(), strict=True)
        found._keep(
            (sorted(join(set(mine), set(theirs))) for mine, theirs in pairs),
            join(set(self._odd), set(other._odd)),
        )
        return found

    def _parts(self) -> Iterator[Iterator[bytes]]:
        begin = 0
        for first in range(_PARTS):
            ends = first == _PARTS - 1
            end = len(self._keys) if ends else WIDTH * self._lowest(bytes([first + 1]) + NO_KEY[1:])
            yield _cut(self._keys[begin:end])
            begin = end


class AssetIndex(Collection[str]):
    """Asset ids in the order in which they came, each once, and where each stands.

    Args:
        ids: to begin with; ``None`` has a place, and is never found.
    """

    __slots__ = ("_buckets", "_gone", "_keys", "_names", "_odd")

    def __init__(self, ids: Iterable[str | None] = ()) -> None:
        self._keys = bytearray()
        """Of all places."""
        self._buckets: dict[int, array[int]] = {}
        """Places by the last bits of their keys, in order of these: the first may be alike in all."""
        self._odd: dict[str, int] = {}
        self._names: dict[int, str] = {}
        """Of the odd ones."""
        self._gone = 0
        for asset_id in ids:
            if asset_id is None:
                self._keys += NO_KEY
                self._gone += 1
            else:
                self.add(asset_id)

    def add(self, asset_id: str) -> int:
        """Add one at the end, unless it is there; gives its place."""
        place = len(self._keys) // WIDTH
        if (key := key_of(asset_id)) is NO_KEY:
            if (known := self._odd.setdefault(asset_id, place)) != place:
                return known
            self._names[place] = asset_id
        else:
            bucket, at = self._find(key)
            if at < len(bucket) and self._key(bucket[at]) == key:
                return bucket[at]
            bucket.insert(at, place)
        self._keys += key
        return place

    def place_of(self, asset_id: str) -> int | None:
        """Return where one stands; ``None``: it is not here."""
        if (key := key_of(asset_id)) is NO_KEY:
            return self._odd.get(asset_id)
        bucket, at = self._find(key)
        return bucket[at] if at < len(bucket) and self._key(bucket[at]) == key else None

    def drop(self, asset_id: str) -> None:
        """Take one out; all others keep their places.

        Raises:
            KeyError: it is not here.
        """
        if (place := self.place_of(asset_id)) is None:
            raise KeyError(asset_id)
        if (key := key_of(asset_id)) is NO_KEY:
            del self._odd[asset_id], self._names[place]
        else:
            bucket, at = self._find(key)
            del bucket[at]
        self._keys[WIDTH * place : WIDTH * (place + 1)] = NO_KEY
        self._gone += 1

    @property
    def places(self) -> int:
        """How many places there are, with those that were left."""
        return len(self._keys) // WIDTH

    def at(self, place: int) -> str | None:
        """Return the id at a place; ``None``: none."""
        key = self._key(place)
        return self._names.get(place) if key == NO_KEY else id_of(key)

    def spread(self, most: int) -> list[str]:
        """Return some, spread over all."""
        stride = max(1, self.places // most)
        found: list[str] = []
        for start in range(0, self.places, stride):
            there = (self.at(place) for place in range(start, min(start + stride, self.places)))
            found += islice((one for one in there if one is not None), 1)
        return found[:most]

    def stretches(self, size: int) -> Iterator[list[str]]:
        """Go through all, so many places at a time: where all of these were left, nothing."""
        for start in range(0, self.places, size):
            places = range(start, min(start + size, self.places))
            yield [one for place in places if (one := self.at(place)) is not None]

    def every(self) -> Iterator[str | None]:
        """Go through all places; what is added meanwhile comes as well."""
        place = 0
        while place < self.places:
            yield self.at(place)
            place += 1

    def __len__(self) -> int:
        return self.places - self._gone

    def __iter__(self) -> Iterator[str]:
        return (one for one in self.every() if one is not None)

    def __contains__(self, asset_id: object) -> bool:
        return isinstance(asset_id, str) and self.place_of(asset_id) is not None

    def _find(self, key: bytes) -> tuple[array[int], int]:
        number = int.from_bytes(key[-2:]) % _BUCKETS
        if (bucket := self._buckets.get(number)) is None:
            bucket = self._buckets[number] = array("I")
        return bucket, bisect_left(bucket, key, key=self._key)

    def _key(self, place: int) -> bytes:
        return bytes(self._keys[WIDTH * place : WIDTH * (place + 1)])


def smallest(ids: Iterable[str], most: int, without: Collection[str] = ()) -> list[str]:
    """Return the first ids in their order, but for some; of ``AssetIds`` no others are looked at."""
    found: list[str] = []
    for one in ids if isinstance(ids, AssetIds) else sorted(ids):
        if len(found) == most:
            break
        if one not in without:
            found.append(one)
    return found


def _cut(keys: bytes | bytearray) -> Iterator[bytes]:
    whole = bytes(keys)
    return (whole[start : start + WIDTH] for start in range(0, len(whole), WIDTH))
