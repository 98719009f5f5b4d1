"""`kill --flatten`: what our journals say is open is exited by a run of the built-in playbook `flatten`, one for each hub, before
the halt. A run of it that died is resumed first: what it does not know the outcome of is settled before anything more is sent.

Nothing here halts: whoever calls does that, whatever became of this. Nothing is exited while the home is halted (C17).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesoflow.cli.config import Config
from mesoflow.cli.embedded import EmbeddedWish
from mesoflow.cli.flat import Open, Place, accounts_of, open_at, places, plans_of
from mesoflow.cli.ground import Ground
from mesoflow.cli.in_force import in_force, pinned, policy_now
from mesoflow.cli.reading import all_standings, is_held
from mesoflow.cli.running import Conduct, standing
from mesoflow.cli.starting import (
    choice_of,
    first_record,
    ground_of,
    last_in_world,
    on_loop,
    require_same,
    run_lock,
    view_of,
)
from mesoflow.engine.control import Ended
from mesoflow.hubs.errors import HubError
from mesoflow.journal.codec import canonical_text
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.playbook.compile import Compiled, load
from mesoflow.runtime.clock import ClockError
from mesoflow.runtime.holdings import at_same_hub
from mesoflow.runtime.home import RunHeld, StateHome, WorldHeld
from mesoflow.runtime.inbox import LOOK_EVERY_S
from mesoflow.runtime.refusal import OTHER_HUB, Refusal
from mesoflow.runtime.standing import Standing
from mesoflow.runtime.starts import NewRun, Wish, decide_start
from mesoflow.safety.policy import Policy
from mesoflow.trading.sessions import Calendar
