"""The guard: a catalogue that shrank, or a plan that takes much away, is held back; what adds goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.catalogue import Acquisition, CatalogueObject, Equipment, Summary
from reconciler.core.desired.desired import desire, desire_with
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.plan.guard import check, withhold
from reconciler.core.policy import GuardPolicy, Policy, TagPolicy
from reconciler.core.records import RecentLosses
from reconciler.messages.guard import message

DEFAULT = GuardPolicy()
HERE = Coordinates(48.1, 11.6)


def ids(count):
    return frozenset(f"asset-{n:03d}" for n in range(count))


@pytest.fixture
def losing(make):
    """Plans of which the first so many lose a tag of ours, beside one that they get."""

    def plans(count, of, more="new"):
        return [
            make.plan(
                make.desired(tags=[more] if n < count else ["old"]),
                make.asset(tags=["old"]),
                make.record(tags=["old"]),
                asset_id=f"asset-{n:03d}",
            )
            for n in range(of)
        ]

    return plans


def judge(plans=(), before=100, now=None, managed=None, approved="", policy=DEFAULT, **more):
    now = before if now is None else now
    return check(
        plans,
        linked=ids(now),
        linked_before=ids(before),
        managed=len(plans) if managed is None else managed,
        policy=policy,
        approved=approved,
        **more,
    )


@pytest.mark.parametrize(
    ("now", "rules_changed", "cause", "mend"),
    [
        (38, False, "shrunk", "Restore the catalogue"),
        (38, True, "shrunk", "Restore the catalogue"),
        (100, True, "rules", "change it back"),
        (100, False, "values", "Restore them"),
    ],
)
def test_the_remedy_fits_the_cause(losing, now, rules_changed, cause, mend):
    verdict = judge(losing(25, 100), now=now, rules_changed=rules_changed)
    assert verdict.cause == cause
    others = {"Restore the catalogue", "change it back", "Restore them"} - {mend}
    assert mend in message(verdict.told)
    assert not [other for other in others if other in message(verdict.told)]


def test_a_quiet_pass_is_not_held():
    assert not judge().tripped


def test_the_first_pass_has_nothing_to_compare_with():
    assert not judge(before=0, now=100).tripped
    assert not judge(before=0, now=0).tripped


@pytest.mark.parametrize(
    ("before", "now", "tripped"),
    [
        (100, 80, False),  # exactly 20 %
        (100, 79, True),
        (50, 40, False),  # exactly 20 %, exactly 10
        (49, 39, True),  # 10, and 20.4 %
        (45, 36, False),  # 20 %, 9
        (12, 3, False),  # 75 %, but 9
        (12, 2, True),
        (65, 3, True),
        (1, 0, True),  # emptied
        (5, 0, True),
    ],
)
def test_a_catalogue_may_lose_twenty_percent_or_nine_images(before, now, tripped):
    verdict = judge(before=before, now=now)
    assert (verdict.tripped, verdict.shrunk) == (tripped, tripped)


def test_images_that_came_do_not_make_up_for_images_that_went():
    verdict = check(
        [], linked=ids(200) - ids(30), linked_before=ids(100), managed=100, policy=DEFAULT, approved=""
    )
    assert verdict.shrunk


@pytest.mark.parametrize(
    ("count", "of", "tripped"),
    [(20, 100, False), (21, 100, True), (10, 50, False), (10, 49, True), (9, 9, False), (10, 10, True)],
)
def test_a_plan_may_take_from_twenty_percent_or_nine_assets(losing, count, of, tripped):
    verdict = judge(losing(count, of))
    assert verdict.tripped == tripped
    assert not verdict.shrunk
    assert verdict.held == (ids(count) if tripped else frozenset())


def test_the_share_is_of_all_managed_assets_not_of_those_planned(losing):
    assert not judge(losing(21, 30), managed=200).tripped


@pytest.mark.parametrize(("fraction", "count"), [(0.29, 29), (0.07, 7), (0.57, 57)])
def test_exactly_the_configured_share_is_allowed(losing, fraction, count):
    policy = GuardPolicy(max_fraction=fraction, min_count=1)
    assert not judge(losing(count, 100), policy=policy).tripped
    assert judge(losing(count + 1, 100), policy=policy).tripped


def test_a_shrunken_catalogue_is_not_trusted_with_any_loss(losing):
    verdict = judge(losing(2, 100), now=50)
    assert verdict.held == ids(2)


def test_additions_alone_are_never_held(make):
    plans = [make.plan(make.desired(block=make.block, tags="a"), make.asset(), asset_id=i) for i in ids(50)]
    assert judge(plans, now=50).held == frozenset()


def test_the_message_has_the_numbers_the_examples_and_the_command(losing):
    verdict = judge(losing(25, 100), now=38)
    assert "lost 62 of its 100 linked images" in message(verdict.told)
    assert "62%" in message(verdict.told)
    assert "25 of 100 managed assets would lose something (25%" in message(verdict.told)
    assert "“M 31” (loses 1 tag)" in message(verdict.told)
    assert "and 22 more" in message(verdict.told)
    assert f"skymmich-reconciler apply --approve {verdict.hash}" in message(verdict.told)


def test_an_empty_catalogue_is_called_empty():
    assert "is empty, but had 65 linked images" in message(judge(before=65, now=0).told)


def test_the_examples_say_what_is_lost(make):
    plans = [
        make.plan(
            make.desired(prose="New"),
            make.asset(f"By hand\n\n{make.block}", tags="ab"),
            make.record(block=make.block, tags="ab"),
            make.rules(on_conflict="overwrite"),
            asset_id=i,
        )
        for i in ids(10)
    ]
    assert "(loses its block, has its prose replaced, loses 2 tags)" in message(judge(plans).told)


def test_approval_lets_just_this_harm_pass(losing):
    held = judge(losing(25, 100))
    assert not judge(losing(25, 100), approved=held.hash).tripped
    for other in (losing(26, 100), losing(24, 100)):
        assert judge(other, approved=held.hash).tripped
    assert judge(losing(25, 100), now=50, approved=held.hash).tripped


def test_approval_of_a_shrunken_catalogue_is_for_those_very_images():
    held = judge(before=65, now=3)
    approved = judge(before=65, now=3, approved=held.hash)
    assert (approved.tripped, approved.shrunk) == (False, False)
    assert judge(before=65, now=2, approved=held.hash).tripped


@pytest.mark.parametrize("approved", ["", "yes", "0" * 20])
def test_nothing_else_approves(losing, approved):
    assert judge(losing(25, 100), approved=approved).tripped


def test_the_hash_names_what_is_lost_and_not_what_is_added(losing):
    assert judge(losing(25, 100)).hash == judge(losing(25, 100, more="another")).hash
    assert judge(losing(25, 100)).hash == judge(losing(25, 100)[::-1]).hash


def harmful(make, observed):
    """Give a plan that adds a place and tags, and replaces the block by its heading."""
    desired = make.desired(block="✦ IMG_1\n— Skymmich", coordinates=HERE, tags=["x", "y"])
    return make.plan(desired, observed, make.record(block=make.block, tags=["a"]))


def test_the_hash_is_the_same_once_the_additions_were_made(make):
    """A person reads it, approves it later, and by then what only adds has been written."""

    def plans(after_additions):
        found = [replace(harmful(make, make.asset(make.block, tags="ax")), asset_id=i) for i in ids(20)]
        if not after_additions:
            return found
        return [
            replace(harmful(make, make.carry_out(withhold(plan))[0]), asset_id=plan.asset_id)
            for plan in found
        ]

    first, later = judge(plans(after_additions=False)), judge(plans(after_additions=True))
    assert first.tripped
    assert first.hash == later.hash
    assert not judge(plans(after_additions=True), approved=first.hash).tripped


def test_another_loss_of_the_same_assets_is_another_harm(make):
    def plans(block):
        desired = make.desired(block=block)
        return [
            make.plan(desired, make.asset(make.block), make.record(block=make.block), asset_id=i)
            for i in ids(20)
        ]

    losses = "✦ a\n— Skymmich", "✦ b\n— Skymmich", None
    assert len({judge(plans(block)).hash for block in losses}) == 3


def test_what_is_withheld_is_the_loss_and_what_goes_on_only_adds(make):
    plan = harmful(make, make.asset(f"Hi\n\n{make.block}", tags="ax"))
    assert plan.takes_away
    rest = withhold(plan)
    assert (rest.description, rest.block, rest.remove_tags) == (None, None, frozenset())
    assert (rest.coordinates, rest.add_tags) == (HERE, {"y"})
    observed, record = make.carry_out(rest, make.record())
    assert observed.description == f"Hi\n\n{make.block}"
    assert observed.tags == set("axy")
    assert record.applied.tags >= {"a", "y"}


def test_a_first_block_beside_a_lost_tag_goes_on(make):
    plan = make.plan(make.desired(block=make.block), make.asset("Hi", tags="a"), make.record(tags="a"))
    rest = withhold(plan)
    assert (rest.description, rest.block) == (f"Hi\n\n{make.block}", make.block)
    assert rest.remove_tags == frozenset()


def test_a_block_that_was_deleted_in_immich_comes_back_even_so(make):
    record = make.record(block=make.block, coordinates=HERE, tags="a")
    plan = make.plan(make.desired(block=make.block, coordinates=HERE), make.asset(tags="a"), record)
    rest = withhold(plan)
    assert (rest.description, rest.coordinates) == (make.block, HERE)


def test_replaced_values_wait_with_the_loss(make):
    record = make.record(block=make.block, prose="Old", coordinates=HERE, tags="a")
    desired = make.desired(block=make.newer, prose="New", coordinates=Coordinates(1, 2))
    observed = make.asset(f"Old\n\n{make.block}", coordinates=HERE, tags="a")
    assert not withhold(make.plan(desired, observed, record)).changes


def test_a_block_that_loses_most_of_its_facts_is_a_loss_and_one_that_changes_is_not(make):
    def takes_away(block, live=make.block):
        plan = make.plan(make.desired(block=block), make.asset(live), make.record(block=live))
        return plan.takes_away

    assert takes_away("✦ IMG_1\n— Skymmich")
    assert takes_away("✦ IMG_1\n\nIntegration: 1s\n— Skymmich")
    assert not takes_away(make.newer)
    assert not takes_away("✦ b\nGalaxy\n— Skymmich", "✦ b\nGalaxy\nCamera: A\n— Skymmich")
    assert not takes_away(make.block.replace("\nCamera: ASI2600MM", ""))


# Skymmich's real case: one 401 from Immich, and 62 of its 65 images are gone.


class Library:
    """A catalogue of 65 images, its assets in Immich, and what was applied."""

    def __init__(self, make):
        self.make, self.template = make, BlockTemplate(Policy().description)
        self.whole = {f"asset-{n:03d}": self._image(n) for n in range(65)}
        self.catalogue = dict(self.whole)
        self.assets = {i: make.asset(f"Seen by {i}", tags=["Family"]) for i in self.whole}
        self.records, self.before, self.writes = {}, frozenset(), 0

    def _image(self, n):
        return self.make.image(
            image_id=n,
            title=f"Night {n}",
            filename=f"IMG_{n}.jpg",
            description=f"First light {n}" if n % 3 else "",
            tags=("astrophotography", "NGC 224"),
            target=CatalogueObject("NGC0224", "G", "M 31", ("Andromeda Galaxy",), "And"),
            latitude=48.1,
            longitude=11.6 + n / 100,
            equipment=(Equipment(1, "FRA400", "telescope"), Equipment(2, "ASI2600", "camera")),
            acquisitions=(Acquisition("Ha", 60 + n, 300.0),),
        )

    def blank(self, n):
        """Give the image as Skymmich's import makes it anew."""
        return self.make.image(
            image_id=1000 + n,
            title=f"IMG_{n}.jpg",
            filename=f"IMG_{n}.jpg",
            tags=("astrophotography",),
            object_type="Deep Sky",
            summary=Summary(integration_hours=0.0003, frame_count=1),
        )

    def run(self, approved=""):
        plans = [
            self.make.plan(
                desire(image, Policy(), self.template, self.make.form(), None),
                self.assets[asset_id],
                self.records.get(asset_id),
                asset_id=asset_id,
            )
            for asset_id, image in self.catalogue.items()
        ]
        verdict = check(
            plans,
            linked=frozenset(self.catalogue),
            linked_before=self.before,
            managed=len(self.assets),
            policy=DEFAULT,
            approved=approved,
        )
        self.writes = 0
        for plan in plans:
            going = withhold(plan) if plan.asset_id in verdict.held else plan
            self.writes += going.changes
            done = self.make.carry_out(going, self.records.get(plan.asset_id))
            self.assets[plan.asset_id], self.records[plan.asset_id] = done
        if not verdict.shrunk:
            self.before = frozenset(self.catalogue)
        return verdict


@pytest.fixture
def library(make):
    filled = Library(make)
    filled.run()
    assert filled.writes == 65
    filled.run()
    assert filled.writes == 0
    return filled


def test_sixty_two_lost_images_cost_immich_nothing_and_their_return_no_write(library):
    whole = dict(library.assets)
    library.catalogue = {i: library.whole[i] for i in sorted(library.whole)[:3]}
    for _ in range(2):  # it stays refused: the shrunken catalogue is no new measure
        verdict = library.run()
        assert verdict.shrunk
        assert "lost 62 of its 65 linked images" in message(verdict.told)
        assert (library.writes, library.assets) == (0, whole)
    library.catalogue = dict(library.whole)
    assert not library.run().tripped
    assert (library.writes, library.assets) == (0, whole)


def test_images_that_come_back_blank_cost_immich_nothing_and_their_restoration_no_write(library):
    whole = dict(library.assets)
    library.catalogue = {i: library.whole[i] for i in sorted(library.whole)[:3]}
    library.run()
    for n, asset_id in enumerate(sorted(library.whole)[3:], start=3):
        library.catalogue[asset_id] = library.blank(n)
    verdict = library.run()
    assert (verdict.tripped, verdict.shrunk) == (True, False)
    assert "62 of 65 managed assets would lose something (95%" in message(verdict.told)
    assert (library.writes, library.assets) == (0, whole)
    assert library.run().hash == verdict.hash
    library.catalogue = dict(library.whole)
    assert not library.run().tripped
    assert (library.writes, library.assets) == (0, whole)


def test_while_much_is_held_a_new_image_is_written(library):
    library.catalogue = {i: library.whole[i] for i in sorted(library.whole)[:3]}
    library.catalogue["asset-new"] = library._image(99)
    library.assets["asset-new"] = library.make.asset("Hello")
    assert library.run().tripped
    assert library.writes == 1
    assert "Hello" in library.assets["asset-new"].description


def test_an_approved_loss_is_carried_out_and_is_the_new_measure(library):
    for n, asset_id in enumerate(sorted(library.whole)):
        library.catalogue[asset_id] = library.blank(n)
    verdict = library.run()
    assert verdict.tripped
    assert not library.run(approved=verdict.hash).tripped
    assert library.writes == 65
    library.run()
    assert library.writes == 0
    assert all("Seen by" in asset.description for asset in library.assets.values())
    assert all("Family" in asset.tags for asset in library.assets.values())


def test_what_is_held_does_not_slip_through_one_by_one(losing):
    whole = judge(plans := losing(30, of=60))
    one = plans[0]
    rest = {asset_id: part for asset_id, part in whole.harm.items() if asset_id != one.asset_id}
    alone = {"linked": ids(60), "linked_before": ids(60), "managed": 60, "policy": DEFAULT}
    assert not check([one], **alone).tripped
    again = check([one], **alone, standing=rest)
    assert again.tripped
    assert one.asset_id in again.held
    assert again.hash == whole.hash


def test_star_names_that_an_older_version_wrote_go_without_a_question(make):
    noise = ("HD 37742", "62 Cyg")
    image = make.image(title="Veil", tags=("Veil Nebula", *noise))
    wanted = desire_with("", image, Policy(tags=TagPolicy(root="")), make.form())
    written = {"Veil Nebula", *noise}
    plans = [
        make.plan(wanted, make.asset(tags=[*written, "Family"]), make.record(tags=written), asset_id=asset_id)
        for asset_id in sorted(ids(100))
    ]
    assert {plan.remove_tags for plan in plans} == {frozenset(noise)}
    assert not any(plan.takes_away for plan in plans)
    assert not judge(plans, rules_changed=True).tripped


@pytest.mark.parametrize("added", [False, True])
def test_a_type_that_is_told_better_in_all_images_is_a_change_and_no_loss(make, added):
    old, new = "Astro/Type/Nebula", "Astro/Type/Emission nebula"
    plans = [
        make.plan(
            make.desired(tags=[new]),
            make.asset(tags=[old, new] if added else [old]),
            make.record(tags=[old, new] if added else [old]),
            asset_id=asset_id,
        )
        for asset_id in sorted(ids(100))
    ]
    assert all(plan.remove_tags for plan in plans)
    assert not judge(plans).tripped


def test_losses_of_the_window_before_count_with_those_of_now(losing):
    recent = RecentLosses(values=frozenset(f"asset-{n:03d}" for n in range(80, 95)))
    assert not judge(losing(5, 100), recent=recent).tripped
    verdict = judge(losing(6, 100), recent=recent)
    assert verdict.tripped
    assert verdict.held == ids(6)
    assert (
        "6 of 100 managed assets would lose something, after 15 in the last 24 h (21% together, more than 20%)"
        in (message(verdict.told))
    )


def test_an_asset_that_loses_again_counts_once(losing):
    assert not judge(losing(20, 100), recent=RecentLosses(values=ids(20))).tripped


def test_losses_of_before_hold_nothing_by_themselves(losing):
    recent = RecentLosses(values=ids(90), left=frozenset(f"gone-{n}" for n in range(90)))
    assert not judge(losing(0, 100), recent=recent).tripped


def test_the_library_is_as_large_as_at_the_beginning_of_the_window(losing):
    """Of 100 images 20 left and lost their values: one more is too much, as at the beginning."""
    left = frozenset(f"gone-{n}" for n in range(20))
    verdict = judge(before=80, now=79, managed=80, recent=RecentLosses(left=left))
    assert verdict.shrunk
    assert "lost 1 of its 100 linked images, after 20 in the last 24 h (21% together" in message(verdict.told)
    assert not judge(
        before=80, now=79, managed=80, recent=RecentLosses(left=frozenset(sorted(left)[:15]))
    ).shrunk
    values = RecentLosses(values=left)
    assert not judge(losing(0, 80), before=80, managed=80, recent=values).tripped
    assert judge(losing(1, 80), before=80, managed=80, recent=values).tripped


def test_the_name_of_a_harm_is_the_same_whatever_was_lost_before(losing):
    """Else what was approved would have another name as soon as the window slides on."""
    names = {
        judge(losing(25, 100), recent=RecentLosses(values=frozenset(more))).hash
        for more in ((), ("asset-070",), ("asset-070", "asset-071"))
    }
    assert len(names) == 1
