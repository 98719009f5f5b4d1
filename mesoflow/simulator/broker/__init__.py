"""The brokers of the simulated world: orders from their acceptance to their end, matched against the market."""
