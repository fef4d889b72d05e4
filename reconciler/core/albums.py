"""Albums as values: what Immich shows of them, which are ours, and which are a person's.

An album of ours is known by its id, which the store keeps by the name it was made with. Where the store was
lost, it is known by that name together with the last line of its description. A person may rename it, share
it, describe it or fill it: it goes on being used by its id, and from then on it is theirs, and not deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK: Final = "— Skymmich albums"
"""The last line of the description of an album that was made here."""
DESCRIPTION: Final = f"Filled from the Skymmich catalogue. What you put in, or take out, stays so.\n{MARK}"


@dataclass(frozen=True, slots=True)
class SeenAlbum:
    """One album as a listing shows it."""

    album_id: str
    name: str
    description: str
    count: int
    """Its assets, without those in the trash."""
    stamp: str
    """Differs once something was put in, or the album itself was changed."""
    is_own: bool = True
    is_shared: bool = False
    """With people, or by a link."""
    cover: str = ""
    """The asset on its cover; empty for none."""

    @property
    def state(self) -> tuple[str, int]:
        """Differs once other assets are in it: what goes changes the count, what comes the stamp."""
        return (self.stamp, self.count)

    @property
    def is_marked(self) -> bool:
        """Whether its description says that it was made here."""
        return bool(self.description) and self.description.rstrip().split("\n")[-1].strip() == MARK

    def is_untouched(self, name: str) -> bool:
        """Return whether it is as it was made, under this name, by nobody's doing otherwise since."""
        described = self.description.strip() == DESCRIPTION
        return self.is_own and self.name == name and described and not self.is_shared


@dataclass(frozen=True, slots=True)
class OwnAlbum:
    """An album that images are put into, as the store remembers it under its name."""

    album_id: str
    made: bool = True
    """Whether it was made here; else it is a person's that is used."""
    cover: str = ""
    """The cover that was last set from here."""


@dataclass(frozen=True, slots=True)
class Albums:
    """What a pass knows of the albums. All by the name with which they were made."""

    own: Mapping[str, OwnAlbum] = field(default_factory=dict)
    """Those that are there, or are known to have been."""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The assets in each of those that are there."""
    partial: frozenset[str] = frozenset()
    """Those of which not all assets were told: one that is missing says nothing."""
    intended: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Whom an earlier run was about to put in, and did not come to note."""
    seen: Mapping[str, SeenAlbum] = field(default_factory=dict)
    """Those that are there, as the listing showed them."""

    def of(self, asset_id: str, names: Iterable[str], owned: frozenset[str]) -> frozenset[str]:
        """Return in which of these albums an asset is; what is not known is as it was left."""
        return frozenset(
            name
            for name in names
            if asset_id in self.members.get(name, ()) or (name in owned and name in self.partial)
        )


def recognised(
    seen: Iterable[SeenAlbum], known: Mapping[str, OwnAlbum], *, prefix: str, use_existing: bool, again: bool
) -> tuple[dict[str, OwnAlbum], dict[str, str], dict[str, SeenAlbum]]:
    """Tell which albums are used, and which names are taken.

    Args:
        seen: all albums that the listing shows.
        known: what the store has, by name.
        prefix: of the names of ours.
        use_existing: whether a person's album of such a name is used.
        again: whether one that a person deleted is made anew.

    Returns:
        the albums by name; the names that are not used → why (``album_is_persons``, ``album_deleted``); and
        what the listing shows of those that are used.
    """
    listed = list(seen)
    by_id = {one.album_id: one for one in listed}
    own, unusable, shown = dict(known), dict[str, str](), dict[str, SeenAlbum]()
    for name, one in known.items():
        if (there := by_id.get(one.album_id)) is not None:
            shown[name] = there
        elif again:
            del own[name]
        else:
            unusable[name] = "album_deleted"
    used = {one.album_id for one in shown.values()}
    candidates = sorted(listed, key=lambda one: (not one.is_marked, one.album_id))
    for album in candidates:
        if album.album_id in used or album.name in shown or not album.name.startswith(prefix):
            continue
        if album.is_own and (album.is_marked or use_existing):
            own[album.name] = OwnAlbum(album.album_id, made=album.is_marked)
            shown[album.name] = album
            unusable.pop(album.name, None)
        else:
            unusable[album.name] = "album_is_persons"
    return own, unusable, shown


def changed_members(albums: Albums, name: str, come: frozenset[str], gone: frozenset[str]) -> Albums:
    """Return them as they are once these assets were put into an album, and those taken out."""
    return with_members(albums, name, (albums.members.get(name, frozenset()) | come) - gone)


def with_members(albums: Albums, name: str, members: frozenset[str]) -> Albums:
    """Return them with these assets in one of them."""
    return replace(albums, members={**albums.members, name: members})
