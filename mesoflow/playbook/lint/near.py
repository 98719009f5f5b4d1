"""Names that are close to one that does not exist, for the help of a finding."""

from __future__ import annotations

from collections.abc import Iterable

# Comparing with each takes some 20 µs; a playbook with more names than this is not read by a person either.
COMPARED_MAX = 1_000
SHOWN_MAX = 40


def near(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The closest of the known names, the closest first."""
    from difflib import get_close_matches  # only when something is wrong

    names = sorted(set(known))
    if len(names) > COMPARED_MAX:
        return []
    found = get_close_matches(name, names, n=count, cutoff=0.6)
    return found or [other for other in names if len(name) > 2 and (name in other or other in name)][:count]


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "there is") -> str:
    """A sentence of help: near names, else all of them."""
    names = sorted(set(known))
    found = near(name, names)
    if found:
        return "did you mean " + " or ".join(f'"{other}"' for other in found) + "?"
    more = ", …" if len(names) > SHOWN_MAX else ""
    return f"{otherwise} {', '.join(names[:SHOWN_MAX])}{more}" if names else ""
