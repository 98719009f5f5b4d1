"""Findings about a playbook, one family a file."""
