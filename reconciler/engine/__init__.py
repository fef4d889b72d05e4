"""Observe, plan, apply, verify: knows the core and its own ports, and no library."""
