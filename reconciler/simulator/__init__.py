"""An in-memory Immich, as unkind as the real one, and a sample catalogue."""
