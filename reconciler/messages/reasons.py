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
    "conflict": Message("Immich has a value that was not written from here"),
    "update": Message("the catalogue changed"),
    "drift": Message("it was changed in Immich, but not in the catalogue"),
    "both_changed": Message("it was changed in Immich and in the catalogue"),
    "withdraw": Message("the catalogue no longer has it"),
    "not_ours": Message("the catalogue has none; what Immich has was not written from here"),
    "fill_tags": Message("Immich does not have them"),
    "fill_albums": Message("it is in none of them yet"),
    "album_is_persons": Message(
        "an album “{album}” is there that was not made from here, so it is left as it is; give it another "
        "name, choose another prefix, or set use_existing in the configuration"
    ),
    "album_deleted": Message("the album “{album}” was deleted in Immich, so it is not made again"),
    "unreadable": Message("the catalogue's value cannot be read; Immich's stays as it is"),
    "permission": Message("the API key lacks {lacking}, so Immich keeps what it has"),
    "prose_too_long": Message(
        "the catalogue's description is longer than {limit} bytes, which Immich may corrupt"
    ),
    "text_too_long": Message("the text is longer than {limit} bytes, which Immich may corrupt"),
    "cannot_clear": Message(
        "the catalogue no longer has a place, but Immich cannot clear one; clear it by hand in Immich"
    ),
    "decided_immich": Message("decided on {day}: Immich's is kept until either side changes"),
    "decided_skymmich": Message("decided on {day}: Skymmich's is taken"),
    "decided_both": Message("decided on {day}: both are kept"),
    "contested": Message(
        "somebody else writes here, last on {when} UTC: it was corrected {times} time "
        "and changed again, so it is left as it is; Immich does not say who it was (a "
        "person, another program, or a second instance of this one)",
        "somebody else writes here, last on {when} UTC: it was corrected {times} times "
        "and changed again, so it is left as it is; Immich does not say who it was (a "
        "person, another program, or a second instance of this one)",
        count="times",
    ),
    "correction_waits": Message(
        "somebody else writes here, last on {when} UTC: it was corrected {times} time "
        "and changed again; it is not corrected again before {until} UTC",
        "somebody else writes here, last on {when} UTC: it was corrected {times} times "
        "and changed again; it is not corrected again before {until} UTC",
        count="times",
    ),
    # Of a whole image
    "trashed": Message("the asset is in Immich's trash"),
    "foreign": Message("the asset belongs to another Immich user; use a key of its owner"),
    "locked": Message("the asset is in Immich's locked folder"),
    "shortened": Message("the description is near Immich's limit, so the block was shortened"),
    "near_zero_line": Message(
        "this place is near the equator, Greenwich or the antimeridian, where Immich may "
        "flip a sign; it is tried once"
    ),
    "stale_plan": Message("it changed since the plan was made"),
    "guard": Message("the guard holds back what this change would take away"),
    # Of what the catalogue has
    "only_latitude": Message("the catalogue has only a latitude; Immich takes both or none"),
    "only_longitude": Message("the catalogue has only a longitude; Immich takes both or none"),
    "place_no_number": Message("latitude and longitude are not numbers"),
    "place_out_of_range": Message("latitude {latitude} or longitude {longitude} is out of range"),
    "place_zero": Message("latitude and longitude are 0, which Immich reads as no place"),
    "date_out_of_range": Message("the date {day} is too far away to be meant"),
    "date_without_zone": Message(
        "its night is known, but not in which time zone: it has no place; set [dates] time_zone"
    ),
    "date_not_told": Message("Immich does not tell its date, so it is left as it is"),
    "date_of_file": Message("Immich has the file's own date, which nobody entered"),
    "coarser": Message("the catalogue's exact place gives way to the coarser one that is configured"),
    "place_moves_day": Message(
        "with this place Immich shows the image on {after} instead of {before}: the same moment in the "
        "place's own time; with keep_day in the configuration the day stays"
    ),
    "place_keeps_day": Message(
        "its date is sent with the place, so that Immich goes on showing the same local time, on {day}"
    ),
    "scale_differs": Message(
        "the plate solution gives {solved}, but telescope and camera give {optics}: a "
        "focal length, a pixel size or a reducer is wrong or missing in Skymmich, or the "
        "picture was scaled down"
    ),
    "tags_cut": Message(
        "it has more than {most} tags: {count} was left out, and none is removed in Immich",
        "it has more than {most} tags: {count} were left out, and none is removed in Immich",
    ),
    "tag_too_long": Message("the tag “{tag}…” is longer than {most} characters and was left out"),
    "tag_not_kept": Message("Immich cannot keep the tag “{tag}”; it was left out"),
    "tags_left_out": Message(
        "{count} more tag was left out for the same reason",
        "{count} more tags were left out for the same reason",
    ),
    "tags_omitted": Message(
        "{count} tag was left out, because it is the plate solver's or [tags] drop names it: {tags}",
        "{count} tags were left out, because they are the plate solver's or [tags] drop names them: {tags}",
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
    "date_stays": Message("Immich cannot clear a date; change it by hand in Immich"),
    "former_too_long": Message("the earlier text is longer than Immich keeps safely; the history has it"),
    "tag_in_use": Message("an asset still has it"),
    "tag_perhaps_in_use": Message(
        "{count} image that was there is not shown now ({asset}), and may have it in the locked folder",
        "{count} images that were there are not shown now, such as {asset}: one in the locked folder may "
        "have it",
    ),
    "tag_has_others": Message("there are tags below it that were not made from here"),
    "tag_came_back": Message("Immich made it again; delete it once Immich's queue is empty"),
    "tag_unrecorded": Message(
        "{count} tag that nothing carries; who made it is not on record here",
        "{count} tags that nothing carries; who made them is not on record here",
    ),
    "former_unknown": Message("what was there before is no longer on record; it is left as it is"),
    "unfinished": Message("it was not finished; explain shows how it stands"),
    "not_put_back": Message("Immich did not keep what was written back"),
    # Of a write, and of what was kept of it
    "kept_changing": Message(
        "it kept changing while it was being written: a person or another program writes "
        "it, too; the next run goes on",
        by_hand="it kept changing while it was being written: a person or another program writes "
        "it, too; run apply again",
    ),
    "unconfirmed": Message(
        "waiting for Immich: it shows what was written, but its queue has not processed "
        "it yet, so the old value may still come back; it is looked at again once Immich "
        "goes on",
        by_hand="waiting for Immich: it shows what was written, but its queue has not processed "
        "it yet, so the old value may still come back; run apply again once Immich goes "
        "on",
    ),
    "read_only": Message(
        "Immich accepted the write and put the old value back: it cannot write beside "
        "the file. Make the library's folder writable for Immich; it is tried again when "
        "something about the image changes.",
        by_hand="Immich accepted the write and put the old value back: it cannot write beside "
        "the file. Make the library's folder writable for Immich; apply tries it again "
        "when something about the image changes.",
    ),
    "sign_turned": Message(
        "Immich flips the sign of this place, which is near the equator, Greenwich or "
        "the antimeridian, so it cannot be written through Immich's API. Enter it by "
        "hand in the file, or leave it."
    ),
    "another_program": Message(
        "Immich accepted the write, but a different value came back, although the one "
        "from here was kept before: another program writes here, too. Let only one of "
        "the two write this field; it is tried again when something about the image "
        "changes.",
        by_hand="Immich accepted the write, but a different value came back, although the one "
        "from here was kept before: another program writes here, too. Let only one of "
        "the two write this field; apply tries it again when something about the image "
        "changes.",
    ),
    "kept_otherwise": Message(
        "Immich kept something other than what was written; it is tried again when something changes.",
        by_hand="Immich kept something other than what was written; apply tries it again when "
        "something changes.",
    ),
    "crossed": Message(
        "somebody changed it in Immich at the very moment it was written: check that "
        "what they entered is there"
    ),
    "carrying_over": Message("what people had on the former asset is being carried over"),
    "not_carried_over": Message("Immich did not keep it"),
    "replaced_unread": Message(
        "Immich does not show the former asset to this key: it is deleted, or in the locked folder. Whether "
        "it was a favourite, and in which albums, is not known"
    ),
    "favorite_unknown": Message("whether it was a favourite is not known"),
    "albums_unknown": Message("which albums it is in is not known: the API key lacks album.read"),
    "favorite_not_written": Message("it was not made a favourite: {text}"),
    "album_not_joined": Message("it was not put in the album “{name}”: {text}"),
    "favorite_stays": Message("it stays a favourite: take that back in Immich"),
    "album_stays": Message("it stays in the albums it was put in: take it out of them in Immich"),
    "left_out_switch": Message("left out on {day} {who}; it is not written until it is taken in"),
    "left_out_tag": Message("left out by its tag “{value}” in Skymmich"),
    "left_out_target": Message("left out by its target, as [leave_out] by_target = “{value}” says"),
    "left_out_folder": Message("left out by its folder, as [leave_out] by_folder = “{value}” says"),
    "undone": Message(
        "taken back by a person; left alone until the catalogue's or Immich's value "
        "changes, or until it is written again"
    ),
    "taken_back": Message(
        "taken back on {day}; left alone until the catalogue's or Immich's value "
        "changes, or until it is written again"
    ),
    "all_taken_back": Message(
        "taken back on {day} with everything else; left alone until it is written again"
    ),
    "undo_broken_off": Message(
        "an undo was begun on {day} and interrupted; left alone until that undo is "
        "finished, or until it is written again"
    ),
    # Where an image stands at the end of a pass
    "digesting": Message(
        "Immich has not processed the write yet; the next run looks again",
        by_hand="Immich has not processed the write yet; run apply again to look",
    ),
    "not_reached": Message(
        "the run ended before it came to this image; the next one goes on",
        by_hand="the run ended before it came to this image; run apply again",
    ),
    "immich_stays": Message("Immich's value is kept"),
    "left_to_person": Message("changed in Immich by a person, and left as it is"),
    "left_catalogue": Message("it left the catalogue"),
    "left_stack": Message("it left the stack, or stacks are written to otherwise now"),
    "no_answer": Message(
        "Immich did not answer; the next run looks again",
        by_hand="Immich did not answer; run apply again to look",
    ),
    "not_shown": Message(
        "Immich does not show asset {asset} to this key: it is deleted, in the locked "
        "folder, or belongs to another user."
    ),
    "not_extracted": Message(
        "Immich has not read the file's metadata yet; the next run looks again.",
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
