"""What an asset should carry: facts, the description's block, tags and coordinates."""
