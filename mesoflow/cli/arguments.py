"""The arguments of every command, and nothing that a command needs to run: this file is imported by each of them.

A command exists when it is in COMMANDS; its module is imported when it is called, not before.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from types import MappingProxyType

# Name → module with `run(args) -> int`, and the line that `mesoflow --help` shows.
COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "run": ("mesoflow.cli.commands.run", "run a playbook; --dry-run shows what it would do"),
        "check": ("mesoflow.cli.commands.check", "find what is wrong with playbooks"),
        "resume": ("mesoflow.cli.commands.resume", "go on where a run stopped"),
        "cancel": ("mesoflow.cli.commands.cancel", "end a run: its orders stopped and confirmed"),
        "kill": ("mesoflow.cli.commands.kill", "halt everything: working orders are withdrawn and confirmed"),
        "release": ("mesoflow.cli.commands.release", "take a halt back, on purpose"),
        "settle": ("mesoflow.cli.commands.settle", "decide an unknown outcome after looking at the broker"),
        "clear": ("mesoflow.cli.commands.clear", "let entries go on after a person has looked at the legs"),
        "runs": ("mesoflow.cli.commands.runs", "the runs of this state home"),
        "show": ("mesoflow.cli.commands.show", "one run: timeline, orders, fills, prices"),
        "journal": ("mesoflow.cli.commands.journal", "the raw record of a run; --verify checks its chain"),
        "soak": ("mesoflow.cli.commands.soak", "random worlds and faults; every invariant checked"),
        "sim": ("mesoflow.cli.commands.sim", "the simulator as a server"),
        "doctor": ("mesoflow.cli.commands.doctor", "compare a hub's answers with our contract"),
        "hub": ("mesoflow.cli.commands.hub", "the hubs by hand: list, call, watch, stream"),
        "schema": ("mesoflow.cli.commands.schema", "write the generated schemas; --check compares them"),
    }
)

SPEED_MIN, SPEED_MAX = 1, 30


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The whole command line. argparse itself takes no `key=value` behind an option (`hub call M --yes a=1`)."""
    whole = parser(arguments[0] if arguments else None)
    args, rest = whole.parse_known_args(arguments)
    if rest and (not hasattr(args, "pairs") or any(word.startswith("-") for word in rest)):
        whole.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        try:
            args.pairs = [*args.pairs, *map(pair, rest)]
        except argparse.ArgumentTypeError as error:
            whole.error(str(error))
    return args


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole command line. `command`: the one that is meant, where it is known; the many actions of `hub` are made for
    itself alone, so that no other command starts later for them."""
    top = argparse.ArgumentParser(
        prog="mesoflow",
        description="Declarative options-trading playbooks against MesoLive: checked, run step by step, resumed after any crash.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    builders = {name: _command(commands, name, summary) for name, (_, summary) in COMMANDS.items()}
    _run(builders["run"])
    _check(builders["check"])
    _resume(builders["resume"])
    _cancel(builders["cancel"])
    _kill(builders["kill"])
    _release(builders["release"])
    _settle(builders["settle"])
    _clear(builders["clear"])
    builders["show"].add_argument("run", metavar="RUN", help="the run's id")
    _journal(builders["journal"])
    _soak(builders["soak"])
    _sim(builders["sim"])
    _hub_option(builders["doctor"])
    if command in (None, "hub"):
        _hub(builders["hub"])
    builders["schema"].add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where a file is not fresh"
    )
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
    )
    command.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people, json for programs"
    )
    command.add_argument(
        "--state", metavar="DIR", help="the state home (default: MESOFLOW_HOME, else ~/.mesoflow)"
    )
    return command


def _run(command: argparse.ArgumentParser) -> None:
    command.add_argument("playbook", metavar="PLAYBOOK", help="the playbook's file")
    command.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=pair,
        dest="sets",
        help="an input's value",
    )
    command.add_argument(
        "--env", metavar="NAME", help="inputs from environments/NAME.yaml beside the playbook"
    )
    command.add_argument(
        "--hub",
        metavar="HUB",
        default="sim",
        help="sim (embedded, the default), a profile of config.yaml, or a URL",
    )
    command.add_argument("--run-id", metavar="ID", type=run_id, help="the run's id, in place of NAME-DATE")
    command.add_argument(
        "--or-resume", action="store_true", help="go on with the run that is there, else start one"
    )
    command.add_argument("--again", action="store_true", help="start a second run on purpose; needs --reason")
    command.add_argument("--reason", metavar="TEXT", help="why, for --again")
    command.add_argument("--dry-run", action="store_true", help="show what it would do; connects to nothing")
    command.add_argument(
        "--detailed-exit-code", action="store_true", help="10 for skipped, 11 for a dry run that would trade"
    )
    _allow_live(command)
    command.add_argument(
        "--policy",
        metavar="FILE",
        help="with --dry-run: the ceilings of this policy, in place of the defaults",
    )
    command.add_argument("--seed", metavar="N", type=int, help="the seed of a new embedded world")
    command.add_argument(
        "--profile",
        choices=("strict", "realistic", "kind"),
        help="the market's kindness in a new embedded world",
    )
    command.add_argument(
        "--faults", metavar="FILE", help="begin a new embedded world in which these things go wrong (YAML)"
    )
    command.add_argument(
        "--speed", metavar="X", type=speed, help="simulated seconds a second (default: as fast as it goes)"
    )


def _allow_live(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--allow-live",
        action="store_true",
        help="let this process trade accounts with real money; one of the conditions for that",
    )


def _check(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", metavar="PATH", nargs="*", help="playbooks, or folders that hold some")
    command.add_argument(
        "--policy", metavar="FILE", help="hold them against the ceilings of this policy, which is checked too"
    )


def _resume(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="the run's id")
    _allow_live(command)
    command.add_argument(
        "--accept-policy",
        action="store_true",
        help="go on although the policy is looser than when the run began; recorded with your name",
    )
    command.add_argument(
        "--speed", metavar="X", type=speed, help="simulated seconds a second (default: as fast as it goes)"
    )
    command.add_argument("--detailed-exit-code", action="store_true", help="10 for a run that was skipped")


def _cancel(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="the run's id")
    command.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the journal")


def _kill(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the journal")
    command.add_argument(
        "--flatten",
        action="store_true",
        help="first exit every open position of ours, at prices that the policy says; then halt in any case",
    )
    _allow_live(command)


def _release(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--playbook",
        metavar="NAME",
        help="let this playbook run again in this session (C11), in place of the home",
    )
    command.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the journal")
    command.add_argument("--yes", action="store_true", help="do not ask")


def _settle(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="the run's id")
    command.add_argument("path", metavar="PATH", help="the path of the unknown, as `mesoflow show` names it")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--happened",
        metavar="ID",
        type=int,
        nargs="+",
        help="it happened: the order's or the position's id at the hub",
    )
    what.add_argument("--did-not-happen", action="store_true", help="it did not, and never will")
    command.add_argument(
        "--reason", metavar="TEXT", required=True, help="what you saw, and where; kept in the journal"
    )


def _clear(command: argparse.ArgumentParser) -> None:
    command.add_argument("what", metavar="POSITION|ACCOUNT", help="a position's id, or an account")
    command.add_argument(
        "--hub", metavar="HUB", default="sim", help="where its legs are read: sim, a profile, or a URL"
    )
    command.add_argument("--reason", metavar="TEXT", default="", help="what you saw; kept in the journal")


def _journal(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "run", metavar="RUN", nargs="?", help="the run's id; with --verify it may be left out: the whole home"
    )
    command.add_argument("--verify", action="store_true", help="check the chain instead of printing it")


def _soak(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seeds", metavar="N", type=positive, default=100, help="how many worlds are played (default: 100)"
    )
    command.add_argument(
        "--first", metavar="S", type=int, default=1, help="the first seed; with --seeds 1 it is replayed"
    )
    command.add_argument(
        "--days",
        action="store_true",
        help="each is a whole session: six hours of market, with a fault every five minutes",
    )
    command.add_argument(
        "--keep", metavar="DIR", help="keep the folders of worlds in which something is wrong"
    )


def _sim(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="sim_command", metavar="ACTION", required=True)
    serve = actions.add_parser("serve", help="serve a world until SIGTERM or Ctrl-C", allow_abbrev=False)
    serve.add_argument(
        "--state", metavar="DIR", help="the state home (default: MESOFLOW_HOME, else ~/.mesoflow)"
    )
    serve.add_argument(
        "--port", metavar="P", type=int, default=0, help="the port on loopback (default: any free one)"
    )
    serve.add_argument("--seed", metavar="N", type=int, help="begin a new world with this seed")
    serve.add_argument(
        "--profile", choices=("strict", "realistic", "kind"), help="begin a new world of this kindness"
    )
    serve.add_argument(
        "--faults", metavar="FILE", help="begin a new world in which these things go wrong (YAML)"
    )
    serve.add_argument(
        "--speed", metavar="X", type=served_speed, default=1, help="simulated seconds a second, 1 to 30"
    )
    serve.add_argument("--token", metavar="T", help="accept this bearer token only (default: any)")


def _hub_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--hub",
        metavar="HUB",
        default="sim",
        help="sim (embedded, the default), a profile of config.yaml, or a URL",
    )


def _hub(command: argparse.ArgumentParser) -> None:
    # On a terminal text, through a pipe JSON; the options stand behind the action, too.
    command.set_defaults(format=None)
    actions = command.add_subparsers(dest="hub_command", metavar="ACTION", required=True)
    added = {
        name: actions.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        for name, summary in (
            ("list", "what the hubs offer, or one method or callback in full"),
            ("call", "call a method; of a paged one all rows"),
            ("watch", "the events as they come, one a line"),
            ("stream", "a data stream, one item a line"),
        )
    }
    for name, action in added.items():
        action.add_argument("--format", choices=("text", "json"), default=argparse.SUPPRESS)
        action.add_argument("--state", metavar="DIR", default=argparse.SUPPRESS, help="the state home")
        if name != "list":
            _hub_option(action)
    added["list"].add_argument(
        "method", metavar="METHOD", nargs="?", help="a method or a callback, in any casing"
    )
    for name in ("call", "stream"):
        added[name].add_argument("method", metavar="METHOD", help="which one, in any casing")
        added[name].add_argument(
            "pairs",
            metavar="key=value",
            nargs="*",
            type=pair,
            help="an argument: position_id=1001, underlying.symbol=SPX, leg_ids=1,2, @FILE for JSON",
        )
    added["call"].add_argument(
        "--yes", action="store_true", help="also what changes something or prepares; never what trades"
    )
    added["call"].add_argument("--one-page", action="store_true", help="one page, and the token of the next")
    added["watch"].add_argument("--strategy", metavar="ID", type=int, help="of this strategy only")
    added["watch"].add_argument(
        "--since",
        metavar="SEQ",
        type=int,
        help="events after this EventSeqId, 0 for all; without it, what is new",
    )
    for name in ("watch", "stream"):
        added[name].add_argument("--count", metavar="N", type=int, help="end after so many")


# --- kinds of arguments ------------------------------------------------------------------------------------------------


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def run_id(text: str) -> str:
    """An id that is a file name everywhere: letters, digits, `.`, `_`, `-`; at most 100 of them."""
    plain = text.replace("-", "").replace("_", "").replace(".", "")
    if not (plain.isascii() and plain.isalnum() and len(text) <= 100 and text[0] not in "-."):
        raise argparse.ArgumentTypeError(f"{text!r} is no run id; use letters, digits, - and _")
    return text


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of worlds")
    return int(text)


def speed(text: str) -> float:
    """A positive number."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; 1 is the market's own")
    return value


def served_speed(text: str) -> float:
    """1 to 30: above it, a client's real seconds become too many simulated ones."""
    value = speed(text)
    if not SPEED_MIN <= value <= SPEED_MAX:
        raise argparse.ArgumentTypeError(
            f"a served world runs at speed {SPEED_MIN} to {SPEED_MAX}, not {text}"
        )
    return value
