"""Which images a pass looks at, what they want, and what would be written to them."""
