"""The language is closed: whatever an expression tries, it gets numbers and a dozen functions."""

from time import perf_counter

import pytest

from mesoflow.simulator.strategies.lua import LENGTH_MAX, REASON_LENGTH_MAX, ExpressionFailed, Lua, exact

LUA = Lua(7)
NAMES = {"leg_a_price": 12.5, "leg_a_strike": 6000.0, "pos_theta": -20.0, "profit_target": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("leg_a_strike - 25", 5975.0),
        ("30", 30),
        (" 45 -- about half", 45),
        ("abs(pos_theta) * 0.5", 10.0),
        ("max(1, floor(7 / 2), ceil(2.1), min(9, 8))", 8),
        ("7 // 2 + 7 % 4 + 2 ^ 3", 14.0),
        ("int(-2.7)", -2),
        ("pow(2, 10) + sqrt(16) + log(1)", 1028.0),
        ("leg_a_price > 12 and not (pos_theta >= 0)", True),
        ("leg_a_price ~= 12.5 or false", False),
        ("profit_target", None),
    ],
)
def test_what_definitions_use(expression: str, value: object) -> None:
    assert LUA.value(expression, NAMES) == value


def test_zero_and_nil_are_false_as_conditions() -> None:
    assert [LUA.truth(text, NAMES) for text in ("0", "0.0", "nil", "1", "pos_theta", "false")] == [
        False,
        False,
        False,
        True,
        True,
        False,
    ]


def test_random_is_drawn_by_seed_and_expression() -> None:
    drawn = [Lua(seed).value(f"random(0, 1) -- {n}", NAMES) for seed in (7, 8) for n in range(20)]
    assert drawn == [Lua(seed).value(f"random(0, 1) -- {n}", NAMES) for seed in (7, 8) for n in range(20)]
    assert set(drawn) == {0, 1}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("os.execute(1)", "there is no 'os' here"),
        ("io.open(1)", "there is no 'io' here"),
        ("require(abs)", "there is no 'require' here"),
        ("load(1)()", "there is no 'load' here"),
        ("dofile(1)", "there is no 'dofile' here"),
        ("debug.getregistry()", "there is no 'debug' here"),
        ("python.eval(1)", "there is no 'python' here"),
        ("string.rep(1, 1e9)", "there is no 'string' here"),
        ("('x'):rep(1e9)", "texts and long comments are not in the language"),
        ("(function() return options and pnl:rep(1e9) end)()", "attempt to index a string value"),
        ("getmetatable(1).__index", "there is no 'getmetatable' here"),
        ("setmetatable({}, {})", "there is no 'setmetatable' here"),
        ("pcall(abs)", "there is no 'pcall' here"),
        ("_G.abs", "there is no '_G' here"),
        ("collectgarbage()", "there is no 'collectgarbage' here"),
        ("(function() while true do end end)()", "it takes too long"),
        ("(function() local function f() return f() end return f() end)()", "it takes too long"),
        (
            "(function() local s = 1 while true do s = s .. s end end)()",
            "texts and long comments are not in the language",
        ),
        ('"x" < 1', "texts and long comments are not in the language"),
        ("#[[x]]", "texts and long comments are not in the language"),
        ("#[==[x]==]", "texts and long comments are not in the language"),
        ("1 .. 2", "texts and long comments are not in the language"),
        ("max(...)", "texts and long comments are not in the language"),
        ("1 --[[ x ]] + #'x'", "texts and long comments are not in the language"),
        ("1 -- x\r + #'x'", "texts and long comments are not in the language"),
        ("(function() local function f() return 1, f() end return f() end)()", "it takes too long"),
        ("(function() goto a ::a:: goto a end)()", "it takes too long"),
        ("(function() repeat until false end)()", "it takes too long"),
        (
            "timing.trading_days_until(timing)",
            "'timing.trading_days_until' of a table is not in this version",
        ),
        ("timing[abs]", "there is no 'timing.a function' here"),
        ("random(1, 0)", "attempt to perform 'n%0'"),
        ("(function() local t = {} for i = 1, 1e9 do t[i] = i end end)()", "it takes too long"),
        ("(function() abs = 1 end)()", "'abs' cannot be set"),
        ("(function() _ENV.abs = 1 end)()", "'abs' cannot be set"),
        ("timing.day_of_week", "there is no 'timing.day_of_week' here"),
        ("timing.clock", "there is no 'timing.clock' here"),
        ("timing.trading_days_until()", "'timing.trading_days_until' needs an anchor"),
        ("timing.trading_days_until(next_year)", "there is no 'next_year' here"),
        ("timing.trading_days_until(pnl)", "'timing.trading_days_until' of pnl is not in this version"),
        ("(function() timing.x = 1 end)()", "'timing.x' cannot be set"),
        ("options.solve(position)", "there is no 'options.solve' here"),
        ("options.model()", "'options.model' takes 4 arguments, not 0"),
        ("options.model(position, 1, 6000)", "'options.model' takes 4 arguments, not 3"),
        (
            "options.model(position, 1, 6000, pnl, 2)",
            "parameters of the model in 'options.model' are not in this",
        ),
        ("options.model(leg_a, 1, 6000, pnl)", "there is no 'leg_a' here"),
        ("options.model(pnl, 1, 6000, pnl)", "'options' of 'pnl' is not in this version, only of 'position'"),
        ("options.model(position, -1, 6000, pnl)", "days of the model are -1"),
        ("options.model(position, 1, 0, pnl)", "a level of 0 is none"),
        ("options.model(position, 1, 6000, zero)", "'zero' is none of pnl, delta"),
        (
            "options.model_solver(position, 1, 1, 2, pnl, pnl, return_price)",
            "'pnl' is none of zero, minimize",
        ),
        ("(function() while true do options.model(position, 1, 6000, pnl) end end)()", "more than 20 times"),
        ("options.model.x", "attempt to index a function value"),
        (
            "(function() options.model({}, timing, options, abs) end)()",
            "is not in this version, only of 'position'",
        ),
        ("position", "there is no 'position' here"),
        ("minutes_after_close", "it is not in this version: v3 has timing.minutes_after_open"),
        ("pos_margin > 1", "'pos_margin': it needs a margin model (Settings.Core.Margin)"),
        ("leg_b_price", "there is no 'leg_b_price' here"),
        ("profit_target > 1", "attempt to compare number with nil"),
        ("'text'", "texts and long comments are not in the language"),
        ("(function() return options and pnl end)()", "it is a string, not a number or a condition"),
        ("{}", "it is a table, not a number or a condition"),
        ("abs", "it is a function, not a number or a condition"),
        ("1; os.exit()", "')' expected near ';'"),
        ("return 1", "unexpected symbol near 'return'"),
        ("", "unexpected symbol near ')'"),
        ("((((", "unexpected symbol near ')'"),
        ("1 +", "unexpected symbol near ')'"),
        ("\x1bLua", "unexpected symbol"),
        ("(" * 300 + "1" + ")" * 300, "C stack overflow"),
        ("x" * (LENGTH_MAX + 1), "longer than"),
    ],
)
def test_what_nobody_gets(expression: str, reason: str) -> None:
    began = perf_counter()
    with pytest.raises(ExpressionFailed) as caught:
        LUA.value(expression, NAMES)
    assert reason in caught.value.reason
    assert len(caught.value.reason) <= REASON_LENGTH_MAX
    assert perf_counter() - began < 2, "limits are in instructions, this is only the alarm"
    assert LUA.value("abs(-3)", NAMES) == 3, "the runtime is as it was"


def test_nothing_is_kept_from_one_evaluation_to_the_next() -> None:
    LUA.value("(function() _ENV = nil end)()", NAMES)
    with pytest.raises(ExpressionFailed, match="there is no 'leg_a_price' here"):
        LUA.value("leg_a_price", {})
    assert LUA.value("random(1, 1000000)", NAMES) == LUA.value("random(1, 1000000)", NAMES)


@pytest.mark.parametrize("expression", ["1 / 0", "-1 / 0", "0 / 0", "1e400", "true", "nil"])
def test_a_number_is_finite(expression: str) -> None:
    with pytest.raises(ExpressionFailed, match="not a number"):
        LUA.number(expression, NAMES)


def test_an_error_says_which_expression() -> None:
    with pytest.raises(ExpressionFailed) as caught:
        LUA.number("leg_a_strike - leg_c_strike", NAMES)
    assert str(caught.value) == "'leg_a_strike - leg_c_strike': there is no 'leg_c_strike' here"


def test_figures_leave_exactly() -> None:
    assert [str(exact(x)) for x in (41.05, 23.0, 0.1 + 0.2, 1e-9, -58.2603649, 1e6)] == [
        "41.05",
        "23",
        "0.3",
        "0",
        "-58.260365",
        "1000000",
    ]
