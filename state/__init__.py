"""The daemon's own store: what was applied, what is pending, what was replaced."""
