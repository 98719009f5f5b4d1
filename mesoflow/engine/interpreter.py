"""The interpreter: sans-I/O, fed in journal order, a function of its inputs in their order and of nothing else.

Theory of operation. There is a run queue of tasks; each task is a stack of generators. `start`, `settle` and `cancel` put
tasks on the queue and run it until every task waits for an effect, for children, or is over; what has become wanted or
unwanted meanwhile is returned as a Turn. Nothing recurses, so depth is bounded by memory alone.

Cancelling is one mechanism with seven rules (ARCHITECTURE.md §4). Where each lives here:
  1  `_cancel_task`: an abandonable wait is abandoned and Cancelled thrown in at once; a call that changes the world is
     awaited, and Cancelled thrown at the next effect (`_wait_for`).
  2  `_wait_for`: in a cancelled scope only effects below a shield start.
  3  `_finished`/`_failed`: a frame that saw Cancelled ends by Cancelled; what it returned is the partial result.
  4  `_child_ended`: the first failure wins; the others are stopped in reverse order of start.
  5  no effect in a `finally`: held by a test over the sources of actions and control flow.
  6  waits are plain effects with an `until`; nothing here knows of deadlines.
  7  what an action does when it is cancelled is the action's: nothing here unwinds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from mesoflow.engine.effects import (
    Call,
    Done,
    Effect,
    Govern,
    Note,
    Outcome,
    Place,
    Refused,
    Sleep,
    Tell,
    Watch,
    Withdraw,
)
from mesoflow.engine.errors import NEVER_RESCUED, Cancelled, StepError, StopRun
from mesoflow.engine.paths import join
from mesoflow.engine.tasks import Ending, Enter, Frame, Frames, Gather, Group, Task

_EFFECTS = (Call, Watch, Place, Withdraw, Sleep, Tell, Note, Govern)


class EngineBug(Exception):
    """Our own impossible state: this is a bug in mesoflow, or a journal that another engine wrote."""


@dataclass(slots=True)
class Turn:
    """What one input has changed: effects to perform now, and paths whose effects nobody waits for any more."""

    perform: list[tuple[str, Effect]] = field(default_factory=list)
    abandon: list[str] = field(default_factory=list)


class Interpreter:
    """Runs one root generator. `changes_world(effect)` says which effects are never abandoned by a cancel.

    `tick(at)` is called with the time of each input before anything runs: it is how NOW reaches the actions.
    """

    def __init__(
        self,
        root: Frames,
        *,
        changes_world: Callable[[Effect], bool],
        tick: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        self._root = Task(parent=None, index=0, frames=[Frame(root, "")])
        self._changes_world = changes_world
        self._tick = tick
        self._queue: deque[Task] = deque()
        self._waiting: dict[str, Task] = {}
        self._turn = Turn()
        self._over: Ending | None = None

    @property
    def over(self) -> Ending | None:
        """How the root ended, or None while the run goes on."""
        return self._over

    @property
    def waiting(self) -> dict[str, Effect]:
        """The effects that are asked for and not settled, by path, in order of asking."""
        return {path: task.effect for path, task in self._waiting.items() if task.effect is not None}

    def asked(self, path: str) -> Effect | None:
        """The effect at `path`, if it is waited for."""
        task = self._waiting.get(path)
        return None if task is None else task.effect

    def start(self, at: datetime) -> Turn:
        """The first input."""
        self._tick(at)
        self._enqueue(self._root)
        return self._drain()

    def settle(self, path: str, outcome: Outcome, at: datetime) -> Turn:
        """The outcome of an effect. It must have been through the journal's codec. Raises EngineBug for a path that
        nobody waits for."""
        task = self._waiting.pop(path, None)
        if task is None:
            raise EngineBug(
                f"an outcome for {path!r}, which is not waited for; waited for: {sorted(self._waiting)}"
            )
        self._tick(at)
        task.path, task.effect = None, None
        match outcome:
            case Done(value):
                task.send = value
            case Refused(code, summary, details, retryable):
                task.throw = StepError(code, summary, dict(details), retryable)
        self._enqueue(task)
        return self._drain()

    def cancel(self, reason: str, at: datetime) -> Turn:
        """Cancel the root scope."""
        self._tick(at)
        if self._over is None:
            self._cancel_tree(self._root, reason)
        return self._drain()

    def is_cancelled(self, path: str) -> bool:
        """Whether the effect at `path` stands in a cancelled scope: nothing is started there a second time."""
        task = self._waiting[path]
        return task.cancel is not None and not task.shields

    def would_handle(self, path: str, code: str) -> bool:
        """Whether a `retry`, a `rescue` clause or a `keep_going` above the effect at `path` would take this error."""
        task: Task | None = self._waiting[path]
        if code in NEVER_RESCUED:
            return False
        while task is not None:
            if any(_handles(frame, code) for frame in task.frames):
                return True
            parent = task.parent
            if parent is not None and parent.group is not None and parent.group.gather.keep_going:
                return True
            task = parent
        return False

    # --- the run queue -------------------------------------------------------------------------------------------

    def _enqueue(self, task: Task) -> None:
        if not task.queued:
            task.queued = True
            self._queue.append(task)

    def _drain(self) -> Turn:
        while self._queue:
            task = self._queue.popleft()
            task.queued = False
            self._run(task)
        turn, self._turn = self._turn, Turn()
        gone = set(turn.abandon)
        if gone:  # asked for and given up within one turn: the world never hears of it
            started = {path for path, _ in turn.perform}
            turn.perform = [(path, effect) for path, effect in turn.perform if path not in gone]
            turn.abandon = [path for path in turn.abandon if path not in started]
        return turn

    def _run(self, task: Task) -> None:
        """Advance one task until it waits or ends."""
        while task.frames:
            frame = task.frames[-1]
            thrown, task.throw = task.throw, None
            value, task.send = task.send, None
            try:
                if thrown is None:
                    wanted = frame.body.send(value)
                else:
                    if isinstance(thrown, Cancelled):
                        frame.cancelled = thrown
                    wanted = frame.body.throw(thrown)
            except StopIteration as stop:
                self._finished(task, frame, stop.value)
            except (StepError, StopRun, Cancelled) as error:
                self._failed(task, frame, error)
            except Exception as error:
                raise EngineBug(
                    f"in {frame.prefix or 'the playbook'}: {type(error).__name__}: {error}"
                ) from error
            else:
                if self._wanted(task, frame, wanted):
                    return
        self._ended(task)

    def _wanted(self, task: Task, frame: Frame, wanted: object) -> bool:
        """Take what a frame yielded; true when the task now waits."""
        if isinstance(wanted, Enter):
            task.frames.append(
                Frame(
                    wanted.body,
                    join(frame.prefix, wanted.name),
                    wanted.shield,
                    None,
                    wanted.clauses,
                    wanted.retry,
                )
            )
            task.shields += wanted.shield
            return False
        if isinstance(wanted, Gather):
            return self._gather(task, frame, wanted)
        if isinstance(wanted, _EFFECTS):
            return self._wait_for(task, frame, wanted)
        raise EngineBug(f"{frame.prefix!r} yielded {wanted!r}, which is no effect")

    def _wait_for(self, task: Task, frame: Frame, effect: Effect) -> bool:
        if task.cancel is not None and not task.shields:
            task.throw = Cancelled(task.cancel.reason)
            return False
        path = join(frame.prefix, effect.name)
        if path in self._waiting:
            raise EngineBug(f"two effects at {path!r}")
        task.path, task.effect = path, effect
        self._waiting[path] = task
        self._turn.perform.append((path, effect))
        return True

    # --- how frames and tasks end --------------------------------------------------------------------------------

    def _finished(self, task: Task, frame: Frame, value: object) -> None:
        self._pop(task, frame)
        if frame.cancelled is not None:
            task.throw = replace(frame.cancelled, partial=value)
        else:
            task.send = value

    def _failed(self, task: Task, frame: Frame, error: BaseException) -> None:
        self._pop(task, frame)
        if frame.cancelled is not None and not isinstance(error, Cancelled):
            # An error on the way out of a cancelled scope does not undo the cancel; it is told with it.
            partial = (
                {"error": error.code, "summary": error.summary}
                if isinstance(error, StepError)
                else str(error)
            )
            error = replace(frame.cancelled, partial=partial)
        task.throw = error

    def _pop(self, task: Task, frame: Frame) -> None:
        task.frames.pop()
        task.shields -= frame.shield

    def _ended(self, task: Task) -> None:
        ending = Ending(task.send, task.throw)
        if task.parent is None:
            self._over = ending
        else:
            self._child_ended(task.parent, task, ending)

    # --- side by side --------------------------------------------------------------------------------------------

    def _gather(self, task: Task, frame: Frame, gather: Gather) -> bool:
        count = len(gather.bodies)
        if count == 0:
            task.send = []
            return False
        if task.cancel is not None and not task.shields:
            task.throw = Cancelled(task.cancel.reason)
            return False
        task.group = Group(gather, [None] * count, [None] * count)
        for _ in range(min(max(gather.at_once, 1), count)):
            self._start_child(task, frame.prefix)
        return True

    def _start_child(self, task: Task, prefix: str) -> None:
        group = _group(task)
        index = group.started
        child = Task(parent=task, index=index, frames=[Frame(group.gather.bodies[index], prefix)])
        child.shields = 1 if task.shields else 0
        group.children[index] = child
        group.started += 1
        group.running += 1
        self._enqueue(child)

    def _child_ended(self, task: Task, child: Task, ending: Ending) -> None:
        group = _group(task)
        group.endings[child.index] = ending
        group.children[child.index] = None
        group.running -= 1
        failed = ending.error is not None and not isinstance(ending.error, Cancelled)
        if (
            failed
            and group.failure is None
            and not (group.gather.keep_going and isinstance(ending.error, StepError))
        ):
            group.failure = ending.error
            for other in reversed([c for c in group.children if c is not None]):
                self._cancel_tree(other, f"{_name_of(child)} failed")
        stopped = group.failure is not None or (task.cancel is not None and not task.shields)
        if group.started < len(group.gather.bodies) and not stopped:
            self._start_child(task, task.frames[-1].prefix)
        elif group.running == 0:
            self._gathered(task, group)

    def _gathered(self, task: Task, group: Group) -> None:
        endings = [ending or Ending() for ending in group.endings]
        task.group = None
        if group.failure is not None:
            if isinstance(group.failure, StepError):
                results = [_partial(ending) for ending in endings]
                group.failure.details = {**group.failure.details, "results": results}
            task.throw = group.failure
        elif task.cancel is not None and not task.shields:
            task.throw = replace(task.cancel, partial=[_partial(ending) for ending in endings])
        else:
            task.send = endings
        self._enqueue(task)

    # --- cancelling ----------------------------------------------------------------------------------------------

    def _cancel_tree(self, task: Task, reason: str) -> None:
        for member in _tree(task):
            if member.cancel is None:
                member.cancel = Cancelled(reason)
                self._cancel_task(member)

    def _cancel_task(self, task: Task) -> None:
        if task.shields or task.effect is None or task.path is None or self._changes_world(task.effect):
            return
        del self._waiting[task.path]
        self._turn.abandon.append(task.path)
        task.path, task.effect = None, None
        task.throw = Cancelled(task.cancel.reason if task.cancel else "")
        self._enqueue(task)


def _group(task: Task) -> Group:
    if task.group is None:
        raise EngineBug("a child of a task that waits for no children")
    return task.group


def _tree(task: Task) -> Iterator[Task]:
    """The task and everything below it that is not below a shield; children before their parents, last started first."""
    stack, order = [task], []
    while stack:
        member = stack.pop()
        order.append(member)
        if member.group is not None and not member.shields:
            stack.extend(child for child in member.group.children if child is not None)
    return reversed(order) if len(order) == 1 else iter([*order[1:], order[0]])


def _partial(ending: Ending) -> object:
    if isinstance(ending.error, Cancelled):
        return ending.error.partial
    return ending.value if ending.error is None else None


def _handles(frame: Frame, code: str) -> bool:
    if frame.retry is not None and code in frame.retry.errors:
        return True
    return any(not clause.errors or code in clause.errors for clause in frame.clauses)


def _name_of(task: Task) -> str:
    return f"item {task.index + 1}"
