"""The block in German: its words, its numbers and dates, and the sky's names."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reconciler.core.catalogue import Acquisition, CatalogueObject, Equipment, PlateSolution, Site
from reconciler.core.desired.desired import desire
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.language import _translations, language_of
from reconciler.core.desired.template import BlockTemplate, digest_of
from reconciler.core.fingerprint import policy_digest
from reconciler.core.policy import LANGUAGES, DescriptionPolicy, Policy, Switches, TagPolicy
from reconciler.core.sky.constellations import CONSTELLATIONS
from reconciler.core.sky.object_names import TYPE_NAMES
from reconciler.core.sky.translations import table
from reconciler.errors import TemplateError
from tests.messages.extract import BLOCK, block_template

OTHERS = [code for code in LANGUAGES if code != "en"]
WHOLE = {
    "title": "Meine erste",
    "target": CatalogueObject("NGC7000", "HII", None, ("North America Nebula",), "Cyg"),
    "solution": PlateSolution(314.75, 44.37, 15264.77, 10036.79, position_angle_deg=237.3254),
    "site": Site("Garten 2.0"),
    "equipment": (
        Equipment(1, "FRA400 f/5.6", "telescope", (("focalLength", 400), ("focalRatio", "f/5.6"))),
        Equipment(2, "ASI2600MM", "camera"),
        Equipment(3, "AM5", "mount"),
        Equipment(4, "EAF", "accessory"),
        Equipment(5, "Siril 1.2", "software"),
    ),
    "acquisitions": (
        Acquisition("L", 60, 300.0, 100, 50, "1x1", -10.5, date(2023, 2, 1)),
        Acquisition("Ha", 12, 2.5, 100, 50, "2x2", -10.0, date(2023, 4, 11)),
        Acquisition(None, 1, 60.0),
    ),
}


def entries(text):
    """Return the messages of a .po file, by what they translate: its texts and their translations."""
    found = {}
    for block in text.split("\n\n"):
        pairs = re.findall(r'^(msg\w+(?:\[\d\])?) ((?:"[^\n]*"\n?)+)', block, re.MULTILINE)
        values = {
            name: "".join(ast.literal_eval(line) for line in quoted.split("\n") if line)
            for name, quoted in pairs
        }
        if one := values.pop("msgid", ""):
            found[one] = (
                values.pop("msgid_plural", ""),
                [value for name, value in sorted(values.items()) if name.startswith("msgstr")],
            )
    return found


def test_the_default_block_in_german(make):
    policy = DescriptionPolicy(language="de")
    assert BlockTemplate(policy).render(facts_of(make.image(**WHOLE), policy, (6248, 4108))) == (
        "✦ NGC 7000 · North America Nebula\n"
        "Meine erste\n"
        "H-II-Gebiet im Sternbild Schwan\n"
        "\n"
        "Gesamtbelichtung: 5 h 2 min, 73 Aufnahmen, 2 Nächte (01.02.2023 bis 11.04.2023)\n"
        "· L: 60 × 300 s (5 h), Gain 100, Offset 50, −10,5 °C\n"
        "· Ha: 12 × 2,5 s (30 s), Gain 100, Offset 50, −10 °C, Binning 2×2\n"
        "· Ohne Filter: 1 × 60 s (1 min)\n"
        "\n"
        "Teleskop: FRA400 f/5.6 (400 mm f/5,6)\n"
        "Kamera: ASI2600MM\n"
        "Montierung: AM5\n"
        "Filter: L, Ha\n"
        "Zubehör: EAF\n"
        "Software: Siril 1.2\n"
        "\n"
        "Zentrum: RA 20h 59m 00,0s, Dek +44° 22′ 12″ (J2000)\n"
        "Bildfeld: 4,24° × 2,79°, 2,44″/px, Positionswinkel 237,3°\n"
        "Standort: Garten 2.0\n"
        "— Skymmich"
    )


def test_a_template_of_one_s_own_says_known_words_in_the_language_and_others_as_they_are(make):
    source = '{{ _("Site: {name}", name=site) }}\n{{ _("Weather: {x}", x=1) }}\n{{ ngettext("{count} night", "{count} nights", 1) }}'
    policy = DescriptionPolicy(language="de", template=source)
    block = BlockTemplate(policy).render(facts_of(make.image(**WHOLE), policy, None))
    assert block == "✦ Standort: Garten 2.0\nWeather: 1\n1 Nacht\n— Skymmich"


@pytest.mark.parametrize(
    "source",
    [
        "{{ _ }}",
        "{{ _.__globals__ }}",
        "{{ _('{x}', x=heading.upper) }}",
        "{{ _('{x}', x=nothing) }}",
        "{{ ngettext('{count}', '{count}', 'many') }}",
    ],
)
def test_the_two_functions_open_no_way_out_of_a_template(make, source):
    policy = DescriptionPolicy(template=source)
    with pytest.raises(TemplateError):
        BlockTemplate(policy).render(facts_of(make.image(**WHOLE), policy, None))


def test_a_value_s_braces_and_attributes_are_only_text(make):
    policy = DescriptionPolicy(template="{{ _('{x.__class__} {x}', x='{y}', y='z') }}")
    assert "{x.__class__} {y}" in BlockTemplate(policy).render(facts_of(make.image(), policy, None))


def test_another_language_is_another_template_and_other_rules():
    german, english = DescriptionPolicy(language="de"), DescriptionPolicy()
    assert digest_of(german) != digest_of(english)
    assert policy_digest(Policy(german), Switches(), "x") != policy_digest(Policy(english), Switches(), "x")


def test_tags_stay_english_until_they_are_asked_for_in_another_language(make):
    german = Policy(DescriptionPolicy(language="de"))
    image = make.image(**WHOLE)

    def tags(policy):
        return desire(image, policy, BlockTemplate(policy.description), make.form()).tags

    assert tags(german) == tags(Policy()) >= {"Astro/Type/H II region", "Astro/Constellation/Cygnus"}
    asked = tags(replace(german, tags=TagPolicy(language="de")))
    assert asked >= {"Astro/Type/H-II-Gebiet", "Astro/Constellation/Schwan"}


def test_the_template_of_the_block_s_translations_is_as_the_source_says():
    """If this fails: ``make messages``."""
    assert BLOCK.read_text(encoding="utf-8") == block_template()


@pytest.mark.parametrize("code", OTHERS)
def test_every_word_of_the_block_has_a_translation_with_the_same_places(code):
    wanted = entries(block_template())
    folder = Path(BLOCK).parent / code / "LC_MESSAGES"
    given = entries((folder / "block.po").read_text(encoding="utf-8"))
    assert set(given) == set(wanted)
    for one, (many, texts) in given.items():
        assert all(texts), one
        assert many == wanted[one][0]
        assert {frozenset(re.findall(r"\{\w*\}", text)) for text in texts} == {
            frozenset(re.findall(r"\{\w*\}", one))
        }
        compiled = _translations(code)
        for text, number in zip(texts, (1, 2), strict=False):
            assert (compiled.ngettext(one, many, number) if many else compiled.gettext(one)) == text, (
                "msgfmt it"
            )


@pytest.mark.parametrize("code", OTHERS)
def test_all_constellations_and_kinds_have_names_in_every_language(code):
    assert set(table("constellations", code)) == set(CONSTELLATIONS)
    assert len(set(table("constellations", code).values())) == 88
    types = table("object_types", code)
    assert {words.casefold() for words in TYPE_NAMES.values()} <= set(types)
    assert all(key == key.casefold() and name.strip() == name != "" for key, name in types.items())


@pytest.mark.parametrize(
    ("name", "german"),
    [
        ("Ursa Major", "Großer Bär"),
        ("Boötes", "Bärenhüter"),
        ("Cyg", "Schwan"),
        ("Nowhere", "Nowhere"),
        ("", ""),
    ],
)
def test_a_constellation_in_german(name, german):
    assert language_of("de").constellation(name) == german
    assert language_of("en").constellation(name) == name


def test_a_kind_in_german_and_a_person_s_own_words_as_they_are():
    german = language_of("de")
    assert german.object_type("Planetary Nebula") == "Planetarischer Nebel"
    assert german.object_type("Ring of Fire") == "Ring of Fire"
