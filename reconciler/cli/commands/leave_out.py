"""``leave-out``: a person leaves an image out, or a field of it."""

from __future__ import annotations

from reconciler.cli.leaving_out import Fields, Images, change
from reconciler.cli.session import ConfigFile, Json, Verbose, begin


def command(
    images: Images,
    *,
    field: Fields = None,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Leave images out, or fields of them: they are looked at, and never written.

    Nothing is taken away: what was written before stays (to take that back: undo IMAGE). It holds until
    take-in IMAGE. A tag in Skymmich, and rules in the configuration, do the same for many images at once. A
    run that is at the image heeds it; a running daemon is told. Exits 0.
    """
    return change(begin(config, as_json=json, verbose=verbose), images, field, out=True)
