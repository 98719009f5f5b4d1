"""The engine's semantics number: a run pins it, and a journal of another number is not replayed.

Bump it when a stored journal would replay otherwise (tests/unit/engine/test_corpus.py holds a corpus), and say in
CHANGELOG.md which version resumes the older runs.
"""

SEMANTICS = 1
