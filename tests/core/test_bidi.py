"""Names that are written from right to left move nothing around them, and all others stay as they are."""

from __future__ import annotations

import unicodedata
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.bidi import FSI, PDI, isolated
from reconciler.core.catalogue import Acquisition, CatalogueObject, Equipment, Site
from reconciler.core.desired.desired import desire
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import DescriptionPolicy, Policy
from reconciler.immich.roundtrip import encode_description
from reconciler.immich.roundtrip import settled_description as settled
from reconciler.simulator.server.roundtrip import settled_description as kept_by_the_server

RED, LENS = "אדום", "تلسكوب 200"
RLO, RLE, PDF, RLI, RLM = "\u202e", "\u202b", "\u202c", "\u2067", "\u200f"
CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def outside(text):
    """Return what of a text stands in no isolate; its isolates have to be closed where they were opened."""
    depth, found = 0, ""
    for sign in text:
        if sign == PDI:
            assert depth > 0, "closes what is not open"
            depth -= 1
        elif sign in "\u2066\u2067\u2068":
            depth += 1
        elif not depth:
            found += sign
    assert depth == 0, "left open"
    return found


def moves_others(text):
    return any(unicodedata.bidirectional(s) in {"R", "AL", "AN"} or s in CONTROLS for s in outside(text))


@pytest.mark.parametrize(
    "text", ["", "Hα 7 nm", "L-eXtreme", "Ångström – “quoted” 5′", "東京", "🔭 👩‍🚀", "a\u200bb\u200e"]
)
def test_a_text_without_right_to_left_letters_stays_sign_for_sign(text):
    assert isolated(text) is text


@pytest.mark.parametrize("text", [RED, LENS, f"Filter {RED} 7nm", "٣", f"x{RLM}"])
def test_a_name_with_right_to_left_letters_is_isolated_as_it_is(text):
    assert isolated(text) == f"{FSI}{text}{PDI}"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (f"Ha{RLO}", "Ha"),
        (f"{PDI}Ha{PDF}", "Ha"),
        (f"Ha {RLI}7 nm", "Ha 7 nm"),
        (f"{RLE}Ha{PDI}", "Ha"),
        (f"{RLI}{RLE}Ha{PDI}{PDF}", f"{RLI}Ha{PDI}"),
        (f"{RLI}Ha{PDI} 7", f"{RLI}Ha{PDI} 7"),
        (f"{RLE}Ha{PDF}", f"{FSI}{RLE}Ha{PDF}{PDI}"),
        (f"{RLO}{RED}", f"{FSI}{RED}{PDI}"),
        (f"{FSI}{RED}", f"{FSI}{RED}{PDI}"),
        (f"{RED}{PDI} 7", f"{FSI}{RED} 7{PDI}"),
        (f"{FSI}{RED}{PDI} 7", f"{FSI}{RED}{PDI} 7"),
    ],
)
def test_controls_that_were_left_open_or_closed_twice_do_nothing(written, kept):
    assert isolated(written) == kept


@given(st.text(st.sampled_from(f"{CONTROLS}{RLM}aא1 ·"), max_size=30) | st.text(max_size=40))
def test_whatever_a_name_holds_it_stays_within_its_own_isolate(text):
    found = isolated(text)
    assert not moves_others(found)
    assert isolated(found) == found
    assert [s for s in found if s not in CONTROLS] == [s for s in text if s not in CONTROLS]


KNOWN = {
    "title": f"{RED} שלי",
    "target": CatalogueObject("NGC0001", "G", None, ("אנדרומדה",), "And"),
    "site": Site("גן"),
    "equipment": (
        Equipment(1, LENS, "telescope"),
        Equipment(2, f"מצלמה{RLO}", "camera"),
        Equipment(3, "AM5", "mount"),
        Equipment(4, f"Mini{PDI} מדריך", "camera", (("role", "guide camera"),)),
        Equipment(5, "מיקוד", "accessory"),
        Equipment(6, "תוכנה", "software"),
    ),
    "acquisitions": (Acquisition(RED, 60, 300.0, 100, 50, "٢x٢", -10.0, date(2023, 2, 1)),),
}


def test_no_fact_of_an_image_moves_what_a_template_writes_around_it(make):
    facts = facts_of(make.image(object_type="ערפילית", **KNOWN), DescriptionPolicy(), None)
    rows = [getattr(row, each.name) for row in facts.integration for each in fields(row)]
    texts = [
        text
        for each in fields(facts)
        if each.name != "integration" and not isinstance(value := getattr(facts, each.name), int)
        for text in ((value,) if isinstance(value, str) else value)
    ]
    assert not [text for text in (*texts, *rows) if moves_others(text)]
    assert facts.heading == f"NGC 1 · {FSI}אנדרומדה{PDI}"
    assert facts.filters == (f"{FSI}{RED}{PDI}",)
    assert facts.cameras == (f"{FSI}מצלמה{PDI}",)


@pytest.mark.parametrize(
    "template", [None, "{{ heading }}\n{% for f in filters %}{{ f }}: 60 × 300 s\n{% endfor %}"]
)
def test_the_block_keeps_its_isolates_in_immich_and_the_tags_have_none(make, template):
    policy = Policy(DescriptionPolicy(template=template))
    found = desire(
        make.image(tags=(RED,), **KNOWN),
        policy,
        BlockTemplate(policy.description),
        replace(make.form(), description=settled),
    )
    line = next(line for line in found.block.split("\n") if "60 × 300 s" in line)
    assert f"{FSI}{RED}{PDI}: 60 × 300 s" in line
    assert not any(moves_others(line) for line in found.block.split("\n"))
    assert kept_by_the_server(encode_description(found.block)) == found.block
    assert not any(sign in tag for tag in found.tags for sign in CONTROLS)


def test_a_block_without_right_to_left_letters_has_no_invisible_sign(make):
    known = {
        **KNOWN,
        "title": "Mine",
        "target": None,
        "site": Site("Garden"),
        "equipment": (),
        "acquisitions": (),
    }
    policy = DescriptionPolicy()
    block = BlockTemplate(policy).render(facts_of(make.image(**known), policy, None))
    assert not [sign for sign in block if unicodedata.category(sign) == "Cf"]
