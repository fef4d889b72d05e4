"""A description's two parts, the machine's block and the person's prose: taking apart and putting together.

The block opens with a line that starts with the opening marker and ends with the closing line. Everything
outside is prose and is never changed here, not by a byte, except that blank lines at a seam may go where a
block is taken out. Marker lines that a person wrote are harmless: only a whole region counts, and where
several could be meant, the one that we know to have written does, else the last.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.text import normal, size, trim

SEAM = "\n\n"


@dataclass(frozen=True, slots=True)
class Markers:
    """The lines between which the block stands."""

    opening: str = "✦ "
    closing: str = "— Skymmich"

    def opens(self, line: str) -> bool:
        """Tell whether a line can be a block's first."""
        return line.startswith(self.opening)

    def closes(self, line: str) -> bool:
        """Tell whether a line is a block's last."""
        return trim(line) == self.closing and line.startswith(self.closing[:1])


@dataclass(frozen=True, slots=True)
class Split:
    """A description taken apart: ``before + (block or "") + after`` is the text, byte for byte."""

    before: str
    block: str | None
    after: str = ""

    @property
    def text(self) -> str:
        """The description as it was."""
        return self.before + (self.block or "") + self.after

    @property
    def prose(self) -> str:
        """All outside the block, as one text; ``""`` when there is none."""
        parts = [part for part in (trim(self.before), trim(self.after)) if part]
        return SEAM.join(parts)

    def with_block(self, block: str | None, rescued: str = "") -> str:
        """Give the description with another block in the same place, or none.

        Args:
            block: the new block; ``None`` takes it out.
            rescued: a person's lines that stood inside the old block; they follow the new one as prose.
        """
        after = self.after
        if rescued:
            after = SEAM + SEAM.join(part for part in (rescued, trim(self.after)) if part)
        if block is None:
            return trim(SEAM.join(part for part in (trim(self.before), trim(after)) if part))
        if self.block is None:
            before = trim(self.before)
            return trim((before + SEAM if before else "") + block + after)
        return trim(self.before + block + after)

    def with_prose(self, prose: str) -> Split:
        """Give the parts with other prose, which stands before the block."""
        return Split(trim(prose) + (SEAM if trim(prose) and self.block else ""), self.block)


def enclose(body: str, markers: Markers) -> str:
    """Make a block of a rendered text: marker lines around, and none within.

    An inner line that looks like a marker is indented by one blank, so that the block is always found whole.
    Gives ``""`` for an empty body.
    """
    lines = [line.rstrip() for line in normal(body).split("\n")]
    if not any(lines):
        return ""
    first = lines[0].removeprefix(markers.opening).strip()
    inner = [f" {line}" if markers.opens(line) or markers.closes(line) else line for line in lines[1:]]
    return "\n".join([f"{markers.opening}{first}", *inner, markers.closing])


def split(text: str, markers: Markers, known: str | None = None) -> Split:
    """Take a description apart.

    Args:
        text: the whole description.
        markers: the block's first and last line.
        known: the block that was last written, if any: found even where a person added marker lines or
            broke one of ours.

    Returns:
        the parts; ``block`` is ``None`` when there is none.
    """
    lines = text.split("\n")
    region = _pick(lines, _regions(lines, markers), known)
    if region is None and known:
        region = _remnant(lines, known, markers)
    if region is None:
        return Split(text, None)
    first, last = region
    before = "\n".join(lines[:first]) + ("\n" if first else "")
    after = ("\n" if last + 1 < len(lines) else "") + "\n".join(lines[last + 1 :])
    return Split(before, "\n".join(lines[first : last + 1]), after)


def strip_blocks(text: str, markers: Markers) -> str:
    """Give a text without any block: Skymmich's import copies Immich's descriptions back, blocks included."""
    parts = split(text, markers)
    while parts.block is not None:
        text = parts.with_block(None)
        parts = split(text, markers)
    return trim(text)


def rescue(live: str | None, base: str | None, desired: str | None) -> str:
    """Give the lines that a person wrote inside our block: those that neither we wrote nor want to write."""
    if live is None or base is None:
        return ""
    ours = {normal(line) for line in (*base.split("\n"), *(desired or "").split("\n"))}
    return "\n".join(line.rstrip() for line in live.split("\n") if normal(line) and normal(line) not in ours)


def fit(parts: Split, block: str, max_bytes: int, rescued: str = "") -> tuple[str, str | None]:
    """Put a description together within a size: the block gives way line by line, prose is never cut.

    Returns:
        the whole description and the block within it; the block is ``None`` when not even its heading fits.
    """
    lines = block.split("\n")
    while True:
        text = parts.with_block("\n".join(lines), rescued)
        if size(text) <= max_bytes:
            return text, "\n".join(lines)
        if len(lines) <= 2:
            return parts.with_block(None, rescued), None
        del lines[-2]
        while len(lines) > 2 and not lines[-2].strip():
            del lines[-2]


def _regions(lines: list[str], markers: Markers) -> list[tuple[int, int]]:
    """Find whole blocks: from an opening line to the next closing line, with no other opening between."""
    found, start = [], None
    for index, line in enumerate(lines):
        if markers.opens(line):
            start = index
        elif start is not None and markers.closes(line):
            found.append((start, index))
            start = None
    return found


def _pick(lines: list[str], regions: list[tuple[int, int]], known: str | None) -> tuple[int, int] | None:
    if not regions:
        return None
    if known is None:
        return regions[-1]
    wanted = {normal(line) for line in known.split("\n")}

    def likeness(region: tuple[int, int]) -> tuple[float, int]:
        ours = {normal(line) for line in lines[region[0] : region[1] + 1]}
        return len(ours & wanted) / len(ours | wanted), region[0]

    return max(regions, key=likeness)


def _remnant(lines: list[str], known: str, markers: Markers) -> tuple[int, int] | None:
    """Find what is left of our block after a person broke a marker line: the longest run of its lines."""
    wanted = {normal(line) for line in known.split("\n")}
    best: tuple[int, int] | None = None
    start = -1
    for index in range(len(lines) + 1):
        if index < len(lines) and normal(lines[index]) in wanted:
            start = index if start < 0 else start
            continue
        if start >= 0:
            while start < index and not normal(lines[start]):
                start += 1
            end = index - 1
            while end > start and not normal(lines[end]):
                end -= 1
            marked = any(markers.opens(line) or markers.closes(line) for line in lines[start : end + 1])
            if end - start >= 1 and marked and (best is None or end - start > best[1] - best[0]):
                best = (start, end)
            start = -1
    return best
