"""Workers that keep many installations: the same service as the daemon's, called by tasks of a queue."""
