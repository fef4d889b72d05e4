"""``doctor``: is everything as it must be, and if not, what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.checks import examine
from reconciler.app.doctor.findings import TITLES, exit_code
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.immich.client import SystemClock
from reconciler.messages.nouns import counted
from reconciler.models.status import Findings

if TYPE_CHECKING:
    from reconciler.app.doctor.findings import Finding
    from reconciler.cli.output.screen import Screen

_MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


def command(*, config: ConfigFile = None, json: Json = False, verbose: Verbose = False) -> int:
    """Look at configuration, catalogue, Immich and store; say what each problem means and how to mend it.

    Writes nothing. Exits 0 when all is well or only worth knowing, 1 on a problem, 78 on one of the
    configuration.
    """
    session = begin(config, as_json=json, verbose=verbose)
    found = asyncio.run(examine(session.config, SystemClock()))
    findings = [one.spoken("command") for one in found]
    code = exit_code(findings)
    if json:
        session.screen.json(Findings.of(findings))
        return code
    _show(session.screen, findings)
    return code


def _show(screen: Screen, findings: list[Finding]) -> None:
    above = ""
    for finding in findings:
        if finding.section != above:
            if above:
                screen.line()
            screen.line(TITLES[finding.section], "bold")
            above = finding.section
        mark, style = _MARKS[finding.level]
        screen.row(mark, finding.what, style if finding.level != "ok" else "", indent=1, width=2)
        if finding.remedy:
            screen.line(f"→ {finding.remedy}", indent=3)
    problems = sum(finding.level == "problem" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    screen.line()
    if problems:
        screen.line(f"{counted(problems, 'problem')} to fix.", "bold red")
    else:
        known = f" {counted(warnings, 'thing')} worth knowing." if warnings else ""
        screen.line(f"All is well.{known} Next: skymmich-reconciler plan", "bold green")
