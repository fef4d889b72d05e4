"""Compiles what the program imports, and nothing else of its libraries: half of them is never loaded.

Run by the Python of the environment, while the container image is built: where it runs, nothing can be
compiled. The compiled files are not compared with their sources again.
"""

from __future__ import annotations

import ast
import compileall
import importlib
import py_compile
import sys
import sysconfig
from pathlib import Path

ROOMS = ("reconciler", "state")
BY_NAME = ("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite")
"""What a library loads when an address asks for it."""
EXTRA = {"procrastinate"}
"""What is installed only if it is asked for."""
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def main() -> int:
    """Import what is imported anywhere in ours, at the top or later; compile that, and what came with it."""
    site = Path(sysconfig.get_path("purelib"))
    wanted = set(BY_NAME)
    for room in ROOMS:
        for path in (site / room).rglob("*.py"):
            wanted |= _imported(ast.parse(path.read_text(encoding="utf-8")))
        compileall.compile_dir(site / room, quiet=1, invalidation_mode=UNCHECKED)
    for name in sorted(wanted):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            # Whoever wants workers for many installations builds with requirements-fleet.lock.
            if error.name not in EXTRA:
                raise
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if file.endswith(".py") and Path(file).is_relative_to(site):
            py_compile.compile(file, invalidation_mode=UNCHECKED)
    return 0


def _imported(tree: ast.Module) -> set[str]:
    """Return the modules that one imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__":
            found.add(str(node.module))
    return found


if __name__ == "__main__":
    sys.exit(main())
