"""`mesoflow run PLAYBOOK`: check it, decide whether it may start, start it, and go on until it is over or parked."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from mesoflow.cli.commands import check
from mesoflow.cli.exits import Exit
from mesoflow.playbook.compile import Compiled, load
from mesoflow.safety.policy import Policy


def run(args: argparse.Namespace) -> int:
    """Run it, or show what it would do."""
    if args.again != (args.reason is not None):
        print("mesoflow run: --again and --reason go together", file=sys.stderr)
        return Exit.USAGE
    if args.again and args.or_resume:
        print(
            "mesoflow run: --again starts a second run, --or-resume goes on with the first; choose one",
            file=sys.stderr,
        )
        return Exit.USAGE
    if args.policy is not None and not args.dry_run:
        print(
            "mesoflow run: what sends obeys the policy of the state home; --policy is for --dry-run",
            file=sys.stderr,
        )
        return Exit.USAGE
    policy, wrong = check.policy_at(args.policy)
    if wrong:
        check.show(wrong, [args.policy], args.format)
        return Exit.REFUSED
    faults, wrong = check.faults_at(args.faults)
    if wrong:
        check.show(wrong, [args.faults], args.format)
        return Exit.REFUSED
    ceilings = None if policy is None else policy.ceilings
    compiled = load(args.playbook, dict(args.sets), args.env, ceilings=ceilings)
    if compiled.program is None:
        check.show(compiled.findings, [args.playbook], args.format)
        return Exit.REFUSED
    if args.dry_run:
        return preview(args, compiled, policy)
    from mesoflow.cli.starting import start

    return start(args, compiled, faults)


def preview(args: argparse.Namespace, compiled: Compiled, policy: Policy | None = None) -> int:
    """What it would do; connects to nothing. `policy`: what else its orders would be held to."""
    from mesoflow.actions.catalogue import ACTIONS
    from mesoflow.review.policies import ceilings_words
    from mesoflow.review.preview import build_preview
    from mesoflow.review.render.json import json_text
    from mesoflow.review.render.preview import preview_text
    from mesoflow.runtime.programs import program_digest

    assert compiled.program is not None
    built = build_preview(
        compiled.program, program_digest(compiled.program), ACTIONS, context_of(compiled), compiled.inputs
    )
    if policy is not None:
        words = ceilings_words(policy.value.get("ceilings", {}))
        built = built.model_copy(update={"rails": [*built.rails, *words]})
    print(json_text(built.model_dump(mode="python")) if args.format == "json" else preview_text(built))
    return Exit.WOULD_TRADE if built.would_trade and args.detailed_exit_code else Exit.FINE


def context_of(compiled: Compiled) -> Any:  # noqa: ANN401 - engine.action.Context, imported only here
    """The context of a preview: everything that is known before a start."""
    from mesoflow.engine.action import Context

    assert compiled.program is not None
    accounts = list(compiled.risk.get("accounts", []))
    return Context(
        run_id="preview",
        playbook=compiled.program.name,
        session=compiled.program.session,
        now=datetime.now(UTC),
        account=accounts[0] if len(accounts) == 1 else None,
        risk=compiled.risk,
        files=compiled.files,
    )
