"""What people do in Immich. Each returns ``False`` where it cannot be done."""

from __future__ import annotations

from reconciler.core.desired.block import Markers, split
from reconciler.core.desired.solver_sentence import SENTENCE
from reconciler.simulator.server.model import Asset

MARKERS = Markers()
ODD = (
    "{}",
    "{} &amp; <b>",
    "  {}  ",
    "{}\r\nsecond line",
    "✦ {}",
    "— {}",
    "{} 12 🌌 Œ",
    "1.50 {}",
    "- {}: 3",
)


def _own(play, which):
    """Give an asset that people can work on: it is there, and their own last edit of it is through."""
    asset = play.asset(which)
    if asset is None or asset.deleted or asset.jobs > asset.client_jobs or asset.visibility == "locked":
        return None
    return None if asset.read_only and play.here.settings.on("read_only") else asset


def texts(make):
    """Make a deed that changes a description: ``make(text, line, spot, play)`` gives the new one."""

    def deed(play, which, spot):
        asset = _own(play, which)
        if asset is None:
            return False
        before = asset.exif.description or ""
        line = ODD[spot % len(ODD)].format(play.word())
        after = make(before, line, spot, play)
        if after is None or after == before:
            return False
        play.here.person(asset.asset_id, "set_description", after)
        play.oracle.wrote(asset.asset_id, before, after)
        return True

    return deed


def _lines(text, at, line):
    lines = text.split("\n")
    lines.insert(at % (len(lines) + 1), line)
    return "\n".join(lines)


def _below(text, line, *_):
    return f"{text}\n\n{line}"


def _above(text, line, *_):
    return f"{line}\n\n{text}"


def _anywhere(text, line, spot, _):
    return _lines(text, spot, line)


def _instead(_, line, *__):
    return line


def _inside(text, line, spot, _):
    parts = split(text, MARKERS)
    if parts.block is None or parts.block.count("\n") < 2:
        return None
    lines = parts.block.split("\n")
    lines.insert(1 + spot % (len(lines) - 1), line)
    return parts.before + "\n".join(lines) + parts.after


def _grown(text, line, spot, _):
    lines = text.split("\n")
    lines[spot % len(lines)] += f" {line.strip()}"
    return "\n".join(lines)


def _broken(text, line, spot, _):
    """Take out one line of the block, often a marker, and write one's own somewhere."""
    lines = text.split("\n")
    marks = [n for n, one in enumerate(lines) if MARKERS.opens(one) or MARKERS.closes(one)]
    if not marks:
        return None
    if not _has_word(lines[marks[spot % len(marks)]]):
        del lines[marks[spot % len(marks)]]
    return _lines("\n".join(lines), spot, line)


def _has_word(line):
    from tests.model.oracle import tokens

    return bool(tokens(line))


def _copied(text, line, spot, play):
    """Copy another image's block below."""
    other = play.asset(spot)
    block = split(other.exif.description or "", MARKERS).block if other else None
    if block is None or _has_word(block):
        return None
    return f"{text}\n\n{line}\n{block}"


def _split_marks(text, line, spot, _):
    return _lines(_lines(text, spot, MARKERS.opening + line), spot + 3, MARKERS.closing)


def _cleared(*_):
    return ""


def _pasted(text, line, *_):
    """Put another block of facts, of a lost time, in between one's own words."""
    return f"{line}\n✦ M 99\nTelescope: lost\n— Skymmich\n{text}"


def _tag(name):
    def deed(play, which, spot):
        asset = _own(play, which)
        return False if asset is None else _put_on(play, asset, name.format(play.number()))

    return deed


def _put_on(play, asset, tag):
    known = play.here.state.tags.find(asset.owner_id, tag)
    record = play.here.store.record(asset.asset_id)
    if (known is not None and known.tag_id in asset.tags) or (record and tag in record.applied.tags):
        return False
    play.here.person(asset.asset_id, "add_tag", tag)
    play.oracle.tagged(asset.asset_id, tag)
    return True


def _tag_of_ours(play, which, spot):
    """Put a tag on by hand that the program has put on another image, or on this one once."""
    asset = _own(play, which)
    ours = sorted({tag for _, tag in play.oracle.ours})
    if asset is None or not ours:
        return False
    return _put_on(play, asset, ours[spot % len(ours)])


def _take_off(play, which, spot):
    asset = _own(play, which)
    tags = play.here.state.tags.values(asset) if asset else ()
    if not tags:
        return False
    tag = tags[spot % len(tags)]
    play.here.person(asset.asset_id, "remove_tag", tag)
    play.oracle.untagged(asset.asset_id, tag)
    return True


def _delete_tag(play, which, spot):
    tags = sorted(tag.value for tag in play.here.state.tags.by_id.values())
    if not tags or any(asset.jobs for asset in play.here.state.assets.values()):
        return False
    tag = tags[spot % len(tags)]
    play.here.person(next(iter(play.here.state.assets)), "delete_tag", tag)
    play.oracle.tag_deleted(tag)
    return True


def _pin(play, which, spot):
    asset = _own(play, which)
    if asset is None:
        return False
    place = (round(20 + play.number() / 1000, 6), round(30 + spot / 100, 6))
    play.here.person(asset.asset_id, "set_coordinates", list(place))
    play.oracle.pinned(asset.asset_id, place)
    return True


def _moves(action, value=None):
    def deed(play, which, spot):
        asset = _own(play, which)
        if asset is None or (action == "trash" and asset.trashed == (value is not False)):
            return False  # Immich restores only what is in the trash, and no date moves
        play.here.person(asset.asset_id, action, value)
        play.moved_by_hand(asset)
        return True

    return deed


def _lock(play, which, spot):
    asset = play.asset(which)
    if asset is None or asset.jobs:
        return False
    asset.visibility = "timeline" if asset.visibility == "locked" else "locked"
    play.here.state.touch(asset)
    return True


def _delete(play, which, spot):
    asset = _own(play, which)
    if asset is None or len(play.here.state.assets) < 3:
        return False
    play.here.person(asset.asset_id, "delete")
    play.oracle.forget(asset.asset_id)
    return True


def _replace(play, which, spot):
    """Upload a better version: another asset, which Skymmich links from then on."""
    asset = _own(play, which)
    if asset is None or not play.here.sql(
        "SELECT 1 FROM astrophotography_images WHERE immich_id = ?", asset.asset_id
    ):
        return False
    state, number = play.here.state, play.number()
    new = Asset(
        asset_id=f"{number:08x}-0000-4000-8000-{number:012x}", owner_id=asset.owner_id,
        filename=f"better-{asset.filename}", created=asset.created, added=state.milliseconds,
        updated=state.milliseconds, checksum=f"new{number}", path=asset.path,
    )  # fmt: skip
    state.add(new)
    state.extract_new(new)
    play.here.sql(
        "UPDATE astrophotography_images SET immich_id = ? WHERE immich_id = ?", new.asset_id, asset.asset_id
    )
    play.assets[which % len(play.assets)] = new.asset_id
    if spot % 2:
        play.here.person(asset.asset_id, "delete")
        play.oracle.forget(asset.asset_id)
    return True


def _solved(play, which, spot):
    """Let Skymmich's worker write the sidecar anew, which takes all that was in it."""
    asset = _own(play, which)
    if asset is None or asset.jobs:
        return False
    play.oracle.check(asset.asset_id)
    play.here.person(asset.asset_id, "overwrite_sidecar", SENTENCE)
    play.oracle.displaced(asset.asset_id)
    return True


PEOPLE = {
    "words below": texts(_below),
    "words above": texts(_above),
    "words anywhere": texts(_anywhere),
    "words in the block": texts(_inside),
    "a line grown": texts(_grown),
    "all replaced": texts(_instead),
    "all cleared": texts(_cleared),
    "a marker broken": texts(_broken),
    "marker lines": texts(_split_marks),
    "a block copied": texts(_copied),
    "a block pasted": texts(_pasted),
    "a tag": _tag("Mine/t{}"),
    "a tag under our root": _tag("Astro/t{}"),
    "a tag of ours": _tag_of_ours,
    "a tag taken off": _take_off,
    "a tag deleted": _delete_tag,
    "a pin": _pin,
    "trash": _moves("trash"),
    "restore": _moves("trash", value=False),
    "archive": _moves("archive"),
    "timeline": _moves("archive", value=False),
    "locked": _lock,
    "deleted": _delete,
    "replaced": _replace,
    "sidecar written by the solver": _solved,
}
