"""What a configuration becomes: the parts put together, what a person changed, and the doctor."""
