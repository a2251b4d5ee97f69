"""What goes wrong in durable-rules stays in its process, and is told: a death, a silence, other rules, a failing action."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.base import line_base
from tariff_engine.durable.knowledge import DurableKnowledge
from tariff_engine.durable.worker import Worker
from tariff_engine.entry import assess_row
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Engine

LINE: dict[str, Any] = {"hts": "7318152061", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
PLACES = [Path(__file__).resolve().parents[2] / name for name in ("rules", "engine", "service")]


def decide(worker: Worker, engine: Engine) -> Any:
    known = engine.at()
    line = known.read(LINE)
    base = line_base(known.law, line)
    return worker.decide(line, base.base, base.column)


def refusal(worker: Worker, engine: Engine) -> str:
    with pytest.raises(ProblemError) as caught:
        decide(worker, engine)
    assert caught.value.problem.code == "durable_failed"
    return caught.value.problem.message


@pytest.mark.skipif(os.name == "nt", reason="signals are told apart on POSIX")
def test_a_worker_that_dies_is_told_and_the_next_line_has_another(engine: Engine, book: Book) -> None:
    with Worker(ROOT, book.id) as worker:
        expected = decide(worker, engine)
        os.kill(worker.process_id, signal.SIGKILL)
        assert refusal(worker, engine) == "the process of durable-rules ended"
        assert decide(worker, engine) == expected


def test_a_worker_that_says_nothing_is_ended(engine: Engine, book: Book) -> None:
    with Worker(ROOT, book.id, patience=0.0) as worker:
        assert refusal(worker, engine) == "durable-rules gave no answer in 0 seconds"
        assert worker.process_id == 0


def test_other_rules_than_those_that_were_read_are_not_used(engine: Engine) -> None:
    with Worker(ROOT, "another-rulebook") as worker:
        assert refusal(worker, engine) == "RulebookError: the rule files changed since they were read"


def test_an_answer_on_which_the_engines_differ_is_refused(engine: Engine, worker: Worker) -> None:
    class Doctored(Worker):
        def decide(self, *asked: Any) -> Any:
            found = worker.decide(*asked)
            first, *rest = found.derivation.rows
            found.derivation.rows = (replace(first, duty=first.duty + 1), *rest)
            return found

    known = DurableKnowledge(engine.at().law, Doctored(ROOT, ""))
    with pytest.raises(ProblemError) as caught:
        assess_row(known, LINE)
    assert caught.value.problem.code == "engines_disagree"


SCRIPT = """
import warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)
from tariff_engine.durable.session import DurableError, Rulesets

def fails(work):
    try:
        work()
    except DurableError as error:
        print(error)
    else:
        print("nothing was raised")

host = Rulesets()
host.register("one", {"rule": [{"line": {"t": "line"}}]})
with host.session("one") as session:
    session.tell({"t": "line"})
    fails(lambda: session.tell({"t": "line"}))
    fails(lambda: host.begin("one"))
host._fired = None  # what an action does fails from here on
with host.session("one") as session:
    host._fired = type("Full", (list,), {"append": lambda self, item: 1 / 0})()
    fails(lambda: session.tell({"t": "line"}))
    host._fired = []
fails(lambda: host.register("one", {"rule": [{"line": {"t": "line"}}]}))
for number in range(3000):  # more sessions than durable-rules can hold at a time
    with host.session("one") as session:
        assert len(session.tell({"t": "line"})) == 1
        assert not session.tell({"t": "other"})
print("3000 sessions")
"""


def test_what_durable_rules_swallows_is_raised_and_sessions_are_deleted() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PLACES))}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False, timeout=120)
    told = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "already been observed" in told[0]
    assert told[1] == "a session of one is open already"
    assert "division by zero" in told[2]
    assert "does not take the ruleset one" in told[3]
    assert told[4] == "3000 sessions"
