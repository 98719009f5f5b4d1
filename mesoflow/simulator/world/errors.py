"""What can be wrong with a world.

WorldHeld · another process holds it        WorldDamaged · its files do not hold together
WorldUnwritable · its disk takes no more: what was written before stands
WorldOther · it was made with another seed or profile        Refused · a call that the hub turns down
"""

from __future__ import annotations

from pathlib import Path

from mesoflow.hubs.models.enums import StatusCode


class WorldHeld(Exception):
    """One process at a time holds a world."""

    def __init__(self, folder: Path, process: str) -> None:
        super().__init__(folder, process)
        self.folder, self.process = folder, process

    def __str__(self) -> str:
        who = f"process {self.process}" if self.process else "another process"
        return f"the simulated world {self.folder} is held by {who}"


class WorldDamaged(Exception):
    """What was written before is not what is there now."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return f"the simulated world {self.folder} is damaged: {self.reason}; remove the folder to begin a new one"


class WorldUnwritable(Exception):
    """The disk takes no more. The change that was tried has not happened, and all before it has."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return (
            f"the simulated world {self.folder} cannot be written: {self.reason}; what it has written stands"
        )


class WorldOther(Exception):
    """A world is continued only as what it was made."""

    def __init__(self, folder: Path, what: str, made: object, asked: object) -> None:
        super().__init__(folder, what, made, asked)
        self.folder, self.what, self.made, self.asked = folder, what, made, asked

    def __str__(self) -> str:
        return f"the simulated world {self.folder} was made with {self.what} {self.made}, not {self.asked}"


class Refused(Exception):
    """A call that the hub turns down; becomes the envelope's status and error. Nothing has happened."""

    def __init__(
        self,
        status: StatusCode,
        code: str,
        detail: str,
        *,
        fields: dict[str, list[str]] | None = None,
        data: object = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.status, self.code, self.detail, self.fields, self.data = status, code, detail, fields, data

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}"


def bad(code: str, detail: str, *, fields: dict[str, list[str]] | None = None) -> Refused:
    """The arguments do not fit."""
    return Refused(StatusCode.BAD_REQUEST, code, detail, fields=fields)


def missing(what: str, id: object) -> Refused:
    """No such thing."""
    return Refused(StatusCode.NOT_FOUND, "NotFound", f"there is no {what} {id}")


def not_in_this_version(what: str) -> Refused:
    return bad("NotInThisVersion", f"{what} is not in this version of the simulator")
