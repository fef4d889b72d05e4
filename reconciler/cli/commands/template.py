"""``template``: the template of the block in the description: shown, tried, compared, changed.

Nothing is written to Immich here. Where this installation's daemon answers, it takes the change at once.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from reconciler.app.overrides import TEMPLATE_NAME, OwnTemplate
from reconciler.app.store_place import is_absent
from reconciler.app.wiring import store_of
from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.daemon_client import find_daemon, tell_daemon
from reconciler.cli.images import find_image
from reconciler.cli.output.json_output import needs_work
from reconciler.cli.output.kinds import kinds_of, show_kinds
from reconciler.cli.output.tables import show_item, summary
from reconciler.cli.plain_help import PlainCommand, PlainGroup
from reconciler.cli.session import ConfigFile, Json, Session, Verbose, begin
from reconciler.core.desired.template import source_of
from reconciler.engine.passes import Selection
from reconciler.engine.planner.desired import sized, try_template
from reconciler.errors import ReconcilerError
from reconciler.models.plans import Plan
from reconciler.models.requests import MAX_TEMPLATE
from reconciler.models.status import Rendered, Template, TemplateVersion

if TYPE_CHECKING:
    from reconciler.core.policy import Policy
    from reconciler.engine.passes import Prepared

_EXAMPLES: Final = 3
"""Images that are shown in full before anything is changed."""

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The template (Jinja); - reads it from standard input.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
group = typer.Typer(cls=PlainGroup, invoke_without_command=True, add_completion=False)


@group.callback()
def show(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Show the template of the block in the description as it holds now, and where it comes from.

    It is changed with: skymmich-reconciler template set FILE. What it may use is on the page's template page.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    configured = session.config.policy()
    if not is_absent(session.config):
        with store_of(session.config, read_only=True) as store:
            keeper = OwnTemplate(store, lambda: configured)
            own = keeper.policy().description.template_name == TEMPLATE_NAME
            told = _told(keeper)
    else:
        own, told = False, _configured(configured)
    if json:
        screen.json(told)
        return 0
    origin = f"{OwnTemplate.where} (template reset gives it up)" if own else told.origin
    # The text is on standard output alone, so that it can be written to a file.
    screen.say(f"From: {origin}")
    sys.stdout.write(told.text if told.text.endswith("\n") else f"{told.text}\n")
    return 0


@group.command("try", cls=PlainCommand)
def attempt(
    file: File,
    image: Annotated[
        str,
        typer.Argument(metavar="IMAGE", help="Which image; the first one by default.", show_default=False),
    ] = "",
    *,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Show what a template renders for an image. Changes nothing."""
    session = begin(config, as_json=json, verbose=verbose)
    text = _text(file)
    with working(session) as work:
        catalogue = work.bench.source.read()
        first = next(iter(catalogue.linked()), None)
        chosen = find_image(image, catalogue) if image else first
        if chosen is None:
            raise ReconcilerError("There is no image to try it on.", remedy="Import some in Skymmich.")
        policy = _with(work, text, file)
        desires = work.do(try_template(work.bench.renderer, policy, sized([chosen], work.bench.store.record)))
        rendered = desires.of(chosen).block or ""
    if json:
        session.screen.json(Rendered(image_id=chosen.image_id, title=chosen.title, rendered=rendered))
    else:
        session.screen.say(f"{chosen.title} (image {chosen.image_id})")
        session.screen.line(rendered or "(nothing)")
    return 0


@group.command("set", cls=PlainCommand)
def change(
    file: File,
    *,
    yes: Yes = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Use a template from now on, instead of the configured one: shows first what it would change, and asks.

    It has to render for all images. Immich is written by the daemon, or by the next apply.
    """
    return _change(begin(config, as_json=json, verbose=verbose), _text(file), file, yes=yes)


@group.command("reset", cls=PlainCommand)
def reset(
    *, yes: Yes = False, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Use the configured template again: shows first what that would change, and asks."""
    return _change(begin(config, as_json=json, verbose=verbose), None, None, yes=yes)


def _change(session: Session, text: str | None, file: Path | None, *, yes: bool) -> int:
    screen = session.screen
    with working(session) as work:
        policy = _with(work, text, file)
        linked = work.bench.source.read().linked()
        work.do(try_template(work.bench.renderer, policy, sized(linked, work.bench.store.record)))
        wishes = replace(work.bench.wishes, policy=policy)
        prepared = work.do(work.bench.cycle.prepare(Selection(), wishes))
        if not screen.as_json:
            _show(session, prepared)
        _consent(session, yes=yes)
        when = _save(work, text)
    if screen.as_json:
        screen.json({"plan": Plan.of(prepared, work.bench.clock.now()), "taken": when})
    else:
        screen.line(
            f"{'Saved' if text is not None else 'The configured one is in use again'}. {when}", "bold green"
        )
    return 0


def _show(session: Session, prepared: Prepared) -> None:
    """Show what would be written under the template: counts, and some images in full."""
    screen = session.screen
    screen.line(f"With this template: {summary(prepared)}", "bold")
    show_kinds(screen, kinds_of(item.plan for item in prepared.items if item.plan and item.plan.changes))
    changing = [item for item in prepared.items if needs_work(item)]
    for item in changing[:_EXAMPLES]:
        screen.line()
        show_item(screen, item)
    screen.line()
    if len(changing) > _EXAMPLES:
        screen.line(f"… and {len(changing) - _EXAMPLES:,} more in the same way.", "dim")


def _consent(session: Session, *, yes: bool) -> None:
    """Ask whether it is to hold.

    Raises:
        ReconcilerError: nobody is there to be asked, or the answer was no. Nothing was changed.
    """
    if not yes:
        ask(
            session.screen, "Use it from now on?", command="template set FILE --yes",
            otherwise="nothing was changed",
        )  # fmt: skip


def _save(work: Work, text: str | None) -> str:
    """Keep it, and say when it is taken."""
    config = work.session.config
    daemon = find_daemon(config)
    if daemon is not None and daemon.is_open:
        tell_daemon(config, "PUT", "/api/v1/template", {"text": text, "confirm": True})
        return "The daemon takes it now."
    OwnTemplate(work.bench.store, config.policy).save(text)
    if work.daemon_writes:
        return "The daemon takes it at its next look."
    return "No daemon runs; the next plan or apply takes it."


def _with(work: Work, text: str | None, file: Path | None) -> Policy:
    """Return the policy in force with another template; ``None``: the configured one."""
    policy, configured = work.bench.wishes.policy, work.session.config.policy().description
    template = configured.template if text is None else text
    name = configured.template_name if text is None else str(file)
    return replace(policy, description=replace(policy.description, template=template, template_name=name))


def _text(file: Path) -> str:
    """Read a template.

    Raises:
        ReconcilerError: it cannot be read, or is too long.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise ReconcilerError(f"The template {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ReconcilerError(f"The template {file} is not UTF-8 text.") from error
    if len(text) > MAX_TEMPLATE:
        raise ReconcilerError(f"The template {file} is too long: it may have {MAX_TEMPLATE:,} characters.")
    return text.replace("\r\n", "\n")


def _configured(policy: Policy) -> Template:
    """Return the configured template: there is no store yet."""
    text, name = source_of(policy.description), policy.description.template_name
    origin = "the built-in one" if policy.description.template is None else name
    return Template(text=text, origin=origin, configured=text, versions=[])


def _told(keeper: OwnTemplate) -> Template:
    return Template(
        text=keeper.text(),
        origin=keeper.origin(),
        configured=keeper.configured(),
        versions=[TemplateVersion(at=one.at, text=one.text) for one in keeper.versions()],
    )
