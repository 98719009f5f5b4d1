"""The expression language of strategy definitions: Lua 5.4 expressions in a closed environment.

An expression sees the numbers it is given and a dozen functions, nothing else: no libraries, no methods of text (the
metatable that leads from a text to string.rep is taken away), no Python objects, no way to keep anything from one
evaluation to the next. Instructions and memory are limited. `timing`, `options` and unknown names are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from mesoflow.hubs.script import LENGTH_MAX, NOT_SIMULATED
from mesoflow.simulator.draws import whole

Number: TypeAlias = int | float
Names: TypeAlias = Mapping[str, Number | None]

# An expression of the strategy library takes some hundred instructions.
INSTRUCTIONS_MAX = 100_000
MEMORY_BYTES_MAX = 4 * 1024 * 1024

# Where in the chunk; expressions are one line, and the chunk's lines are not the author's.
_PLACE = re.compile(r"^(expression:\d+: )+")

# Runs once a runtime. `judge` compiles and evaluates; the debug library stays inside its closure.
_PRELUDE = """
local load, error, setmetatable, pairs, type, pcall = load, error, setmetatable, pairs, type, pcall
local sethook, getmetatable, math, tostring = debug.sethook, debug.getmetatable, math, tostring
getmetatable("").__index = nil
getmetatable("").__metatable = false
local functions = {
  abs = math.abs, min = math.min, max = math.max, sqrt = math.sqrt, ceil = math.ceil, floor = math.floor,
  log = math.log,
  pow = function(x, y) return x ^ y end,
  int = function(x) if x < 0 then return math.ceil(x) end return math.floor(x) end,
}
local function judge(text, names, refused, seed, limit)
  local state = seed
  local known = { random = function(low, high)
    state = (state * 6364136223846793005 + 1442695040888963407)
    return low + (state >> 33) % (high - low + 1)
  end }
  for name, value in pairs(functions) do known[name] = value end
  local absent = {}
  for name, value in pairs(names) do
    if value == false then absent[name] = true else known[name] = value end
  end
  local environment = setmetatable({}, {
    __index = function(_, name)
      if known[name] ~= nil then return known[name] end
      if absent[name] then return nil end
      if refused[name] then error("'" .. name .. "' is not in this version", 0) end
      error("there is no '" .. tostring(name) .. "' here", 0)
    end,
    __newindex = function(_, name) error("'" .. tostring(name) .. "' cannot be set", 0) end,
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
        self._refused = runtime.table_from(dict.fromkeys(NOT_SIMULATED, True))

    def value(self, expression: object, names: Names) -> Number | bool | None:
        """What it comes to. A JSON number is an expression too. Raises ExpressionFailed."""
        text = str(expression)
        if len(text) > LENGTH_MAX:
            raise ExpressionFailed(text, f"it is longer than {LENGTH_MAX} characters")
        # Lua's tables cannot hold nil; false stands for a name that is known and has no value.
        given = self._table({name: False if value is None else value for name, value in names.items()})
        seed = whole(self._seed, "lua", text, below=2**62)
        try:
            good, value = self._judge(text, given, self._refused, seed, INSTRUCTIONS_MAX)
        except (self._error, MemoryError, UnicodeError) as error:
            raise ExpressionFailed(text, _reason(error)) from None
        if not good:
            raise ExpressionFailed(text, _reason(value))
        found: Number | bool | None = value
        return found

    def number(self, expression: object, names: Names) -> float:
        """A finite number; a condition is none. Raises ExpressionFailed."""
        value = self.value(expression, names)
        if isinstance(value, bool) or value is None:
            raise ExpressionFailed(str(expression), f"it is {_said(value)}, not a number")
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            raise ExpressionFailed(str(expression), f"it is {number}, not a number")
        return number

    def truth(self, expression: object, names: Names) -> bool:
        """A condition: nil and, unlike in plain Lua, 0 are false. Raises ExpressionFailed."""
        return bool(self.value(expression, names))


def exact(number: float) -> Decimal:
    """A figure that leaves the language: six decimals, without zeros at the end."""
    found = Decimal(f"{number:.6f}")
    return found.to_integral_value() if found == found.to_integral_value() else found.normalize()


def _no_attributes(_: object, name: object, __: bool) -> Any:  # noqa: ANN401 - lupa's signature
    raise AttributeError(f"no attributes here: {name}")


def _said(value: bool | None) -> str:
    return {None: "nil", True: "true", False: "false"}[value]


def _reason(error: object) -> str:
    text = str(error) if str(error) else "it needs too much memory"
    return _PLACE.sub("", text)
