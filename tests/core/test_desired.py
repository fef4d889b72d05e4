"""What an asset should carry: a pure function of the catalogue's image and the policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.catalogue import CatalogueObject, Equipment
from reconciler.core.desired.desired import NOTHING, Form, desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import DescriptionPolicy, Policy
from reconciler.core.text import trim
from reconciler.errors import TemplateError

M31 = CatalogueObject("NGC0224", "G", "M 31", ("Andromeda Galaxy",), "And")


@pytest.fixture
def wanted(make):
    def desire_image(policy=None, form=None, **known):
        policy = policy or Policy()
        return desire(make.image(**known), policy, BlockTemplate(policy.description), form or make.form())

    return desire_image


def test_an_image_wants_block_prose_place_and_tags(wanted):
    found = wanted(
        title="Andromeda",
        target=M31,
        description="  First light.\n",
        latitude=48.1,
        longitude=11.6,
        tags=("Autumn", "HD 37742"),
        equipment=(Equipment(1, "FRA400", "telescope"),),
    )
    assert found.block.startswith("✦ M 31 · NGC 224 · Andromeda Galaxy\n")
    assert (found.prose, found.coordinates) == ("First light.", Coordinates(48.1, 11.6))
    assert found.tags == {
        "Astro/Autumn",
        "Astro/Type/Galaxy",
        "Astro/Constellation/Andromeda",
        "Astro/Target/M 31 Andromeda Galaxy",
        "Astro/Equipment/FRA400",
    }
    assert found.problems == ()


def test_a_bare_image_wants_its_heading_and_nothing_else(wanted):
    assert wanted(title="Moon") == replace(
        NOTHING,
        block="✦ Moon\n— Skymmich",
        unsure=frozenset({"left_out_folder"}),  # its file's path is not known
    )


def test_a_block_that_came_back_with_an_import_is_no_prose(wanted, make):
    assert wanted(description=f"Mine\n\n{make.block}").prose == "Mine"
    assert wanted(description=make.block).prose is None


@pytest.mark.parametrize("description", ["", " \n\t", "\u00a0"])
def test_blank_prose_is_none(wanted, description):
    assert wanted(description=description).prose is None


def test_texts_are_wanted_in_the_form_that_the_target_keeps(wanted):
    form = Form(lambda text: trim(text).replace("\x0b", "."), lambda path: path.lower())
    found = wanted(form=form, title="Moon", description="a\x0bb", tags=("Autumn",))
    assert (found.prose, found.tags) == ("a.b", {"astro/autumn"})


def test_a_block_that_the_target_can_not_keep_is_none(wanted):
    assert wanted(form=Form(lambda _: "", lambda path: path), title="Moon").block is None


@pytest.mark.parametrize(
    ("target", "tag"),
    [
        (M31, "M 31 Andromeda Galaxy"),
        (replace(M31, common_names=()), "M 31 Andromeda Galaxy"),
        (CatalogueObject("NGC0895"), "NGC 895"),
        (CatalogueObject("NGC7293", common_names=("Helix Nebula",)), "NGC 7293 Helix Nebula"),
    ],
)
def test_the_target_s_tag_is_its_best_known_name_and_its_common_name(wanted, target, tag):
    assert f"Astro/Target/{tag}" in wanted(target=target).tags


def test_what_can_not_be_used_is_reported(wanted):
    found = wanted(latitude=95, longitude=-200.5, tags=("a" * 300, "M 31"))
    assert found.coordinates is None
    assert found.tags == {"Astro/M 31"}
    assert [one.code for one in found.problems] == ["place_out_of_range", "tag_too_long"]


def test_an_error_in_the_template_names_it(wanted):
    policy = Policy(description=DescriptionPolicy(template="{{ nope }}", template_name="mine.j2"))
    with pytest.raises(TemplateError, match=r"mine\.j2:1: "):
        wanted(policy, title="Moon")


def test_the_same_image_always_wants_the_same(wanted):
    known = {"title": "Moon", "tags": ("b", "a", "c"), "target": M31}
    assert wanted(**known) == wanted(**known)
