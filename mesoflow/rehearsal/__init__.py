"""The only room that sees both the journal and the simulator: witness and invariant checkers."""
