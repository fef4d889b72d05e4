"""skymmich-reconciler: keeps what Immich shows about an astrophotograph equal to what Skymmich knows."""

from __future__ import annotations

__version__ = "0.2.0"
