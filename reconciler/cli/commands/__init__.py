"""One module a command, each with a function ``command`` that gives the exit code."""
