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
        "It lost tables or columns that it once had: what rests on them is left alone in Immich."
    ),
    "sync_on": Message("Metadata sync is switched on."),
    "sync_off": Message(
        "Metadata sync is switched off in Skymmich (metadataSyncEnabled); nothing is written."
    ),
    "sync_off_here": Message("Metadata sync is switched off here; nothing is written."),
    "begun": Message("Immich may be written to."),
    "not_begun": Message(
        "Nothing is written before a person has seen what would be, and begins: on this page, with "
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
    "configuration_refused": Message("The changed configuration is not used, the former one is:"),
    "configuration_reloaded": Message("The configuration is the one on the disk, as of the last reload."),
    "immich_answers": Message("Immich {version} answers."),
    "key_allows": Message("The API key allows what is needed."),
    "key_forbids": Message("The API key does not allow to write {features}; the rest goes on."),
    "tags_off": Message(
        "The tags feature is switched off in Immich's preferences of this user; the rest goes on. Switch it "
        "on there, or switch off syncTags."
    ),
    "store_taken_up": Message("The state store was taken up again."),
    "right_held": Message("This process holds the right to write."),
    "right_taken_anew": Message(
        "The right to write is being taken anew, in the state store that is there now."
    ),
    "pass_recorded": Message("The last pass went through and was recorded."),
    "broke_off": Message("A pass broke off by {kind}; the log has it. It is tried again by itself."),
    "no_canary": Message("Nothing waits for a canary."),
    "all_in_sync": Message("{count} image is in sync.", "All {count} images are in sync."),
    "not_all_in_sync": Message(
        "{count} of {images} images is not in sync.", "{count} of {images} images are not in sync."
    ),
    "images_held": Message(
        "The guard holds back changes to {count} image. See: skymmich-reconciler plan",
        "The guard holds back changes to {count} images. See: skymmich-reconciler plan",
    ),
    "nothing_held": Message("The guard holds nothing back."),
    "looked_lately": Message("Everything was looked at lately."),
    "not_looked": Message("Nothing has been looked through to the end yet."),
    "looked_long_ago": Message("The last look at everything that went through was {seconds} ago."),
    "notices_sent": Message("The last notice was sent."),
    "notices_unsent": Message("At {text}. To try the addresses: skymmich-reconciler notices test"),
    "notices_partly": Message(
        "It went to other addresses, but not everywhere: at {text}. To try them: skymmich-reconciler notices "
        "test"
    ),
    "not_linked": Message("It is not linked to an asset in Immich."),
}
