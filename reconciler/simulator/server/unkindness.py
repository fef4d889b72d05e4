"""The ways in which the simulated Immich is unkind, each with a name, and the switches of one server.

Nothing here acts: the rooms that behave (queues, round trip, paging, HTTP) ask ``Settings.on``. Chance is a
function of the seed and of what it is asked about, so a run can be repeated whatever the order of requests.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from hashlib import blake2b

from reconciler.errors import ConfigurationError

UNKINDNESS = {
    "settling": "writes settle late: 80 ms in the median, now and then most of a second",
    "lost_updates": "of two writes to an asset that has not settled one is lost for ever, whosesoever it is",
    "round_trip": "texts, tags and coordinates come back from the file changed",
    "sign_flips": "near the equator, Greenwich and the antimeridian a coordinate's sign flips",
    "read_only": "a few assets answer 200 and silently revert",
    "early_updated_at": "updatedAt is now and then visible before the values are final",
    "dying_extraction": "on 3.1 the extraction of a few assets fails: their updatedAt never moves again",
    "unstable_paging": "before 3.1 pages of a search repeat and skip rows of equal date",
    "slow_tagging": "tagging takes 10 ms an asset before it answers, making tags 20 ms each",
    "tag_upserts": "after every write all of the asset's tags are upserted, so its extraction costs more",
    "busy_machine": "other processes compete for the server's cores, which makes upserting tags very dear",
    "busy": "3 % of requests get a 503, before or after they took effect, or a 429 before",
    "dropped": "1 % of connections break, before or after the request took effect",
    "slow": "1 % of answers come up to a second late",
    "missing": "a linked asset does not exist",
    "foreign": "a linked asset is a partner's: readable, not writable",
    "partners_archive": "a linked asset is in a partner's archive: it is listed, and cannot be read",
    "archived": "a few linked assets are archived, so the default search does not show them",
    "trashed": "a linked asset is in the trash",
    "locked": "a linked asset is in the locked folder, which no API key sees",
    "clock_skew": "the server's clock is 97 s behind ours",
    "proxy_clock": "the Date header is a proxy's, whose clock is 90 s ahead of the server's",
}
"""Every name that can be switched, with what it does."""


def parse_unkind(text: str) -> frozenset[str]:
    """Read ``all``, ``none``, or names separated by commas.

    Raises:
        ConfigurationError: a name is unknown; the nearest known one is named.
    """
    if text in {"all", ""}:
        return frozenset(UNKINDNESS) if text else frozenset()
    if text == "none":
        return frozenset()
    names = [name.strip().replace("-", "_") for name in text.split(",") if name.strip()]
    for name in names:
        if name not in UNKINDNESS:
            near = difflib.get_close_matches(name, UNKINDNESS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(UNKINDNESS)}"
            raise ConfigurationError(f"There is no unkindness called {name!r}.", remedy=f"{hint}")
    return frozenset(names)


def parse_version(text: str) -> tuple[int, int, int]:
    """Read ``2.7.5`` (a leading ``v`` is allowed).

    Raises:
        ConfigurationError: it is not three numbers.
    """
    try:
        major, minor, patch = (int(part) for part in text.removeprefix("v").split("."))
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a version.", remedy="Give three numbers, for example 2.7.5."
        ) from error
    return major, minor, patch


def chance(seed: int, *about: object) -> float:
    """Return a number in [0, 1) that depends on the seed and on what it is about, and on nothing else."""
    digest = blake2b(repr((seed, about)).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


@dataclass(slots=True)
class Settings:
    """One server's switches. They may change while it runs."""

    seed: int = 1
    unkind: frozenset[str] = frozenset(UNKINDNESS)
    drain: float = 200.0
    """Assets a second, without tags, that each of the two queues can handle."""
    version: tuple[int, int, int] = (2, 7, 5)
    scopes: tuple[str, ...] = ("all",)
    """The API key's permissions."""
    loss: float = 0.5
    """The share of writes to an unsettled asset that cost a value."""
    proxy_ahead: float = 90.0
    """Seconds by which the Date header of ``proxy_clock`` is ahead of the server's own clock."""
    clock_ahead: float = 0.0
    """Seconds by which the server's clock, which stamps ``updatedAt``, was set on; less: it is set back."""
    failures: float = 0.03
    """The share of requests that ``busy`` spoils."""
    maintenance: bool = False
    paused: bool = False
    """Both queues stand still."""
    down: bool = False
    """Every connection is broken without an answer."""
    tags_enabled: bool = True
    """The user's own switch for the tags feature (preferences)."""
    another_user: bool = False
    """The API key is another user's, who sees none of these assets."""

    def on(self, name: str) -> bool:
        """Return whether this unkindness is switched on."""
        return name in self.unkind

    def chance(self, *about: object) -> float:
        """Return ``chance`` under this server's seed."""
        return chance(self.seed, *about)
