"""Lines answered one at a time, by the same functions as single requests, and laid out as rows of the bulk schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from tariff_engine.bulk.forms import open_facts
from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry, assess_row, problem_of
from tariff_engine.frame import frame
from tariff_engine.problems import LawConflictError, ProblemError

_ZERO = Decimal("0.00")
RANGE_INCOMPLETE = "range_incomplete"  # the warning of an answer whose range was cut short; the last of a line


class Stated(NamedTuple):
    """A line as it was read: its number in the input, its id and entry number as text, and its facts."""

    row: int
    id: str | None
    entry_number: str | None
    facts: dict[str, Any]


class Rows(NamedTuple):
    """What lines came to: rows of the summary, of the long form, and of the rejected."""

    summary: list[dict[str, Any]]
    long: list[dict[str, Any]]
    rejected: list[dict[str, Any]]


def answer_alone(knowledge: Knowledge, line: Stated, into: Rows, *, ranges: bool) -> None:
    """Answer a line that is an entry of its own."""
    try:
        if ranges:
            answer = assess_row(knowledge, line.facts, "none")
            lay_out(line, answer, answer, into, None)
            return
        (answer,), (asked,), around = _without_ranges(knowledge, [line])
    except (ProblemError, LawConflictError) as error:
        reject(line, problem_of(error).as_dict(), into)
        return
    lay_out(line, answer, around, into, asked)


def _without_ranges(knowledge: Knowledge, lines: Sequence[Stated]) -> tuple[list[dict[str, Any]], list[tuple[str, ...]], dict[str, Any]]:
    """Return the answers on the lines of an entry, the facts open on each, and what stands around them. Raises ProblemError."""
    read = [(str(place), knowledge.read(line.facts)) for place, line in enumerate(lines)]
    answers, asked = [], []
    for name, line in read:
        answers.append(knowledge.answer(line, name, "none", inquire=False))
        asked.append(open_facts(*knowledge.evaluate(line)))
    return answers, asked, frame(knowledge, read, answers)


def answer_together(knowledge: Knowledge, lines: Sequence[Stated], into: Rows, *, ranges: bool) -> None:
    """Answer the lines of one entry. Its fees stand on its first line; where a line is rejected they are not known."""
    body = {"lines": [{**line.facts, "id": str(place)} for place, line in enumerate(lines)]}
    try:
        entry = assess_entry(knowledge, body, "none")
    except (ProblemError, LawConflictError) as error:
        problem = problem_of(error).as_dict()
        for line in lines:
            reject(line, problem, into)
        return
    whole = [problem for problem in entry["problems"] if problem["line"] is None]
    first = True
    for line, answer in zip(lines, entry["lines"], strict=True):
        found = answer.get("problem") or next(iter(whole), None)
        if found is not None:
            reject(line, found, into)
            continue
        asked = None if ranges else open_facts(*knowledge.evaluate(knowledge.read(line.facts)))
        lay_out(line, answer, entry if first else _OTHERS if entry["fees"] else _UNKNOWN, into, asked)
        first = False


_OTHERS: Mapping[str, Any] = {"fees": {"mpf": "0.00", "hmf": "0.00", "entry_type": {"code": None}}, "de_minimis": None}
_UNKNOWN: Mapping[str, Any] = {"fees": None, "de_minimis": None}


def reject(line: Stated, problem: Mapping[str, Any], into: Rows) -> None:
    """Keep a line that cannot be assessed, with the problem."""
    row = {"row": line.row, "id": line.id}
    into.rejected.append({**row, **{name: str(problem[name]) for name in ("code", "field", "message", "fix")}})


def lay_out(line: Stated, answer: Mapping[str, Any], around: Mapping[str, Any], into: Rows, asked: Sequence[str] | None) -> None:
    """Lay out the answer on a line, and what stands `around` it, as rows. `asked` are its open facts where their ranges are not wanted."""
    ranges = asked is None
    warnings = dict.fromkeys(warning["code"] for warning in answer["warnings"])
    complete = RANGE_INCOMPLETE not in warnings
    if not ranges:  # what was not tried is not incomplete
        warnings.pop(RANGE_INCOMPLETE, None)
    fees, gate = around["fees"], around["de_minimis"]
    duty = _money(answer["duty"])
    mpf, hmf = (_money(fees[name]) if fees else None for name in ("mpf", "hmf"))
    postal = _money(gate["postal_duty"]["duty"]) if gate and "postal_duty" in gate else _ZERO if fees else None
    parts = (duty, mpf, hmf, postal)
    saving = next(iter(answer["savings"]), None) if ranges else None
    released = "released_by" in answer
    into.summary.append(
        {
            "row": line.row,
            "id": line.id,
            "entry_number": line.entry_number,
            "hts": answer["hts"],
            "origin": answer["origin"],
            "entry_date": date.fromisoformat(answer["entry_date"]),
            "value": int(answer["value"]),
            "duty": duty,
            "base_duty": _money(answer["base"].get("duty")),
            "additional_duty": _money(answer["additional_duty"]),
            "mpf": mpf,
            "hmf": hmf,
            "postal_duty": postal,
            "total": None if any(part is None for part in parts) else sum(part for part in parts if part is not None),
            "low": _money(answer["range"]["low"]) if ranges else None,
            "high": _money(answer["range"]["high"]) if ranges else None,
            "complete": ranges and duty is not None and complete,
            "prohibited": answer.get("prohibited", False),
            "headings": [row["heading"] for row in answer["headings"]],
            "questions": [question["fact"] for question in answer["questions"]] if asked is None else [] if released else list(asked),
            "warnings": list(warnings),
            "saving": saving["fact"] if saving else None,
            "saves": None if not ranges else _money(saving["saves"]) if saving else _ZERO,
            "de_minimis": gate["result"] if gate else None,
            "entry_type": fees["entry_type"]["code"] if fees else None,
        }
    )
    into.long.extend(_long(line, answer["headings"]))


def _long(line: Stated, headings: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for place, row in enumerate(headings, start=1):
        since = row.get("since")
        yield {
            "row": line.row,
            "id": line.id,
            "place": place,
            "heading": row["heading"],
            "program": row["program"],
            "kind": row["kind"],
            "rate": row["rate"],
            "base_value": int(row["base_value"]) if row.get("base_value") is not None else None,
            "duty": _money(row["duty"]),
            "instrument": row.get("instrument"),
            "since": date.fromisoformat(since) if since else None,
        }


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
