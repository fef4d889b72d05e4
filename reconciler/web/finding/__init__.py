"""Finding images: by one search, by filters with their counts, in an order."""
