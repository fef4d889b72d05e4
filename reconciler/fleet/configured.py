"""Each installation's configuration: a file of its own, with its secrets in files beside it.

Nothing of the worker's own environment goes into it but the address of the database: what one installation is
configured with is no other one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler import logging as logs
from reconciler.config import load
from reconciler.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.config import Config

_HOME: Final = "/nonexistent"


class Configured:
    """The configurations in a folder.

    Args:
        fleet: the worker's own configuration.

    Raises:
        ConfigurationError: it names no folder, or no PostgreSQL database.
    """

    def __init__(self, fleet: Config) -> None:
        if fleet.state.file is not None:
            raise ConfigurationError(
                "Workers share a PostgreSQL database, and [state] url names a file.",
                remedy='Set [state] url = "postgresql://…". One machine needs no worker: use `run`.',
            )
        if fleet.fleet.folder is None:
            raise ConfigurationError(
                "[fleet] folder is not set.",
                remedy="Set it to the folder that has each installation's NAME.toml.",
            )
        self.address = fleet.state.url.get_secret_value()
        self._folder = fleet.fleet.folder

    def file(self, name: str) -> Path:
        """Return where an installation's configuration is."""
        return self._folder / f"{name}.toml"

    def load(self, name: str) -> Config:
        """Read an installation's configuration; its secrets are shown in no log from then on.

        Raises:
            ConfigurationError: there is none, or it has a mistake.
        """
        try:
            config = self._load(name)
        except OSError as error:
            raise ConfigurationError(
                f"The configuration of {name} cannot be read: {error.strerror}.",
                remedy=f"Let this process's user read {self.file(name)} and the folder beside it.",
            ) from None
        for secret in config.secrets():
            logs.register_secret(secret)
        return config

    def _load(self, name: str) -> Config:
        file = self.file(name)
        environ = {
            "HOME": _HOME,
            "RECONCILER_STATE__URL": self.address,
            "RECONCILER_STATE__INSTALLATION": name,
            "STATE_DIRECTORY": str(self._folder / name),
        }
        secrets = self._folder / name
        if secrets.is_dir():
            environ["CREDENTIALS_DIRECTORY"] = str(secrets)
        return load(file, environ)

    def stamp(self, name: str) -> tuple[object, ...]:
        """Return what is another once an installation's configuration or a secret beside it has changed."""
        folder = self._folder / name
        try:
            files = [self.file(name), *(sorted(folder.iterdir()) if folder.is_dir() else ())]
        except OSError:  # reading it says what is wrong
            files = [self.file(name), folder]
        found: list[object] = []
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                found.append((str(file), None))
            else:
                found.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(found)
