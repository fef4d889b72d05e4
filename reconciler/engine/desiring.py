"""What images want, computed in slices: the event loop goes on between two, the renderer works beside it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from reconciler.core.desired import Desired, Form, desire_with
from reconciler.core.facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.facts import Facts
    from reconciler.core.policy import DescriptionPolicy, Policy
    from reconciler.core.records import AssetRecord
    from reconciler.engine.ports import Renderer

    Pixels = tuple[int, int] | None
    Wanted = tuple[CatalogueImage, Pixels]

SLICE = 50
"""Images whose facts are gathered, rendered and used at once: some 20 ms."""
AS_IT_IS = Form(lambda text: text, lambda tag: tag)
_UNUSABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a value that nobody thought of can raise; it is that image's."""


class Desires:
    """What each image of one pass wants; asked for an image that could not be computed, it says why."""

    def __init__(self) -> None:
        self._found: dict[int, Desired | Exception] = {}

    def put(self, image_id: int, found: Desired | Exception) -> None:
        """Note what an image wants, or why that is not known."""
        self._found[image_id] = found

    def of(self, image: CatalogueImage) -> Desired:
        """Give what an image wants."""
        found = self._found[image.image_id]
        if isinstance(found, Exception):
            raise found
        return found


class Desirer:
    """Computes what images want, once for as long as nothing about them changes.

    Args:
        renderer: of the template.
        form: in which the target keeps texts and tags; by default they stay as they are.
    """

    def __init__(self, renderer: Renderer, form: Form = AS_IT_IS) -> None:
        self._renderer, self._form = renderer, form
        self._memory: dict[int, tuple[CatalogueImage, Pixels, Policy, Desired]] = {}
        self._usable: DescriptionPolicy | None = None

    async def check(self, policy: DescriptionPolicy) -> None:
        """See that there is a template, before anything else is done.

        Raises:
            TemplateError: it can not be read.
        """
        if self._usable != policy:
            await self._renderer.render(policy, ())
            self._usable = policy

    async def compute(self, wanted: Iterable[Wanted], policy: Policy, desires: Desires) -> None:
        """Compute what images want, each with its picture's size, and put it into ``desires``.

        Raises:
            TemplateError: the template fails for one of them, which it names.
        """
        new = [each for each in wanted if not self._known(each, policy, desires)]
        running: deque[tuple[Sequence[Wanted], asyncio.Task[list[str]]]] = deque()
        try:
            for start in range(0, len(new), SLICE):
                several, facts = _facts(new[start : start + SLICE], policy, desires)
                running.append(
                    (several, asyncio.create_task(self._renderer.render(policy.description, facts)))
                )
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

    def _known(self, wanted: Wanted, policy: Policy, desires: Desires) -> bool:
        image, pixels = wanted
        known = self._memory.get(image.image_id)
        if known is None or known[:3] != (image, pixels, policy):
            return False
        desires.put(image.image_id, known[3])
        return True

    async def _take(
        self, several: Sequence[Wanted], texts: asyncio.Task[list[str]], policy: Policy, desires: Desires
    ) -> None:
        for (image, pixels), text in zip(several, await texts, strict=True):
            try:
                found = desire_with(text, image, policy, self._form)
            except _UNUSABLE as error:
                desires.put(image.image_id, error)
                continue
            desires.put(image.image_id, found)
            self._memory[image.image_id] = (image, pixels, policy, found)


def pixels_of(record: AssetRecord | None) -> Pixels:
    """Give the size of an asset's picture, as far as it was ever read."""
    return (record.width, record.height) if record and record.width and record.height else None


async def try_template(renderer: Renderer, policy: Policy, wanted: Iterable[Wanted]) -> Desires:
    """See that a template can be read and renders for all these images, before it takes another one's place.

    Returns:
        what they would want.

    Raises:
        TemplateError: it does not.
    """
    desirer, desires = Desirer(renderer), Desires()
    await desirer.check(policy.description)
    await desirer.compute(wanted, policy, desires)
    return desires


def _facts(
    several: Sequence[Wanted], policy: Policy, desires: Desires
) -> tuple[Sequence[Wanted], Sequence[Facts]]:
    """Gather the facts, of those images of which they can be."""
    usable, facts = [], []
    for image, pixels in several:
        try:
            facts.append(facts_of(image, policy.description, pixels))
        except _UNUSABLE as error:
            desires.put(image.image_id, error)
        else:
            usable.append((image, pixels))
    return usable, facts
