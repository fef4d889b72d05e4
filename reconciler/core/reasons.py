"""Why something is as it is: a code with parameters. No sentence is made here, and none is ever taken apart.

The words stand in ``reconciler.messages``, one message for each code; a face asks there. What is stored and
compared is the code, so a message can be worded anew without anything being written or planned anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from reconciler.errors import AssetIncompleteError, AssetUnknownError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.errors import ReconcilerError

Param = str | int | float | tuple[str, ...]
"""A number or a text that goes into a message; several texts are a list in it."""

Code = Literal[
    # -- a field's decision, by its case: core/plan/merge --
    "fill",
    "conflict",
    "update",
    "drift",
    "both_changed",
    "withdraw",
    "not_ours",
    # -- a field's decision that something else decides: core/plan --
    "fill_tags",
    "unreadable",
    "permission",
    "prose_too_long",
    "text_too_long",
    "cannot_clear",
    "decided_immich",
    "decided_skymmich",
    "decided_both",
    "contested",
    "correction_waits",
    # -- of a whole image: core/plan --
    "trashed",
    "foreign",
    "locked",
    "shortened",
    "near_zero_line",
    "stale_plan",
    "guard",
    # -- of what the catalogue has: core/desired --
    "only_latitude",
    "only_longitude",
    "place_no_number",
    "place_out_of_range",
    "place_zero",
    "scale_differs",
    "tags_cut",
    "date_out_of_range",
    "date_without_zone",
    "date_not_told",
    "date_of_file",
    "coarser",
    "place_moves_day",
    "place_keeps_day",
    "tag_too_long",
    "tag_not_kept",
    "tags_left_out",
    "tags_omitted",
    "tags_bounded",
    # -- what cannot be taken back: core/plan/undo --
    "newer",
    "no_place_before",
    "date_stays",
    "former_too_long",
    "former_unknown",
    "unfinished",
    "not_put_back",
    # -- of a write, and of what was kept of it: core/writes --
    "kept_changing",
    "unconfirmed",
    "read_only",
    "sign_turned",
    "another_program",
    "kept_otherwise",
    "crossed",
    "undone",
    "taken_back",
    "all_taken_back",
    "undo_broken_off",
    # -- what is left out: core/desired/leaving_out, core/plan/left_out --
    "left_out_switch",
    "left_out_tag",
    "left_out_target",
    "left_out_folder",
    # -- a replaced asset, and what is carried over from it: core/plan/carried, engine/carrying_over --
    "carrying_over",
    "not_carried_over",
    "replaced_unread",
    "favorite_unknown",
    "albums_unknown",
    "favorite_not_written",
    "album_not_joined",
    "favorite_stays",
    "album_stays",
    # -- where an image stands at the end of a pass: engine --
    "digesting",
    "not_reached",
    "immich_stays",
    "left_to_person",
    "left_catalogue",
    "left_stack",
    "no_answer",
    "not_shown",
    "not_extracted",
    "unusable",
    # -- of an older version, or said by a program that is not ours --
    "told",
    # -- a row of the catalogue that could not be read, or a part: skymmich, core/unknown, engine/schema --
    "row_binary",
    "row_binary_ignored",
    "row_too_long",
    "row_too_long_ignored",
    "row_no_id",
    "row_no_reference",
    "row_no_text",
    "row_half_character",
    "row_no_number",
    "row_too_small",
    "row_too_large",
    "row_not_whole",
    "row_no_flag",
    "row_no_date",
    "row_no_json",
    "row_no_json_secret",
    "row_no_list",
    "row_no_object",
    "row_long_list",
    "row_odd_elements",
    "row_long_elements",
    "row_empty",
    "row_nameless",
    "row_no_frames",
    "row_no_duration",
    "row_odd_specification",
    "row_deep_specifications",
    "row_no_right_ascension",
    "row_no_declination",
    "row_unknown_status",
    "row_odd_answer",
    "row_odd_annotations",
    "row_empty_answer",
    "row_answer_lacks",
    "row_no_uuid",
    "row_repeated",
    "row_linked_twice",
    "row_no_settings",
    "row_no_switch",
    "row_no_master_switch",
    "row_no_setting",
    "row_settings_gone",
    "row_refers_to_nothing",
    "row_columns_gone",
    "row_columns_missed",
    "row_table_gone",
    "row_table_missed",
    "row_table_emptied",
    "row_table_emptied_missed",
    "remedy",
    # -- an error of ours: its class, what it says, what to do, and when it is tried again --
    "error",
    # -- the end of a run: engine --
    "run_images",
    "run_changed",
    "run_failed",
    "run_nothing",
    "run_stopped_at",
    "run_waiting",
    "stopped_reading",
    "run_status",
    "run_guarded",
    "run_adopted",
    "run_stacks_unknown",
    "run_renamed",
    "run_tags_deleted",
    "run_ended_early",
    "run_broke",
    "run_stopped",
    "undo_images",
    "undo_left",
    "undo_tags",
    "tag_in_use",
    "tag_perhaps_in_use",
    "tag_has_others",
    "tag_came_back",
    "tag_unrecorded",
    "undo_unrecorded",
    # -- the end of a request: service --
    "daemon_stopped",
    "not_linked",
    "pass_broke",
    # -- what the guard holds back: core/plan/guard --
    "guard_holds",
    "catalogue_emptied",
    "catalogue_shrunk",
    "catalogue_dwindled",
    "would_lose",
    "would_lose_more",
    "loses",
    "more_lose",
    # -- the details of a condition: service --
    "catalogue_read",
    "rows_unread",
    "catalogue_lacks",
    "sync_on",
    "sync_off",
    "sync_off_here",
    "begun",
    "not_begun",
    "first_only",
    "observes",
    "configuration_usable",
    "configuration_refused",
    "configuration_reloaded",
    "immich_answers",
    "key_allows",
    "key_forbids",
    "tags_off",
    "store_taken_up",
    "right_held",
    "right_taken_anew",
    "pass_recorded",
    "broke_off",
    "no_canary",
    "all_in_sync",
    "rest_left_alone",
    "not_all_in_sync",
    "images_held",
    "nothing_held",
    "looked_lately",
    "not_looked",
    "looked_long_ago",
    "notices_sent",
    "notices_unsent",
    "notices_partly",
    "fill_albums",
    "album_is_persons",
    "album_deleted",
    "run_albums_made",
    "run_albums_deleted",
    "undo_albums",
]
CODES: Final[tuple[Code, ...]] = get_args(Code)


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, the fields it speaks of, and its parameters by name, in order of the names."""

    code: Code
    fields: tuple[str, ...] = ()
    """Of an image: ``block``, ``prose``, ``coordinates``, ``taken_at``, ``tags``, ``albums``;
    empty: of all of it."""
    params: tuple[tuple[str, Param], ...] = ()

    def get(self, name: str) -> Param | None:
        """Return a parameter; ``None`` if this reason has none of that name."""
        return next((value for key, value in self.params if key == name), None)

    def of(self, *fields: str) -> Reason:
        """Return it as it is said of these fields."""
        return replace(self, fields=fields)


def reason(code: Code, /, **params: Param) -> Reason:
    """Make a reason from a code and its parameters."""
    return Reason(code, params=tuple(sorted(params.items())))


def codes(reasons: Iterable[Reason]) -> str:
    """Return reasons as their codes: a text for where no face gives words."""
    return ", ".join(dict.fromkeys(one.code for one in reasons))


def told(text: str) -> tuple[Reason, ...]:
    """Return a text that has no code as reasons: what an older version stored. Empty text: none."""
    return (reason("told", text=text),) if text else ()


def of_error(error: ReconcilerError, *, remedy: bool = True) -> Reason:
    """Return an error of ours as a reason: its class, what it says, and how it goes on.

    Args:
        error: the error.
        remedy: with what to do, and when it is tried again; not where something else says that.
    """
    if isinstance(error, AssetUnknownError) and not remedy:
        return reason("not_shown", asset=error.asset_id)
    if isinstance(error, AssetIncompleteError) and error.unextracted:
        return reason("not_extracted")
    more = {"remedy": error.remedy, "again": error.again or ""} if remedy else {}
    known = {name: text for name, text in more.items() if text}
    return reason("error", kind=type(error).__name__, text=error.message, **known)


def to_json(reasons: Iterable[Reason]) -> list[dict[str, object]]:
    """Return reasons as plain JSON values, for the store and for the faces."""
    return [
        {
            "code": one.code,
            **({"fields": list(one.fields)} if one.fields else {}),
            **({"params": {key: _plain(value) for key, value in one.params}} if one.params else {}),
        }
        for one in reasons
    ]


def from_json(found: Iterable[Mapping[str, object]]) -> tuple[Reason, ...]:
    """Return reasons from what ``to_json`` made; an unknown code (of a later version) is kept as told.

    Raises:
        ValueError: it is of another form.
    """
    return tuple(map(_from_json, found))


def to_text(reasons: Iterable[Reason]) -> str:
    """Return reasons as one text for a column of the store; none: empty."""
    found = to_json(reasons)
    return json.dumps(found) if found else ""


def from_text(text: str) -> tuple[Reason, ...]:
    """Return reasons from what ``to_text`` made; any other text is of an older version, and kept as told."""
    try:
        found = json.loads(text)
        if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
            return from_json(found)
    except ValueError:
        pass
    return told(text)


def _from_json(found: Mapping[str, object]) -> Reason:
    code, fields, params = found.get("code"), found.get("fields", []), found.get("params", {})
    if not isinstance(code, str) or not isinstance(fields, list) or not isinstance(params, dict):
        raise ValueError(f"not a reason: {found!r:.200}")  # noqa: TRY004 - its form is a value here
    known = next((one for one in CODES if one == code), None)
    if known is None:
        return reason("told", text=code)
    values = {str(key): tuple(value) if isinstance(value, list) else value for key, value in params.items()}
    return Reason(known, tuple(map(str, fields)), tuple(sorted(values.items())))


def _plain(value: Param) -> object:
    return list(value) if isinstance(value, tuple) else value
