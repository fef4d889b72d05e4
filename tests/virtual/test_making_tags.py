"""Tags are made beside everything else, in virtual time: a busy Immich takes seconds to make some dozens."""

from __future__ import annotations

from reconciler.core.policy import GuardPolicy, Policy

CAREFUL = Policy(guard=GuardPolicy(canary=5))
SLOW = "settling,slow_tagging"


def times(here, method, path):
    """Give when requests of this kind came to the server; ``path`` with a star at its end is a beginning."""
    every = path.endswith("*")
    return [
        at
        for at, sent, where, _ in here.line.sent
        if sent == method and (where.startswith(path[:-1]) if every else where == path)
    ]


def texts(here):
    return [
        at
        for at in times(here, "PUT", "/api/assets/*")
        if at not in times(here, "PUT", "/api/assets/metadata")
    ]


def test_texts_are_written_and_looked_after_while_tags_are_made(world):
    here = world(copies=3, unkind=SLOW, drain=28.0)
    here.run()
    assert set(here.statuses()) == {"in_sync"}
    (making,) = times(here, "PUT", "/api/tags")
    tagging = min(times(here, "PUT", "/api/tags/assets"))
    assert tagging - making > 3
    looks = [at for at in times(here, "POST", "/api/search/metadata") if making < at < tagging]
    assert len(looks) > 3
    written = [at for at in texts(here) if making < at < tagging]
    assert len([at for at in written if at > looks[0]]) > 20


def test_tags_are_made_while_the_first_texts_are_waited_for(world):
    here = world(copies=3, unkind="settling", drain=28.0, policy=CAREFUL)
    here.run()
    assert set(here.statuses()) == {"in_sync"}
    (making,) = times(here, "PUT", "/api/tags")
    fifth, sixth = sorted(texts(here))[4:6]
    assert fifth < making < sixth - 0.5


def test_where_immich_keeps_nothing_no_tag_is_made(world):
    here = world(unkind="settling,read_only", drain=60.0, policy=CAREFUL)
    for asset in here.state.assets.values():
        asset.read_only = True
    assert "Immich kept" in here.run().error.message
    assert len(texts(here)) > 4
    assert times(here, "PUT", "/api/tags") == []


def test_a_pass_that_is_killed_while_tags_are_made_is_taken_up_and_can_be_undone(world):
    here = world(count=12, unkind=SLOW, drain=60.0)
    before = here.tags
    assert here.run(within=2.0) is None
    assert times(here, "PUT", "/api/tags/assets") == []
    assert len(times(here, "PUT", "/api/tags")) == 1
    here.run()
    assert here.statuses() == {"in_sync": 12}
    here.take_back(everything=True)
    here.settle()
    assert here.tags == before
