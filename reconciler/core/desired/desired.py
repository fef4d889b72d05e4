"""What an asset should carry: a pure function of one catalogue image, the policy, and the picture's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.desired.albums import AlbumSources, desired_albums
from reconciler.core.desired.block import Markers, strip_blocks
from reconciler.core.desired.coordinates import desired_coordinates, told_place
from reconciler.core.desired.dates import desired_date, is_of_night
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.language import language_of
from reconciler.core.desired.leaving_out import left_out, unsure, without_marks
from reconciler.core.desired.object_facts import constellation_of, object_type_of, target_tags, without_target
from reconciler.core.desired.optics_facts import scale_problem
from reconciler.core.desired.solution_facts import others_in_field
from reconciler.core.desired.solver_sentence import without_sentence
from reconciler.core.desired.tags import (
    MAX_TAGS,
    TagSources,
    desired_tags,
    flat_kinds,
    omitted_tags,
    own_tags,
)
from reconciler.core.reasons import Reason, reason
from reconciler.errors import UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reconciler.core.asset import Coordinates
    from reconciler.core.catalogue import CatalogueImage, Unreadable
    from reconciler.core.desired.template import BlockTemplate
    from reconciler.core.policy import Policy
    from reconciler.core.ports import TimeZones
    from reconciler.core.reasons import Code


FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What arithmetic and text can raise over values that nobody thought of; it is that image's."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which the target keeps what it is given, so that the diff is not noisy."""

    description: Callable[[str], str]
    """A fixed point of the target's round trip."""
    tag: Callable[[str], str | None]
    """Likewise for a tag's full path; ``None`` if it cannot be kept."""
    zones: TimeZones | None = None
    """Which time it is where: asked only where dates are wanted."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The metadata an asset should carry; ``None``: nothing. All in settled form."""

    block: str | None = None
    prose: str | None = None
    coordinates: Coordinates | None = None
    exact_place: Coordinates | None = None
    """The catalogue's, where ``coordinates`` is told less exactly: it stays here."""
    taken_at: datetime | None = None
    is_of_night: bool = False
    """Whether of ``taken_at`` only the night is known: any moment of that is as good."""
    tags: frozenset[str] = frozenset()
    albums: frozenset[str] = frozenset()
    """Names of albums."""
    problems: tuple[Reason, ...] = ()
    """What of the catalogue could not be used."""
    remarks: tuple[Reason, ...] = ()
    """What was left out as it should be: it is told where somebody looks, and nobody has to."""
    unreadable: frozenset[Unreadable] = frozenset()
    """Fields of which it is not known what they should be: they are left alone."""
    left_out: tuple[Reason, ...] = ()
    """Why fields of it are left out, each reason with its fields: parts of ``WRITTEN_PARTS``."""
    unsure: frozenset[Code] = frozenset()
    """Of which of these reasons it cannot be told whether they hold."""
    kinds: tuple[tuple[str, str], ...] = ()
    """Tags of facts whose path does not tell the kind of fact → the kind, in order."""


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
    return desire_with(block, image, policy, form, pixels)


def unusable(error: Exception) -> UnusableImageError:
    """Return the error of an image whose values raise one of ``FAILURES``."""
    message = f"its values cannot be worked with ({type(error).__name__}: {str(error)[:200]})"
    return UnusableImageError(message, remedy="Mend it in Skymmich; it is left as it is.")


def desire_with(
    block: str,
    image: CatalogueImage,
    policy: Policy,
    form: Form,
    pixels: tuple[int, int] | None = None,
) -> Desired:
    """Compute what the image's asset should carry, with a block that was rendered elsewhere.

    Args:
        block: of the image's facts, marker lines included; empty for none.
        image: the catalogue's image.
        policy: the user's choice.
        form: how the target keeps texts and tags.
        pixels: width and height of the original, when known: for the scale's check.

    Raises:
        UnusableImageError: its values cannot be worked with.
    """
    try:
        return _desire_with(block, image, policy, form, pixels)
    except FAILURES as error:
        raise unusable(error) from error


def _desire_with(
    block: str,
    image: CatalogueImage,
    policy: Policy,
    form: Form,
    pixels: tuple[int, int] | None,
) -> Desired:
    markers = Markers(policy.description.opening, policy.description.closing)
    exact, place_problem = desired_coordinates(image.latitude, image.longitude)
    place = told_place(exact, image.site.name if image.site else "", policy.coordinates)
    taken_at, date_problem = (
        desired_date(image, policy.dates, form.zones) if policy.dates.enabled else (None, None)
    )
    language = language_of(policy.tags.language)
    own = own_tags(without_marks(image.tags, policy.leave_out), policy.tags, _names_and_title(image))
    beyond = own.cut + len(image.equipment[MAX_TAGS:])
    targets = target_tags(image) if policy.tags.target else ()
    sources = TagSources(
        # Another spelling of the target is no second tag.
        own=without_target(image, own.kept) if targets else own.kept,
        object_type=language.object_type(object_type_of(image)),
        constellation=language.constellation(constellation_of(image)),
        targets=targets,
        field_objects=others_in_field(image) if policy.tags.field_objects else (),
        equipment=tuple((piece.kind, piece.name) for piece in image.equipment[:MAX_TAGS]),
    )
    tags, tag_problems = desired_tags(sources, policy.tags, form.tag)
    problems = (place_problem, date_problem, scale_problem(image, pixels), _cut(beyond), *tag_problems)
    return Desired(
        block=form.description(block) or None,
        prose=form.description(_prose(image.description, markers)) or None,
        coordinates=place,
        exact_place=exact if place != exact else None,
        taken_at=taken_at,
        is_of_night=taken_at is not None and is_of_night(policy.dates),
        tags=tags,
        albums=desired_albums(_album_sources(image, sources), policy.albums),
        problems=tuple(one for one in problems if one),
        remarks=omitted_tags(own),
        left_out=left_out(image, policy.leave_out),
        unsure=unsure(image),
        unreadable=image.unreadable | {"more_tags"} if beyond else image.unreadable,
        kinds=flat_kinds(sources, policy.tags, form.tag, tags),
    )


def _album_sources(image: CatalogueImage, sources: TagSources) -> AlbumSources:
    """Return what an image's albums are made of; targets whether or not they become tags."""
    return AlbumSources(
        targets=sources.targets or target_tags(image),
        constellation=sources.constellation,
        object_type=sources.object_type,
        equipment=sources.equipment,
        site=image.site.name if image.site else "",
    )


def _prose(text: str, markers: Markers) -> str:
    """Return a person's words: an import copies what Immich shows, block and solver's sentence too."""
    # With the default markers as well: what was imported before they were configured has those.
    return without_sentence(strip_blocks(strip_blocks(text, markers), Markers()))


def _cut(beyond: int) -> Reason | None:
    return reason("tags_cut", most=MAX_TAGS, count=beyond) if beyond else None


def _names_and_title(image: CatalogueImage) -> tuple[str, ...]:
    """Return the texts that tell what a person took a picture of."""
    target = image.target
    known = (target.name, target.messier or "", *target.common_names, *target.identifiers) if target else ()
    return (image.title, image.target_name or "", *known)
