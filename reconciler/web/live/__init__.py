"""What tells that something happened or how things stand: events, health, metrics."""
