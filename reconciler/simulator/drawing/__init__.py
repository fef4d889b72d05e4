"""Drawing astrophotographs with the standard library alone: stars, light, and the file."""
