"""What would happen and what happened: preview and report. Cannot trade: it cannot import the runtime."""
