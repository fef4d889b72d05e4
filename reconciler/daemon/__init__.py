"""The long-running service: schedule, signals, systemd. The only room that imports APScheduler."""
