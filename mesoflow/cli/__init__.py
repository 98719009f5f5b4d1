"""The keyboard, and composition: arguments become a request, a report becomes a view and an exit code."""
