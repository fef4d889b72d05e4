"""What an asset should carry: a pure function of one catalogue image, the policy, and the picture's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.coordinates import desired_coordinates
from reconciler.core.description import Markers, strip_blocks
from reconciler.core.facts import constellation_of, facts_of, object_type_of, target_names
from reconciler.core.tags import TagSources, desired_tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.asset import Coordinates
    from reconciler.core.catalogue import CatalogueImage, Unreadable
    from reconciler.core.policy import Policy
    from reconciler.core.template import BlockTemplate


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which the target keeps what it is given, so that the diff is not noisy."""

    description: Callable[[str], str]
    """A fixed point of the target's round trip."""
    tag: Callable[[str], str | None]
    """Likewise for a tag's full path; ``None`` if it can not be kept."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The metadata an asset should carry; ``None``: nothing. All in settled form."""

    block: str | None = None
    prose: str | None = None
    coordinates: Coordinates | None = None
    tags: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    """What of the catalogue could not be used, for people."""
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
    """
    return desire_with(template.render(facts_of(image, policy.description, pixels)), image, policy, form)


def desire_with(block: str, image: CatalogueImage, policy: Policy, form: Form) -> Desired:
    """Compute what the image's asset should carry, with a block that was rendered elsewhere.

    Args:
        block: of the image's facts, marker lines included; empty for none.
        image: the catalogue's image.
        policy: the user's choice.
        form: how the target keeps texts and tags.
    """
    markers = Markers(policy.description.opening, policy.description.closing)
    place, place_problem = desired_coordinates(image.latitude, image.longitude)
    tags, tag_problems = desired_tags(
        TagSources(
            catalogue=image.tags,
            object_type=object_type_of(image),
            constellation=constellation_of(image),
            target=_target_tag(image),
            equipment=tuple((piece.kind, piece.name) for piece in image.equipment),
        ),
        policy.tags,
        form.tag,
    )
    return Desired(
        block=form.description(block) or None,
        # With the default markers as well: what was imported before they were configured has those.
        prose=form.description(strip_blocks(strip_blocks(image.description, markers), Markers())) or None,
        coordinates=place,
        tags=tags,
        problems=(*((place_problem,) if place_problem else ()), *tag_problems),
        unreadable=image.unreadable,
    )


def _target_tag(image: CatalogueImage) -> str:
    """Give the target's tag: best known name and common name, ``M 31 Andromeda Galaxy``."""
    names = target_names(image)
    common = names[-1:] if image.target and image.target.common_names else ()
    return " ".join(dict.fromkeys((*names[:1], *common)))
