"""The expression language of strategy definitions: Lua 5.4 expressions in a closed environment.

An expression sees the numbers it is given, a dozen functions and the namespaces `timing` and `options`, nothing else: no
libraries, no texts (and the metatable that leads from one to string.rep is taken away), no Python objects, no way to keep
anything from one evaluation to the next. Instructions, memory and calls of the model are limited. What the language
has and this version has not is refused by name, like what it does not have at all.

Only names that an expression contains are looked up: what nobody asks for is not computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from mesoflow.simulator.draws import whole
from mesoflow.simulator.strategies import timing, valuation
from mesoflow.simulator.strategies.valuation import NOTHING, Unsaid, Valuation

Number: TypeAlias = int | float
Names: TypeAlias = Mapping[str, Number | None]

# An expression of the strategy library takes some hundred instructions.
INSTRUCTIONS_MAX = 100_000
MEMORY_BYTES_MAX = 4 * 1024 * 1024
LENGTH_MAX = 4_000
# A definition values its position some few times; one call of the solver takes milliseconds.
MODEL_CALLS_MAX = 20
# What an error tells of its reason: a name may be as long as the memory allows.
REASON_LENGTH_MAX = 200
FUNCTIONS = ("abs", "min", "max", "random", "sqrt", "pow", "log", "ceil", "floor", "int")
# Names of the language that are not given, or not always, and why.
NOT_GIVEN: Mapping[str, str] = {
    "minutes_before_open": "it is not in this version: v3 has timing.minutes_before_close",
    "minutes_after_close": "it is not in this version: v3 has timing.minutes_after_open",
    "pos_margin": "it needs a margin model (Settings.Core.Margin)",
    "acc_margin": "it needs a margin model (Settings.Core.Margin)",
}

# Where in the chunk; expressions are one line, and the chunk's lines are not the author's.
_PLACE = re.compile(r"^((expression|\[string [^\]]*\]):\d+: )+")
_COMMENT = re.compile(r"--[^\n\r]*")
# Numbers and conditions need no texts, and texts are how a short expression takes long: each step may copy a megabyte.
_TEXT = re.compile(r"['\"]|\.\.|\[=*\[")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Runs once a runtime. `judge` compiles and evaluates; the debug library and the model stay inside its closure.
_PRELUDE = """
local load, error, setmetatable, pairs, type, pcall, pack = load, error, setmetatable, pairs, type, pcall, table.pack
local sethook, getmetatable, math, tostring = debug.sethook, debug.getmetatable, math, tostring
getmetatable("").__index = nil
getmetatable("").__metatable = false
local functions = {
  abs = math.abs, min = math.min, max = math.max, sqrt = math.sqrt, ceil = math.ceil, floor = math.floor,
  log = math.log,
  pow = function(x, y) return x ^ y end,
  int = function(x) if x < 0 then return math.ceil(x) end return math.floor(x) end,
}
local function shown(value)
  local kind = type(value)
  if kind == "string" or kind == "number" then return tostring(value) end
  return "a " .. kind
end
local function closed(name, find)
  return setmetatable({}, {
    __index = function(_, key)
      local found = find(key)
      if found ~= nil then return found end
      error("there is no '" .. name .. shown(key) .. "' here", 0)
    end,
    __newindex = function(_, key) error("'" .. name .. shown(key) .. "' cannot be set", 0) end,
    __metatable = false,
  })
end
local function word(value)
  if value == nil then return "" end
  return " " .. shown(value)
end
local function timing(values, known)
  return closed("timing.", function(key)
    if key == "days_in_trade" then return known.days_in_trade end
    if values.fields[key] ~= nil then return values.fields[key] end
    if not values.functions[key] then return nil end
    return function(anchor, boundary, ...)
      local found = values.fields[key .. word(anchor) .. word(boundary) .. word(...)]
      if found ~= nil then return found end
      if anchor == nil then error("'timing." .. key .. "' needs an anchor", 0) end
      error("'timing." .. key .. "' of" .. word(anchor) .. word(boundary) .. " is not in this version", 0)
    end
  end)
end
local function options(functions, values, model, calls_max)
  local calls = 0
  return closed("options.", function(key)
    if not functions[key] then return nil end
    return function(...)
      calls = calls + 1
      if calls > calls_max then error("it asks the model more than " .. calls_max .. " times", 0) end
      local given = pack(...)
      given[2] = values.fields["calendar_days_until" .. word(given[2])] or given[2]
      local found = model(key, given)
      if type(found) == "string" then error(found, 0) end
      return found
    end
  end)
end
local function judge(text, names, refused, spaces, model, seed, limit, calls_max)
  local state = seed
  local known = { random = function(low, high)
    state = (state * 6364136223846793005 + 1442695040888963407)
    return low + (state >> 33) % (high - low + 1)
  end }
  for name, value in pairs(functions) do known[name] = value end
  if spaces then
    for name in pairs(spaces.words) do known[name] = name end
    known.timing = timing(spaces, names)
    known.options = options(spaces.model, spaces, model, calls_max)
  end
  local absent = {}
  for name, value in pairs(names) do
    if value == false then absent[name] = true; known[name] = nil else known[name] = value end
  end
  local environment = setmetatable({}, {
    __index = function(_, name)
      if known[name] ~= nil then return known[name] end
      if absent[name] then return nil end
      if refused[name] then error("'" .. name .. "': " .. refused[name], 0) end
      error("there is no '" .. shown(name) .. "' here", 0)
    end,
    __newindex = function(_, name) error("'" .. shown(name) .. "' cannot be set", 0) end,
    __metatable = false,
  })
  local chunk, problem = load("return (" .. text .. "\\n)", "=expression", "t", environment)
  if not chunk then return false, problem end
  sethook(function() error("it takes too long", 0) end, "", limit)
  local good, value = pcall(chunk)
  sethook()
  if not good then return false, tostring(value) end
  local kind = type(value)
  if kind == "number" or kind == "boolean" or kind == "nil" then return true, value end
  return false, "it is a " .. kind .. ", not a number or a condition"
end
local globals = _G
for name in pairs(globals) do globals[name] = nil end
return judge
"""


class ExpressionFailed(Exception):
    """An expression that could not be evaluated; its author's fault, or missing data."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(expression, reason)
        self.expression, self.reason = expression, reason

    def __str__(self) -> str:
        shown = self.expression if len(self.expression) <= 80 else self.expression[:77] + "..."
        return f"{shown!r}: {self.reason}"


class Lua:
    """One runtime. `seed` feeds `random`, together with the expression, so that it draws the same wherever it stands."""

    def __init__(self, seed: int) -> None:
        # Not needed before the first expression: loading it takes 13 ms.
        from lupa.lua54 import LuaError, LuaRuntime

        self._seed = seed
        self._error: type[Exception] = LuaError
        runtime = LuaRuntime(
            register_eval=False,
            register_builtins=False,
            attribute_filter=_no_attributes,
            max_memory=MEMORY_BYTES_MAX,
        )
        self._table = runtime.table_from
        self._judge = runtime.execute(_PRELUDE)
        self._refused = runtime.table_from(NOT_GIVEN)
        self._words = self._flags(*timing.WORDS, *valuation.WORDS)
        self._timing, self._options = self._flags(*timing.FUNCTIONS), self._flags(*valuation.FUNCTIONS)

    def _flags(self, *names: str) -> Any:  # noqa: ANN401 - a table of Lua's
        return self._table(dict.fromkeys(names, True))

    def value(self, expression: object, names: Names, model: Valuation | None = None) -> Number | bool | None:
        """What it comes to. A JSON number is an expression too. Raises ExpressionFailed."""
        text = str(expression)
        if len(text) > LENGTH_MAX:
            raise ExpressionFailed(text, f"it is longer than {LENGTH_MAX} characters")
        if _TEXT.search(_COMMENT.sub("", text)) or "--[" in text:
            raise ExpressionFailed(text, "texts and long comments are not in the language")
        words = dict.fromkeys(_NAME.findall(text))
        spaces = None
        if timing.NAMESPACE in words or valuation.NAMESPACE in words:
            words["days_in_trade"] = None
            spaces = self._spaces(names)
        # Lua's tables cannot hold nil; false stands for a name that is known and has no value.
        looked_up = {name: names[name] for name in words if name in names}
        given = self._table({name: False if value is None else value for name, value in looked_up.items()})
        seed = whole(self._seed, "lua", text, below=2**62)
        try:
            good, value = self._judge(
                text, given, self._refused, spaces, _asked(model), seed, INSTRUCTIONS_MAX, MODEL_CALLS_MAX
            )
        except (self._error, MemoryError, UnicodeError) as error:
            raise ExpressionFailed(text, _reason(error)) from None
        if not good:
            raise ExpressionFailed(text, _reason(value))
        found: Number | bool | None = value
        return found

    def _spaces(self, names: Names) -> Any:  # noqa: ANN401 - a table of Lua's
        """What the namespaces are made of."""
        prefix = f"{timing.NAMESPACE}."
        fields = {name[len(prefix) :]: names[name] for name in names if name.startswith(prefix)}
        return self._table(
            {
                "words": self._words,
                "functions": self._timing,
                "model": self._options,
                "fields": self._table(fields),
            }
        )

    def number(self, expression: object, names: Names, model: Valuation | None = None) -> float:
        """A finite number; a condition is none. Raises ExpressionFailed."""
        value = self.value(expression, names, model)
        if isinstance(value, bool) or value is None:
            raise ExpressionFailed(str(expression), f"it is {_said(value)}, not a number")
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            raise ExpressionFailed(str(expression), f"it is {number}, not a number")
        return number

    def truth(self, expression: object, names: Names, model: Valuation | None = None) -> bool:
        """A condition: nil and, unlike in plain Lua, 0 are false. Raises ExpressionFailed."""
        return bool(self.value(expression, names, model))


def exact(number: float) -> Decimal:
    """A figure that leaves the language: six decimals, without zeros at the end."""
    found = Decimal(f"{number:.6f}")
    return found.to_integral_value() if found == found.to_integral_value() else found.normalize()


def _asked(model: Valuation | None) -> Callable[[str, Any], float | str | None]:
    """The model as the prelude calls it: a text is an error, nil is no position. Nothing is raised into Lua."""

    def ask(name: str, packed: Any) -> float | str | None:  # noqa: ANN401 - a table of Lua's
        try:
            arguments = tuple(packed[n] for n in range(1, int(packed["n"]) + 1))
            found = (model or NOTHING).call(str(name), arguments)
        except Unsaid as error:
            return str(error)
        except (ArithmeticError, ValueError):
            return "the model has no figure there"
        return found

    return ask


def _no_attributes(_: object, name: object, __: bool) -> Any:  # noqa: ANN401 - lupa's signature
    raise AttributeError(f"no attributes here: {name}")


def _said(value: bool | None) -> str:
    return {None: "nil", True: "true", False: "false"}[value]


def _reason(error: object) -> str:
    text = _PLACE.sub("", str(error) if str(error) else "it needs too much memory")
    return text if len(text) <= REASON_LENGTH_MAX else text[: REASON_LENGTH_MAX - 3] + "..."
