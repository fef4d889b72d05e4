"""What each reason's code says in English, with its parameters by name; its fields come before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from reconciler.errors import Again
from reconciler.messages import guard
from reconciler.messages.details import DETAILS
from reconciler.messages.formats import field, written
from reconciler.messages.guard import GUARD
from reconciler.messages.row_problems import ROW_PROBLEMS
from reconciler.messages.runs import RUNS
from reconciler.messages.translation import Message, joined, say
from reconciler.messages.voice import advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.reasons import Code, Reason
    from reconciler.messages.translation import Voice

REASONS: Final[Mapping[Code, Message]] = {
    # A field's decision
    "fill": Message("Immich has none"),
    "conflict": Message("Immich holds a value that is not ours"),
    "update": Message("the catalogue changed"),
    "drift": Message("it was changed in Immich, the catalogue did not change"),
    "both_changed": Message("it was changed in Immich and in the catalogue"),
    "withdraw": Message("the catalogue no longer has it"),
    "not_ours": Message("the catalogue has none; what Immich has is not ours"),
    "fill_tags": Message("Immich does not have them"),
    "unreadable": Message("what the catalogue has of it cannot be read; what Immich has stays as it is"),
    "permission": Message("the API key lacks {lacking}, so Immich keeps what it has"),
    "prose_too_long": Message(
        "the catalogue's description is longer than {limit} bytes, which Immich may corrupt"
    ),
    "text_too_long": Message("the text is longer than {limit} bytes, which Immich may corrupt"),
    "cannot_clear": Message(
        "the catalogue no longer has a place, but Immich cannot clear one; clear it by hand in Immich"
    ),
    "decided_immich": Message("decided on {day}: it stays until either side changes"),
    "decided_skymmich": Message("decided on {day}: Skymmich's is taken"),
    "decided_both": Message("decided on {day}: both are kept"),
    "contested": Message(
        "somebody else writes here, last on {when} UTC: it was put right {times} time and changed again, so "
        "it is left as it is; Immich does not tell who it was (a person, another program, or a second "
        "instance of this one)",
        "somebody else writes here, last on {when} UTC: it was put right {times} times and changed again, so "
        "it is left as it is; Immich does not tell who it was (a person, another program, or a second "
        "instance of this one)",
        count="times",
    ),
    "correction_waits": Message(
        "somebody else writes here, last on {when} UTC: it was put right {times} time and changed again; it "
        "is not put right once more before {until} UTC",
        "somebody else writes here, last on {when} UTC: it was put right {times} times and changed again; it "
        "is not put right once more before {until} UTC",
        count="times",
    ),
    # Of a whole image
    "trashed": Message("the asset is in Immich's trash"),
    "foreign": Message("the asset belongs to another Immich user; use a key of its owner"),
    "locked": Message("the asset is in Immich's locked folder"),
    "shortened": Message("the description is near Immich's limit; the block of facts was shortened"),
    "near_zero_line": Message("this place is near a zero line, where Immich may turn a sign; tried once"),
    "stale_plan": Message("it changed since the plan was made"),
    "guard": Message("the guard holds back what this change would take away"),
    # Of what the catalogue has
    "only_latitude": Message("the catalogue has only a latitude; Immich takes both or none"),
    "only_longitude": Message("the catalogue has only a longitude; Immich takes both or none"),
    "place_no_number": Message("the coordinates are not numbers"),
    "place_out_of_range": Message("the coordinates {latitude}, {longitude} are out of range"),
    "place_zero": Message("the coordinates are 0, 0, which Immich reads as no place"),
    "scale_differs": Message(
        "the solved field gives {solved}, telescope and camera give {optics}: a focal length, a pixel size "
        "or a reducer is wrong or missing in Skymmich, or the picture was made smaller"
    ),
    "tags_cut": Message(
        "it has more than {most} tags: {count} was left out, and none is taken off in Immich",
        "it has more than {most} tags: {count} were left out, and none is taken off in Immich",
    ),
    "tag_too_long": Message("the tag “{tag}…” is longer than {most} characters and was left out"),
    "tag_not_kept": Message("Immich cannot keep the tag “{tag}”; it was left out"),
    "tags_left_out": Message(
        "{count} more tag was left out likewise", "{count} more tags were left out likewise"
    ),
    "tags_omitted": Message(
        "{count} tag was left out, as the plate solver's or as [tags] drop says: {tags}",
        "{count} tags were left out, as the plate solver's or as [tags] drop says: {tags}",
    ),
    "tags_bounded": Message(
        "{count} tag was left out: an image gets at most {most} ([tags] max_per_image)",
        "{count} tags were left out: an image gets at most {most} ([tags] max_per_image)",
    ),
    # What cannot be taken back
    "newer": Message("Immich shows something newer than what was written; it is left as it is"),
    "no_place_before": Message(
        "there was no place before, and Immich cannot clear one; clear it by hand in Immich"
    ),
    "former_too_long": Message("the former text is longer than Immich keeps safely; it is in the history"),
    "tag_in_use": Message("an asset still carries it"),
    "tag_perhaps_in_use": Message(
        "{count} images that were there are not shown now, such as {asset}: one in the locked folder may "
        "carry it"
    ),
    "tag_has_others": Message("there are tags below it that are not this program's"),
    "tag_came_back": Message("Immich made it again; delete it once its queue is empty"),
    "former_unknown": Message("what was there before is no longer on record; it is left as it is"),
    "unfinished": Message("it was not finished; look at it again with explain"),
    "not_put_back": Message("Immich did not keep what was written back"),
    # Of a write, and of what was kept of it
    "kept_changing": Message(
        "it kept changing while it was written: another program, or a person, writes it, too; the next pass "
        "goes on",
        by_hand="it kept changing while it was written: another program, or a person, writes it, too; run "
        "apply again",
    ),
    "unconfirmed": Message(
        "waiting for Immich: it took the write and shows it, but its queue has not come to it, so that it "
        "may still be put back; it is looked at again once Immich goes on",
        by_hand="waiting for Immich: it took the write and shows it, but its queue has not come to it, so "
        "that it may still be put back; run apply again once Immich goes on",
    ),
    "read_only": Message(
        "Immich took the write and put the old value back: it cannot write beside the file. Make the "
        "library's folder writable for Immich; it is tried again when something about the image changes.",
        by_hand="Immich took the write and put the old value back: it cannot write beside the file. Make the "
        "library's folder writable for Immich; apply tries it again when something about the image changes.",
    ),
    "sign_turned": Message(
        "Immich turns the sign of this place, which is near the equator, Greenwich or the antimeridian; it "
        "cannot be written through Immich's API. Enter it by hand in the file, or leave it."
    ),
    "another_program": Message(
        "Immich took the write, and another's value came back, where ours had been kept before: another "
        "program writes here, too. Let one of the two leave this field alone; it is tried again when "
        "something about the image changes.",
        by_hand="Immich took the write, and another's value came back, where ours had been kept before: "
        "another program writes here, too. Let one of the two leave this field alone; apply tries it again "
        "when something about the image changes.",
    ),
    "kept_otherwise": Message(
        "Immich kept something else than what was written; it is tried again when something changes.",
        by_hand="Immich kept something else than what was written; apply tries it again when something "
        "changes.",
    ),
    "crossed": Message(
        "somebody changed it in Immich at the very moment it was written: look whether what they entered is "
        "there"
    ),
    "undone": Message(
        "undone by a person; left alone until the catalogue's value or Immich's changes, or a person has it "
        "written again"
    ),
    "taken_back": Message(
        "taken back on {day}; left alone until the catalogue's value or Immich's changes, or a person has it "
        "written again"
    ),
    "all_taken_back": Message("taken back on {day} with everything; left alone until it is written again"),
    "undo_broken_off": Message(
        "an undo was begun on {day} and broken off; left alone until that is gone on with, or it is written "
        "again"
    ),
    # Where an image stands at the end of a pass
    "digesting": Message(
        "Immich has not digested the write yet; the next pass looks again",
        by_hand="Immich has not digested the write yet; run apply again to look",
    ),
    "not_reached": Message(
        "the pass ended before it; the next one goes on", by_hand="the pass ended before it; run apply again"
    ),
    "immich_stays": Message("Immich's value is kept"),
    "left_to_person": Message("changed in Immich, left to the person"),
    "left_catalogue": Message("it left the catalogue"),
    "no_answer": Message(
        "Immich did not answer; the next pass looks again",
        by_hand="Immich did not answer; run apply again to look",
    ),
    "not_shown": Message(
        "Immich does not show asset {asset} to this key: it is deleted, in the locked folder, or another "
        "user's."
    ),
    "not_extracted": Message(
        "Immich has not read the file's metadata yet; the next pass looks again.",
        by_hand="Immich has not read the file's metadata yet; run apply again to look.",
    ),
    "unusable": Message("{table} {row}: {text}"),
    "told": Message("{text}"),
    "error": Message("{text}"),
    **ROW_PROBLEMS,
    **RUNS,
    **GUARD,
    **DETAILS,
}


def words(reason: Reason, voice: Voice = "daemon") -> str:
    """Return one reason as a sentence without its full stop: ``facts and words: Immich has none``.

    An error comes with what to do about it, where the reason has that.
    """
    text = say(REASONS[reason.code].said_by(voice), **written(dict(reason.params)))
    if reason.code == "error":
        again = next((one for one in get_args(Again) if one == reason.get("again")), None)
        text = " ".join(filter(None, (text, advice(str(reason.get("remedy") or ""), again, voice))))
    return f"{fields((reason,))}: {text}" if reason.fields else text


def fields(reasons: Iterable[Reason]) -> str:
    """Return the fields that reasons speak of as a list in a sentence; empty for none."""
    return joined(list(dict.fromkeys(field(name) for one in reasons for name in one.fields)))


def sentence(reasons: Iterable[Reason], voice: Voice = "daemon") -> str:
    """Return several reasons as one text; empty for none."""
    *others, last = dict.fromkeys(words(one, voice) for one in reasons) or [""]
    return "; ".join([*(one.rstrip(".") for one in others), last])


def joined_reasons(reasons: Sequence[Reason], voice: Voice) -> str:
    """Return reasons that are sentences, one after the other."""
    if reasons and reasons[0].code == "guard_holds":
        return guard.message(reasons)
    return " ".join(words(one, voice) for one in reasons)
