"""A small table on the terminal, line by line as it is measured, that remembers which limits were exceeded."""

from __future__ import annotations

WIDTH = 44


class Table:
    def __init__(self) -> None:
        self.failures: list[str] = []
        self._heading = ""

    def heading(self, text: str) -> None:
        self._heading = text
        print(f"\n{text}\n{'─' * len(text)}", flush=True)

    def row(self, what: str, value: str, note: str = "") -> None:
        print(f"{what:{WIDTH}}{value:>12}   {note}".rstrip(), flush=True)

    def limit(self, what: str, value: float, most: float, form: str) -> None:
        """Show a value beside the most that it may be."""
        good = value <= most
        shown = "must be 0" if most == 0 else f"at most {most:g}"
        self.row(what, form.format(value), f"{shown}{'' if good else '   EXCEEDED'}")
        if not good:
            self.fail(f"{self._heading}: {what.strip()} is {form.format(value)}, {shown}")

    def fail(self, text: str) -> None:
        self.failures.append(text)

    def verdict(self) -> int:
        """Say what was exceeded; give the exit code."""
        for text in self.failures:
            print(f"EXCEEDED: {text}")
        if not self.failures:
            print("All limits are kept.")
        return 1 if self.failures else 0
