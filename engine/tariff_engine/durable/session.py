"""The one place that talks to durable-rules: rulesets are registered, facts asserted, conclusions collected, sessions deleted.

What durable-rules does badly is met here. It swallows an exception in an action: ours are raised. It fails at the 1,025th session: every
session is retracted and deleted. It prints and starts threads of its own: the host starts none. It is not safe in threads, and can abort the
process: only a worker process imports this module (`worker`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

Facts = dict[str, Any]
Match = dict[str, Facts]
Fired = tuple[str, Match]


class DurableError(Exception):
    """durable-rules failed, or took two facts for one."""


@cache
def _library() -> Any:
    """Import durable-rules, which is an extra: reading this module must not need it. Raises ModuleNotFoundError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from durable import engine  # noqa: PLC0415
    return engine


def _host() -> Any:
    """Return a host without its two timer threads: nothing here waits for time."""

    class Host(_library().Host):  # type: ignore[misc]  # durable-rules has no types
        def _run(self) -> None:
            """Start nothing."""

    return Host()


class Session:
    """The facts of one line in one ruleset."""

    def __init__(self, owner: Rulesets, name: str, sid: str) -> None:
        """Begin with no fact."""
        self._owner, self._name, self._sid = owner, name, sid
        self._held: list[Facts] = []
        self._begun = False

    def tell(self, facts: Facts) -> list[Fired]:
        """Assert a fact and return the rules that it made fire. Raises DurableError."""
        self._begun = True
        told = {**facts, "sid": self._sid}
        self._held.append(told)
        return self._owner.tell(self._name, told)

    def forget(self, *kinds: str) -> None:
        """Retract the facts of some kinds."""
        for told in [held for held in self._held if held["t"] in kinds]:
            self._held.remove(told)
            self._owner.retract(self._name, told)

    def drop(self, facts: Facts) -> None:
        """Retract one fact."""
        told = {**facts, "sid": self._sid}
        self._held.remove(told)
        self._owner.retract(self._name, told)

    def close(self) -> None:
        """Retract every fact and delete the session; one without facts was never begun."""
        while self._held:
            self._owner.retract(self._name, self._held.pop())
        self._owner.end(self._name, self._sid if self._begun else "")


class Rulesets:
    """Every ruleset of a process."""

    def __init__(self) -> None:
        """Start a host without rulesets."""
        self._host = _host()
        self._fired: list[Fired] = []
        self._failed: list[BaseException] = []
        self._next = 0
        self._busy: set[str] = set()

    def register(self, name: str, rules: dict[str, list[dict[str, Any]]]) -> None:
        """Compile a ruleset, and use its first session once. Raises DurableError.

        durable-rules leaves two pointers of a new session unset until a rule fires in it, and frees them when the session is deleted: without
        this a session in which nothing fired would free what it never had. A deleted session's place is the next one's.
        """
        every = {**rules, "begin": [{"begin": {"t": "begin"}}]}
        definition = {rule: {"all": elements, "run": self._action(rule)} for rule, elements in every.items()}
        try:
            self._host.register_rulesets({name: definition})
        except Exception as error:
            message = f"durable-rules does not take the ruleset {name}: {error}"
            raise DurableError(message) from error
        with self.session(name) as session:
            if not session.tell({"t": "begin"}):
                message = f"durable-rules does not answer in the ruleset {name}"
                raise DurableError(message)

    def _action(self, rule: str) -> Callable[[Any], None]:
        """Return what runs when a rule fires: it notes the facts that matched. One parameter: durable-rules looks at the number."""

        def run(context: Any) -> None:
            try:
                matched = context._m  # noqa: SLF001  the facts by the names of the elements, as durable-rules hands them over
                self._fired.append((rule, {name: dict(found) for name, found in matched.items()}))
            except BaseException as error:  # noqa: BLE001  durable-rules would swallow it: `tell` raises it
                self._failed.append(error)

        return run

    def tell(self, name: str, facts: Facts) -> list[Fired]:
        """Assert a fact; return what fired. Raises DurableError."""
        self._fired.clear()
        self._failed.clear()
        try:
            state = self._host.assert_fact(name, facts)
        except _library().MessageNotHandledException:
            state = None  # no rule wants it: the usual case
        except Exception as error:
            message = f"durable-rules failed in {name}: {type(error).__name__}: {getattr(error, 'message', '') or error}"
            raise DurableError(message) from error
        if self._failed or (isinstance(state, dict) and state.get("exception")):
            reason = self._failed[0] if self._failed else state["exception"]
            message = f"an action of {name} failed: {reason}"
            raise DurableError(message)
        return list(self._fired)

    def retract(self, name: str, facts: Facts) -> None:
        """Take a fact back."""
        self._fired.clear()
        try:
            self._host.retract_fact(name, facts)
        except _library().MessageNotHandledException:
            return
        except Exception as error:
            message = f"durable-rules could not retract from {name}: {type(error).__name__}: {error}"
            raise DurableError(message) from error

    def end(self, name: str, sid: str) -> None:
        """Delete a session, if there is one. Raises DurableError."""
        self._busy.discard(name)
        if not sid:
            return
        try:
            self._host.delete_state(name, sid)
        except Exception as error:
            message = f"durable-rules could not delete a session of {name}: {error}"
            raise DurableError(message) from error

    def begin(self, name: str) -> Session:
        """Open a session; whoever asked closes it. One at a time in each ruleset. Raises DurableError."""
        if name in self._busy:
            message = f"a session of {name} is open already"
            raise DurableError(message)
        self._busy.add(name)
        self._next += 1
        return Session(self, name, str(self._next))

    @contextmanager
    def session(self, name: str) -> Iterator[Session]:
        """Open a session, and delete it whatever happens."""
        opened = self.begin(name)
        try:
            yield opened
        finally:
            opened.close()
