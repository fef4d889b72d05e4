"""What the details of a condition say, each a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.reasons import Code

DETAILS: Final[Mapping[Code, Message]] = {
    "remedy": Message("{text}"),
    "catalogue_read": Message(
        "{count} image, {linked} of them linked to Immich.",
        "{count} images, {linked} of them linked to Immich.",
    ),
    "rows_unread": Message(
        "{count} row could not be read and was left out.", "{count} rows could not be read and were left out."
    ),
    "catalogue_lacks": Message(
        "Tables or columns that it once had are missing: what Immich shows of them is left alone."
    ),
    "sync_on": Message("Metadata sync is switched on."),
    "sync_off": Message(
        "Metadata sync is switched off in Skymmich (metadataSyncEnabled); nothing is written."
    ),
    "sync_off_here": Message("Metadata sync is switched off here; nothing is written."),
    "begun": Message("Immich may be written to."),
    "not_begun": Message(
        "Nothing is written before a person has seen what would be, and begins: on the daemon's page, with "
        "skymmich-reconciler apply, or for good with [policy] mode set to sync."
    ),
    "first_only": Message(
        "{count} image was begun with. Nothing else is written before a person goes on.",
        "{count} images were begun with. Nothing else is written before a person goes on.",
    ),
    "observes": Message(
        "This installation only observes, as [policy] mode says: it plans and shows, and never writes."
    ),
    "configuration_usable": Message("Address, key, policy and template are usable."),
    "configuration_refused": Message(
        "The changed configuration cannot be used, so the previous one stays in use:"
    ),
    "configuration_reloaded": Message("The configuration in use is the one on disk, as of the last reload."),
    "immich_answers": Message("Immich {version} answers."),
    "key_allows": Message("The API key allows what is needed."),
    "key_forbids": Message("The API key does not allow writing {features}; everything else goes on."),
    "tags_off": Message(
        "Tags are switched off in this user's preferences in Immich; everything else "
        "goes on. Switch them on there, or switch off syncTags."
    ),
    "store_taken_up": Message("The state store is in use again."),
    "right_held": Message("This process holds the right to write."),
    "right_taken_anew": Message(
        "The right to write is being taken again, in the state store that is there now."
    ),
    "pass_recorded": Message("The last run was completed and recorded."),
    "broke_off": Message(
        "A run broke off because of {kind}; the log has the details. It is tried again by itself."
    ),
    "no_canary": Message("No change waits for its first images to be checked."),
    "all_in_sync": Message("{count} image is in sync.", "All {count} images are in sync."),
    "rest_left_alone": Message(
        "{count} image of {images} is left alone: taken back, or left out. All others are in sync.",
        "{count} images of {images} are left alone: taken back, or left out. All others are in sync.",
    ),
    "not_all_in_sync": Message(
        "{count} image of {images} is not in sync.", "{count} images of {images} are not in sync."
    ),
    "images_held": Message(
        "The guard holds back changes to {count} image. See: skymmich-reconciler plan",
        "The guard holds back changes to {count} images. See: skymmich-reconciler plan",
    ),
    "nothing_held": Message("The guard holds nothing back."),
    "looked_lately": Message("Everything was looked at recently."),
    "not_looked": Message("No look at everything has been completed yet."),
    "looked_long_ago": Message("The last complete look at everything was {seconds} ago."),
    "notices_sent": Message("The last notice was sent."),
    "notices_unsent": Message("It failed at {text}. To test the addresses: skymmich-reconciler notices test"),
    "notices_partly": Message(
        "It reached other addresses, but failed at {text}. To test them: skymmich-reconciler notices test"
    ),
    "not_linked": Message("It is not linked to an asset in Immich."),
}
