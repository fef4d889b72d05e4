"""The schema's history, applied when a store is opened. Stores only go forward.

It needs no ``alembic.ini``: the scripts are found as a package, so it works from an installed wheel. After a
change of ``state.tables``, write the next revision in a checkout, read it, and move ``HEAD`` on::

    python -c "from state.migrations import revision; revision('say what changes', 'FILE')"

``FILE`` is a scratch store at the revision before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

HEAD = "0012"
"""The revision that this program writes. Kept here so that opening a store that has it costs no Alembic."""


def is_known(revision: str) -> bool:
    """Return whether this program can take a store from ``revision`` to its own."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - 0.1 s that most starts do not need
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def upgrade(connection: Connection) -> None:
    """Bring the schema to ``HEAD`` within the connection's transaction: all of it, or nothing."""
    from alembic import command  # noqa: PLC0415 - 0.1 s that most starts do not need

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def revision(message: str, path: str) -> None:
    """Write the next revision from the difference between the tables and the scratch store at ``path``."""
    from alembic import command  # noqa: PLC0415 - for developers only
    from sqlalchemy import create_engine  # noqa: PLC0415 - the same

    config = _config()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        number = f"{int(HEAD) + 1:04}"
        command.revision(config, message, autogenerate=True, rev_id=number)
    engine.dispose()


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - 0.1 s that most starts do not need

    config = Config()
    config.set_main_option("script_location", "state:migrations")
    config.set_main_option("file_template", "revision_%%(rev)s_%%(slug)s")
    # A value without a separator is deprecated; there is one folder, named by the package.
    config.set_main_option("path_separator", "os")
    return config
