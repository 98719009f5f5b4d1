"""The three hubs over one world: from the contract's table to what the world does."""
