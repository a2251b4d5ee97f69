"""Many lines by one law: the only place that a command which reads files of lines asks for their answers.

Whoever compares laws asks for answers without the questions that a person would be asked, which take most of the time of an answer. Where
the extra `bulk` is installed, whole batches are answered at once by `tariff_service.many_columns`, with the same dollars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.entry import assess_entry, problem_of
from tariff_engine.frame import frame
from tariff_engine.problems import LawConflictError, Problem, ProblemError, refuse
from tariff_service.stepping import Plain

if TYPE_CHECKING:
    from tariff_engine.engine import Explain, Knowledge

_NO_GATE: dict[str, Any] = {"result": None, "says": "", "cites": []}


@dataclass(frozen=True, slots=True)
class Assessed:
    """What became of a line: its answer with its share of the entry, or the problem that it has. `failed`: the program is at fault."""

    answer: dict[str, Any] | None
    problem: Problem | None = None
    failed: bool = False


def assess_many(knowledge: Knowledge, lines: Sequence[Mapping[str, Any]], explain: Explain = "none") -> list[Assessed]:
    """Answer flat lines, each as an entry of its own, in their order. A line that has a problem does not stop the others."""
    return [_assessed(knowledge, line, explain) for line in lines]


def assess_together(knowledge: Knowledge, lines: Sequence[Mapping[str, Any]], explain: Explain = "none") -> list[Assessed]:
    """Answer the lines of one entry. Its fees and its gate stand on its first line; where a line has a problem, no total is known."""
    if len(lines) == 1:
        return assess_many(knowledge, lines, explain)
    try:
        body = {"lines": [{**line, "id": str(place)} for place, line in enumerate(lines)]}
        entry = assess_entry(Plain(knowledge), body, explain)
        return [_share(entry, answer, first=place == 0) for place, answer in enumerate(entry["lines"])]
    except (ProblemError, LawConflictError) as error:
        return [Assessed(None, problem_of(error))] * len(lines)
    except Exception as error:  # noqa: BLE001  a fault of ours in one entry must not cost the others their answers
        return [_failed(error)] * len(lines)


def _share(entry: Mapping[str, Any], answer: Mapping[str, Any], *, first: bool) -> Assessed:
    whole = next((one for one in entry["problems"] if one["line"] is None), None)
    problem = answer.get("problem") or whole
    if problem is not None:
        return Assessed(None, Problem(problem["code"], problem["field"], problem["message"], problem["fix"]))
    totals: dict[str, str | None] = {"duty": None, "fees": None, "total": None}
    gate: dict[str, Any] = (entry["de_minimis"] if first else None) or _NO_GATE
    if entry["fees"] is not None:
        fees = Decimal(entry["fees"]["mpf"]) + Decimal(entry["fees"]["hmf"]) if first else Decimal("0.00")
        totals["fees"] = f"{fees:f}"
        if answer["duty"] is not None:
            duty = Decimal(answer["duty"]) + Decimal(gate.get("postal_duty", {}).get("duty") or 0)
            totals |= {"duty": f"{duty:f}", "total": f"{duty + fees:f}"}
    return Assessed({**answer, "de_minimis": gate, "totals": totals})


def _assessed(knowledge: Knowledge, facts: Mapping[str, Any], explain: Explain) -> Assessed:
    try:
        return Assessed(_answer(knowledge, facts, explain))
    except (ProblemError, LawConflictError) as error:
        return Assessed(None, problem_of(error))
    except Exception as error:  # noqa: BLE001  a fault of ours in one line must not cost the others their answers
        return _failed(error)


def _failed(error: Exception) -> Assessed:
    message = f"the program failed on this line: {type(error).__name__}: {str(error)[:200]}"
    return Assessed(None, Problem("internal_error", "row", message, "please report it with the row"), failed=True)


def _answer(knowledge: Knowledge, facts: Mapping[str, Any], explain: Explain) -> dict[str, Any]:
    if not isinstance(facts, Mapping):
        raise refuse("wrong_type", "line", f"a line is a map of facts, not {type(facts).__name__}", "send {id, hts, origin, value, ...}")
    line = knowledge.read(facts)
    answer = knowledge.answer(line, "1", explain, inquire=False)
    around = frame(knowledge, [("1", line)], [answer])  # first: it takes the duties of released goods out of the answer
    return {**answer, **around}
