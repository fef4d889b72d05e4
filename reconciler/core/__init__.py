"""The pure heart: no clock, no network, no file, no database."""
