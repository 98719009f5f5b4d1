"""config.yaml of the state home: hubs by name, and whom `notify` tells how. schemas/config.schema.json is made from here.

The file is the operator's own, never a playbook's; what it says about secrets is where they are, not what they are.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mesoflow.playbook.load import read
from mesoflow.playbook.tree import follow, to_value
from mesoflow.runtime.refusal import CONFIG, Refusal
from mesoflow.runtime.tell import Target, ToCommand, ToFile

FILE = "config.yaml"
OTHERS_CAN_READ = 0o077
_DURATION = re.compile(r"(\d{1,6})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _length(value: object) -> object:
    """`30s`, `10m`, `2h`, as in a playbook."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a duration as 30s, 10m or 2h")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


Length = Annotated[
    timedelta,
    BeforeValidator(_length, json_schema_input_type=Annotated[str, Field(pattern=r"^[0-9]{1,6}(s|m|h)$")]),
]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class Key(_Part):
    """Where a hub's API key is: exactly one of the three. MESOLIVE_API_KEY comes before all of them."""

    env: str | None = Field(None, description="name of an environment variable", examples=["DESK_API_KEY"])
    file: str | None = Field(
        None, description="a file that nobody else can read", examples=["~/.mesolive/key"]
    )
    keyring: str | None = Field(
        None, description="SERVICE/USER in the system's keyring", examples=["mesolive/desk"]
    )

    @model_validator(mode="after")
    def _one(self) -> Key:
        if sum(part is not None for part in (self.env, self.file, self.keyring)) != 1:
            raise ValueError("give exactly one of env, file and keyring")
        return self


class HubProfile(_Part):
    """One hub: where it is, how to identify oneself, and what is known of its habits."""

    url: str = Field(description="scheme and host, without /hubs/…", examples=["https://live.example.com"])
    key: Key | None = Field(None, description="where the API key is")
    ca_file: str | None = Field(
        None,
        description="PEM file of an authority of your own that signed the hub's certificate; the system's stay trusted",
        examples=["~/.mesolive/ca.pem"],
    )
    simulator: bool = Field(False, description="a simulator on this machine: its accounts count as paper")
    provider: str | None = Field(None, description="data provider in place of the account's agent")
    credit_sign: Literal["negative", "positive", "unknown"] = Field(
        "unknown", description="sign of a credit's limit"
    )
    qty_multiplier: Literal["proven", "unknown"] = Field(
        "unknown", description="whether the reading of SendOrder's multiplier is proved"
    )
    retention: Length | None = Field(
        None, description="how long the hub keeps idempotency records", examples=["10m"]
    )
    late_arrival: Length | None = Field(
        None, description="how long after its sending a call may arrive", examples=["30s"]
    )


class NotifyFile(_Part):
    """Append each notice to a file, one JSON object a line."""

    file: str = Field(description="path; ~ is your home folder")


class NotifyCommand(_Part):
    """Run a command; it gets the notice as JSON on standard input."""

    command: list[str] = Field(description="program and arguments, without a shell", min_length=1)


class Config(_Part):
    """The whole file."""

    hubs: dict[str, HubProfile] = Field(default_factory=dict, description="profiles for --hub")
    notify: dict[str, Literal["terminal"] | NotifyFile | NotifyCommand] = Field(
        default_factory=dict, description="targets of the action notify"
    )

    def targets(self) -> dict[str, Target]:
        """As runtime/tell.py has them."""
        return {name: _target(target) for name, target in self.notify.items()}


def _target(target: Literal["terminal"] | NotifyFile | NotifyCommand) -> Target:
    if isinstance(target, NotifyFile):
        return ToFile(Path(target.file).expanduser())
    return ToCommand(tuple(target.command)) if isinstance(target, NotifyCommand) else target


def read_config(home: Path) -> Config:
    """The configuration of a state home; without a file, the defaults. Raises Refusal."""
    path = home / FILE
    if not path.exists():
        return Config()
    if path.stat().st_mode & OTHERS_CAN_READ:
        raise _refused(path, "others can read it, and it says where the keys are", f"chmod 600 {path}")
    loaded = read(path, str(path))
    if loaded.finding is not None or loaded.root is None:
        place = loaded.finding.place if loaded.finding else None
        where = f"line {place.line}: " if place and place.line else ""
        raise _refused(
            path, where + (loaded.finding.summary if loaded.finding else "it is empty"), "correct the file"
        )
    try:
        return Config.model_validate(to_value(loaded.root))
    except ValidationError as error:
        first = error.errors()[0]
        node, _ = follow(loaded.root, first["loc"])
        field = ".".join(str(part) for part in first["loc"])
        reason = f"line {node.line + 1}: {field}: {first['msg'].removeprefix('Value error, ')}"
        raise _refused(path, reason, "schemas/config.schema.json says what may stand there") from None


def _refused(path: Path, reason: str, help_: str) -> Refusal:
    return Refusal(CONFIG, f"the configuration {path} cannot be used: {reason}", help=(help_,))


def secret_of(profile: HubProfile | None, name: str) -> str | None:
    """The API key: MESOLIVE_API_KEY, else where the profile says; None where nobody says anything. Raises Refusal."""
    from_environment = os.environ.get("MESOLIVE_API_KEY")
    if from_environment:
        return from_environment
    if profile is None or profile.key is None:
        return None
    key = profile.key
    if key.env is not None:
        return os.environ.get(key.env) or _no_key(
            name, f"the variable {key.env} is not set", f"export {key.env}=…"
        )
    if key.file is not None:
        return _key_in_file(name, Path(key.file).expanduser())
    return _key_in_keyring(name, str(key.keyring))


def _key_in_file(name: str, path: Path) -> str:
    try:
        if path.stat().st_mode & OTHERS_CAN_READ:
            return _no_key(name, f"others can read {path}", f"chmod 600 {path}")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        return _no_key(name, f"{path} cannot be read ({error})", "write the key into that file")
    return text or _no_key(name, f"{path} is empty", "write the key into that file")


def _key_in_keyring(name: str, entry: str) -> str:
    try:
        import keyring  # type: ignore[import-not-found,unused-ignore]  # optional: only who uses it has it
    except ImportError:
        return _no_key(
            name, "the Python package keyring is not installed", "install keyring, or use env or file"
        )
    service, _, user = entry.partition("/")
    found: Any = keyring.get_password(service, user)
    return found or _no_key(name, f"the keyring has no entry {entry}", f"keyring set {service} {user}")


def _no_key(name: str, reason: str, help_: str) -> str:
    raise Refusal(CONFIG, f"there is no API key for {name}: {reason}", help=(help_,))
