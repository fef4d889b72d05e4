"""Renders the built-in template here and now: it is ours, and takes no more than we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.desired.template import BlockTemplate
from reconciler.errors import RendererError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.desired.facts import Facts
    from reconciler.core.policy import DescriptionPolicy
    from reconciler.core.ports import Renderer


class BuiltIn:
    """Renders the built-in template, and refuses all others; fulfils ``Renderer``."""

    def __init__(self) -> None:
        self._known: tuple[DescriptionPolicy, BlockTemplate] | None = None

    async def render(self, policy: DescriptionPolicy, facts: Sequence[Facts]) -> list[str]:
        """Render the block for each."""
        return self.render_now(policy, facts)

    def render_now(self, policy: DescriptionPolicy, facts: Sequence[Facts]) -> list[str]:
        """Render the block for each.

        Raises:
            RendererError: it is a user's template.
        """
        if policy.template is not None:
            raise RendererError("Only the built-in template is rendered in this process.")
        if self._known is None or self._known[0] != policy:
            self._known = (policy, BlockTemplate(policy))
        return [self._known[1].render(each) for each in facts]


if TYPE_CHECKING:
    _fulfils: type[Renderer] = BuiltIn
