"""The template of all translations says what the source says, and a translated copy of it is all one needs."""

from __future__ import annotations

import ast
import gettext
import os
import shutil
import subprocess
import tomllib

import pytest

from reconciler.core.reasons import reason
from reconciler.messages import translation
from reconciler.messages.reasons import REASONS, words
from reconciler.messages.translation import DOMAIN, LOCALES
from tests.messages.extract import ROOT, TEMPLATE, messages, template


def test_the_template_is_as_the_source_says():
    """If this fails: ``make messages``."""
    assert TEMPLATE.read_text(encoding="utf-8") == template()


def test_every_reason_is_in_it():
    text = template()
    assert [code for code, message in REASONS.items() if f'msgid "{message.one}"' not in text] == []


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ('Message("a")', {"a": ""}),
        ('Message(\n    "a",\n)', {"a": ""}),
        ('Message("a " "b", "c", "size",)', {"a b": "c"}),
        ('translation.Message(one="a", many="b", count="n")', {"a": "b"}),
        ('[Message("a"), Message("a", "b")]', {"a": "b"}),
        ('Other("a")', {}),
    ],
)
def test_a_message_is_found_however_it_is_written(call, found):
    assert messages(ast.parse(call)) == found


@pytest.mark.parametrize("call", ["Message(text)", 'Message(f"{x} tags")', 'Message("a", *more)'])
def test_a_message_that_nobody_could_translate_is_refused(call):
    with pytest.raises(SystemExit, match="line 1"):
        messages(ast.parse(call))


@pytest.mark.skipif(not shutil.which("msgfmt") and "CI" not in os.environ, reason="there is no msgfmt")
def test_a_translated_copy_is_compiled_and_speaks(tmp_path, monkeypatch):
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    text = TEMPLATE.read_text(encoding="utf-8").replace(
        "nplurals=INTEGER; plural=EXPRESSION", "nplurals=2; plural=n != 1"
    )
    source = tmp_path / "de.po"
    source.write_text(
        text.replace(
            'msgid "Immich has none"\nmsgstr ""', 'msgid "Immich has none"\nmsgstr "Immich hat keine"'
        ),
        encoding="utf-8",
    )
    subprocess.run(
        ["msgfmt", "--check", "--output-file", folder / f"{DOMAIN}.mo", source], check=True, timeout=30
    )
    german = gettext.translation(DOMAIN, tmp_path, languages=["de"])
    monkeypatch.setattr(translation, "translations", lambda: german)
    assert words(reason("fill")) == "Immich hat keine"
    assert words(reason("row_nameless")) == "it has no name"  # what is not translated is English


def test_languages_are_in_the_package():
    """Hatch leaves out what git ignores, which people often have compiled files be."""
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"]["packages"] == ["reconciler", "state"]
    assert {"*.mo", "*.po", "*.pot"} <= set(built["artifacts"])
    assert ROOT / "reconciler" in LOCALES.parents
    assert TEMPLATE.parent == LOCALES
