"""Asking a person before something is done; with ``--yes`` a command does not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen


def ask(
    screen: Screen,
    question: str,
    *,
    command: str,
    otherwise: str = "nothing was written",
    before: str = "",
    about: str = "",
    piped: bool = False,
) -> None:
    """Ask a person, and go on only if they agree.

    Args:
        screen: where they are asked.
        question: for yes or no.
        command: what says it beforehand: ``apply --yes``.
        otherwise: what is true if they do not agree.
        before: what is said first where nobody is there.
        about: what the question is about, where nobody is there: ``" whether …"``.
        piped: whether standard input is taken by something else.

    Raises:
        ReconcilerError: nobody is there to be asked, or the answer was no.
    """
    if piped or not screen.interactive:
        raise ReconcilerError(
            f"{before}Nobody is there to be asked{about}, so {otherwise}.",
            remedy=f"Say it beforehand: skymmich-reconciler {command}",
        )
    if not typer.confirm(question):
        raise ReconcilerError(f"As you wish: {otherwise}.")
