"""What writes cost a server, in virtual time, beside what was measured on a real one."""

from __future__ import annotations

from uuid import UUID

import pytest

from reconciler.simulator.server.model import Asset, Exif
from reconciler.simulator.server.state import USER_ID, State
from reconciler.simulator.server.unkindness import Settings

START = 1_700_000_000.0
IMAGES = 200
TAGS = [f"Astro/Equipment/part {number}" for number in range(8)] + [
    f"Astro/tag {number}" for number in range(10)
]
"""18 tags with 44 path parts, as measured."""


def seconds(orders: tuple[str, str], *unkind: str, tags: list[str] = TAGS, drain: float = 20.0) -> float:
    """Write every image in two phases, each settled before the next; give the server's seconds."""
    state = State(Settings(unkind=frozenset({"settling", *unkind}), drain=drain))
    now = START
    state.advance(now)
    for number in range(IMAGES):
        stamp = state.milliseconds
        state.add(
            Asset(
                str(UUID(int=number, version=4)), USER_ID, "a.jpg", created=stamp, added=stamp, updated=stamp
            )
        )
    paths = [state.tags.upsert(USER_ID, path, state.milliseconds) for path in tags]
    for kind in orders:
        for asset in state.assets.values():
            if kind == "fields":
                state.write(asset, Exif(description="M 31"), ("description",), "client")
            else:
                state.write_tags(asset, paths, (), "client")
        while state.queues.waiting:
            now += 0.01
            state.advance(now)
    return now - START


FIELDS_FIRST, TAGS_FIRST = ("fields", "tags"), ("tags", "fields")


@pytest.mark.parametrize(
    ("unkind", "measured"),
    [(("tag_upserts",), (23.8, 27.3)), (("tag_upserts", "busy_machine"), (24.3, 38.0))],
    ids=["quiet", "busy"],
)
def test_tags_first_costs_as_much_more_than_fields_first_as_on_a_real_server(unkind, measured) -> None:
    better, worse = seconds(FIELDS_FIRST, *unkind), seconds(TAGS_FIRST, *unkind)
    assert worse / better == pytest.approx(measured[1] / measured[0], rel=0.02)


def test_a_quiet_server_takes_as_long_as_a_real_one() -> None:
    assert seconds(FIELDS_FIRST, "tag_upserts") == pytest.approx(23.8, rel=0.03)
    assert seconds(TAGS_FIRST, "tag_upserts") == pytest.approx(27.3, rel=0.03)


def test_a_busy_server_takes_as_long_as_a_real_one() -> None:
    busy = ("tag_upserts", "busy_machine")
    assert seconds(FIELDS_FIRST, *busy, drain=37.7) == pytest.approx(24.3, rel=0.03)
    assert seconds(TAGS_FIRST, *busy, drain=37.7) == pytest.approx(38.0, rel=0.03)


def test_flat_tags_cost_less_than_a_tree_of_them() -> None:
    flat = [path.rpartition("/")[2] for path in TAGS]
    assert seconds(FIELDS_FIRST, "tag_upserts", tags=flat) < 0.95 * seconds(FIELDS_FIRST, "tag_upserts")


def test_without_its_switch_the_order_makes_no_difference() -> None:
    assert seconds(FIELDS_FIRST) == pytest.approx(seconds(TAGS_FIRST), rel=0.01)
