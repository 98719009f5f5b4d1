"""How the journal can fail. The whole tree stands here.

    CodecError           a value that the journal cannot carry, or stored text that is not a value
    JournalError         base of what a person is told, each with a stable code
    ├── JournalDamaged   MF601  what is stored is not what was written; `where` names the record, page or file
    │   └── JournalShorter  MF602  commits are missing at the end: it was longer once
    ├── JournalUnusable  MF603  it cannot be read or written here and now: disk full, read-only, locked, wrong version
    ├── LockLost         MF604  another runner has taken the run over since
    └── LedgerMoved      MF605  somebody else has traded on the account since the order was judged: judge it again

After a JournalUnusable or JournalDamaged from a commit the store takes no more writes: whether that commit reached the
disk is not known to this process, only to the next one that reads the journal. Hence nothing may be sent any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class CodecError(ValueError):
    """`where` is the path inside the value, as a person would write it."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where or 'the value'}: {self.reason}"


@dataclass
class JournalError(Exception):
    """Base. `path` is the file or folder that it is about."""

    code: ClassVar[str] = "MF600"
    path: str

    def __str__(self) -> str:
        return f"the journal {self.path} failed"


@dataclass
class JournalDamaged(JournalError):
    """`where` says which record, commit, page or file; `reason` how we know."""

    code: ClassVar[str] = "MF601"
    where: str
    reason: str
    remedy: str = (
        "Nothing was sent. Restore the whole state home from a copy; do not repair the file by hand."
    )

    def __str__(self) -> str:
        return f"the journal {self.path} is damaged: {self.where}: {self.reason}. {self.remedy}"


@dataclass
class JournalShorter(JournalDamaged):
    """The journal has fewer commits than its head file says it had."""

    code: ClassVar[str] = "MF602"
    has: int = 0
    had: int = 0

    @classmethod
    def of(cls, path: str, has: int, had: int) -> JournalShorter:
        """`has` commits are left of `had`."""
        reason = f"it ends with commit {has}, and commit {had} was written once"
        return cls(path, "it is shorter than it was", reason, has=has, had=had)


@dataclass
class JournalUnusable(JournalError):
    """`reason` is one clause, `remedy` a sentence that says what to do."""

    code: ClassVar[str] = "MF603"
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"the journal {self.path} cannot be used: {self.reason}. {self.remedy}".rstrip()


@dataclass
class LockLost(JournalError):
    """This process began `run_id` in epoch `mine`; the journal says that `now` is the epoch."""

    code: ClassVar[str] = "MF604"
    run_id: str
    mine: int
    now: int

    def __str__(self) -> str:
        return (
            f"run {self.run_id} has been taken over by another runner (epoch {self.now}, this one has {self.mine}); "
            f"nothing more is recorded or sent from here"
        )


@dataclass
class LedgerMoved(JournalError):
    """The verdict was made against the account's ledger at version `mine`; by now it is at `now`. Nothing was written."""

    code: ClassVar[str] = "MF605"
    account: str
    mine: int
    now: int

    def __str__(self) -> str:
        return f"the ledger of {self.account} was at {self.mine} when an order was judged, and is at {self.now} now"
