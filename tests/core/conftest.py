"""Values of the core for its tests, and a pure stand-in for the engine that carries a plan out."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Applied, ObservedAsset
from reconciler.core.catalogue import CatalogueImage
from reconciler.core.desired.desired import Desired, Form
from reconciler.core.plan.asset_plan import plan_asset
from reconciler.core.plan.plan import Rules
from reconciler.core.policy import DescriptionPolicy, MergePolicy, Policy, Switches
from reconciler.core.records import AssetRecord
from reconciler.core.text import trim

ASSET = "5c006224-0036-426e-875f-16acbdb97dbe"
MOMENT = datetime(2026, 11, 22, 14, 42, 32, 866000, UTC)


class Make:
    """Builds values; only what a test is about has to be named."""

    block = "✦ M 31 · NGC 224\nGalaxy in Andromeda\n\nTelescope: FRA400\nCamera: ASI2600MM\n— Skymmich"
    newer = "✦ M 31 · NGC 224\nGalaxy in Andromeda\n\nTelescope: RC8\nCamera: ASI2600MM\n— Skymmich"

    @staticmethod
    def form() -> Form:
        """Give a target that keeps what it is given."""
        return Form(description=trim, tag=lambda path: path)

    @staticmethod
    def image(**known) -> CatalogueImage:
        return CatalogueImage(**{"image_id": 1, "asset_id": ASSET, "title": "", **known})

    @staticmethod
    def asset(description="", **known) -> ObservedAsset:
        tags = frozenset(known.pop("tags", ()))
        given = {"asset_id": ASSET, "owner_id": "me", "updated_at": MOMENT, "tags": tags, **known}
        return ObservedAsset(description=description, **given)

    @staticmethod
    def desired(**known) -> Desired:
        return Desired(**{**known, "tags": frozenset(known.get("tags", ()))})

    @staticmethod
    def record(*unsticking, **applied) -> AssetRecord:
        owned = Applied(**{**applied, "tags": frozenset(applied.get("tags", ()))})
        return AssetRecord(ASSET, 1, applied=owned, unsticking=tuple(unsticking))

    @staticmethod
    def rules(*, switches=None, max_bytes=10_000, version="2.7.5", **chosen) -> Rules:
        """Give the rules of a pass; further names are those of ``MergePolicy`` and ``Rules``."""
        merge = {f.name: chosen.pop(f.name) for f in fields(MergePolicy) if f.name in chosen}
        policy = Policy(description=DescriptionPolicy(max_bytes=max_bytes), merge=MergePolicy(**merge))
        return Rules(policy, switches or Switches(), server_version=version, user_id="me", **chosen)

    def plan(self, desired, observed, record=None, rules=None, asset_id=ASSET):
        observed = replace(observed, asset_id=asset_id)
        return plan_asset(1, "M 31", desired, observed, record, rules or self.rules())

    @staticmethod
    def carry_out(plan, record=None):
        """Give asset and record as they are once the engine has written the plan and seen it stick."""
        record, observed, owned = record or AssetRecord(plan.asset_id, 1), plan.observed, plan.base
        if plan.description is not None:
            observed = replace(observed, description=plan.description)
        if plan.block is not None:
            owned = replace(owned, block=plan.block or None)
        if plan.prose is not None:
            owned = replace(owned, prose=plan.prose or None)
        if plan.coordinates is not None:
            observed = replace(observed, coordinates=plan.coordinates)
            owned = replace(owned, coordinates=plan.coordinates)
        if plan.add_tags or plan.remove_tags:
            observed = replace(observed, tags=(observed.tags | plan.add_tags) - plan.remove_tags)
            owned = replace(owned, tags=(owned.tags | plan.add_tags) - plan.remove_tags)
        return observed, replace(record, applied=owned)

    @staticmethod
    def decision(plan, field):
        """Give (case, action) of one field; ``None`` where it was not looked at."""
        return next(((d.case, d.action) for d in plan.decisions if d.field == field), None)


# Of the session, so that property tests may ask for it too: it holds no state.
@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
