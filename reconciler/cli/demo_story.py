"""The demo's story: plan, apply, one image before and after, a person and Skymmich act, reconcile again.

It claims nothing that it has not checked: each chapter's claims are looked up in the simulator afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from rich.text import Text

from reconciler.app.wiring import new_run_id
from reconciler.cli.demo_stage import ANDROMEDA, WHIRLPOOL, Stage
from reconciler.cli.interrupts import Interrupted
from reconciler.cli.output.outcome import show_outcomes
from reconciler.cli.output.tables import heading, overview, show_changes, summary
from reconciler.engine.passes import Selection
from reconciler.logging import printable
from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.context import Work
    from reconciler.cli.output.screen import Screen
    from reconciler.engine.passes import Prepared, Report

WORDS_ABOVE: Final = "Shown at the club evening in March. Grandpa's favourite."
WORDS_BELOW: Final = "Printed 60 × 40 cm, hangs in the hallway."
WALL: Final = "Wall"
TITLE: Final = "Whirlpool, 35 hours"
_ROWS: Final = 8


@dataclass(slots=True)
class Told:
    """What came of it."""

    counts: dict[str, object] = field(default_factory=dict)
    untrue: list[str] = field(default_factory=list)
    """Claims that did not hold."""

    def claim(self, what: str, *, holds: bool) -> None:
        """Note a claim that does not hold."""
        if not holds:
            self.untrue.append(what)


class Story:
    """Tells it, chapter by chapter."""

    def __init__(self, stage: Stage, work: Work, screen: Screen) -> None:
        self._stage, self._work, self._screen = stage, work, screen
        self._chapter = 0
        self.told = Told()

    def tell(self) -> Told:
        """Tell all of it."""
        began = monotonic()
        before = self._stage.shown(ANDROMEDA)
        prepared = self._show_plan()
        first = self._first_apply(prepared)
        self._before_and_after(before)
        self._life_goes_on()
        second = self._second_apply()
        third = self._third_apply()
        self._ending([first, second, third], monotonic() - began)
        return self.told

    def _title(self, text: str) -> None:
        self._chapter += 1
        self._screen.line()
        self._screen.line(Text(f" {self._chapter}  {text}", style="bold cyan"))
        self._screen.line()

    def _prepare(self) -> Prepared:
        return self._work.do(self._work.bench.cycle.prepare(Selection(), self._work.bench.wishes))

    def _apply(self, prepared: Prepared) -> Report:
        with self._work.right_to_write("demo"):
            report = self._work.write(
                lambda stop: self._work.bench.cycle.apply(
                    prepared, Selection(), run_id=new_run_id(), trigger="cli", stop=stop
                )
            )
        if (number := self._work.stopping.received) is not None:
            raise Interrupted(number)
        return report

    def _show_plan(self) -> Prepared:
        self._title("The plan: what would be written. Nothing is, yet.")
        prepared = self._prepare()
        changing = [item for item in prepared.items if item.plan and item.plan.changes]
        overview(self._screen, changing[:_ROWS])
        self._screen.line(f"… and {len(changing) - _ROWS} more", "dim", indent=9)
        self._screen.line()
        self._screen.line(summary(prepared), "bold")
        self.told.claim("the plan writes nothing", holds=self._stage.simulator.requests()["writes"] == 0)
        return prepared

    def _first_apply(self, prepared: Prepared) -> Report:
        self._title("Apply: write it, and check that Immich kept it.")
        report = self._apply(prepared)
        faults = self._stage.simulator.faults()
        show_outcomes(self._screen, report.attention)
        self._screen.line(
            f"{counted(report.run.counts.changed, 'image')} written and verified in {_seconds(report)}; "
            f"{len(report.attention)} could not be, each for a named reason.",
            "bold green",
        )
        fine = all(outcome.reasons for outcome in report.attention) and report.error is None
        self.told.claim("the first apply ends with every image in sync or explained", holds=fine)
        self.told.claim("no write was lost", holds=faults["lost"] == 0)
        self.told.claim("no asset was in two writes at once", holds=faults["overlaps"] == 0)
        return report

    def _before_and_after(self, before: tuple[str, str, list[str]]) -> None:
        self._title("One image, before and after.")
        after = self._stage.shown(ANDROMEDA)
        for name, (description, place, tags) in (("before", before), ("after", after)):
            self._screen.row(name, description or "(no description)", indent=1, width=9)
            self._screen.row("", f"{place or '(no place)'}", "cyan", indent=1, width=9)
            self._screen.row("", ", ".join(tags) or "(no tags)", "cyan", indent=1, width=9)
            self._screen.line()
        self.told.claim("the image tells more than before", holds=len(after[0]) > len(before[0]))

    def _life_goes_on(self) -> None:
        self._title("Life goes on, on both sides.")
        self._stage.person_writes(ANDROMEDA, WORDS_ABOVE, above=True)
        self._say("A person", f"writes in Immich, above Andromeda: “{WORDS_ABOVE}”")
        self._stage.person_writes(WHIRLPOOL, WORDS_BELOW, above=False)
        self._stage.person_tags(WHIRLPOOL, WALL)
        self._say("A person", f"writes in Immich, below the Whirlpool: “{WORDS_BELOW}”, and tags it {WALL}")
        self._stage.skymmich_saves(WHIRLPOOL, TITLE, more_frames=120)
        self._say("Skymmich", f"gets four more hours of the Whirlpool, and the title “{TITLE}”")

    def _say(self, who: str, what: str) -> None:
        self._screen.row(who, what, indent=1, width=10)

    def _second_apply(self) -> Report:
        self._title("Reconcile again.")
        written = self._stage.simulator.requests()["writes"]
        prepared = self._prepare()
        for plan in prepared.changes:
            self._screen.line(heading(plan.title, plan.image_id))
            show_changes(self._screen, plan)
        report = self._apply(prepared)
        written = self._stage.simulator.requests()["writes"] - written
        self._screen.line()
        self._check_words(self._screen)
        changed = [outcome.asset_id for outcome in report.outcomes if outcome.changed]
        self.told.claim("only the changed image was written", holds=changed == [WHIRLPOOL])
        self.told.claim("the change took one write", holds=written == 1)
        self._screen.line(f"Only the change was written: {written} request, to 1 image.", "bold green")
        return report

    def _check_words(self, screen: Screen) -> None:
        """Look up in Immich whether a person's words stayed."""
        for asset_id, words, name in (
            (ANDROMEDA, WORDS_ABOVE, "Andromeda"),
            (WHIRLPOOL, WORDS_BELOW, "Whirlpool"),
        ):
            stayed = words in self._stage.shown(asset_id)[0]
            self.told.claim(f"what the person wrote on {name} stayed", holds=stayed)
            screen.line(
                Text("✓ " if stayed else "✗ ", style="green" if stayed else "red")
                + Text(printable(f"{name} still says “{words}”"))
            )
        description, _, tags = self._stage.shown(WHIRLPOOL)
        self.told.claim("the person's tag stayed", holds=WALL in tags)
        self.told.claim("the change arrived", holds=TITLE in description)

    def _third_apply(self) -> Report:
        written = self._stage.simulator.requests()["writes"]
        report = self._apply(self._prepare())
        quiet = self._stage.simulator.requests()["writes"] == written
        self.told.claim("with nothing to say, nothing is sent", holds=quiet)
        self._screen.line(
            "And once more, with nothing to say: no write at all.", "bold green" if quiet else "red"
        )
        return report

    def _ending(self, reports: Sequence[Report], seconds: float) -> None:
        requests, last = self._stage.simulator.requests(), reports[-1]
        in_sync = last.run.counts.statuses.get("in_sync", 0)
        images = last.run.counts.images
        self.told.counts = {
            "images": images,
            "in_sync": in_sync,
            "explained": len(last.attention),
            "requests": requests["total"],
            "writes": requests["writes"],
            "lost_writes": self._stage.simulator.faults()["lost"],
            "seconds": round(seconds, 1),
        }
        self._title("The count.")
        for name, value in (
            ("images in sync", f"{in_sync} of {images}"),
            ("with a named reason", str(len(last.attention))),
            ("requests to Immich", f"{requests['total']} ({requests['total'] / images:.1f} per image)"),
            ("of them writes", str(requests["writes"])),
            ("writes lost", str(self.told.counts["lost_writes"])),
            ("time", f"{seconds:.0f} s"),
        ):
            self._screen.row(name, value, indent=1, width=24)


def _seconds(report: Report) -> str:
    ended = report.run.finished_at or report.run.started_at
    return f"{(ended - report.run.started_at).total_seconds():.0f} s"
