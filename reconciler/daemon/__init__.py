"""What runs for years: schedule, triggers, signals, systemd."""
