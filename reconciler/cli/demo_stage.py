"""The demo's stage: a sample catalogue, a simulated Immich, and who acts on it: a person, and Skymmich."""

from __future__ import annotations

import socket
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler import config as configuration
from reconciler.config.sections import StatusSection
from reconciler.redaction import register_secret
from reconciler.simulator.sample.build import asset_id_of, build_sample
from reconciler.simulator.serve import Simulator, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.config import Config

UNKINDNESS: Final = (
    "settling", "lost_updates", "round_trip", "sign_flips", "read_only", "early_updated_at",
    "unstable_paging", "slow_tagging", "missing", "trashed", "archived", "clock_skew",
)  # fmt: skip
"""All but what only costs time."""

ANDROMEDA: Final = asset_id_of("M31_LRGB_final_v4.jpg")
WHIRLPOOL: Final = asset_id_of("M51_deep.jpg")


@dataclass(frozen=True, slots=True)
class Stage:
    """All that the demo plays with."""

    catalogue: Path
    simulator: Simulator
    config: Config

    def shown(self, asset_id: str) -> tuple[str, str, list[str]]:
        """Return what Immich shows of an asset: description, place, tags."""
        asset = self.simulator.assets()[asset_id]
        place = (asset.get("latitude"), asset.get("longitude"))
        tags = asset.get("tags")
        return (
            str(asset.get("description") or ""),
            "" if None in place else f"{place[0]}, {place[1]}",
            sorted(map(str, tags)) if isinstance(tags, list) else [],
        )

    def person_writes(self, asset_id: str, words: str, *, above: bool) -> None:
        """Let a person add words in Immich, above or below what is there."""
        there = self.shown(asset_id)[0]
        text = f"{words}\n\n{there}" if above else f"{there}\n\n{words}"
        self.simulator.person(asset_id, "set_description", text)
        self.simulator.wait_until_idle()

    def person_tags(self, asset_id: str, tag: str) -> None:
        """Let a person add a tag in Immich."""
        self.simulator.person(asset_id, "add_tag", tag)
        self.simulator.wait_until_idle()

    def skymmich_saves(self, asset_id: str, title: str, more_frames: int) -> None:
        """Let Skymmich's owner add frames of another night to an image, and change its title."""
        with closing(sqlite3.connect(self.catalogue)) as connection, connection:
            (image_id,) = connection.execute(
                "SELECT id FROM astrophotography_images WHERE immich_id = ?", (asset_id,)
            ).fetchone()
            connection.execute("UPDATE astrophotography_images SET title = ? WHERE id = ?", (title, image_id))
            connection.execute(
                "UPDATE image_acquisition SET frame_count = frame_count + ? WHERE id ="
                " (SELECT min(id) FROM image_acquisition WHERE image_id = ?)",
                (more_frames, image_id),
            )


def _port(*wanted: int) -> int:
    """Return the first of these ports that is free, or any: a daemon of one's own may be at work there."""
    usual = StatusSection().port
    for port in wanted or (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return usual


@contextmanager
def stage(port: int | None = None) -> Iterator[Stage]:
    """Set the stage in a folder of its own, which is gone afterwards.

    Args:
        port: the page's; ``None``: the usual one, or a free one where that is taken.
    """
    with tempfile.TemporaryDirectory(prefix="skymmich-reconciler-demo-") as folder:
        catalogue = Path(folder, "skymmich.db")
        port = port or (_port() if port is None else _port(0))
        build_sample(catalogue)
        with serve(catalogue=catalogue, unkind=UNKINDNESS) as simulator:
            register_secret(simulator.api_key)
            file = Path(folder, "config.toml")
            file.write_text(
                f'[skymmich]\nsource = "{catalogue}"\n[state]\nurl = "{folder}/state.sqlite3"\n'
                f'[immich]\nurl = "{simulator.url}"\n[status]\nport = {port}\n'
                '[policy]\nmode = "sync"\n'
            )
            environ = {"RECONCILER_IMMICH__API_KEY": simulator.api_key, "HOME": folder}
            yield Stage(catalogue, simulator, configuration.load(file, environ))
