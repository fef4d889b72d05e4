"""Which time it is where on Earth, offline."""
