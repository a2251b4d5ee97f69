"""Many lines by one law: the only place that a command which reads files of lines asks for their answers.

Whoever compares laws asks for answers without the questions that a person would be asked, which take most of the time of an answer. An
engine that answers whole batches at once takes the place of `assess_many` and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tariff_engine.entry import problem_of
from tariff_engine.frame import frame
from tariff_engine.problems import LawConflictError, Problem, ProblemError, refuse

if TYPE_CHECKING:
    from tariff_engine.engine import Explain, Knowledge


@dataclass(frozen=True, slots=True)
class Assessed:
    """What became of a line: its answer as an entry of its own, or the problem that it has. `failed`: the program is at fault."""

    answer: dict[str, Any] | None
    problem: Problem | None = None
    failed: bool = False


def assess_many(knowledge: Knowledge, lines: Sequence[Mapping[str, Any]], explain: Explain = "none") -> list[Assessed]:
    """Answer flat lines, each as an entry of its own, in their order. A line that has a problem does not stop the others."""
    return [_assessed(knowledge, line, explain) for line in lines]


def _assessed(knowledge: Knowledge, facts: Mapping[str, Any], explain: Explain) -> Assessed:
    try:
        return Assessed(_answer(knowledge, facts, explain))
    except (ProblemError, LawConflictError) as error:
        return Assessed(None, problem_of(error))
    except Exception as error:  # noqa: BLE001  a fault of ours in one line must not cost the others their answers
        message = f"the program failed on this line: {type(error).__name__}: {str(error)[:200]}"
        return Assessed(None, Problem("internal_error", "row", message, "please report it with the row"), failed=True)


def _answer(knowledge: Knowledge, facts: Mapping[str, Any], explain: Explain) -> dict[str, Any]:
    if not isinstance(facts, Mapping):
        raise refuse("wrong_type", "line", f"a line is a map of facts, not {type(facts).__name__}", "send {id, hts, origin, value, ...}")
    line = knowledge.read(facts)
    answer = knowledge.answer(line, "1", explain, inquire=False)
    around = frame(knowledge, [("1", line)], [answer])  # first: it takes the duties of released goods out of the answer
    return {**answer, **around}
