"""A guard's approval: of one harm, at one moment, for one pass.

What is approved is named by a hash, which goes on from the name of the moment. Once a pass has begun to carry
it out, in the very same commit, another moment begins: the guard names the next harm otherwise, also an
identical one after a restore of the catalogue. So it does when a store is taken up, or when a daemon begins
with one that its last clean end did not leave so: that may be a backup, which does not know what was used up.
The name is random, so no moment comes back.

An approval may wait in the store for the daemon, left by a process that may not write itself. The next look
at all images takes it, or, if the harm is another one by then, forgets it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from reconciler.core.store_keys import GUARD_APPROVED, GUARD_MOMENT
from reconciler.errors import GuardError

if TYPE_CHECKING:
    from reconciler.core.store_port import Store
    from reconciler.engine.passes import Prepared


def leave_approval(store: Store, harm: str) -> None:
    """Leave an approval of what the guard holds back, named by its hash; it takes the place of any other."""
    GUARD_APPROVED.write(store, harm)


def waiting_approval(store: Store) -> str:
    """Return the hash that a person approved and no pass has taken yet; ``""`` if there is none."""
    return GUARD_APPROVED.read(store) or ""


def moment(store: Store) -> str:
    """Return what the names of harm go on from: they are others in each moment."""
    return GUARD_MOMENT.read(store) or ""


def begin_moment(store: Store) -> None:
    """Begin another one: whatever was approved before, or is in a store that was put back, covers nothing."""
    GUARD_MOMENT.write(store, secrets.token_hex(16))


def covers(store: Store, approval: str, prepared: Prepared) -> bool:
    """Return whether a prepared pass over all images is covered by the approval, which is forgotten if not.

    An image that could not be read leaves open what the harm is: nothing is approved then, and the approval
    waits on.
    """
    verdict = prepared.verdict
    covered = not verdict.tripped and verdict.hash == approval
    unread = prepared.items.tally.failed
    # Another one may have been left meanwhile: that is not this pass's.
    if not covered and not unread and GUARD_APPROVED.read(store) == approval:
        GUARD_APPROVED.forget(store)
    return covered


def spend_approval(store: Store, prepared: Prepared) -> None:
    """Use up the approval under which a pass begins, if there is one; within the commit that begins it.

    Raises:
        GuardError: another pass has used it since this one was prepared.
    """
    verdict = prepared.verdict
    if verdict.tripped or not verdict.hash:
        return
    if moment(store) != prepared.moment:
        raise GuardError(
            f"What was approved as {verdict.hash} has been carried out already, or the state store was put "
            "back since; nothing was written.",
            remedy="Look at it as it is now: skymmich-reconciler plan",
        )
    begin_moment(store)
    store.forget_losses()  # the person saw them, too: they were part of the numbers
    if GUARD_APPROVED.read(store) == verdict.hash:
        GUARD_APPROVED.forget(store)
