"""Whether the state store can be written, or made: looked at without leaving anything behind."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.findings import Finding
from reconciler.plainfile import exists

if TYPE_CHECKING:
    from pathlib import Path

_NO_SUCH_FILES: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})
"""What a file system says that knows no file without a name."""
_EFFECTIVE: Final = os.access in os.supports_effective_ids


def unwritable(path: Path) -> list[Finding]:
    """Return what keeps this user from writing the store at a path; nothing, if nothing does."""
    there = exists(path)
    if there and not os.access(path, os.R_OK | os.W_OK, effective_ids=_EFFECTIVE):
        return [_finding(f"The state store {path} cannot be written: {os.strerror(errno.EACCES)}.")]
    folder = next((one for one in path.parents if exists(one)), path.parent)
    if not folder.is_dir():
        return [_finding(f"The state store {path} cannot be made: {folder} is not a folder.")]
    if not (why := _why_not(folder)):
        return []
    what = "written" if there else "made"
    return [_finding(f"The state store {path} cannot be {what}: {folder} takes no new files ({why}).")]


def _why_not(folder: Path) -> str:
    """Return why no file can be made in a folder; empty: one can. None is: it has no name, and is gone."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno not in _NO_SUCH_FILES:
            return error.strerror or type(error).__name__
        allowed = os.access(folder, os.W_OK | os.X_OK, effective_ids=_EFFECTIVE)
        return "" if allowed else os.strerror(errno.EACCES)
    return ""


def _finding(what: str) -> Finding:
    remedy = (
        f"The file and its folder must belong to the user that runs this program (uid {os.geteuid()} now); "
        "else set [state] url, or RECONCILER_STATE__URL."
    )
    return Finding("store", "problem", what, remedy, exit_code=1)
