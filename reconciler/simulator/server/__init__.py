"""The simulated Immich: its routes, its queues and its unkindness."""
