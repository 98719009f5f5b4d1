"""How people are told: the targets of the configuration, and what happens to a target that is not configured.

A target is the terminal, a file that notices are appended to, or a command that gets the notice as JSON on its standard
input. One that nobody configured goes to the terminal and to notices.log in the state home. A failure to tell is reported
and fails nothing; a notice may arrive twice after a crash, and says under which name it is sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from mesoflow.engine.effects import Tell, Value
from mesoflow.logs import redact

# A pager's client that takes longer is hung; the run must not hang with it.
COMMAND_WITHIN_S = 30

NOTICES = "notices.log"


@dataclass(frozen=True, slots=True)
class ToFile:
    """Append to this file, one JSON object a line."""

    path: Path


@dataclass(frozen=True, slots=True)
class ToCommand:
    """Run this, without a shell."""

    command: tuple[str, ...]


Target: TypeAlias = Literal["terminal"] | ToFile | ToCommand


@dataclass(frozen=True, slots=True)
class Teller:
    """`say` shows a line on the terminal; `aside` runs something that blocks while the run's clock stands still."""

    run_id: str
    targets: Mapping[str, Target]
    home: Path
    say: Callable[[str], None]
    hold: Callable[[], None] = lambda: None
    release: Callable[[], None] = lambda: None

    async def tell(self, effect: Tell) -> dict[str, Value]:
        """Tell every target; {delivered, failed}, each a list of names in the order of `to`."""
        delivered: list[Value] = []
        failed: list[Value] = []
        for name in effect.to or ("terminal",):
            try:
                await self._tell(name, effect)
                delivered.append(name)
            except (OSError, subprocess.SubprocessError) as error:
                self.say(f"could not tell {name}: {redact(str(error))}")
                failed.append(name)
        return {"delivered": delivered, "failed": failed}

    async def _tell(self, name: str, effect: Tell) -> None:
        match self.targets.get(name, "terminal" if name == "terminal" else None):
            case "terminal":
                self.say(self._line(name, effect))
            case ToFile(path):
                _append(path, self._notice(name, effect))
            case ToCommand(command):
                await self._command(command, self._notice(name, effect))
            case None:
                self.say(self._line(name, effect))
                _append(self.home / NOTICES, self._notice(name, effect))

    def _line(self, name: str, effect: Tell) -> str:
        body = (
            effect.body
            if isinstance(effect.body, str)
            else json.dumps(effect.body, default=str, ensure_ascii=False)
        )
        mark = "PAGE" if effect.level == "page" else "notice"
        return redact(f"{mark} to {name}: {effect.title}" + (f": {body}" if body else ""))

    def _notice(self, name: str, effect: Tell) -> str:
        notice = {
            "run_id": self.run_id,
            "to": name,
            "level": effect.level,
            "title": effect.title,
            "body": effect.body,
        }
        return redact(json.dumps(notice, default=str, ensure_ascii=False))

    async def _command(self, command: tuple[str, ...], notice: str) -> None:
        self.hold()
        try:
            await asyncio.to_thread(
                subprocess.run,
                command,
                input=notice.encode(),
                check=True,
                timeout=COMMAND_WITHIN_S,
                capture_output=True,
            )
        finally:
            self.release()


def _append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)
