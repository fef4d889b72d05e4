"""Sending notices by apprise, in a process of its own. What is told, and when, is decided elsewhere."""
