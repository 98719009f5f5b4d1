"""One checker per invariant, one file each."""
