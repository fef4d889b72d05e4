"""Steps drawn evenly by chance, played one after another; where one is a violation, the fewest that still are.

Hypothesis finds short stories and tells them well, but draws the same few acts again and again; by the thousand
this draws them evenly. Both play the same acts on the same ``Play``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from tests.model.faults import FAULTS
from tests.model.people import PEOPLE
from tests.model.play import BREAKING, MOST_REQUESTS, PASSES, SETTINGS, Play
from tests.model.skymmich import SKYMMICH

WEIGHTS = {
    "people": 6, "skymmich": 4, "setting": 1, "fault": 1, "mended": 1, "wait": 2, "sync": 6, "undo": 1,
    "decide": 1, "store": 1, "undo_all": 0.4, "redo": 0.3, "another": 0.3,
}  # fmt: skip
DRAINS = (8.0, 60.0, 200.0)


def begun(random):
    """Draw a world: the server's seed, its speed, and whether it was synced once."""
    return random.randint(1, 1000), random.choice(DRAINS), random.random() < 0.7


def drawn(random):
    """Draw a step: the name of one of ``Play``'s methods, and what it is given."""
    (name,) = random.choices(list(WEIGHTS), WEIGHTS.values())
    which, spot = random.randrange(4), random.randrange(64)
    if name == "mended":
        return "act", ("fault", "mended", 0, 0), {}
    if name in {"people", "skymmich", "setting", "fault"}:
        kinds = {"people": PEOPLE, "skymmich": SKYMMICH, "setting": SETTINGS, "fault": FAULTS}[name]
        return "act", (name, random.choice(sorted(kinds)), which, spot), {}
    if name in {"wait", "decide", "store", "redo", "another"}:
        stores = (("keep_copy", (), {}), ("put_back", (which,), {}), ("lose_store", (), {}))
        seconds = random.choice((0.05, 0.4, 2.0, 30.0, 7200.0))
        return {
            "wait": ("wait", (seconds,), {}), "decide": ("decide", (which, spot), {}),
            "redo": ("redo", (), {}), "another": ("another", (random.choice(sorted(PASSES)),), {}), "store": random.choice(stores)
        }[name]  # fmt: skip
    how = {"due": _due(random), "deadly": _deadly(random)}
    if name == "undo_all":
        return "undo_all", (), how
    if name == "undo":
        return "undo", (random.randrange(10),), how
    only = random.randrange(4) if random.random() < 0.2 else None
    return "sync", (random.choice((*PASSES, "sync", "background")),), {**how, "only": only}


def _due(random):
    """Draw what happens within a pass."""
    found = []
    for _ in range(random.choice((0, 0, 1, 2, 3))):
        group = random.choices(("people", "skymmich", "fault"), (5, 1, 1))[0]
        kinds = {"people": sorted(PEOPLE), "skymmich": sorted(SKYMMICH), "fault": BREAKING}[group]
        moment = random.randint(1, MOST_REQUESTS)
        found.append((moment, group, random.choice(kinds), random.randrange(4), random.randrange(64)))
    return tuple(found)


def _deadly(random):
    if random.random() > 0.15:
        return None
    return random.choice(("request", "answer", "commit")), random.randint(0, 30)


def played(beginning, steps, tally=None):
    """Play these steps to their rest; gives the violation, or ``None``."""
    seed, drain, synced = beginning
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        play = Play(Path(folder), seed, drain=drain)
        try:
            if synced:
                play.sync()
            for name, given, named in steps:
                getattr(play, name)(*given, **named)
                play.check()
            play.tally["seconds to rest"] += play.rest()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return error
        finally:
            if tally is not None:
                tally.update(play.counts())
            play.close()
    return None


def example(seed, count):
    """Draw an example of so many steps: its beginning, and the steps."""
    random = Random(seed)
    return begun(random), [drawn(random) for _ in range(count)]


def shortest(beginning, steps, kind, tries=150):
    """Leave steps out as long as what is left is a violation of this kind still."""
    size = max(1, len(steps) // 2)
    while size and tries > 0:
        start = 0
        while start < len(steps) and tries > 0:
            fewer, tries = steps[:start] + steps[start + size :], tries - 1
            if type(played(beginning, fewer)) is kind:
                steps = fewer
            else:
                start += size
        size //= 2
    return steps
