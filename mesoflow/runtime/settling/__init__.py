"""The rows of the table in runtime/reconcile.py, a file for each kind of call, and what they have in common."""
