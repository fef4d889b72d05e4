"""What the tests of a booted machine do in it and look at: Skymmich's database, Immich's answers, the service."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing

SERVICE = "skymmich-reconciler.service"
STATUS = "http://127.0.0.1:8287/api/v1/status"
SIMULATOR = "http://127.0.0.1:2283/_simulator"
KEY = "/etc/credstore/skymmich-reconciler.immich_api_key"
CONFIGURED = "/etc/skymmich-reconciler/config.toml"
CONFIGURATION = """
[skymmich]
source = "/run/skymmich/skymmich.db"
[immich]
url = "http://127.0.0.1:2283"
[policy]
mode = "sync"
[schedule]
catalogue_seconds = 0.2
debounce_seconds = 0.1
# What a person does in Immich is not seen for an hour, unless something makes the daemon look.
immich_seconds = 3600
"""
NUMBERS = itertools.count(1)


def new_title(machine):
    """Give the first image a title that it never had, where Skymmich does: in its database."""
    title = f"Andromeda, take {next(NUMBERS)}"
    edit(machine, "title", title)
    return title


def edit(machine, column, value):
    with closing(sqlite3.connect(machine.catalogue)) as connection, connection:
        connection.execute(f"UPDATE astrophotography_images SET {column} = ? WHERE id = 1", (value,))


def shown(machine):
    """Give what Immich has for the first image."""
    with closing(sqlite3.connect(machine.catalogue)) as connection:
        query = "SELECT immich_id FROM astrophotography_images WHERE id = 1"
        asset_id = connection.execute(query).fetchone()[0]
    return machine.fetch(f"{SIMULATOR}/assets")[asset_id] | {"id": asset_id}


def wait_until_shown(machine, title, seconds=30):
    machine.wait_until(
        lambda: title in shown(machine)["description"], f"Immich shows {title!r}", SERVICE, seconds
    )


def process(machine):
    return machine.show(SERVICE, "MainPID")
