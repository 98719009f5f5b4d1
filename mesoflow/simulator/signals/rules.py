"""What signals need of a definition beside what entries and adjustments do: schedules, gates, and the exit's conditions."""

from __future__ import annotations

from dataclasses import dataclass

from mesoflow.simulator.signals.schedule import Schedule, read_number, read_schedule
from mesoflow.simulator.strategies.reading import DefinitionRefused, Reader


@dataclass(frozen=True, slots=True)
class SignalRules:
    """Schedules are None where any time is right, gates where there is none.

    `reentry_days`: after an exit; `shift_days`: between two entries. Both are days of the exchange's calendar.
    """

    entry_schedule: Schedule | None
    reentry_days: float | None
    in_flight_max: float | None
    shift_days: float | None
    adjustment_schedule: Schedule | None
    exit_schedule: Schedule | None
    exit_conditions: tuple[str, ...]


def read_signal_rules(raw: object) -> SignalRules:
    """Raises DefinitionRefused, naming every fault. Of a definition that `read_definition` takes."""
    reader = Reader()
    document = reader.mapping(raw, "$")
    entry = reader.mapping(document.get("Entry"), "Entry")
    concurrency = reader.mapping(entry.get("Concurrency") or {}, "Entry.Concurrency")
    adjustment = reader.mapping(document.get("Adjustment") or {}, "Adjustment")
    leave = reader.mapping(document.get("Exit"), "Exit")
    found = SignalRules(
        entry_schedule=read_schedule(reader, entry.get("Schedule"), "Entry.Schedule"),
        reentry_days=read_number(reader, entry.get("ReentryDays"), "Entry.ReentryDays"),
        in_flight_max=read_number(
            reader, concurrency.get("MaxPositionsInFlight"), "Entry.Concurrency.MaxPositionsInFlight"
        ),
        shift_days=read_number(reader, concurrency.get("EntryShiftDays"), "Entry.Concurrency.EntryShiftDays"),
        adjustment_schedule=read_schedule(reader, adjustment.get("Schedule"), "Adjustment.Schedule"),
        exit_schedule=read_schedule(reader, leave.get("Schedule"), "Exit.Schedule"),
        exit_conditions=reader.expressions(leave.get("Conditions"), "Exit.Conditions"),
    )
    if reader.problems:
        raise DefinitionRefused(reader.problems)
    return found
