"""The pages for people, and what their buttons do."""
