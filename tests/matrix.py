"""Runs tests on each Python from 3.11 to 3.14 that is here: ``make matrix``.

An interpreter is found by its name, or as uv or pyenv keep it; a missing one is named, and nothing is downloaded
but libraries. Each has an environment of its own in ``build/matrix``, with the libraries of the lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
ROOT = Path(__file__).resolve().parents[1]
UV = [sys.executable, "-m", "uv", "--no-config", "--no-python-downloads"]


def main() -> int:
    """Test on each; say what came of it."""
    outcomes = {version: tested(version, sys.argv[1:]) for version in VERSIONS}
    for version, outcome in outcomes.items():
        print(f"Python {version}: {outcome}")
    return int(any(outcome.startswith("failed") for outcome in outcomes.values()))


def tested(version: str, arguments: list[str]) -> str:
    """Run the tests on one Python."""
    python = interpreter(version)
    if python is None:
        return "not here"
    place = ROOT / "build/matrix" / version
    lock = str(ROOT / "requirements-dev.lock")
    install = ["pip", "install", "--quiet", "--python", str(place), "--require-hashes", "-r", lock]
    for step in (["venv", "--quiet", "--clear", "--python", python, str(place)], install):
        done = subprocess.run([*UV, *step], check=False)
        if done.returncode != 0:
            return f"failed to be set up ({' '.join(step[:2])})"
    print(f"Python {version} ({python})", flush=True)
    pytest = [
        place / "bin/python",
        "-m",
        "pytest",
        "-q",
        "-n",
        "4",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
    ]
    done = subprocess.run([*pytest, *arguments], cwd=ROOT, env=os.environ | {"CI": ""}, check=False)
    return "passed" if done.returncode == 0 else f"failed ({done.returncode})"


def interpreter(version: str) -> str | None:
    """Find a Python of a minor version."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob(
        f"{version}.*/bin/python"
    )
    found = subprocess.run(
        [*UV, "python", "find", "--no-project", version], capture_output=True, text=True, check=False
    )
    for candidate in (found.stdout.strip(), *(str(path) for path in sorted(kept))):
        if candidate:
            asked = subprocess.run(
                [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if asked.stdout.strip() == version:
                return candidate
    return None


if __name__ == "__main__":
    raise SystemExit(main())
