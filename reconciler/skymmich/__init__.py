"""Reads the catalogue and its settings from Skymmich; never writes to its database."""
