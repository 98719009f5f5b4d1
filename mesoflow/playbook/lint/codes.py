"""Every code of a finding about a playbook: stable, never reused. MF0 files · MF1 structure, references, expressions ·
MF2 the language's own rules · MF3 risk · MF4 inputs. (MF5 and MF6 are refusals of a start and of a state home.)

The text beside each code is its meaning in general; a finding's summary says what it means here.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Code → its meaning, see `MEANING`."""

    FILE_UNREADABLE = "MF001"
    FILE_TOO_LARGE = "MF002"
    FILE_NOT_TEXT = "MF003"
    FILE_EMPTY = "MF004"
    FILE_NOT_YAML = "MF005"
    FILE_TAB = "MF006"
    FILE_REPEATED_KEY = "MF007"
    FILE_BOUNDS = "MF008"
    FILE_DOCUMENTS = "MF009"
    FILE_TAG = "MF010"
    FILE_KEY = "MF011"
    FILE_NUMBER = "MF012"
    FILE_NOT_JSON = "MF013"

    UNKNOWN_KEY = "MF101"
    MISSING_KEY = "MF102"
    WRONG_VALUE = "MF103"
    KEY_NOT_YET = "MF104"
    UNKNOWN_ACTION = "MF105"
    ACTION_NOT_YET = "MF106"
    STEP_BODY = "MF107"
    REPEATED_ID = "MF108"
    ID_NEEDED = "MF109"
    UNKNOWN_STEP = "MF140"
    LATER_STEP = "MF141"
    MAY_NOT_HAVE_RUN = "MF142"
    HIDDEN_STEP = "MF143"
    UNKNOWN_OUTPUT = "MF144"
    UNKNOWN_INPUT = "MF145"
    UNUSED_INPUT = "MF146"
    NAME_NOT_HERE = "MF147"
    NOT_AN_EXPRESSION = "MF151"
    EXPRESSION_WANTED = "MF152"
    NEVER_TRUE_OR_FALSE = "MF153"
    NEITHER = "MF160"
    DEFINITION_FIELD = "MF161"
    DEFINITION_MISSING = "MF162"
    DEFINITION_VALUE = "MF163"
    DEFINITION_MOVED = "MF164"
    DEFINITION_VERSION = "MF165"
    DEFINITION_REPEATED = "MF166"
    DEFINITION_NO_SUCH = "MF167"
    DEFINITION_ONE_OF = "MF168"
    LUA_SYNTAX = "MF171"
    LUA_NAME = "MF172"
    LUA_LATER = "MF173"

    WAITS_FOR_NOTHING = "MF204"
    SENT_NOT_AWAITED = "MF205"
    UNWIND_ELSEWHERE = "MF206"
    BARE_PRICE = "MF221"
    PRICE_CAP = "MF231"
    PRICE_WALK = "MF232"
    PRICE_POLICY = "MF233"
    BAD_DURATION = "MF241"
    BAD_MOMENT = "MF242"
    BAD_AMOUNT = "MF243"
    UNKNOWN_ERROR = "MF251"
    NEVER_RESCUED = "MF252"
    ERROR_CANNOT_HAPPEN = "MF253"
    STOP_IN_LAST_RESCUE = "MF254"
    CLAUSE_UNREACHABLE = "MF255"
    ALWAYS_TRADES = "MF261"
    LOOP_RULE = "MF262"
    LIVE_IGNORES = "MF271"
    LIVE_DIFFERS = "MF272"
    LIVE_REFUSES = "MF273"
    NOT_SIMULATED = "MF274"

    RAIL_MISSING = "MF301"
    RAIL_NOT_JUDGED = "MF302"
    STRESS_LOSS_MISSING = "MF303"
    LIVE_WITHOUT_APPROVAL = "MF304"
    RISK_READS_STEPS = "MF305"
    POLICY_WRONG = "MF311"
    FAULTS_WRONG = "MF313"
    ABOVE_POLICY = "MF312"
    WAIT_WITHOUT_GRACE = "MF318"

    INPUT_MISSING = "MF401"
    INPUT_WRONG = "MF402"
    INPUT_UNKNOWN = "MF403"
    INPUT_FILE = "MF404"
    ENVIRONMENT = "MF405"


MEANING: dict[Code, str] = {
    Code.FILE_UNREADABLE: "the file cannot be read",
    Code.FILE_TOO_LARGE: "the file is larger than any playbook",
    Code.FILE_NOT_TEXT: "the file is not UTF-8",
    Code.FILE_EMPTY: "the file is empty",
    Code.FILE_NOT_YAML: "the file is not YAML",
    Code.FILE_TAB: "a tab where YAML wants spaces",
    Code.FILE_REPEATED_KEY: "a key is written twice in one map",
    Code.FILE_BOUNDS: "too many values, too deep, or too many aliases",
    Code.FILE_DOCUMENTS: "more than one document in a file",
    Code.FILE_TAG: "a YAML tag",
    Code.FILE_KEY: "a key that is not text",
    Code.FILE_NUMBER: "a number of more digits than any price or size",
    Code.FILE_NOT_JSON: "the file is not JSON",
    Code.UNKNOWN_KEY: "a key that is no part of the language",
    Code.MISSING_KEY: "a key that is needed is not there",
    Code.WRONG_VALUE: "a value of the wrong type, or outside its bounds",
    Code.KEY_NOT_YET: "a key of the language that this version does not have",
    Code.UNKNOWN_ACTION: "an action that does not exist",
    Code.ACTION_NOT_YET: "an action of the language that this version does not have",
    Code.STEP_BODY: "a step is exactly one of an action and a group",
    Code.REPEATED_ID: "two steps have one id",
    Code.ID_NEEDED: "the id that a step would have by default is not unique",
    Code.UNKNOWN_STEP: "an expression reads a step that does not exist",
    Code.LATER_STEP: "an expression reads a step that has not run by then",
    Code.MAY_NOT_HAVE_RUN: "an expression reads what a step gives that may not have run",
    Code.HIDDEN_STEP: "an expression reads a step inside a loop from outside",
    Code.UNKNOWN_OUTPUT: "an expression reads what a step's action does not give",
    Code.UNKNOWN_INPUT: "an expression reads an input that is not declared",
    Code.UNUSED_INPUT: "an input that nothing reads",
    Code.NAME_NOT_HERE: "loop, error or steps is not known at this place",
    Code.NOT_AN_EXPRESSION: "what stands between {{ and }} is no expression of the language",
    Code.EXPRESSION_WANTED: "this place takes one expression, {{ … }}",
    Code.NEVER_TRUE_OR_FALSE: "a condition that is neither true nor false",
    Code.NEITHER: "a file that is neither a playbook nor a strategy definition",
    Code.DEFINITION_FIELD: "a field that strategy definitions do not have",
    Code.DEFINITION_MISSING: "a field that a strategy definition needs is not there",
    Code.DEFINITION_VALUE: "a value of a strategy definition of the wrong type, or outside its bounds",
    Code.DEFINITION_MOVED: "a field of version 2 of strategy definitions, which is elsewhere now",
    Code.DEFINITION_VERSION: "a strategy definition that MesoLive does not import, for its version",
    Code.DEFINITION_REPEATED: "two legs, or two expirations, of one name in a strategy definition",
    Code.DEFINITION_NO_SUCH: "a leg or an expiration that the strategy definition does not have",
    Code.DEFINITION_ONE_OF: "of several fields of a strategy definition exactly one is set",
    Code.LUA_SYNTAX: "an expression of a strategy definition that is no Lua expression",
    Code.LUA_NAME: "an expression of a strategy definition reads a name that is not known",
    Code.LUA_LATER: "an expression of a strategy definition reads what is not known yet by then",
    Code.WAITS_FOR_NOTHING: "a fills.wait that does not wait for the orders of an orders.send",
    Code.SENT_NOT_AWAITED: "orders that are sent, and not waited for on some path",
    Code.UNWIND_ELSEWHERE: "unwind where no entry is traded",
    Code.BARE_PRICE: "a package price without the word debit or credit",
    Code.PRICE_CAP: "the worst price is called `worst`",
    Code.PRICE_WALK: "a walking price needs step, every and worst",
    Code.PRICE_POLICY: "a price policy that cannot be",
    Code.BAD_DURATION: "not a duration",
    Code.BAD_MOMENT: "not a moment",
    Code.BAD_AMOUNT: "not an amount",
    Code.UNKNOWN_ERROR: "an error code that does not exist",
    Code.NEVER_RESCUED: "an error that is never rescued or retried",
    Code.ERROR_CANNOT_HAPPEN: "an error that no step here can end with",
    Code.STOP_IN_LAST_RESCUE: "the playbook's own rescue cannot turn a failure into success",
    Code.CLAUSE_UNREACHABLE: "a rescue clause behind one that takes everything",
    Code.ALWAYS_TRADES: "a step of `always` that trades or prepares a trade",
    Code.LOOP_RULE: "a rule of for_each and retry",
    Code.LIVE_IGNORES: "parts of a strategy definition that MesoLive ignores",
    Code.LIVE_DIFFERS: "parts of a strategy definition that mean something else in MesoLive",
    Code.LIVE_REFUSES: "a part of a strategy definition that MesoLive does not support",
    Code.NOT_SIMULATED: "a part of a strategy definition that the simulator refuses",
    Code.RAIL_MISSING: "a rail that can apply and is not set",
    Code.RAIL_NOT_JUDGED: "a rail that is set and that this version does not judge",
    Code.STRESS_LOSS_MISSING: "an unlimited loss without max_stress_loss",
    Code.LIVE_WITHOUT_APPROVAL: "live: allowed, and a step that can open risk without approve",
    Code.RISK_READS_STEPS: "risk and start read inputs only",
    Code.POLICY_WRONG: "a policy file that cannot be used",
    Code.FAULTS_WRONG: "a faults file whose keys do not fit together",
    Code.ABOVE_POLICY: "a rail that is looser than the policy's ceiling, which counts",
    Code.WAIT_WITHOUT_GRACE: "a position is open, its exit comes after this wait, and late is not allowed",
    Code.INPUT_MISSING: "an input without default was not given",
    Code.INPUT_WRONG: "an input's value does not fit its declaration",
    Code.INPUT_UNKNOWN: "a value was given for an input that is not declared",
    Code.INPUT_FILE: "the file of an input cannot be used",
    Code.ENVIRONMENT: "the environment's file cannot be used",
}
