"""``completion``: what a shell needs to complete this program's commands and options."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined] # defined in a part of it

from reconciler.cli.names import COMPLETING, PROGRAM

Shell = Literal["bash", "zsh", "fish"]


def command(
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", show_default=False)],
) -> int:
    """Print the script with which a shell completes this program's commands and options.

    For this session: source <(skymmich-reconciler completion bash), the same with zsh, or with fish
    skymmich-reconciler completion fish | source. For good, write it to
    ~/.local/share/bash-completion/completions/skymmich-reconciler (bash), to a folder of $fpath as
    _skymmich-reconciler (zsh), or to ~/.config/fish/completions/skymmich-reconciler.fish (fish).
    """
    script = get_completion_script(prog_name=PROGRAM, complete_var=COMPLETING, shell=shell)
    sys.stdout.write(f"{script}\n")
    return 0
