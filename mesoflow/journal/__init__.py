"""What survives a crash: the append-only record of all runs of a state home."""
