"""The configuration: one TOML file, every key also as an environment variable, secrets apart.

``load`` is the only way in. ``sections`` has the keys with their rules, ``sources`` reads, ``words``
explains mistakes. Which value wins::

    environment  >  $CREDENTIALS_DIRECTORY  >  TOML file  >  default
"""

from __future__ import annotations

from reconciler.config.loading import Config, load
from reconciler.config.words import Address, redact_url

__all__ = ["Address", "Config", "load", "redact_url"]
