"""The only place where the engine meets the world: run, perform, send, recover, clock."""
