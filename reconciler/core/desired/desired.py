"""What an asset should carry: a pure function of one catalogue image, the policy, and the picture's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.desired.block import Markers, strip_blocks
from reconciler.core.desired.coordinates import desired_coordinates
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.object_facts import (
    constellation_of,
    object_type_of,
    target_tags,
    without_target,
)
from reconciler.core.desired.solver_sentence import without_sentence
from reconciler.core.desired.tags import MAX_TAGS, TagSources, desired_tags, first_tags
from reconciler.core.reasons import Reason, reason
from reconciler.errors import UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.asset import Coordinates
    from reconciler.core.catalogue import CatalogueImage, Unreadable
    from reconciler.core.desired.template import BlockTemplate
    from reconciler.core.policy import Policy


FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What arithmetic and text can raise over values that nobody thought of; it is that image's."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which the target keeps what it is given, so that the diff is not noisy."""

    description: Callable[[str], str]
    """A fixed point of the target's round trip."""
    tag: Callable[[str], str | None]
    """Likewise for a tag's full path; ``None`` if it cannot be kept."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The metadata an asset should carry; ``None``: nothing. All in settled form."""

    block: str | None = None
    prose: str | None = None
    coordinates: Coordinates | None = None
    tags: frozenset[str] = frozenset()
    problems: tuple[Reason, ...] = ()
    """What of the catalogue could not be used."""
    unreadable: frozenset[Unreadable] = frozenset()
    """Fields of which it is not known what they should be: they are left alone."""


NOTHING = Desired()
"""What an image that left the catalogue wants: merged, it takes away what is ours and unchanged."""


def desire(
    image: CatalogueImage,
    policy: Policy,
    template: BlockTemplate,
    form: Form,
    pixels: tuple[int, int] | None = None,
) -> Desired:
    """Compute what the image's asset should carry.

    Args:
        image: the catalogue's image.
        policy: the user's choice.
        template: the compiled template of the block.
        form: how the target keeps texts and tags.
        pixels: width and height of the original, when known.

    Raises:
        TemplateError: the template fails for this image.
        UnusableImageError: its values cannot be worked with.
    """
    try:
        block = template.render(facts_of(image, policy.description, pixels))
    except FAILURES as error:
        raise unusable(error) from error
    return desire_with(block, image, policy, form)


def unusable(error: Exception) -> UnusableImageError:
    """Return the error of an image whose values raise one of ``FAILURES``."""
    message = f"its values cannot be worked with ({type(error).__name__}: {str(error)[:200]})"
    return UnusableImageError(message, remedy="Mend it in Skymmich; it is left as it is.")


def desire_with(block: str, image: CatalogueImage, policy: Policy, form: Form) -> Desired:
    """Compute what the image's asset should carry, with a block that was rendered elsewhere.

    Args:
        block: of the image's facts, marker lines included; empty for none.
        image: the catalogue's image.
        policy: the user's choice.
        form: how the target keeps texts and tags.

    Raises:
        UnusableImageError: its values cannot be worked with.
    """
    try:
        return _desire_with(block, image, policy, form)
    except FAILURES as error:
        raise unusable(error) from error


def _desire_with(block: str, image: CatalogueImage, policy: Policy, form: Form) -> Desired:
    markers = Markers(policy.description.opening, policy.description.closing)
    place, place_problem = desired_coordinates(image.latitude, image.longitude)
    targets = target_tags(image) if policy.tags.target else ()
    # Another spelling of the target is no second tag.
    own_tags, left_out = first_tags(image.tags, policy.tags)
    own_tags = without_target(image, own_tags) if targets else own_tags
    left_out += len(image.equipment[MAX_TAGS:])
    tags, tag_problems = desired_tags(
        TagSources(
            catalogue=own_tags,
            object_type=object_type_of(image),
            constellation=constellation_of(image),
            target=targets[0] if targets else "",
            more_targets=targets[1:],
            equipment=tuple((piece.kind, piece.name) for piece in image.equipment[:MAX_TAGS]),
        ),
        policy.tags,
        form.tag,
    )
    return Desired(
        block=form.description(block) or None,
        prose=form.description(_prose(image.description, markers)) or None,
        coordinates=place,
        tags=tags,
        problems=tuple(one for one in (place_problem, _cut(left_out), *tag_problems) if one),
        unreadable=image.unreadable | {"more_tags"} if left_out else image.unreadable,
    )


def _prose(text: str, markers: Markers) -> str:
    """Return a person's words: an import copies what Immich shows, block and solver's sentence too."""
    # With the default markers as well: what was imported before they were configured has those.
    return without_sentence(strip_blocks(strip_blocks(text, markers), Markers()))


def _cut(left_out: int) -> Reason | None:
    return reason("tags_cut", most=MAX_TAGS, count=left_out) if left_out else None
