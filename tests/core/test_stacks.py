"""For which assets an image stands where its asset is in a stack."""

from __future__ import annotations

import pytest

from reconciler.core.catalogue import Catalogue, CatalogueImage
from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.stacks import NO_STACKS, SeenStack, StackedImages, Stacking, stacking, still


def uuid(number):
    return f"{number:08x}-1111-4111-8111-111111111111"


A, B, C, D, E = (uuid(number) for number in range(1, 6))
LINKS = {A: 1, B: 2}


def test_all_others_of_a_stack_stand_beside_the_linked_one():
    found = stacking([SeenStack(A, (A, D, C))], LINKS.get, "all")
    assert found == Stacking(beside={C: A, D: A})
    assert found.assets == {C, D}
    assert (found.linked_of(C), found.linked_of(A), found.linked_of(E)) == (A, A, E)


def test_the_cover_stands_in_place_of_the_linked_one():
    assert stacking([SeenStack(C, (C, A, D))], LINKS.get, "cover") == Stacking(instead={C: A})


@pytest.mark.parametrize(
    ("stack", "write"),
    [
        (SeenStack(A, (A, C)), "cover"),  # the linked one is the cover
        (SeenStack(C, (A, D)), "cover"),  # the cover is in the trash
        (SeenStack(B, (B, A)), "cover"),  # the cover is another image's
        (SeenStack(A, (A, B)), "all"),  # all are linked
        (SeenStack(C, (C, D)), "all"),  # none is
        (SeenStack(A, (A,)), "all"),
        (SeenStack(A, ()), "all"),
    ],
)
def test_where_nothing_stands_for_another(stack, write):
    assert stacking([stack], LINKS.get, write) == NO_STACKS


@pytest.mark.parametrize(("primary", "owner"), [(A, A), (B, B), (C, A)])
def test_of_two_linked_ones_others_stand_beside_the_primary_one_or_the_first_image(primary, owner):
    assert stacking([SeenStack(primary, (C, B, A))], LINKS.get, "all").beside == {C: owner}
    assert stacking([SeenStack(C, (C, B, A))], LINKS.get, "cover").instead == {C: A}


def test_what_was_known_stands_still_as_far_as_the_catalogue_has_it():
    before = Stacking(beside={C: A, D: E, B: A})
    now = still(before, LINKS.get)
    assert now == Stacking(beside={C: A}, known=False)
    assert now.unknown == {C}
    assert before.unknown == frozenset()


def test_two_are_joined_and_the_other_one_counts():
    assert Stacking({C: A}, {D: B}).joined(Stacking({D: A}, {C: B})) == Stacking({D: A}, {C: B})
    assert Stacking({C: A}).joined(Stacking({}, {D: B})) == Stacking({C: A}, {D: B})


@pytest.fixture
def catalogue():
    images = PackedImages(
        CatalogueImage(key, asset, f"image {key}") for key, asset in ((1, A), (2, B), (3, None))
    )
    return Catalogue(StackedImages(images, Stacking({C: A, D: A}, {E: B})))


def test_an_image_comes_once_for_each_asset_that_it_stands_for(catalogue):
    expected = [(1, A), (1, C), (1, D), (2, E), (3, None)]
    images = catalogue.images
    assert [(one.image_id, one.asset_id) for one in images] == expected
    assert list(zip(images.ids(), images.asset_ids(), strict=True)) == expected
    assert len(images) == 5
    assert images[1].asset_id == C
    assert [one.title for one in catalogue.all_of(1)] == ["image 1"] * 3
    assert catalogue.all_of(9) == ()


def test_all_that_is_asked_of_many_knows_the_members(catalogue):
    assert set(catalogue.linked_assets()) == {A, C, D, E}
    assert len(catalogue.linked()) == 4
    assert list(catalogue.linked_ids()) == [A, C, D, E]
    assert [catalogue.image_id_of(one) for one in (A, B, C, D, E)] == [1, None, 1, 1, 2]
    assert [catalogue.is_beside(one) for one in (A, C, E)] == [False, True, False]
    assert catalogue.doubtful_ids() == frozenset()


def test_an_image_has_a_main_asset_and_is_known_as_it_is_linked(catalogue):
    assert (catalogue.image(2).asset_id, catalogue.as_linked(2).asset_id) == (E, B)
    assert (catalogue.image(1).asset_id, catalogue.as_linked(1).asset_id) == (A, A)


def test_changed_images_stand_for_the_same(catalogue):
    changed = catalogue.images.replaced({1: CatalogueImage(1, A, "new"), 2: None})
    assert [(one.title, one.asset_id) for one in changed] == [
        ("new", A),
        ("new", C),
        ("new", D),
        ("image 3", None),
    ]


def test_without_stacks_a_catalogue_is_as_it_was():
    plain = Catalogue((CatalogueImage(1, A, "one"),))
    assert plain.all_of(1) == plain.images
    assert plain.as_linked(1) == plain.image(1)
    assert not plain.is_beside(A)
    packed = Catalogue(PackedImages(plain.images))
    assert (packed.all_of(1), packed.as_linked(1), packed.is_beside(A)) == (
        plain.images,
        plain.images[0],
        False,
    )
