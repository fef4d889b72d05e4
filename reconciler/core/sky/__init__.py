"""The sky: positions, constellations and the names of what is there."""
