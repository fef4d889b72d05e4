"""What images want, computed in slices: the event loop goes on between two, the renderer works beside it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.core.desired.desired import FAILURES, Desired, Form, desire_with, unusable
from reconciler.core.desired.facts import facts_of
from reconciler.errors import TemplateError, UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.desired.facts import Facts
    from reconciler.core.policy import DescriptionPolicy, Policy
    from reconciler.core.ports import Renderer, TimeZones
    from reconciler.core.records import AssetRecord

    Pixels = tuple[int, int] | None
    _Key = tuple[int, str | None]
    Wanted = tuple[CatalogueImage, Pixels]

SLICE = 16
"""Images whose facts are gathered, rendered and used at once: some 6 ms."""
_TRIED = 4 * SLICE
"""Images that a template is tried for together."""
_AT_ONCE = 8
"""Images between two turns of the event loop."""
_KEPT = 1_000
"""Images of which it is kept what they want."""
AS_IT_IS = Form(lambda text: text, lambda tag: tag)
Failure = TemplateError | UnusableImageError
Text = str | TemplateError
"""Of one image: the block, or why it could not be rendered."""


class DesiredStates:
    """What each image of one pass wants; asked for an image that could not be computed, it says why."""

    def __init__(self) -> None:
        self._found: dict[_Key, Desired | Failure] = {}

    def put(self, image: CatalogueImage, found: Desired | Failure) -> None:
        """Note what an image wants for its asset, or why that is not known."""
        self._found[_key(image)] = found

    @property
    def template_failure(self) -> TemplateError | None:
        """The first failure of the template."""
        return next((found for found in self._found.values() if isinstance(found, TemplateError)), None)

    def clear(self) -> None:
        """Let go of all: the next slice takes their place."""
        self._found.clear()

    def of(self, image: CatalogueImage) -> Desired:
        """Return what an image wants.

        Raises:
            TemplateError, UnusableImageError: it could not be computed.
        """
        found = self._found[_key(image)]
        if isinstance(found, Failure):
            raise found
        return found


class DesiredStateComputer:
    """Computes what images want, once for as long as nothing about them changes.

    Args:
        renderer: of the template.
        form: in which the target keeps texts and tags; by default they stay as they are.
    """

    def __init__(self, renderer: Renderer, form: Form = AS_IT_IS) -> None:
        self._renderer, self._form = renderer, form
        self.zones: TimeZones | None = form.zones
        """Which time it is where: asked only where dates are wanted."""
        self._memory: dict[_Key, tuple[CatalogueImage, Pixels, Policy, Desired]] = {}
        """Of the images that were asked for, as long as they are no more than are kept."""
        self._too_many = False
        self._usable: DescriptionPolicy | None = None

    async def check(self, policy: DescriptionPolicy) -> None:
        """See that there is a template, before anything else is done.

        Raises:
            TemplateError: it cannot be read.
        """
        if self._usable != policy:
            await self._renderer.render(policy, ())
            self._usable = policy

    async def compute(self, wanted: Iterable[Wanted], policy: Policy, desires: DesiredStates) -> None:
        """Compute what images want, each with its picture's size, and put it into ``desires``.

        An image that cannot be computed costs only itself: the reason is put in place of what it wants.

        Raises:
            TemplateError: the template goes beyond its limits, or fails for all of several images.
        """
        new = [each for each in wanted if not self._known(each, policy, desires)]
        running: deque[tuple[Sequence[Wanted], asyncio.Task[list[Text]]]] = deque()
        try:
            for start in range(0, len(new), SLICE):
                several, facts = _facts(new[start : start + SLICE], policy, desires)
                running.append((several, asyncio.create_task(self._render(policy.description, facts))))
                await asyncio.sleep(0)
                if len(running) > 1:  # the renderer has the next ones while these are taken
                    await self._take(*running[0], policy, desires)
                    running.popleft()
            for each in running:
                await self._take(*each, policy, desires)
        finally:
            for _, task in running:
                task.cancel()
            await asyncio.gather(*(task for _, task in running), return_exceptions=True)

    def _known(self, wanted: Wanted, policy: Policy, desires: DesiredStates) -> bool:
        image, pixels = wanted
        known = self._memory.get(_key(image))
        if known is None or known[:3] != (image, pixels, policy):
            return False
        desires.put(image, known[3])
        return True

    async def _take(
        self,
        several: Sequence[Wanted],
        texts: asyncio.Task[list[Text]],
        policy: Policy,
        desires: DesiredStates,
    ) -> None:
        for number, ((image, pixels), text) in enumerate(zip(several, await texts, strict=True)):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            if isinstance(text, TemplateError):
                desires.put(image, text)
                continue
            try:
                form = self._form if self.zones is None else replace(self._form, zones=self.zones)
                found = desire_with(text, image, policy, form, pixels)
            except UnusableImageError as error:
                desires.put(image, error)
                continue
            desires.put(image, found)
            self._remember(image, pixels, policy, found)

    def _remember(self, image: CatalogueImage, pixels: Pixels, policy: Policy, found: Desired) -> None:
        # They come in their order: of more images than that, none would be there when it comes again.
        more = _key(image) not in self._memory and len(self._memory) >= _KEPT
        self._too_many = self._too_many or more
        if self._too_many:
            self._memory.clear()
        else:
            self._memory[_key(image)] = (image, pixels, policy, found)

    async def _render(self, policy: DescriptionPolicy, facts: Sequence[Facts]) -> list[Text]:
        """Render several, one by one where they cannot be rendered together."""
        try:
            return list(await self._renderer.render(policy, facts))
        except TemplateError as error:
            if error.runaway or len(facts) == 1:
                raise
            together = error
        texts: list[Text] = []
        for each in facts:
            try:
                texts += await self._renderer.render(policy, (each,))
            except TemplateError as error:
                if error.runaway:
                    raise
                texts.append(error)
        if all(isinstance(text, TemplateError) for text in texts):
            raise together
        return texts


def _key(image: CatalogueImage) -> _Key:
    """Name an image and its asset: of each member of a stack the picture has a size of its own."""
    return image.image_id, image.asset_id


def pixels_of(record: AssetRecord | None) -> Pixels:
    """Return the size of an asset's picture, as far as it was ever read."""
    return (record.width, record.height) if record and record.width and record.height else None


async def try_template(renderer: Renderer, policy: Policy, wanted: Iterable[Wanted]) -> DesiredStates:
    """See that a template can be read and renders for all these images, before it takes another one's place.

    The images are taken some at a time, in a thread: however many there are, few are in memory.

    Returns:
        what they would want: of many, the last ones.

    Raises:
        TemplateError: it does not.
    """
    computer, desires = DesiredStateComputer(renderer), DesiredStates()
    await computer.check(policy.description)
    left = iter(wanted)
    while several := await asyncio.to_thread(list, islice(left, _TRIED)):
        desires.clear()
        await computer.compute(several, policy, desires)
        if (failure := desires.template_failure) is not None:
            raise failure
    return desires


def sized(images: Iterable[CatalogueImage], record: Callable[[str], AssetRecord | None]) -> Iterator[Wanted]:
    """Return the linked images one by one, each with its picture's size as far as it is known.

    Args:
        images: of the catalogue.
        record: gives what is remembered of an asset.
    """
    return ((image, pixels_of(record(image.asset_id or ""))) for image in images)


def _facts(
    several: Sequence[Wanted], policy: Policy, desires: DesiredStates
) -> tuple[Sequence[Wanted], Sequence[Facts]]:
    """Gather the facts, of those images of which they can be."""
    usable, facts = [], []
    for image, pixels in several:
        try:
            facts.append(facts_of(image, policy.description, pixels))
        except FAILURES as error:
            desires.put(image, unusable(error))
        else:
            usable.append((image, pixels))
    return usable, facts
