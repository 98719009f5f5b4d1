"""One command a file: what it takes, what it composes, what it answers."""
