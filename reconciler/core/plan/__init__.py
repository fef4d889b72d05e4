"""What a pass would do and why: the merge, the guard, a person's decisions, undo."""
