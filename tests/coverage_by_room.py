"""Print how much of each room the tests ran, from the ``.coverage`` that ``make test`` leaves in CI."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import PurePath


def main() -> None:
    command = [sys.executable, "-m", "coverage", "json", "--quiet", "--fail-under=0", "-o", "-"]
    files = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["files"]
    rooms: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, found in files.items():
        folder, room, *below = PurePath(path).parts
        for name in (f"{folder}/{room}" if below else folder, "all"):
            rooms[name][0] += found["summary"]["covered_lines"]
            rooms[name][1] += found["summary"]["num_statements"]
    print("Covered by the tests that run in their own process, in % of the lines:")
    for name, (covered, lines) in sorted(rooms.items(), key=lambda row: (row[0] == "all", row[0])):
        print(f"  {name:24}{100 * covered / max(lines, 1):6.1f}   of {lines:6,}")


if __name__ == "__main__":
    main()
