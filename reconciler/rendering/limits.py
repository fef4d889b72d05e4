"""What a user's template may take. The built-in one takes a thousandth of it."""

from __future__ import annotations

from typing import Final

IMAGE_SECONDS: Final = 1.0
"""Of CPU time for one image, or to compile."""
MEAN_SECONDS: Final = 0.02
"""Of CPU time an image, over those that are rendered at once; these have ``IMAGE_SECONDS`` besides."""
MEMORY: Final = 64 << 20
"""Bytes beyond what the process has without a template."""
MEAN_CHARACTERS: Final = 4_000
"""An image, over those that are rendered at once; one may have as many as ``core.desired.template`` says."""
ANSWER_SECONDS: Final = 30.0
"""Of real time for an answer, whatever the CPU time is: a process that is stopped takes none."""
ANSWER_BYTES: Final = 32 << 20
"""Longest answer; what the limits above allow fits."""
STARTS_A_SECOND: Final = 4
"""Of the process, at most."""
KEPT: Final = 8
"""Templates that stay compiled."""
