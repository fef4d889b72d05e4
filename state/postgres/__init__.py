"""A store whose rows are in PostgreSQL, beside other installations'. Loaded only where one is named."""
