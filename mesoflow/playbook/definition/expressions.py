"""Findings about expressions: those that are no Lua, and names that are not known, or not yet, where they are read.

The vendor's lists of functions, of a leg's figures and of `timing` are not known to be whole, and the columns of ExternalData
are in a file elsewhere: a name that may be one of those is a warning. Expressions are compiled, never run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mesoflow.findings import Finding, Place
from mesoflow.hubs.script import (
    ANCHORS,
    EXPIRATION_FIGURES,
    FUNCTIONS,
    GLOBALS,
    LEG_FIGURES,
    LENGTH_MAX,
    MODEL_WORDS,
    MODULES,
    NOT_GIVEN,
    RENAMED,
)
from mesoflow.playbook.definition.lua import Word, fault, words
from mesoflow.playbook.definition.outline import Outline, map_of, under
from mesoflow.playbook.definition.scopes import Scope, Written, everything, expressions
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean, near
from mesoflow.playbook.tree import Scalar

# Real definitions have some fifty; reading so many takes a second.
EXPRESSIONS_MAX = 5_000


def expressions_of(shape: Outline) -> Iterator[Finding]:
    """All of them."""
    core = map_of(under(map_of(shape.root.get("Settings")), "Core"))
    model = under(map_of(under(core, "Margin")), "Model")
    has_margin = isinstance(model, Scalar) and model.value not in (None, "None")
    reader = _Reader(everything(shape), under(shape.root, "ExternalData") is not None, has_margin)
    for count, written in enumerate(expressions(shape)):
        if count == EXPRESSIONS_MAX:
            summary = f"more than {EXPRESSIONS_MAX:,} expressions; the others are not read"
            yield Finding(Code.FILE_BOUNDS, summary, written.node.place(f"in {written.path}"))
            return
        yield from reader.findings(written)


@dataclass(slots=True)
class _Reader:
    """Reads one definition's expressions. `has_columns`: there are names that only its CSV file knows; `has_margin`: those
    of margins are given."""

    everything: Scope
    has_columns: bool
    has_margin: bool
    told: set[str] = field(default_factory=set)

    def findings(self, written: Written) -> Iterator[Finding]:
        """What is wrong with one expression."""
        text, node, path = str(written.node.value), written.node, f"in {written.path}"
        if len(text) > LENGTH_MAX:
            summary = f"an expression of {len(text):,} characters; the limit is {LENGTH_MAX:,}"
            yield Finding(Code.FILE_BOUNDS, summary, node.place(path))
            return
        read = words(text)
        wrong = fault(text, read)
        if wrong is not None:
            place = node.place_at(wrong.start, wrong.length, path)
            yield Finding(Code.LUA_SYNTAX, wrong.summary, place, help=wrong.help)
            return
        yield from self._texts(read, node, path)
        for name, called, module in _names(read):
            place = node.place_at(name.start, len(name.text), path)
            yield from self._name(name.text, written.scope, place, called=called, within=module)

    def _name(self, name: str, scope: Scope, place: Place, *, called: bool, within: str) -> Iterator[Finding]:
        module, _, member = name.partition(".")
        if name in NOT_GIVEN and name in GLOBALS and not self.has_margin:
            yield from self._not_simulated(f"the simulator gives no `{name}`: {NOT_GIVEN[name]}", place, "")
        if (
            name in GLOBALS
            or name in FUNCTIONS
            or name in scope.variables
            or (within and name in WORDS[within])
        ):
            return
        if module in MODULES:
            if member not in MODULES[module]:
                yield self._maybe(name, place, (f"{module}.{known}" for known in MODULES[module]))
            return
        found = self._part(name, scope, place)
        if found is not None:
            yield from found
        elif name in self.everything.variables:
            summary = f"`{name}` is not known yet here: variables are computed in their order, after the legs"
            yield Finding(Code.LUA_LATER, summary, place)
        elif called or within:
            yield self._maybe(name, place, FUNCTIONS if called else WORDS[within])
        elif self.has_columns:
            yield self._column(name, scope, place)
        else:
            yield self._unknown(name, scope, place)

    # --- legs and expirations

    def _part(self, name: str, scope: Scope, place: Place) -> Iterator[Finding] | None:
        """What there is to say of `leg_…` and `expiration_…` of something that the definition has; None: it is none."""
        for prefix, names in (("leg", self.everything.legs), ("expiration", self.everything.aliases)):
            for owner in sorted(names, key=len, reverse=True):
                start = f"{prefix}_{owner}_"
                if name.startswith(start) and len(name) > len(start):
                    of = self._of_leg if prefix == "leg" else self._of_expiration
                    return of(name, owner, name[len(start) :], scope, place)
        return None

    def _of_leg(self, name: str, leg: str, figure: str, scope: Scope, place: Place) -> Iterator[Finding]:
        if figure not in LEG_FIGURES:
            yield self._maybe(name, place, (f"leg_{leg}_{known}" for known in LEG_FIGURES))
        elif leg in scope.legs or (leg == scope.own and figure in scope.own_figures):
            return
        elif leg == scope.own:
            readable = ", ".join(scope.own_figures)
            why = (
                f"of its own leg a quantity can read {readable}"
                if readable
                else "its leg is being chosen here"
            )
            summary = f"`{name}` is not known yet: {why}"
            yield Finding(Code.LUA_LATER, summary, place)
        else:
            summary = f'`{name}` is not known yet here: leg "{leg}" is chosen later'
            help = "legs are chosen in the order of their list; move it before this one"
            yield Finding(Code.LUA_LATER, summary, place, help=help)

    def _of_expiration(
        self, name: str, alias: str, figure: str, scope: Scope, place: Place
    ) -> Iterator[Finding]:
        if figure not in EXPIRATION_FIGURES:
            yield self._unknown(name, scope, place)
        elif alias not in scope.aliases:
            summary = f'`{name}` is not known yet here: expiration "{alias}" is chosen later'
            help = "expirations are chosen in the order of their list; move it before this one"
            yield Finding(Code.LUA_LATER, summary, place, help=help)

    # --- names that nobody knows

    def _known(self, scope: Scope) -> list[str]:
        legs = (f"leg_{leg}_{figure}" for leg in sorted(scope.legs)[:20] for figure in LEG_FIGURES)
        aliases = (f"expiration_{alias}_dte" for alias in scope.aliases)
        return [*GLOBALS, *FUNCTIONS, *scope.variables, *legs, *aliases]

    def _unknown(self, name: str, scope: Scope, place: Place) -> Finding:
        known = self._known(scope)
        alike = near(name, known)
        if name in RENAMED:
            help = f"it is called {RENAMED[name]} now"
        elif name in ANCHORS:
            help = f"it stands in a call: timing.trading_days_until({name})"
        elif name in _OTHERS:
            help = f"Lua writes {_OTHERS[name]}"
        elif alike:
            help = did_you_mean(name, known)
        else:
            help = "names are figures of legs (leg_NAME_price), of the position (pos_delta), and variables of VarDefines"
        return Finding(Code.LUA_NAME, f"there is no `{name}` here", place, help=help)

    def _column(self, name: str, scope: Scope, place: Place) -> Finding:
        alike = near(name, known := self._known(scope))
        help = (
            did_you_mean(name, known)
            if alike
            else "a column of ExternalData of that name is not checked here"
        )
        return Finding(Code.LUA_NAME, f"`{name}` is not known to us", place, "warning", help=help)

    def _maybe(self, name: str, place: Place, known: Iterable[str]) -> Finding:
        help = did_you_mean(name, known, "known are")
        return Finding(
            Code.LUA_NAME, f"`{name}` is not known to us; MesoLive may have it", place, "warning", help=help
        )

    def _texts(self, read: list[Word], node: Scalar, path: str) -> Iterator[Finding]:
        for word in read:
            if word.kind == "text" or word.text in ("..", "..."):
                place = node.place_at(word.start, word.end - word.start, path)
                yield from self._not_simulated("the simulator takes no texts in expressions", place)
        comment = str(node.value).find("--[")
        if comment >= 0:
            place = node.place_at(comment, len("--["), path)
            yield from self._not_simulated("the simulator takes no long comments in expressions", place)

    def _not_simulated(self, summary: str, place: Place, help: str = "MesoLive has it") -> Iterator[Finding]:
        """Once: a definition that reads a margin reads it everywhere."""
        if summary not in self.told:
            self.told.add(summary)
            yield Finding(Code.NOT_SIMULATED, summary, place, "warning", help=help)


# What stands bare in the calls of a module.
WORDS = {"timing": ANCHORS, "options": MODEL_WORDS}
_OTHERS = {"null": "nil", "None": "nil", "True": "true", "False": "false", "TRUE": "true", "FALSE": "false"}


def _names(read: list[Word]) -> Iterator[tuple[Word, bool, str]]:
    """Names that are read, `timing.day` as one; whether each is called; and in the call of which module it stands."""
    depth, calls = 0, list[tuple[int, str]]()
    at = 0
    while at < len(read):
        word = read[at]
        following = read[at + 1].text if at + 1 < len(read) else ""
        if word.text == "(" and word.kind == "sign":
            depth += 1
        elif word.text == ")" and word.kind == "sign":
            depth -= 1
            calls = [call for call in calls if call[0] <= depth]
        elif word.kind == "name" and not (at and read[at - 1].text in (".", ":")):
            if following == "." and at + 2 < len(read) and word.text in MODULES:
                last = read[at + 2]
                word = Word("name", f"{word.text}.{last.text}", word.start, last.end)
                following = read[at + 3].text if at + 3 < len(read) else ""
                at += 2
            yield word, following == "(", calls[-1][1] if calls else ""
            module, dot, _ = word.text.partition(".")
            if dot and following == "(":
                calls.append((depth + 1, module))
        at += 1
