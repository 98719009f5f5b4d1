"""Faults of a simulated world as a YAML file: what it may hold, what is wrong with one, and the dials that it sets."""
