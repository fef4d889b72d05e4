"""Equipment as light meets it: what guides, what the picture was taken through, and whether its field fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.catalogue import Acquisition, CatalogueImage, Equipment, PlateSolution, Summary
from reconciler.core.desired.desired import desire_with
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.optics_facts import scale_problem
from reconciler.core.policy import DescriptionPolicy, Policy

MAIN = ("telescope", "Esprit 100ED", ("focalLength", 550), ("focalRatio", "f/5.5"))
SHORT = ("telescope", "RedCat 51", ("focalLength", 250))
CAMERA = ("camera", "ASI2600MM Pro", ("pixelSize", 3.76), ("resolution", "6248x4176"))
GUIDE = ("camera", "ASI120MM Mini")
PIXELS = (6248, 4176)
SCALE = 206.265 * 3.76 / 550


def gear(*pieces):
    return tuple(Equipment(n, name, kind, tuple(more)) for n, (kind, name, *more) in enumerate(pieces))


@pytest.fixture
def facts(make):
    def gather(*pieces, **known):
        return facts_of(make.image(equipment=gear(*pieces), **known), DescriptionPolicy(), None)

    return gather


@pytest.mark.parametrize(
    "piece",
    [
        ("telescope", "Evoguide 50ED"),
        ("telescope", "ZWO 30mm Mini Scope"),
        ("telescope", "Any", ("role", "Guide scope")),
        ("camera", "ZWO ASI 174MM Mini"),
        ("camera", "ASI220MM"),
        ("camera", "QHY5-II"),
        ("camera", "QHY5III462C"),
        ("camera", "Star guider"),
        ("accessory", "ZWO OAG-L"),
        ("accessory", "Off-axis guider"),
    ],
)
def test_what_guides_is_told_apart(facts, piece):
    found = facts(MAIN, CAMERA, piece)
    assert (found.telescopes, found.cameras, found.guiding) == (
        ("Esprit 100ED",),
        ("ASI2600MM Pro",),
        (piece[1],),
    )
    assert found.optics == "550 mm f/5.5"
    assert found.accessories == ()


@pytest.mark.parametrize(
    ("piece", "group"),
    [
        (("mount", "SkyGuider Pro"), "mounts"),
        (("camera", "ASI1200"), "cameras"),
        (("camera", "QHY533M"), "cameras"),
        (("telescope", "Guide 60", ("role", "main")), "telescopes"),
    ],
)
def test_what_is_only_called_so_is_not(facts, piece, group):
    found = facts(piece, GUIDE, CAMERA)
    assert piece[1] in getattr(found, group)
    assert found.guiding == ("ASI120MM Mini",)


def test_a_guide_camera_alone_is_the_planetary_camera(facts):
    found = facts(MAIN, GUIDE)
    assert (found.cameras, found.guiding) == (("ASI120MM Mini",), ())


def test_unless_skymmich_names_another(facts):
    found = facts(MAIN, GUIDE, summary=Summary(camera="Canon EOS Ra"))
    assert (found.cameras, found.guiding) == (("Canon EOS Ra",), ("ASI120MM Mini",))


def test_the_shorter_of_two_guides_where_a_second_camera_does(facts):
    found = facts(SHORT, MAIN, CAMERA, GUIDE)
    assert (found.telescopes, found.guiding) == (("Esprit 100ED",), ("RedCat 51", "ASI120MM Mini"))


@pytest.mark.parametrize(
    "more",
    [
        (CAMERA,),
        (CAMERA, ("camera", "ASI533MC Pro"), GUIDE),
        (CAMERA, GUIDE, ("accessory", "OAG")),
        (CAMERA, GUIDE, ("telescope", "Guide scope")),
    ],
)
def test_two_telescopes_are_two_where_none_must_guide(facts, more):
    found = facts(SHORT, MAIN, *more)
    assert set(found.telescopes) == {"RedCat 51", "Esprit 100ED"}
    assert found.optics == ""


@given(st.permutations([MAIN, SHORT, CAMERA, GUIDE, ("mount", "AM5"), ("accessory", "EAF")]))
def test_the_order_of_the_links_decides_nothing(pieces):
    found = facts_of(CatalogueImage(1, None, "", equipment=gear(*pieces)), DescriptionPolicy(), None)
    assert (found.telescopes, found.cameras) == (("Esprit 100ED",), ("ASI2600MM Pro",))
    assert sorted(found.guiding) == ["ASI120MM Mini", "RedCat 51"]


@pytest.mark.parametrize(
    ("piece", "optics"),
    [
        (("accessory", "Esprit reducer 0.79x"), "434 mm f/4.3"),
        (("accessory", "TeleVue 2x Barlow"), "1100 mm f/11"),
        (("accessory", "Powermate ×2,5"), "1375 mm f/13.8"),
        (("accessory", "Starizona", ("factor", "0.8x")), "440 mm f/4.4"),
        (("accessory", "Focuser 2x"), "550 mm f/5.5"),
        (("accessory", "EAF"), "550 mm f/5.5"),
        (("accessory", "Flattener 1x"), "550 mm f/5.5"),
        (("accessory", "Cable 12x", ("factor", "wide")), "550 mm f/5.5"),
        (("accessory", "Reducer", ("factor", 0)), "550 mm f/5.5"),
    ],
)
def test_a_reducer_or_extender_changes_focal_length_and_ratio(facts, piece, optics):
    assert facts(MAIN, CAMERA, piece).optics == optics


def test_two_factors_say_nothing_for_certain(facts):
    found = facts(MAIN, ("accessory", "Reducer 0.79x"), ("accessory", "2x Barlow"))
    assert found.optics == ""


def test_the_flat_columns_of_a_guide_scope_are_no_optics(facts):
    guide = ("telescope", "Any", ("role", "guide scope"), ("focalLength", 120))
    assert facts(guide, summary=Summary(focal_length_mm=120)).optics == ""


def solved(scale, pixels=PIXELS):
    return PlateSolution(10.0, 41.0, scale * pixels[0], scale * pixels[1])


@pytest.mark.parametrize("factor", [1, 1.04, 0.5, 2, 3, 1 / 3, 1.5])
def test_a_field_that_fits_says_nothing(make, factor):
    image = make.image(solution=solved(SCALE * factor), equipment=gear(MAIN, CAMERA, GUIDE, SHORT))
    assert scale_problem(image, PIXELS) is None


def test_a_wrong_focal_length_is_told_with_both_scales_and_costs_nothing(make):
    image = make.image(solution=solved(SCALE * 1.2), equipment=gear(MAIN, CAMERA))
    desired = desire_with("", image, Policy(), make.form(), PIXELS)
    (problem,) = desired.problems
    assert problem.code == "scale_differs"
    assert dict(problem.params) == {"solved": "1.69″/px", "optics": "1.41″/px"}
    fits = make.image(solution=solved(SCALE), equipment=gear(MAIN, CAMERA))
    assert desire_with("", fits, Policy(), make.form(), PIXELS).tags == desired.tags


def test_a_reducer_that_is_linked_explains_it(make):
    pieces = (MAIN, CAMERA, ("accessory", "Reducer 0.79x"))
    image = make.image(solution=solved(SCALE / 0.79), equipment=gear(*pieces))
    assert scale_problem(image, PIXELS) is None


def test_binning_counts(make):
    rows = (Acquisition("L", 1, 60.0, binning="4x4"),)
    image = make.image(
        solution=solved(SCALE * 4, (1562, 1044)),
        equipment=gear(MAIN, (*CAMERA[:2], ("pixelSize", "3.76 µm"))),
        acquisitions=rows,
    )
    assert scale_problem(image, (1562, 1044)) is None


def test_a_drizzled_stack_fits(make):
    pixels = (12496, 8352)
    image = make.image(solution=solved(SCALE / 2, pixels), equipment=gear(MAIN, CAMERA))
    assert scale_problem(image, pixels) is None


@pytest.mark.parametrize(
    ("pixels", "pieces"),
    [
        (None, (MAIN, CAMERA)),
        ((2600, 1738), (MAIN, CAMERA)),  # made smaller for an export
        (PIXELS, (MAIN,)),
        (PIXELS, (MAIN, ("camera", "C", ("pixelSize", "small")))),
        (PIXELS, (MAIN, ("telescope", "B", ("focalLength", 600)), CAMERA)),
        (PIXELS, (("telescope", "T"), CAMERA)),
    ],
)
def test_what_cannot_be_told_is_not(make, pixels, pieces):
    image = make.image(solution=solved(SCALE * 1.2, pixels or PIXELS), equipment=gear(*pieces))
    assert scale_problem(image, pixels) is None
