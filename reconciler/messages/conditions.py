"""What is said of the daemon's conditions: their names, whether they hold or not, and their details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.reasons import joined_reasons
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.service.api import Condition, ConditionReason, ConditionType

HOLDS: Final[Mapping[ConditionType, Message]] = {
    "StoreWritable": Message("The state store can be written"),
    "Configured": Message("The configuration is complete"),
    "ConfigurationCurrent": Message("The configuration on disk is in use"),
    "Writer": Message("This process holds the right to write"),
    "Working": Message("Runs complete"),
    "CatalogueReadable": Message("Skymmich's catalogue can be read"),
    "SyncEnabled": Message("Metadata sync is switched on"),
    "Begun": Message("Immich may be written to"),
    "ImmichReachable": Message("Immich answers"),
    "Permitted": Message("The API key allows what is needed"),
    "GuardClear": Message("The guard holds nothing back"),
    "CanaryClear": Message("Immich kept the first writes"),
    "InSync": Message("Every image is in sync"),
    "Fresh": Message("Everything was looked at recently"),
    "NoticesSent": Message("Notices can be sent"),
}
BROKEN: Final[Mapping[ConditionType, Message]] = {
    "StoreWritable": Message("The state store cannot be written"),
    "Configured": Message("The configuration is not complete"),
    "ConfigurationCurrent": Message("The changed configuration is not in use"),
    "Writer": Message("Another process holds the right to write"),
    "Working": Message("A run broke off"),
    "CatalogueReadable": Message("Skymmich's catalogue cannot be read"),
    "SyncEnabled": Message("Metadata sync is switched off"),
    "Begun": Message("Nothing is written yet"),
    "ImmichReachable": Message("Immich does not answer"),
    "Permitted": Message("The API key lacks a permission"),
    "GuardClear": Message("The guard holds something back"),
    "CanaryClear": Message("Immich did not keep the first writes"),
    "InSync": Message("Not every image is in sync"),
    "Fresh": Message("The last look is too long ago"),
    "NoticesSent": Message("The last notice was not sent"),
}


_OTHERWISE: Final[Mapping[ConditionReason, Message]] = {
    "AnotherInstance": Message("Another instance keeps this library in sync"),
    "Observes": Message("This installation only observes"),
}
"""What is said of a condition that does not hold for another reason than usual."""


def name(condition: Condition) -> str:
    """Return what a condition says in a few words: that it holds, or that it does not."""
    if condition.reason in _OTHERWISE and condition.status == "False":
        return say(_OTHERWISE[condition.reason])
    return say((BROKEN if condition.status == "False" else HOLDS)[condition.type])


def message(condition: Condition) -> str:
    """Return a condition's details as the daemon says them."""
    return joined_reasons(condition.details, "daemon")
