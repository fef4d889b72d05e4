"""What goes wrong with the server, its line and the clocks, until it is mended."""

from __future__ import annotations

from reconciler.simulator.server.unkindness import parse_version


def _unkind(*names, **settings):
    def begin(play, which, spot):
        play.here.settings.unkind = play.here.settings.unkind | set(names)
        for name, value in settings.items():
            setattr(play.here.settings, name, value)
        _rows_anew(play)

    return begin


def _read_only(play, which, spot):
    """Let an asset's folder be read-only from now on."""
    asset = play.asset(which)
    if asset is None or asset.jobs:
        return False
    play.here.settings.unkind = play.here.settings.unkind | {"read_only"}
    asset.read_only = True
    return True


def _dying(play, which, spot):
    asset = play.asset(which)
    if asset is None or asset.jobs:
        return False
    play.here.settings.unkind = play.here.settings.unkind | {"dying_extraction"}
    play.here.settings.version = (3, 1, 0)
    asset.dying = True
    play.died.add(asset.asset_id)
    _rows_anew(play)
    return True


def _version(play, which, spot):
    play.here.settings.version = parse_version(("2.4.1", "2.5.6", "2.7.5", "3.0.2", "3.3.0")[spot % 5])
    _rows_anew(play)


def _server_clock(seconds):
    def begin(play, which, spot):
        play.here.settings.clock_ahead += seconds

    return begin


def _our_clock(seconds):
    def begin(play, which, spot):
        play.here.clock.ahead += seconds

    return begin


def _rows_anew(play):
    for asset in play.here.state.assets.values():
        asset.row = None


def mend(play, *_):
    """Let all be well again; clocks that were set stay where they are, for they are right now."""
    settings = play.here.settings
    settings.unkind, settings.failures = play.standing, 0.03
    settings.down = settings.maintenance = settings.paused = settings.another_user = False
    settings.tags_enabled, settings.scopes, settings.version = True, ("all",), (2, 7, 5)
    for asset in play.here.state.assets.values():
        asset.read_only = asset.dying = False
    _rows_anew(play)
    play.here.state.advance(play.here.application.now())


FAULTS = {
    "busy": _unkind("busy", failures=0.2),
    "dropped": _unkind("dropped"),
    "slow": _unkind("slow"),
    "down": _unkind(down=True),
    "maintenance": _unkind(maintenance=True),
    "queue paused": _unkind(paused=True),
    "queue goes on": _unkind(paused=False),
    "tags switched off": _unkind(tags_enabled=False),
    "another user's key": _unkind(another_user=True),
    "key without tags": _unkind(scopes=("asset.read", "asset.update", "user.read", "tag.read")),
    "key without writing": _unkind(scopes=("asset.read", "user.read", "tag.read")),
    "proxy's clock": _unkind("proxy_clock"),
    "read-only folder": _read_only,
    "dying extraction": _dying,
    "other version": _version,
    "server's clock set back": _server_clock(-3600.0),
    "server's clock set on": _server_clock(1800.0),
    "our clock set back": _our_clock(-3600.0),
    "our clock set on": _our_clock(1800.0),
    "mended": mend,
}
