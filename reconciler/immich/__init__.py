"""The only room that speaks HTTP to Immich: what the server really does lives here."""
