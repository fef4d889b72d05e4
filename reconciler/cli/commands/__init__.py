"""One module a command, each with a function ``command`` that returns the exit code."""
