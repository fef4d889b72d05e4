"""Sdist and wheel: what is in them, and the program as it is installed from them, far from any checkout."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import tarfile
import venv
import zipfile
from contextlib import closing

import pytest

from reconciler import __version__
from reconciler.simulator.sample.build import build_sample
from tests.matrix import UV, VERSIONS, interpreter
from tests.packages.conftest import CHECKOUT, build
from tests.packages.steps import not_here

pytestmark = pytest.mark.packages

PROGRAM = "skymmich-reconciler"
WHEEL = f"skymmich_reconciler-{__version__}-py3-none-any.whl"
SDIST = f"skymmich_reconciler-{__version__}.tar.gz"
LOCK = CHECKOUT / "requirements.lock"


@pytest.fixture
def clean(tmp_path):
    """The variables of somebody who has nothing of ours."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RECONCILER_"))
    }
    return own | {
        "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "etc"),
    }  # fmt: skip


def done(command, **how):
    ran = subprocess.run(command, text=True, capture_output=True, check=False, timeout=300, **how)
    assert ran.returncode == 0, f"{command}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}"
    return ran.stdout


def works(program, clean, tmp_path):
    """Use it from another folder; its store is made by the migrations that were installed with it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    build_sample(tmp_path / "skymmich.db")
    own = clean | {"RECONCILER_SKYMMICH__SOURCE": str(tmp_path / "skymmich.db")}
    assert done([program, "--version"], cwd=elsewhere, env=own) == f"{PROGRAM} {__version__}\n"
    assert "compdef" in done([program, "completion", "zsh"], cwd=elsewhere, env=own)
    done([program, "settings", "set", "syncTags=off"], cwd=elsewhere, env=own)
    store = tmp_path / "state" / PROGRAM / "state.sqlite3"
    with closing(sqlite3.connect(store)) as connection:
        (step,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    steps = sorted(path.stem for path in (CHECKOUT / "state/migrations/versions").glob("revision_*.py"))
    assert steps[-1].startswith(f"revision_{step}_")
    assert list(elsewhere.iterdir()) == []


def test_the_same_checkout_gives_the_same_bytes_in_another_folder(dist, tmp_path):
    """With another umask, too; the checksums are those of the files."""
    old = os.umask(0o077)
    try:
        again = build(tmp_path / "dist", "sdist", "wheel")
    finally:
        os.umask(old)

    sums = (dist / "SHA256SUMS").read_text()
    assert sums == (again / "SHA256SUMS").read_text()
    assert done(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=dist).count(": OK\n") == 3
    assert {line.split()[1] for line in sums.splitlines()} == {
        WHEEL, SDIST, f"skymmich_reconciler-{__version__}-constraints.txt",
    }  # fmt: skip


def test_the_wheel_has_every_file_of_the_packages(dist):
    ours = [
        str(path.relative_to(CHECKOUT))
        for room in ("reconciler", "state")
        for path in (CHECKOUT / room).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]
    assert len(ours) > 300
    packed = zipfile.ZipFile(dist / WHEEL).namelist()
    assert [name for name in ours if name not in packed] == []
    assert {name.partition("/")[0] for name in packed} == {
        "reconciler", "state", f"skymmich_reconciler-{__version__}.dist-info",
    }  # fmt: skip


def test_the_sdist_has_what_it_takes_to_build_everything_again(dist):
    with tarfile.open(dist / SDIST) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "Makefile", "Dockerfile", "compose.yaml", "requirements.lock", "packages/build.py", "packages/deb/postinst",
        "systemd/INSTALL.md", "tests/conftest.py", "LICENSE",
    } <= names  # fmt: skip
    assert not [name for name in names if name.startswith((".venv", ".ci", "dist", "build"))]


def test_pip_installs_it_with_the_hashes_of_the_lock(dist, clean, tmp_path):
    """One that is another than it was is refused: so is the wheel without its sum."""
    place = tmp_path / "venv"
    venv.create(place, with_pip=True)
    pip = [place / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    given = dist / WHEEL
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"{given.as_uri()} --hash=sha256:{'0' * 64}\n")
    refused = subprocess.run(
        [*pip, "--no-deps", "-r", wanted], env=clean, text=True, capture_output=True, check=False
    )
    assert "DO NOT MATCH THE HASHES" in refused.stderr

    wanted.write_text(f"{given.as_uri()} --hash=sha256:{hashlib.sha256(given.read_bytes()).hexdigest()}\n")
    done([*pip, "--no-compile", "--require-hashes", "-r", wanted, "-r", LOCK], env=clean)

    works(place / "bin" / PROGRAM, clean, tmp_path)
    # Templates, tables of the sky, OpenNGC, the sample, a simulated Immich, a whole sync and its undoing.
    assert "NGC 224" in done([place / "bin" / PROGRAM, "demo"], cwd=tmp_path / "elsewhere", env=clean)


def test_pipx_installs_the_sdist(dist, clean, tmp_path):
    own = clean | {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    pipx = [sys.executable, "-m", "pipx", "install", "--quiet", "--python", sys.executable]
    done([*pipx, dist / SDIST], env=own, cwd=tmp_path)

    assert done([tmp_path / "bin" / PROGRAM, "--version"], env=clean) == f"{PROGRAM} {__version__}\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_uv_installs_the_wheel_for_every_python_that_is_here(version, dist, clean, tmp_path):
    python = interpreter(version)
    if python is None:
        not_here(f"there is no Python {version}")
    own = clean | {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    done(
        [*UV, "--quiet", "tool", "install", "--python", python, "--constraints", LOCK, dist / WHEEL],
        env=own,
        cwd=tmp_path,
    )

    works(tmp_path / "bin" / PROGRAM, clean, tmp_path)
