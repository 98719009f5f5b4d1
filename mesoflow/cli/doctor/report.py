"""What a visit came to, as data and as text. The text is made from the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mesoflow.cli.byhand.tables import rows_text
from mesoflow.cli.doctor.guesses import check_all, credit_sign
from mesoflow.cli.doctor.visit import Visit

FORMAT = 1
AGENT = ("provider", "connector", "is_connected", "last_snapshot_at")
ACCOUNT = ("broker_account_id", "broker_type", "is_paper_account", "currency", "active_positions")


def report_of(visit: Visit, hub: str) -> dict[str, Any]:
    """`differs`: whether anything is not as the contract says; it decides the exit code."""
    deviations = list(visit.comparison.deviations)
    guesses = check_all(visit)
    failed = [called for called in visit.called.values() if called.ending == "failed"]
    return {
        "format_version": FORMAT,
        "hub": hub,
        "differs": bool(deviations or failed or any(guess.verdict == "differs" for guess in guesses)),
        "agents": [{name: row.get(name) for name in AGENT} for row in visit.rows["agents"]],
        "accounts": [{name: row.get(name) for name in ACCOUNT} for row in visit.rows["accounts"]],
        "methods": [
            {
                "method": called.method,
                "ending": called.ending,
                "status": called.status or None,
                "words": called.words or None,
                "meant": called.meant,
            }
            for called in visit.called.values()
        ],
        "differences": [
            {
                "kind": one.kind,
                "model": one.model,
                "name": one.name,
                "expected": one.expected or None,
                "found": one.found or None,
                "documented": one.documented,
                "text": str(one),
            }
            for one in deviations
        ],
        "encodings": {what: sorted(ways) for what, ways in visit.comparison.encodings.items()},
        "guesses": [{"name": one.name, "verdict": one.verdict, "words": one.words} for one in guesses],
        "proposal": {"credit_sign": credit_sign(visit)},
    }


def report_text(report: Mapping[str, Any], width: int) -> str:
    """For people: first what is off."""
    return "\n".join(_lines(report, width))


def _lines(report: Mapping[str, Any], width: int) -> Iterator[str]:
    yield f"{report['hub']}: {'differs from' if report['differs'] else 'agrees with'} our contract, as far as it can be read"
    yield from _section("differences", [one["text"] for one in report["differences"]])
    odd = [
        one
        for one in report["methods"]
        if one["ending"] in ("failed", "refused") and not (one["meant"] and one["ending"] == "refused")
    ]
    yield from _section("not answered", [_method(one) for one in odd])
    yield from _section(
        "not called", [_method(one) for one in report["methods"] if one["ending"] == "not called"]
    )
    counts = Counter(one["ending"] for one in report["methods"])
    yield ""
    yield "methods   " + ", ".join(f"{count} {ending}" for ending, count in counts.items())
    for what, ways in report["encodings"].items():
        yield f"{what:<9} {', '.join(ways)}"
    yield ""
    yield from (f"{one['name']:<18} {one['verdict']:<10}  {one['words']}" for one in report["guesses"])
    for name in ("agents", "accounts"):
        yield ""
        yield rows_text(report[name], width) if report[name] else f"no {name}"
    if report["proposal"]["credit_sign"] is not None:
        yield ""
        yield f"orders that were filled show it: in the hub's profile of config.yaml, credit_sign: {report['proposal']['credit_sign']}"


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _method(one: Mapping[str, Any]) -> str:
    return ": ".join(part for part in (one["method"], one["status"], one["words"]) if part)
