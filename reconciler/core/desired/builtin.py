"""Renders the built-in template here and now: it is ours, and takes no more than we know."""

from __future__ import annotations

from functools import lru_cache
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
        template = _compiled(policy)
        return [template.render(each) for each in facts]


@lru_cache(maxsize=4)
def _compiled(policy: DescriptionPolicy) -> BlockTemplate:
    """Return the template of a policy: to compile it takes as long as to render seventy images."""
    return BlockTemplate(policy)


if TYPE_CHECKING:
    _fulfils: type[Renderer] = BuiltIn
