"""The doctor's look at Skymmich: its catalogue row by row, and what it writes to Immich by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.findings import Finding, problem
from reconciler.app.doctor.web import check_web
from reconciler.app.overrides import overridden_switches, override_of
from reconciler.app.source import close_source, source_of
from reconciler.core.catalogue import WHOLE_TABLE
from reconciler.core.desired.desired import FAILURES, Form, desire_with, unusable
from reconciler.core.desired.facts import facts_of
from reconciler.core.policy import SWITCHES, Policy
from reconciler.core.reasons import of_error
from reconciler.engine.planner.desired import SLICE
from reconciler.engine.planner.wishes import switches_of
from reconciler.engine.schema import recalled
from reconciler.errors import ReconcilerError, UnusableImageError
from reconciler.immich.roundtrip import settled_description, settled_tag
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import sentence, words
from reconciler.timezones.zones import OfflineTimeZones

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.reasons import Reason
    from reconciler.messages.translation import Voice
    from reconciler.rendering.renderer import SafeRenderer
    from state.store import StateStore

_MOST_ROWS: Final = 8
_MOST_VALUES: Final = 10
_FIELDS: Final = {field: name for name, field in SWITCHES.items() if field != "enabled"}


def check_catalogue(
    config: Config,
    policy: Policy | None,
    store: StateStore | None,
    *,
    renderer: SafeRenderer,
    known: Catalogue | None = None,
    most: int | None = None,
    voice: Voice = "command",
) -> tuple[Catalogue | None, list[Finding]]:
    """Read the catalogue and look through it, which takes its time with many images.

    Args:
        config: names it.
        policy: with the template in force; ``None``: it cannot be used, so no value is computed.
        store: for what is set over Skymmich's own settings; ``None``: there is none yet.
        renderer: of the template.
        known: as it was just read; ``None``: it is read here.
        most: images whose values are computed; ``None``: all.
        voice: who tells it.

    Returns:
        the catalogue, ``None`` if it cannot be read; and what was found.
    """
    try:
        catalogue = known or _read(config)
        catalogue = recalled(catalogue, store) if store else catalogue
        findings = [*_rows(catalogue, voice), *check_web(config, catalogue)]
        findings += _values(catalogue, policy, renderer, most, voice) if policy else ()
        return catalogue, [*findings, *_write_back(catalogue, store, voice)]
    except ReconcilerError as error:
        return None, [problem("catalogue", error)]


def _read(config: Config) -> Catalogue:
    source = source_of(config, leave_no_trace=True)
    try:
        return source.read()
    finally:
        close_source(source)


def _rows(catalogue: Catalogue, voice: Voice) -> Iterator[Finding]:
    linked = len(catalogue.linked())
    yield Finding("catalogue", "ok", catalogue.schema)
    yield Finding(
        "catalogue",
        "ok" if linked else "warning",
        f"{counted(len(catalogue.images), 'image')}, {linked} of them linked to Immich assets",
        "" if linked else "Import images from Immich in Skymmich: only those are linked.",
    )
    for row in catalogue.problems[:_MOST_ROWS]:
        if row.row_id == WHOLE_TABLE:
            remedy = "What Immich shows stays. Look for a newer version of this program."
            yield Finding("catalogue", "warning", f"{row.table}: {words(row.reason, voice)}", remedy)
            continue
        kept = "is left out" if row.severity == "error" else "is used without that part"
        yield Finding(
            "catalogue", "warning", f"{row.place} {kept}: {words(row.reason, voice)}",
            "Mend it in Skymmich; it spoils only itself.",
        )  # fmt: skip
    if (more := len(catalogue.problems) - _MOST_ROWS) > 0:
        yield Finding("catalogue", "warning", f"and {more} more such rows: plan --json lists them all")


def _values(
    catalogue: Catalogue, policy: Policy, renderer: SafeRenderer, most: int | None, voice: Voice
) -> Iterator[Finding]:
    linked = catalogue.linked()
    try:
        unusable = [
            f"{image.image_id} “{image.title}”: {sentence(problems, voice)}"
            for image, problems in _problems(linked[:most], policy, renderer)
            if problems
        ]
    except ReconcilerError as error:
        yield problem("catalogue", error)
        return
    if unusable:
        of = f" of the first {most}" if most is not None and most < len(linked) else ""
        have = "image has" if len(unusable) == 1 and not of else "images have"
        what = f"{len(unusable)}{of} linked {have} a value that Immich cannot take:"
        more = len(unusable) - _MOST_VALUES
        listed = [*unusable[:_MOST_VALUES], *([f"and {more} more"] if more > 0 else [])]
        yield Finding(
            "catalogue", "warning", "\n• ".join([what, *listed]),
            "Mend it in Skymmich; the rest of the image is written.",
        )  # fmt: skip


def _problems(
    images: Sequence[CatalogueImage], policy: Policy, renderer: SafeRenderer
) -> Iterator[tuple[CatalogueImage, tuple[Reason, ...]]]:
    form = Form(settled_description, settled_tag, OfflineTimeZones())
    for start in range(0, len(images), SLICE):
        several, facts = [], []
        for image in images[start : start + SLICE]:
            try:
                facts.append(facts_of(image, policy.description, None))
            except FAILURES as error:
                yield image, (of_error(unusable(error)),)
            else:
                several.append(image)
        for image, block in zip(several, renderer.render_now(policy.description, facts), strict=True):
            try:
                yield image, desire_with(block, image, policy, form).problems
            except UnusableImageError as error:
                yield image, (of_error(error),)


def _write_back(catalogue: Catalogue, store: StateStore | None, voice: Voice) -> Iterator[Finding]:
    theirs = switches_of(catalogue, Policy())
    override = override_of(store) if store else {}
    switches = (overridden_switches(store, catalogue, Policy()) if store else None) or theirs
    if not switches.enabled:
        here = "metadataSyncEnabled" in override
        yield Finding(
            "skymmich", "problem",
            f"Metadata sync (metadataSyncEnabled) is switched off{' here' if here else ''}: "
            + ("apply refuses." if voice == "command" else "nothing is written."),
            (
                "Switch it on: skymmich-reconciler settings set metadataSyncEnabled=on"
                if voice == "command"
                else "Switch it on here, on the overview"
            )
            + ("" if here else ", or in Skymmich under Admin → Immich."),
            exit_code=1,
        )  # fmt: skip
    off = [name for field, name in _FIELDS.items() if not getattr(switches, field)]
    if off:
        yield Finding("skymmich", "warning", f"{', '.join(off)} switched off: left as it is in Immich")
    if switches.enabled and len(off) < len(_FIELDS):
        yield Finding("skymmich", "ok", "metadata sync is switched on")
    if override:
        listed = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in override.items())
        yield Finding(
            "skymmich", "warning", f"Set here, over Skymmich's own settings: {listed}",
            "To follow Skymmich again: skymmich-reconciler settings follow"
            if voice == "command"
            else "To follow Skymmich again: the button below the switches, on the overview.",
        )  # fmt: skip
    if theirs.enabled:
        yield Finding(
            "skymmich", "warning",
            "Skymmich's own Sync buttons write, too: the bare description over the block, and flat tags.",
            "Leave them alone, or let your reverse proxy pass them to the daemon. The block is put right the "
            "next time the image is looked at.",
        )  # fmt: skip
    yield Finding(
        "skymmich", "warning",
        "Saving a place in Skymmich writes it to Immich at once, whatever is switched off here.",
    )  # fmt: skip
