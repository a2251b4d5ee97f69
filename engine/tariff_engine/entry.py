"""An entry: read, its lines assessed, and what stands around them. A single line is an entry of one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine import __version__
from tariff_engine.answer import plain
from tariff_engine.frame import frame
from tariff_engine.problems import LawConflictError, Problem, ProblemError, refuse

if TYPE_CHECKING:
    from tariff_engine.engine import Explain, Knowledge
    from tariff_engine.facts import Line

ENGINE = f"tariff-engine {__version__}"  # as answers name it
MAX_LINES = 999
"""Lines of one entry summary (ACE)."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """An entry as read: the facts it states for all of its lines, and the lines with their ids."""

    id: str
    facts: dict[str, Any]
    lines: tuple[tuple[str, dict[str, Any]], ...]


def read_entry(knowledge: Knowledge, raw: object) -> Shipment:
    """Read an entry: facts of the entry and `lines`, or one flat line. Raises ProblemError."""
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", "entry", f"an entry is a map of facts, not {type(raw).__name__}", "send {entry facts, lines: [...]}")
    body = {str(key): value for key, value in raw.items()}
    identity = _identity(body.pop("id", ""), "id")
    if "lines" not in body:
        return Shipment(identity, {}, ((identity or "1", body),))
    lines = body.pop("lines")
    if not isinstance(lines, list) or not lines or len(lines) > MAX_LINES:
        raise refuse("wrong_type", "lines", "lines is no list of 1 to 999 lines", "send lines: [{hts, origin, value, ...}]")
    _entry_level(knowledge, body)
    found: list[tuple[str, dict[str, Any]]] = []
    for place, line in enumerate(lines):
        if not isinstance(line, Mapping):
            raise refuse("wrong_type", f"lines[{place}]", "a line is a map of facts", "send {hts, origin, value, ...}")
        one = {str(key): value for key, value in line.items()}
        name = _identity(one.pop("id", ""), f"lines[{place}].id") or str(place + 1)
        for key in body.keys() & one.keys():
            if one[key] != body[key]:
                message = f"{key} is stated for the entry and, differently, for the line"
                raise refuse("contradictory_facts", f"lines[{place}].{key}", message, "state it once, for the entry")
        found.append((name, {**body, **one}))
    if len({name for name, _ in found}) != len(found):
        raise refuse("duplicate_id", "lines", "two lines have the same id", "give each line its own id")
    return Shipment(identity, body, tuple(found))


def _refuse_two_entries(knowledge: Knowledge, lines: Sequence[tuple[str, Line]]) -> None:
    """Facts of the entry that its lines state must be the same on each: two entry dates are two entries."""
    for name, spec in knowledge.law.facts.items() if len(lines) > 1 else ():
        if spec.level == "entry" and any(line.facts.get(name) != lines[0][1].facts.get(name) for _, line in lines):
            raise refuse("contradictory_facts", name, f"the lines of one entry state {name} differently", "state it once, for the entry")


def _identity(value: object, field: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > 200:  # noqa: PLR2004
        raise refuse("wrong_type", field, "an id is text of at most 200 characters", 'send an id such as "line-1"')
    return value


def _entry_level(knowledge: Knowledge, facts: Mapping[str, Any]) -> None:
    """Facts of a line do not belong to the entry as a whole: they would silently spread to every line."""
    aliases = {alias: name for name, spec in knowledge.law.facts.items() for alias in (name, *spec.aliases)}
    for key in facts:
        spec = knowledge.law.facts.get(aliases.get(key, ""))
        if spec is not None and spec.level != "entry":
            raise refuse("fact_of_the_line", key, f"{key} is a fact of a line, not of the entry", "state it in each line of lines")


def assess_entry(knowledge: Knowledge, raw: object, explain: Explain = "full", *, asked_on: date | None = None) -> dict[str, Any]:
    """Assess an entry. Problems of single lines stand in their place and in `problems`; the other lines go on.

    Raises ProblemError where the entry as a whole cannot be read.
    """
    steps = entry_steps(knowledge, raw, explain, asked_on=asked_on)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: dict[str, Any] = done.value
            return answer


def entry_steps(
    knowledge: Knowledge, raw: object, explain: Explain = "full", *, asked_on: date | None = None, folded: bool = False
) -> Generator[None, None, dict[str, Any]]:
    """Assess an entry in steps, one a line, so that a caller who serves others too can give way between them; return the answer.

    A `folded` answer has `Verdicts` in the place of the list of verdicts, for callers who write it down without reading all of them.
    Raises ProblemError where the entry as a whole cannot be read.
    """
    law = knowledge.law
    shipment = read_entry(knowledge, raw)
    answers: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    lines: list[tuple[str, Line]] = []
    for name, facts in shipment.lines:
        if answers:
            yield
        try:
            line = knowledge.read(facts)
            answers.append(knowledge.answer(line, name, explain, folded=True) if folded else knowledge.answer(line, name, explain))
            lines.append((name, line))
        except (ProblemError, LawConflictError) as error:
            problem = problem_of(error).as_dict()
            answers.append({"id": name, "problem": problem})
            problems.append({"line": name, **problem})
    entry: dict[str, Any] = {"fees": None, "de_minimis": None, "filing": None, "totals": None}
    if not problems:
        try:
            _refuse_two_entries(knowledge, lines)
            entry = frame(knowledge, lines, answers)
        except ProblemError as error:
            problems.append({"line": None, **error.problem.as_dict()})
    day = asked_on.isoformat() if asked_on else None
    personal = knowledge.reader.personal
    echo = {"id": shipment.id, **{key: plain(value) for key, value in shipment.facts.items() if key not in personal}}
    return {
        "id": _answer_id(law.id, day, explain, impersonal(raw, personal)),
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "known_on": day,
        "entry": echo,
        "lines": answers,
        **entry,
        "problems": problems,
    }


def impersonal(raw: object, personal: frozenset[str]) -> object:
    """Return an entry without the facts that name a person: an answer, and its id, must not tell who somebody is."""
    if not isinstance(raw, Mapping) or not personal:
        return raw
    found = raw if personal.isdisjoint(raw) else {key: value for key, value in raw.items() if key not in personal}
    lines = found.get("lines")
    if isinstance(lines, list) and any(isinstance(line, Mapping) and not personal.isdisjoint(line) for line in lines):
        return {**found, "lines": [impersonal(line, personal) for line in lines]}
    return found


def assess_row(knowledge: Knowledge, raw: object, explain: Explain = "full") -> dict[str, Any]:
    """Assess one flat line as an entry of its own: the line's answer with its fees and the de minimis gate. Raises ProblemError."""
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", "line", f"a line is a map of facts, not {type(raw).__name__}", "send {id, hts, origin, value, ...}")
    facts = {str(key): value for key, value in raw.items()}
    name = _identity(facts.pop("id", ""), "id")
    line = knowledge.read(facts)
    answer = knowledge.answer(line, name, explain)
    around = frame(knowledge, [(name, line)], [answer])  # first: it takes the duties of released goods out of the answer
    return {**answer, **around, "filing": {**answer["filing"], **around["filing"]}}


def problem_of(error: Exception) -> Problem:
    """Return an error of the engine as a problem of the input, or of the law book."""
    if isinstance(error, ProblemError):
        return error.problem
    return Problem("law_conflict", "line", str(error), "report it: the law book must order these provisions")


_REQUEST = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False, separators=(",", ":"))


def _answer_id(rulebook: str, day: str | None, explain: str, raw: object) -> str:
    request = _REQUEST.encode([rulebook, day, explain, raw])
    return f"a-{hashlib.sha256(request.encode()).hexdigest()[:24]}"
