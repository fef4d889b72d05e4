"""What images want, computed in slices beside a renderer, once for as long as nothing changes."""

from __future__ import annotations

import asyncio
import gc
import logging
from dataclasses import replace

import pytest

from reconciler.core.catalogue import CatalogueImage
from reconciler.core.desired.builtin import BuiltIn
from reconciler.core.policy import DescriptionPolicy, Policy
from reconciler.engine.planner import desired
from reconciler.engine.planner.desired import SLICE, DesiredStateComputer, DesiredStates, try_template
from reconciler.errors import RendererError, TemplateError, UnusableImageError
from reconciler.rendering.renderer import SafeRenderer

MINE = Policy(DescriptionPolicy(template="{{ heading }} by me", template_name="mine.j2"))
COUNT = 3 * SLICE + 7

pytestmark = pytest.mark.anyio


class Counting(BuiltIn):
    """Renders here, and counts."""

    def __init__(self, fails_at=None):
        super().__init__()
        self.asked, self.fails_at, self.waits = [], fails_at, None

    async def render(self, _, facts):
        self.asked.append(len(facts))
        if self.waits:
            await self.waits.wait()
        if self.fails_at is not None and len(self.asked) >= self.fails_at:
            raise TemplateError("too much", source="mine.j2", line=1)
        return [f"block of {each.heading}" for each in facts]


def images(count=COUNT):
    return [CatalogueImage(number, f"asset-{number}", f"Image {number}") for number in range(1, count + 1)]


def wanted(several):
    return [(image, None) for image in several]


async def test_every_image_gets_its_own_block_and_the_loop_goes_on_between_slices():
    renderer, desires, turns = Counting(), DesiredStates(), 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await DesiredStateComputer(renderer).compute(wanted(images()), MINE, desires)
    beside.cancel()
    assert renderer.asked == [SLICE, SLICE, SLICE, 7]
    assert turns >= 4
    assert [desires.of(one).block for one in images()] == [f"block of {one.title}" for one in images()]


async def test_only_what_changed_is_computed_again():
    renderer = Counting()
    computer = DesiredStateComputer(renderer)
    several = images()
    await computer.compute(wanted(several), MINE, DesiredStates())
    renderer.asked.clear()
    several[3] = replace(several[3], title="Another")
    desires = DesiredStates()
    await computer.compute([(several[4], (10, 10)), *wanted(several[:4] + several[5:])], MINE, desires)
    assert renderer.asked == [2]
    assert desires.of(several[3]).block == "block of Another"
    assert desires.of(several[0]).block == "block of Image 1"
    other = Policy(DescriptionPolicy(template="{{ title }}"))
    await computer.compute(wanted(several[:2]), other, DesiredStates())
    assert renderer.asked == [2, 2]


async def test_an_image_that_can_not_be_computed_costs_only_itself(monkeypatch):
    plain = desired.facts_of

    def facts_of(image, *more):
        if image.image_id == 5:
            raise OverflowError("a number that nobody thought of")
        return plain(image, *more)

    monkeypatch.setattr(desired, "facts_of", facts_of)
    desires = DesiredStates()
    await DesiredStateComputer(Counting()).compute(wanted(images()), MINE, desires)
    with pytest.raises(UnusableImageError, match="OverflowError: a number that nobody thought of"):
        desires.of(images()[4])
    assert desires.of(images()[5]).block == "block of Image 6"


async def test_an_image_for_which_the_template_fails_costs_only_itself_unless_it_runs_away():
    class Picky(Counting):
        async def render(self, policy, facts):
            self.fails_at = 1 if any(each.heading == "Image 30" for each in facts) else None
            return await super().render(policy, facts)

    renderer, desires = Picky(), DesiredStates()
    await DesiredStateComputer(renderer).compute(wanted(images()), MINE, desires)
    assert sum(renderer.asked) == COUNT + SLICE
    with pytest.raises(TemplateError, match="too much"):
        desires.of(images()[29])
    assert all(desires.of(one).block for one in images() if one.image_id != 30)
    with pytest.raises(TemplateError, match="too much"):
        await try_template(Picky(), MINE, wanted(images()))


@pytest.mark.parametrize("fails_at", [1, 2, 4])
async def test_a_template_that_fails_ends_it_and_nothing_is_left_running(fails_at, caplog):
    caplog.set_level(logging.ERROR)
    before = asyncio.all_tasks()
    with pytest.raises(TemplateError, match="too much"):
        await DesiredStateComputer(Counting(fails_at)).compute(wanted(images()), MINE, DesiredStates())
    assert asyncio.all_tasks() == before
    gc.collect()  # a task whose error nobody looked at complains then
    assert not caplog.records


async def test_whoever_stops_waiting_leaves_nothing_running(until):
    renderer, before = Counting(), asyncio.all_tasks()
    renderer.waits = asyncio.Event()
    task = asyncio.create_task(
        DesiredStateComputer(renderer).compute(wanted(images()), MINE, DesiredStates())
    )
    await until(lambda: len(renderer.asked) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before


async def test_without_a_renderer_only_the_built_in_template_is_rendered():
    with pytest.raises(RendererError):
        await BuiltIn().render(MINE.description, ())
    desires = await try_template(BuiltIn(), Policy(), wanted(images(2)))
    assert desires.of(images()[0]).block == "✦ Image 1\n— Skymmich"


@pytest.mark.parametrize(
    "text",
    [
        "\n{{ heading * 2000000000 }}",
        "\n{% if %}",
        "\n{{ nope }}",
    ],
)
async def test_a_pass_with_a_template_that_fails_writes_nothing_and_one_that_is_mended_all(
    install, monkeypatch, text
):
    here = install(count=3)
    with SafeRenderer() as renderer:
        plain = desired.DesiredStateComputer.__init__
        monkeypatch.setattr(
            desired.DesiredStateComputer, "__init__", lambda self, _, form: plain(self, renderer, form)
        )
        here.policy = Policy(DescriptionPolicy(template=text, template_name="mine.j2"))
        before = here.sim.assets()
        with pytest.raises(TemplateError, match=r"mine\.j2:2: "):
            await here.run()
        assert here.sim.assets() == before
        assert not here.store.runs(10)
        here.policy = MINE
        await here.run()
        assert all(" by me" in here.shown(asset)["description"] for _, asset in here.images())
