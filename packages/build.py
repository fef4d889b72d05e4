"""Builds what a release consists of: sdist, wheel, Debian package, constraints, and their checksums.

``make dist`` runs it. The same commit gives the same bytes on any machine: files carry the commit's time,
what builds and what goes in is pinned with hashes, and nothing of the folder it is built in gets in. Not
for the container image, whose base is not ours: see ``Dockerfile``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from debian import DEBIANS_PYTHON, build_deb

ROOT = Path(__file__).resolve().parents[1]
NAME = "skymmich_reconciler"
WHAT = ("sdist", "wheel", "deb")
SUMS = "SHA256SUMS"


def main() -> int:
    """Build what was asked for into a folder; say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for it (dist)")
    parser.add_argument("--only", choices=WHAT, action="append", help="just this; may be repeated")
    parser.add_argument("--worktree", action="store_true", help="what lies here, not the last commit")
    parser.add_argument("--python", default=DEBIANS_PYTHON, help="the Python that the .deb is for")
    asked = parser.parse_args()
    wanted: tuple[str, ...] = tuple(asked.only or WHAT)
    if asked.only is None and (missing := _missing_for_deb(asked.python)):
        sys.stderr.write(f"No .deb is built: {missing} is not here.\n")
        wanted = tuple(what for what in wanted if what != "deb")
    with tempfile.TemporaryDirectory(prefix="skymmich-reconciler-") as scratch:
        source = ROOT if asked.worktree else _commit(Path(scratch, "source"))
        os.environ["SOURCE_DATE_EPOCH"] = os.environ.get("SOURCE_DATE_EPOCH") or _time_of_commit()
        built = build(source, asked.out.resolve(), wanted, asked.python)
    sys.stdout.write("".join(f"{path.name:55} {path.stat().st_size / 1e6:8.2f} MB\n" for path in built))
    return 0


def build(source: Path, out: Path, wanted: tuple[str, ...], python: str) -> list[Path]:
    """Build into ``out``, which holds nothing else of a release afterwards; return the files."""
    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("skymmich*reconciler[-_]*"), out / SUMS):
        old.unlink(missing_ok=True)
    version = version_of(source)
    targets = [target for target in ("sdist", "wheel") if target in wanted or "deb" in wanted]
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(out)]
    for target in targets:
        command += ["--target", target]
    # Out of the source's own folder nothing is imported, and no hash seed orders anything.
    subprocess.run(
        command, cwd=source, env=os.environ | {"PYTHONHASHSEED": "0"}, check=True, stdout=sys.stderr
    )
    wheel = out / f"{NAME}-{version}-py3-none-any.whl"
    if "deb" in wanted:
        build_deb(source, wheel, version, out, python)
    if "wheel" not in wanted:
        wheel.unlink(missing_ok=True)
    shutil.copyfile(source / "requirements.lock", out / f"{NAME}-{version}-constraints.txt")
    built = sorted(out.glob("skymmich*reconciler[-_]*"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in built]
    (out / SUMS).write_text("".join(lines), encoding="ascii")
    return [*built, out / SUMS]


def version_of(source: Path) -> str:
    """Return the version, from the one place that names it."""
    return str(runpy.run_path(str(source / "reconciler/__init__.py"))["__version__"])


def _commit(folder: Path) -> Path:
    """Lay out the last commit, without what lies about here; where there is no git, what is here."""
    if not (ROOT / ".git").exists():
        return ROOT
    if _git("status", "--porcelain"):
        sys.stderr.write("What is not committed is not in it (--worktree builds what lies here).\n")
    folder.mkdir()
    archive = subprocess.Popen(["git", "-C", str(ROOT), "archive", "HEAD"], stdout=subprocess.PIPE)
    subprocess.run(["tar", "--extract", "--directory", str(folder)], stdin=archive.stdout, check=True)
    if archive.wait() != 0:
        raise SystemExit("git archive failed")
    return folder


def _time_of_commit() -> str:
    """Return when the last commit was made, in seconds; in an unpacked sdist, the time that it carries."""
    if (ROOT / ".git").exists():
        return _git("log", "-1", "--format=%ct")
    return str(int((ROOT / "pyproject.toml").stat().st_mtime))


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def _missing_for_deb(python: str) -> str:
    return next((tool for tool in (python, "dpkg-deb") if shutil.which(tool) is None), "")


if __name__ == "__main__":
    raise SystemExit(main())
