"""What every command begins with: options in common, configuration, logging, secrets."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler import config as configuration
from reconciler import logging as logs
from reconciler.cli.output.screen import Screen

if TYPE_CHECKING:
    from reconciler.config import Config

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration file.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document.")]
Full = Annotated[bool, typer.Option("--full", help="Read every asset again, whatever is on record.")]
Every = Annotated[bool, typer.Option("--all", help="List all images, also where there are many.")]
Details = Annotated[bool, typer.Option("--details", help="Show every difference of every image.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what is logged, too.")]


@dataclass(frozen=True, slots=True)
class Session:
    """A command's surroundings."""

    config: Config
    screen: Screen


@dataclass(frozen=True, slots=True)
class Options:
    """What may stand before a command of a group as well as behind it."""

    config: Path | None = None
    json: bool = False
    verbose: bool = False

    def begin(self, config: Path | None, *, json: bool, verbose: bool) -> Session:
        """Begin with what stands in either place."""
        return begin(config or self.config, as_json=json or self.json, verbose=verbose or self.verbose)


class _StandardError(io.StringIO):
    """Standard error as it is now: a progress bar takes its place meanwhile, and prints above itself."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override] # read-only is enough
        return sys.stderr.encoding


def log_to_stderr(*, verbose: bool = False, quiet: bool = False) -> None:
    """Set up logging for a command that ends by itself: warnings; all if ``verbose``, errors if ``quiet``."""
    level = "info" if verbose else "error" if quiet else "warning"
    # For a person also where it is piped: what a program reads is on standard output.
    logs.configure(_StandardError(), json=False, level=level)


def begin(file: Path | None, *, as_json: bool = False, verbose: bool = False) -> Session:
    """Read the configuration and set everything up.

    Raises:
        ConfigurationError: with every mistake in it.
    """
    log_to_stderr(verbose=verbose)
    config = configuration.load(file, os.environ)
    for secret in config.secrets():
        logs.register_secret(secret)
    screen = Screen(as_json=as_json)
    for warning in config.warnings:
        screen.say(f"! {warning}", "yellow")
    return Session(config, screen)
