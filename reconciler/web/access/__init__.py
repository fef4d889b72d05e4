"""Who may ask: hosts, origins, tokens, sessions and connections."""
