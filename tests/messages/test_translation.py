"""Messages become words in the reader's language; every code has its message."""

from __future__ import annotations

import gettext
import re
import struct

import pytest

from reconciler.core.reasons import CODES, reason
from reconciler.messages import translation
from reconciler.messages.reasons import REASONS, sentence, words
from reconciler.messages.translation import DOMAIN, Message, joined, say


def _compiled(messages):
    """Return messages as gettext's binary file (its format: the GNU gettext manual, “MO Files”)."""
    table = {
        "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n",
        **messages,
    }
    keys = sorted(table)
    ids = [key.encode() + b"\0" for key in keys]
    texts = [table[key].encode() + b"\0" for key in keys]
    start = 28 + 16 * len(keys)
    places, at = [], start
    for data in (*ids, *texts):
        places.append((len(data) - 1, at))
        at += len(data)
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0)
    return head + b"".join(struct.pack("<2I", *one) for one in places) + b"".join((*ids, *texts))


@pytest.fixture
def in_german(tmp_path, monkeypatch):
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / f"{DOMAIN}.mo").write_bytes(
        _compiled(
            {"Immich has none": "Immich hat keine", "{count} tag\0{count} tags": "{count} Tag\0{count} Tags"}
        )
    )
    found = gettext.translation(DOMAIN, tmp_path, languages=["de"])
    monkeypatch.setattr(translation, "translations", lambda: found)


def test_every_code_has_a_message_and_every_message_a_code():
    assert set(REASONS) == set(CODES)


def test_numbers_lists_and_plurals_are_written_as_people_do():
    message = Message("{count} image of {names}", "{count} images of {names}")
    assert say(message, count=1, names=("a",)) == "1 image of a"
    assert say(message, count=1200, names=("a", "b", "c")) == "1,200 images of a, b and c"
    assert joined([]) == ""


def test_reasons_name_their_fields():
    assert words(reason("fill").of("block", "prose")) == "block and prose: Immich has none"
    assert sentence([reason("fill"), reason("fill"), reason("conflict")]) == (
        "Immich has none; Immich has a value that was not written from here"
    )


@pytest.mark.usefixtures("in_german")
def test_a_language_file_is_all_that_a_translation_needs():
    assert words(reason("fill")) == "Immich hat keine"
    assert say(Message("{count} tag", "{count} tags"), count=2) == "2 Tags"


def test_without_a_translation_it_is_english(monkeypatch, tmp_path):
    monkeypatch.setenv("LANGUAGE", "tlh")
    assert isinstance(translation.translations(tmp_path), gettext.NullTranslations)


def test_braces_are_only_around_parameters():
    assert all(
        re.sub(r"{\w+}", "", message.one + message.many).count("{") == 0 for message in REASONS.values()
    )
