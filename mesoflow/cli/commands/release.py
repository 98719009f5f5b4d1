"""`mesoflow release`: a person takes the halt back, on purpose; `--playbook NAME` lets a playbook run again (C11)."""

from __future__ import annotations

import argparse
import getpass
import sys

from mesoflow.cli.exits import Exit
from mesoflow.cli.starting import writing
from mesoflow.runtime.halting import halted_by, release, release_playbook
from mesoflow.runtime.refusal import NOT_WANTED, Refusal

SURE = "yes"


def run(args: argparse.Namespace) -> int:
    """Release it, once a person has said so."""
    with writing(args.state) as (home, journal):
        by = getpass.getuser()
        if args.playbook is not None:
            _confirm(args, f"let {args.playbook} run again in this session")
            release_playbook(journal, args.playbook, by, args.reason)
            _said(args, f"released {args.playbook}", {"playbook": args.playbook})
            return Exit.FINE
        was = halted_by(home)
        _confirm(args, f"release {home.path}{f', halted {was}' if was else ''}: orders may leave again")
        there = release(home, journal, by, args.reason)
        text = f"released {home.path}\n  next     mesoflow runs      what is parked can be resumed"
        _said(
            args,
            text if there else f"{home.path} was not halted; its trading state is active",
            {"halted": was},
        )
    return Exit.FINE


def _confirm(args: argparse.Namespace, what: str) -> None:
    """Raise Refusal unless the person means it."""
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise Refusal(
            NOT_WANTED, "a release is a person's decision", (("asked", what),), ("mesoflow release --yes",)
        )
    print(f"{what}\ntype {SURE} to go on: ", end="", flush=True)
    if sys.stdin.readline().strip().lower() != SURE:
        raise Refusal(NOT_WANTED, "nothing was released", (("asked", what),))


def _said(args: argparse.Namespace, text: str, body: dict[str, object]) -> None:
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        print(json_text({"format_version": 1, "released": body}))
    else:
        print(text)
