"""Small functions from one report to one format."""
