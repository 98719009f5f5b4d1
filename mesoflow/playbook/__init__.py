"""YAML to values with places, to checked models, to a Program."""
