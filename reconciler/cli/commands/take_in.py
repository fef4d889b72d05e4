"""``take-in``: a person takes an image in again that was left out."""

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
    """Take images in again that were left out, or fields of them, and write what is due.

    What a tag in Skymmich or a rule of the configuration leaves out stays so: the answer says which. Exits 0
    when it was carried out or left to the daemon, 1 when something is left.
    """
    return change(begin(config, as_json=json, verbose=verbose), images, field, out=False)
