"""An approval that waits in the store for the daemon, left by a process that may not write itself.

It names one harm by its hash. The next look at all images takes it: the very same harm passes, once; any
other is held as before, and the approval is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.engine.passes import Prepared
    from reconciler.engine.ports import Store

APPROVED: Final = "guard.approved"
"""Where the store keeps it."""


def leave_approval(store: Store, harm: str) -> None:
    """Leave an approval of what the guard holds back, named by its hash; it takes the place of any other."""
    store.put(APPROVED, harm)


def waiting_approval(store: Store) -> str:
    """Give the hash that a person approved and no pass has taken yet; ``""`` if there is none."""
    found = store.get(APPROVED)
    return found if isinstance(found, str) else ""


def take_approval(store: Store, approval: str, prepared: Prepared) -> bool:
    """Tell whether a prepared pass over all images is covered by the approval, and forget it when judged.

    An image that could not be read leaves open what the harm is: nothing is approved then, and the approval
    waits on.
    """
    verdict = prepared.verdict
    covered = not verdict.tripped and verdict.hash == approval
    unread = any(item.status == "failed" for item in prepared.items)
    # Another one may have been left meanwhile: that is not this pass's.
    if (covered or not unread) and store.get(APPROVED) == approval:
        store.put(APPROVED, None)
    return covered
