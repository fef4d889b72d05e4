"""Renders templates where they can be stopped: a user's own in a process with limits, not the daemon's."""
