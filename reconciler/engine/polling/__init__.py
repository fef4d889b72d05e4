"""When to look at what was written, how much to write, and what a look shows."""
