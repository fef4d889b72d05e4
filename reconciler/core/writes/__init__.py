"""One asset's way through a pass: its write, what Immich kept of it, and which writes share a call."""
