"""What is wrong with a row of the catalogue, in English: one for each code that begins with ``row_``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.reasons import Code

ROW_PROBLEMS: Final[Mapping[Code, Message]] = {
    "row_binary": Message(
        "{column} is not text but {size} byte of binary data",
        "{column} is not text but {size} bytes of binary data",
        "size",
    ),
    "row_binary_ignored": Message(
        "{column} is not text but {size} byte of binary data; it is ignored",
        "{column} is not text but {size} bytes of binary data; it is ignored",
        "size",
    ),
    "row_too_long": Message("{column} is longer than {most} characters ({size})"),
    "row_too_long_ignored": Message("{column} is longer than {most} characters ({size}); it is ignored"),
    "row_no_id": Message("its id is not an integer: {value}"),
    "row_no_reference": Message("{column} is not a reference ({value}); it is ignored"),
    "row_no_text": Message("{column} is not text ({value}); it is ignored"),
    "row_half_character": Message("{column} has half a character in it, which is replaced"),
    "row_no_number": Message("{column} is not a number ({value}); it is ignored"),
    "row_too_small": Message("{column} is less than {minimum} ({value}); it is ignored"),
    "row_too_large": Message("{column} is more than {maximum} ({value}); it is ignored"),
    "row_not_whole": Message("{column} is not a whole number ({value}); it is ignored"),
    "row_no_flag": Message("{column} is neither true nor false ({value}); it is ignored"),
    "row_no_date": Message("{column} is not a date ({value}); it is ignored"),
    "row_no_json": Message("{column} is not JSON ({value}); it is ignored"),
    "row_no_json_secret": Message("{column} is not JSON; it is ignored"),
    "row_no_list": Message("{column} is not a list ({value}); it is ignored"),
    "row_no_object": Message("{column} is not an object ({value}); it is ignored"),
    "row_long_list": Message(
        "{column} has {size} element; those after the first {most} are ignored",
        "{column} has {size} elements; those after the first {most} are ignored",
        "size",
    ),
    "row_odd_elements": Message("{column} has elements that are not text ({value}); they are ignored"),
    "row_long_elements": Message(
        "{column} has texts longer than {most} characters ({size}); they are ignored"
    ),
    "row_empty": Message("{column} is empty, which it never is in Skymmich; it is ignored"),
    "row_nameless": Message("it has no name"),
    "row_no_frames": Message("{column} is not a number of frames: {value}"),
    "row_no_duration": Message("{column} is not a duration: {value}"),
    "row_odd_specification": Message("{column} has no text or number as {key} ({value}); it is ignored"),
    "row_deep_specifications": Message(
        "{column} is nested more deeply than ever before ({value}); it is ignored"
    ),
    "row_no_right_ascension": Message("{column} is not a right ascension ({value}); it is ignored"),
    "row_no_declination": Message("{column} is not a declination ({value}); it is ignored"),
    "row_unknown_status": Message("{column} is not a known one ({value}); it is ignored"),
    "row_odd_annotations": Message(
        "{column} has {count} annotation that cannot be read ({value}); it is ignored",
        "{column} has {count} annotations that cannot be read ({value}); they are ignored",
    ),
    "row_odd_answer": Message("{column} has no usable {keys} ({value}); it is ignored"),
    "row_empty_answer": Message("{column} has nothing that an answer of the solver has; it is ignored"),
    "row_answer_lacks": Message("{column} has no {keys}, which the solver always gives; it is unknown"),
    "row_no_uuid": Message("{column} is not a UUID ({value}); the image counts as not linked"),
    "row_repeated": Message("there is an earlier row with the same id"),
    "row_linked_twice": Message(
        "it is linked to asset {asset}, as is image {image} already; the image counts as not linked"
    ),
    "row_no_settings": Message(
        "the immich settings are not an object; they count as switched off, unless an "
        "earlier reading is known"
    ),
    "row_no_switch": Message(
        "the setting {key} is neither true nor false; it counts as off, unless an earlier reading is known"
    ),
    "row_no_master_switch": Message("the setting {key} is neither true nor false; it counts as off"),
    "row_no_setting": Message("the setting {key} is not the text of an address or a key; it is ignored"),
    "row_settings_gone": Message(
        "the immich settings are gone, so what they switched on and off stays as it was"
    ),
    "row_refers_to_nothing": Message(
        "none of its {column} is in {target}, so what Immich shows of it stays as it is"
    ),
    "row_columns_gone": Message(
        "the table has no column {columns} any more; a newer Skymmich may have renamed it: "
        "look for a newer version of this program"
    ),
    "row_columns_missed": Message(
        "the table has no column {columns} any more, so what Immich shows of it stays as it "
        "is; a newer Skymmich may have renamed it: look for a newer version of this program"
    ),
    "row_table_gone": Message(
        "the table is gone; a newer Skymmich may have renamed it: look for a newer version of this program"
    ),
    "row_table_missed": Message(
        "the table is gone, so what Immich shows of it stays as it is; a newer Skymmich may "
        "have renamed it: look for a newer version of this program"
    ),
    "row_table_emptied": Message(
        "the table, which once had rows, has none; a newer Skymmich may have renamed it: "
        "look for a newer version of this program"
    ),
    "row_table_emptied_missed": Message(
        "the table, which once had rows, has none, so what Immich shows of it stays as it "
        "is; a newer Skymmich may have renamed it: look for a newer version of this program"
    ),
}
