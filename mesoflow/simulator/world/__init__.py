"""The world's state: what is kept in its folder, and the rules by which it changes."""
