"""Taking a description apart and putting it together: the block is found, the prose survives."""

from __future__ import annotations

import pytest

from reconciler.core.desired.block import Markers, Split, enclose, fit, rescue, split, strip_blocks
from reconciler.core.text import normal, size

MARKERS = Markers()
BLOCK = "✦ M 31\nGalaxy in Andromeda\n\nTelescope: FRA400\n— Skymmich"
OTHER = "✦ M 31\nGalaxy in Andromeda\n\nTelescope: RC8\n— Skymmich"


def parts(text, known=None, markers=MARKERS):
    found = split(text, markers, known)
    assert found.text == text
    return found.before, found.block, found.after


def test_a_text_without_a_block_is_all_prose():
    assert parts("My night\nin the garden") == ("My night\nin the garden", None, "")


def test_a_block_is_found_between_prose():
    assert parts(f"Before\n\n{BLOCK}\n\nAfter") == ("Before\n\n", BLOCK, "\n\nAfter")


def test_a_block_alone_leaves_no_prose():
    found = split(BLOCK, MARKERS)
    assert (found.block, found.prose) == (BLOCK, "")


def test_a_block_is_found_with_windows_line_ends():
    found = split(f"Hi\n{BLOCK}\nBye".replace("\n", "\r\n"), MARKERS)
    assert normal(found.block) == BLOCK
    assert normal(found.prose) == "Hi\n\nBye"


@pytest.mark.parametrize("half", ["✦ my favourite\nwithout an end", "— Skymmich\nis a fine program", "✦ "])
def test_half_a_block_is_prose(half):
    assert split(half, MARKERS).block is None


def test_markers_need_a_line_of_their_own():
    assert split("see ✦ M 31\nfrom — Skymmich", MARKERS).block is None


def test_of_several_blocks_the_last_one_counts():
    assert parts(f"✦ mine\n— Skymmich\n{BLOCK}") == ("✦ mine\n— Skymmich\n", BLOCK, "")


def test_of_several_blocks_the_one_that_we_wrote_counts():
    text = f"{BLOCK}\n\n✦ my own\nlist\n— Skymmich"
    assert parts(text, BLOCK) == ("", BLOCK, "\n\n✦ my own\nlist\n— Skymmich")


def test_a_block_with_another_heading_than_the_one_we_know_is_whole_where_prose_stands_above_it():
    """A store from a backup knows an older one."""
    first, rest = BLOCK.split("\n", 1)
    newer = f"{first} and M 32\nMy new title\n{rest}"
    assert parts(f"Mine\n\n{newer}\n\nMine, too", BLOCK) == ("Mine\n\n", newer, "\n\nMine, too")


def test_a_persons_own_opening_line_above_a_block_with_a_broken_heading_stays_theirs():
    broken = BLOCK.split("\n", 1)[1]
    before, found, _ = parts(f"✦ my best one\n\n{broken}", BLOCK)
    assert (before, found) == ("✦ my best one\n\n", broken)


def test_of_several_blocks_the_one_most_like_ours_counts():
    edited = BLOCK.replace("FRA400", "FRA400 on loan")
    text = f"{edited}\n\n✦ my own\nlist\n— Skymmich"
    assert parts(text, BLOCK)[1] == edited


def test_a_quotation_of_our_block_is_not_our_block():
    quoted = "\n".join(f"  {line}" for line in BLOCK.split("\n"))
    text = f"{BLOCK}\n\nIt said:\n{quoted}\nthen."
    assert parts(text, BLOCK)[1] == BLOCK


def test_our_block_is_found_although_an_opening_line_was_put_into_it():
    edited = BLOCK.replace("\n\n", "\n✦ look here\n")
    assert parts(f"Hi\n{edited}\nBye", BLOCK) == ("Hi\n", edited, "\nBye")


def test_our_block_is_found_although_its_closing_line_was_edited():
    found = split(f"Hi\n{BLOCK}, and me\nBye", MARKERS, BLOCK)
    assert found.block == BLOCK.rpartition("\n")[0]
    assert found.prose == "Hi\n\n— Skymmich, and me\nBye"


def test_our_block_is_found_although_its_opening_line_was_edited():
    found = split(f"Hi\nLook: {BLOCK}\nBye", MARKERS, BLOCK)
    assert found.block == BLOCK.partition("\n")[2]
    assert found.prose == "Hi\nLook: ✦ M 31\n\nBye"


def test_our_broken_block_wins_over_a_person_s_own_marker_lines():
    text = f"✦ my list\nmilk\n— Skymmich\n\n{BLOCK}!"
    assert parts(text, BLOCK)[1] == BLOCK.rpartition("\n")[0]


def test_one_line_that_reads_like_ours_is_no_remnant():
    assert split("✦ M 31\nis what I photographed", MARKERS, BLOCK).block is None


def test_our_block_is_found_after_the_markers_were_configured_anew():
    assert parts(f"Hi\n\n{BLOCK}", BLOCK, Markers("★ ", "(end)")) == ("Hi\n\n", BLOCK, "")


def test_one_word_can_be_both_markers():
    markers = Markers("---", "---")
    block = enclose("M 31\nGalaxy", markers)
    assert parts(f"Hi\n\n{block}\n\nBye", markers=markers) == ("Hi\n\n", block, "\n\nBye")


def test_prose_is_what_stands_around_the_block():
    assert split(f"Before\n\n{BLOCK}\n\nAfter", MARKERS).prose == "Before\n\nAfter"


def test_a_first_block_stands_below_the_prose():
    assert Split("My night", None).with_block(BLOCK) == f"My night\n\n{BLOCK}"


def test_a_first_block_in_an_empty_description_stands_alone():
    assert Split("", None).with_block(BLOCK) == BLOCK


@pytest.mark.parametrize("before", ["", "Hi\n", "Hi \n\n\n", "  two\r\nlines\n"])
@pytest.mark.parametrize("after", ["", "\nBye", "\n\n\n   indented\n\tBye", "\r\nBye"])
def test_another_block_leaves_every_byte_around_it(before, after):
    text = normal(f"|{before}{BLOCK}{after}|")[1:-1] if "\r" not in before + after else before + BLOCK + after
    found = split(text, MARKERS)
    assert found.with_block(OTHER) == (found.before + OTHER + found.after).strip()


def test_taking_the_block_out_takes_only_blank_lines_with_it():
    found = split(f"  Hi \n\n\n{BLOCK}\n\n   indented\n\nBye", MARKERS)
    assert found.with_block(None) == "Hi \n\n   indented\n\nBye"


def test_taking_out_a_block_that_stands_alone_leaves_nothing():
    assert split(BLOCK, MARKERS).with_block(None) == ""


def test_other_prose_stands_before_the_block():
    assert split(f"Old\n\n{BLOCK}", MARKERS).with_prose("New").text == f"New\n\n{BLOCK}"
    assert split(f"Old\n\n{BLOCK}", MARKERS).with_prose("").text == BLOCK
    assert split("Old", MARKERS).with_prose("New").text == "New"


def test_a_body_is_enclosed_by_marker_lines():
    assert enclose("M 31\nGalaxy\n", MARKERS) == "✦ M 31\nGalaxy\n— Skymmich"


def test_a_body_that_brings_its_own_opening_gets_no_second_one():
    assert enclose("✦ M 31\nGalaxy", MARKERS) == "✦ M 31\nGalaxy\n— Skymmich"


@pytest.mark.parametrize("body", ["", " \n\t\n", "\u00a0"])
def test_an_empty_body_makes_no_block(body):
    assert enclose(body, MARKERS) == ""


def test_body_lines_that_look_like_markers_are_indented():
    block = enclose("M 31\n✦ star\n— Skymmich\nend", MARKERS)
    assert block == "✦ M 31\n ✦ star\n — Skymmich\nend\n— Skymmich"
    assert split(f"Hi\n{block}\nBye", MARKERS).block == block


def test_blocks_are_stripped_from_what_the_catalogue_copied_back():
    assert strip_blocks(f"Mine\n\n{BLOCK}\n\nToo\n{OTHER}", MARKERS) == "Mine\n\nToo"


def test_stripping_ends_with_a_text_without_blocks():
    nested = "✦ a\n✦ b\n— Skymmich\nx\n— Skymmich"
    assert split(strip_blocks(nested, MARKERS), MARKERS).block is None


def test_a_line_that_a_person_wrote_into_the_block_is_rescued():
    live = BLOCK.replace("Telescope: FRA400", "Telescope: FRA400\nBorrowed from Anna")
    assert rescue(live, BLOCK, BLOCK, MARKERS) == "Borrowed from Anna"


def test_a_line_of_ours_that_a_person_edited_is_rescued_whole():
    edited = BLOCK.replace("FRA400", "FRA400, Anna's")
    assert rescue(edited, BLOCK, BLOCK, MARKERS) == "Telescope: FRA400, Anna's"


def test_a_heading_that_a_person_edited_opens_no_block_where_it_is_moved_to():
    live = BLOCK.replace("✦ ", "✦ My own ", 1)
    moved = rescue(live, BLOCK, BLOCK, MARKERS)
    assert moved.startswith("My own ")
    assert split(f"{moved}\n\n{BLOCK}", MARKERS).block == BLOCK


def test_of_a_block_that_was_never_ours_all_but_the_wanted_lines_are_rescued():
    assert rescue("✦ Old\nBy hand\n— Skymmich", None, BLOCK, MARKERS) == "Old\nBy hand"


def test_our_own_lines_are_not_rescued():
    assert rescue(BLOCK, OTHER, BLOCK, MARKERS) == ""
    assert rescue(BLOCK.replace("\n", "\r\n"), BLOCK, BLOCK, MARKERS) == ""


def test_rescued_lines_follow_the_block():
    text = split(f"Hi\n\n{BLOCK}\n\nBye", MARKERS).with_block(OTHER, "Anna's")
    assert text == f"Hi\n\n{OTHER}\n\nAnna's\n\nBye"


def test_what_fits_is_not_shortened():
    assert fit(Split("Hi", None), BLOCK, 1000) == (f"Hi\n\n{BLOCK}", BLOCK)


def test_the_block_gives_way_line_by_line_and_keeps_its_marker_lines():
    text, block = fit(Split("Hi", None), BLOCK, size(f"Hi\n\n{BLOCK}") - 1)
    assert block == "✦ M 31\nGalaxy in Andromeda\n— Skymmich"
    assert text == f"Hi\n\n{block}"


def test_a_block_whose_heading_does_not_fit_gives_way_altogether():
    prose = "x" * 95
    assert fit(Split(prose, None), BLOCK, 100) == (prose, None)


def test_prose_is_never_cut():
    prose = "東" * 200
    assert fit(split(f"{prose}\n\n{BLOCK}", MARKERS), OTHER, 100) == (prose, None)


def test_an_exact_fit_is_a_fit():
    whole = f"Hi\n\n{BLOCK}"
    assert fit(Split("Hi", None), BLOCK, size(whole)) == (whole, BLOCK)
