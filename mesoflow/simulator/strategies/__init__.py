"""Strategy definitions v3: read, and evaluated against the market."""
