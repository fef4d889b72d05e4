"""What stands beside, or in place of, the linked assets of a pass: one listing of Immich's stacks.

What stood so at the last good pass is kept, for two reasons. Where Immich does not tell of the stacks now,
nothing is let go and nothing is written by what was known. And what stops standing is no replaced picture:
it is let go as an image that was unlinked, see ``carrying_over``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import Images
from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.stacks import NO_STACKS, StackedImages, Stacking, stacking, still
from reconciler.core.store_keys import STACKS
from reconciler.errors import MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.policy import Policy
    from reconciler.core.ports import Target
    from reconciler.core.store_port import Store
    from reconciler.core.store_values import Values


@dataclass(frozen=True, slots=True)
class StackSight:
    """What a look at the stacks told."""

    stacking: Stacking = NO_STACKS
    lacking: tuple[str, ...] = ()
    """Permissions for want of which nobody could look."""


async def look(target: Target, store: Store, policy: Policy, catalogue: Catalogue) -> StackSight:
    """List the stacks, where what is written goes to them.

    Raises:
        ImmichError: they could not be listed, though the key may.
    """
    if not policy.stacks.enabled:
        return StackSight()
    image_id_of = _images_by_asset(catalogue)
    try:
        seen = await target.stacks()
    except MissingPermissionError as error:
        return StackSight(still(known_stacking(store), image_id_of), (error.permission or "stack.read",))
    return StackSight(stacking(seen, image_id_of, policy.stacks.write))


def stacked(catalogue: Catalogue, standing: Stacking) -> Catalogue:
    """Return a catalogue whose images stand for the members of stacks, too, or for their covers."""
    if not standing.assets:
        return catalogue
    images = catalogue.images
    packed = images if isinstance(images, Images) else PackedImages(images)
    return replace(catalogue, images=StackedImages(packed, standing))


def known_stacking(store: Values) -> Stacking:
    """Return what stood beside, or in place of, linked assets at the last good pass."""
    kept = STACKS.read(store)
    return NO_STACKS if kept is None else Stacking(kept["beside"], kept["instead"])


def keep_stacking(store: Values, standing: Stacking, *, besides: bool = False) -> None:
    """Keep what stands so after a good pass, or, ``besides`` what is kept, before one; if it is known."""
    before = known_stacking(store)
    kept = before.joined(standing) if besides else standing
    if not standing.known or kept == before:
        return
    if kept.assets:
        STACKS.write(store, {"beside": dict(kept.beside), "instead": dict(kept.instead)})
    else:
        STACKS.forget(store)


def begin_with(store: Store, standing: Stacking) -> None:
    """Keep what is about to be written to; what comes to a stack is left out as its linked asset is."""
    new = standing.assets - known_stacking(store).assets if standing.known else ()
    out = store.left_out_of([standing.linked_of(asset) for asset in new])
    for asset in new:
        if fields := out.get(standing.linked_of(asset)):
            store.leave_out(asset, fields)
    keep_stacking(store, standing, besides=True)


def restacked(left: AbstractSet[str], store: Values, catalogue: Catalogue, now: Stacking) -> AbstractSet[str]:
    """Return, of assets that left, those that went with their stack: what they stood for is linked."""
    if not left:
        return frozenset()
    stood, covered = known_stacking(store), frozenset(now.instead.values())

    def is_there(linked: str) -> bool:
        return linked in covered or catalogue.image_id_of(linked) is not None

    found = {asset for asset in stood.assets if asset in left and is_there(stood.linked_of(asset))}
    return frozenset(found | {asset for asset in covered if asset in left})


def main_image(store: Values, image: CatalogueImage) -> CatalogueImage:
    """Return an image with its main asset: its stack's cover may stand in the linked one's place."""
    covers = {linked: asset for asset, linked in known_stacking(store).instead.items()}
    return replace(image, asset_id=covers.get(image.asset_id or "", image.asset_id))


def members_of(store: Values, image: CatalogueImage) -> tuple[CatalogueImage, ...]:
    """Return an image once for each other member of its asset's stack that it stood for at the last pass."""
    beside = (asset for asset, linked in known_stacking(store).beside.items() if linked == image.asset_id)
    return tuple(replace(image, asset_id=asset) for asset in sorted(beside))


def all_of(store: Values, image: CatalogueImage) -> tuple[CatalogueImage, ...]:
    """Return an image once for each asset that it stood for at the last pass, the main one first."""
    return (main_image(store, image), *members_of(store, image))


def family_of(known: Stacking, asset_id: str) -> tuple[str, ...]:
    """Return a linked asset, or the cover in its place, with all else that stands for its image."""
    linked = known.instead.get(asset_id, asset_id)
    others = (one for one in sorted(known.assets) if one != asset_id and known.linked_of(one) == linked)
    return (asset_id, *([] if linked == asset_id else [linked]), *others)


def _images_by_asset(catalogue: Catalogue) -> Callable[[str], int | None]:
    if isinstance(catalogue.images, Images):
        return catalogue.image_id_of
    links = {image.asset_id: image.image_id for image in catalogue.linked() if image.asset_id is not None}
    return links.get
