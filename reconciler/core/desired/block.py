"""A description's two parts, the machine's block and the person's prose: taking apart and putting together.

The block opens with a line that starts with the opening marker and ends with the closing line. Everything
outside is prose and is never changed here, not by a byte, except that blank lines at a seam may go where a
block is taken out. Marker lines that a person wrote are harmless: only a whole region counts, and where
several could be meant, the one most like what we know to have written does, else the last.
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
        """Return whether a line can be a block's first."""
        return line.startswith(self.opening)

    def closes(self, line: str) -> bool:
        """Return whether a line is a block's last."""
        return line.startswith(self.closing[:1]) and trim(line) == trim(self.closing)


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
        return trim(_join(self.before, self.after))

    def with_block(self, block: str | None, rescued: str = "") -> str:
        """Return the description with another block in the same place, or none.

        Args:
            block: the new block; ``None`` takes it out.
            rescued: a person's lines that stood inside the old block; they follow the new one as prose.
        """
        after = self.after
        if rescued:
            after = SEAM + _join(rescued, self.after)
        if block is None:
            return trim(_join(self.before, after))
        if self.block is None:
            return trim(_join(self.before, block) + after)
        return trim(self.before + block + after)

    def with_prose(self, prose: str) -> Split:
        """Return the parts with other prose, which stands before the block."""
        return Split(trim(prose) + (SEAM if trim(prose) and self.block else ""), self.block)

    def joined_by(self, prose: str) -> Split:
        """Return the parts with more prose, below what stands before the block; nothing twice."""
        if normal(prose) in normal(self.prose):
            return self
        before = _join(self.before, trim(prose))
        return Split(before + (SEAM if self.block else ""), self.block, self.after)


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
            broke one of ours, and where other markers were configured when it was written.

    Returns:
        the parts; ``block`` is ``None`` when there is none.
    """
    lines = text.split("\n")
    region = _find(lines, markers, known.split("\n") if known else [])
    if region is None:
        return Split(text, None)
    first, last = region
    before = "\n".join(lines[:first]) + ("\n" if first else "")
    after = ("\n" if last + 1 < len(lines) else "") + "\n".join(lines[last + 1 :])
    return Split(before, "\n".join(lines[first : last + 1]), after)


def strip_blocks(text: str, markers: Markers) -> str:
    """Return a text without any block: Skymmich's import copies Immich's descriptions, blocks included."""
    text = trim(text)
    while (parts := split(text, markers)).block is not None:
        text = parts.with_block(None)
    return text


def rescue(live: str | None, base: str | None, desired: str | None, markers: Markers, prose: str = "") -> str:
    """Return the lines that a person wrote inside a block: those that neither we wrote nor want to write.

    Nor those that stand in the prose already: what is rescued again and again does not grow. A heading loses
    its opening marker, so that no block begins where it is moved to.
    """
    if live is None:
        return ""
    ours = {normal(line) for line in (*(base or "").split("\n"), *(desired or "").split("\n"))}
    lines = [line.rstrip() for line in live.split("\n") if normal(line) and normal(line) not in ours]
    lines = [line.removeprefix(markers.opening) for line in lines if not markers.closes(line)]
    there = {normal(line) for line in prose.split("\n")}
    return "\n".join(line for line in lines if normal(line) and normal(line) not in there)


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


def _join(*parts: str) -> str:
    """Put parts one below another with a seam between; their own outer blank lines go, nothing else."""
    return SEAM.join(kept for part in parts if (kept := _without_outer_blank_lines(part)))


def _without_outer_blank_lines(text: str) -> str:
    lines = text.split("\n")
    first, last = 0, len(lines)
    while first < last and not trim(lines[first]):
        first += 1
    while last > first and not trim(lines[last - 1]):
        last -= 1
    return "\n".join(lines[first:last])


def _find(lines: list[str], markers: Markers, known: list[str]) -> tuple[int, int] | None:
    """Find the block's first and last line."""
    if not known:
        regions = _regions(lines, markers)
        return regions[-1] if regions else None
    if (exact := _exact(lines, known)) is not None:
        return exact
    plain, ours = [normal(line) for line in lines], [normal(line) for line in known]
    starts = {index for index, line in enumerate(plain) if line == ours[0]}
    regions = _regions(lines, markers, starts)
    candidates = [*regions, *(one for one in _remnant(plain, ours) if not _is_rest(one, regions, plain))]
    wanted = set(ours)

    def likeness(region: tuple[int, int]) -> tuple[bool, float, int]:
        found = set(plain[region[0] : region[1] + 1])
        # What has all of our lines is the block, however much a person wrote into it: without the lines up to
        # its end, a closing line of ours would be left behind each time.
        return wanted <= found, len(found & wanted) / len(found | wanted), region[0]

    return max(candidates, key=likeness, default=None)


def _is_rest(part: tuple[int, int], regions: list[tuple[int, int]], plain: list[str]) -> bool:
    """Return whether a region is whole but for its heading, which is another than the one we know.

    What we know may be older than what stands there. Prose above is another paragraph.
    """
    return any(first < part[0] and last == part[1] and all(plain[first : part[0]]) for first, last in regions)


def _exact(lines: list[str], known: list[str]) -> tuple[int, int] | None:
    """Find the last place where what we wrote stands untouched, whatever is around it."""
    # The full stop keeps the indentation: a quotation of the block is not the block.
    plain, wanted = [normal(f".{line}") for line in lines], [normal(f".{line}") for line in known]
    for first in range(len(plain) - len(wanted), -1, -1):
        if plain[first] == wanted[0] and plain[first : first + len(wanted)] == wanted:
            return first, first + len(wanted) - 1
    return None


def _regions(
    lines: list[str], markers: Markers, starts: set[int] | frozenset[int] = frozenset()
) -> list[tuple[int, int]]:
    """Find whole blocks: from an opening line to the next closing line, with no other opening between.

    Where a person put an opening line of their own into our block, that is not where it begins: lines of
    ``starts``, which read as our first, count too.
    """
    found: list[tuple[int, int]] = []
    start = ours = None
    for index, line in enumerate(lines):
        if start is not None and markers.closes(line):
            found.append((start, index))
            if ours is not None and ours != start:
                found.append((ours, index))
            start = ours = None
        elif markers.opens(line):
            start = index
            ours = index if index in starts else ours
    return found


def _remnant(plain: list[str], known: list[str]) -> list[tuple[int, int]]:
    """Find what is left of our block after a person broke a marker line: the longest run of its lines.

    Two lines at least, its first or last among them: less can be a person's own.
    """
    wanted = set(known)
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for index, line in enumerate([*plain, None]):
        if line == known[0] and start is not None:
            runs.append((start, index - 1))
            start = index
        elif line in wanted:
            start = index if start is None and line else start
            if line == known[-1] and start is not None:
                runs.append((start, index))
                start = None
        elif start is not None:
            runs.append((start, index - 1))
            start = None
    ends = {known[0], known[-1]}
    whole = []
    for first, last in runs:
        said = [index for index in range(first, last + 1) if plain[index]]
        if len(said) > 1 and not ends.isdisjoint(plain[first : last + 1]):
            whole.append((said[0], said[-1]))
    return sorted(whole, key=lambda run: run[1] - run[0])[-1:]
