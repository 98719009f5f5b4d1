"""What a person sees: the live view, and plain lines."""
