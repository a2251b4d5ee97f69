"""durable-rules in a process of its own: it is not safe in threads, and what goes wrong in it can end the process that it runs in.

A worker answers one line after the other. One that dies, or says nothing for too long, is ended and named in a problem; the caller goes on.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import signal
import sys
from datetime import date
from functools import cache
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Self

from tariff_engine.problems import LawConflictError, RulebookError, refuse

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from tariff_engine.durable.fates import Decided
    from tariff_engine.evaluate.charge import Base
    from tariff_engine.facts import Line
    from tariff_engine.problems import ProblemError

FLAG = 'CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject"'
"""What durable-rules 2.0.28 needs to build on Python 3.13: it calls a C function that this Python no longer has; the other is the same."""
INSTALL = f"a C compiler builds it: {FLAG} pip install 'tariff-engine[durable]'"
_START = 180.0  # seconds to read the law book and to compile it
_LINE = 60.0  # seconds for a line; a hundredth of one is usual


def missing() -> str | None:
    """Return why durable-rules cannot be used here, without loading it; None where it is installed."""
    if any(importlib.util.find_spec(name) is None for name in ("durable", "durable_rules_engine")):
        return "durable-rules is not installed"
    return None


def require() -> None:
    """Raise ProblemError `durable_missing` where durable-rules is not installed."""
    reason = missing()
    if reason:
        raise refuse("durable_missing", "--engine", reason, INSTALL)


class Worker:
    """A process that decides lines. Use it as a context, or close it."""

    def __init__(self, root: Traversable, rulebook: str, *, patience: float = _LINE) -> None:
        """Take the folder of rules, the id of the rulebook that it must hold, and how many seconds a line may take.

        Raises ProblemError `durable_missing` where durable-rules is not installed; the process starts with the first line.
        """
        require()
        self._root, self._rulebook, self._patience = root, rulebook, patience
        self._process: Any = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        """Return the worker."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def decide(self, line: Line, base: Base, column: str, known_on: date = date.max) -> Decided:
        """Decide a line that was read by the law as known on a day; the first line of a day waits for that law to be compiled.

        Raises LawConflictError, and ProblemError where durable-rules failed, died or took too long.
        """
        pipe = self._pipe or self._start()
        try:
            pipe.send((known_on, line, base, column))
        except OSError:
            raise self._failed("the process of durable-rules ended") from None
        kind, found = self._hear(pipe, self._patience)
        if kind == "conflict":
            raise LawConflictError(found)
        if kind == "failed":
            raise self._failed(found)
        decided: Decided = found
        return decided

    @property
    def process_id(self) -> int:
        """The number of the process; 0 where none runs."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """End the process."""
        pipe, self._pipe = self._pipe, None
        process, self._process = self._process, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")  # a forked copy would share whatever this process has open
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self._root, self._rulebook), daemon=True)
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        kind, found = self._hear(ours, _START)
        if kind == "missing":
            self.close()
            raise refuse("durable_missing", "--engine", found, INSTALL)
        if kind == "failed":
            raise self._failed(found)
        return ours

    def _hear(self, pipe: Connection, patience: float) -> tuple[str, Any]:
        try:
            if pipe.poll(patience):
                said: tuple[str, Any] = pipe.recv()
                return said
        except (EOFError, OSError):
            return "failed", "the process of durable-rules ended"
        return "failed", f"durable-rules gave no answer in {patience:.0f} seconds"

    def _failed(self, message: str) -> ProblemError:
        self.close()
        return refuse("durable_failed", "--engine", message, "assess the line with the default engine, and report it with the line")


def serve(pipe: Connection, root: Traversable, rulebook: str) -> None:
    """Answer lines until the other side closes: what a worker process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    try:
        deciders = _Deciders(root, rulebook)
    except ImportError as error:
        pipe.send(("missing", f"durable-rules does not load on Python {sys.version_info[0]}.{sys.version_info[1]}: {error}"))
        return
    except Exception as error:  # noqa: BLE001  the other side is told, whatever it is
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
        return
    pipe.send(("ready", ""))
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(deciders.answer(*pipe.recv()))


class _Deciders:
    """The law book under durable-rules, as known on each day that is asked for."""

    def __init__(self, root: Traversable, rulebook: str) -> None:
        from tariff_engine.durable.decider import Decider  # noqa: PLC0415  the parent never loads durable-rules
        from tariff_engine.notation.load import load_book  # noqa: PLC0415

        book = load_book(root)
        if book.id != rulebook:
            message = "the rule files changed since they were read"
            raise RulebookError(message)
        self._of = cache(lambda known_on: Decider(book, known_on))

    def answer(self, known_on: date, line: Line, base: Base, column: str) -> tuple[str, Any]:
        try:
            return "decided", self._of(known_on).decide(line, base, column)
        except LawConflictError as error:
            return "conflict", str(error)
        except Exception as error:  # noqa: BLE001  one line must not end the process
            return "failed", f"{type(error).__name__}: {error}"
