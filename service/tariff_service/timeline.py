"""How the duty of a line changes with the day of entry: every step with its cause, and the steps that were announced and withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import ENGINE, assess_row, problem_of
from tariff_engine.problems import LawConflictError, ProblemError, refuse
from tariff_service.boundary_days import boundary_days
from tariff_service.called_off import withdrawn_steps
from tariff_service.causes import caused, treated
from tariff_service.dated_answers import ENTRY_DATE, Window, amounts, answers_on, merged
from tariff_service.differing import gate_change, heading_changes
from tariff_service.listing import Listed, listed_on
from tariff_service.stepping import Plain, Steps, ask, finish, names_of

if TYPE_CHECKING:
    from tariff_engine.book import Book

_DAY = timedelta(days=1)
_MOST_YEARS = 100
Data = dict[str, Any]


def timeline(
    engine: Engine,
    book: Book,
    facts: Mapping[str, Any],
    *,
    first: date | None = None,
    until: date | None = None,
    known_on: date | None = None,
) -> Data:
    """Return the timeline of a line. `facts` are those of a line but for the day of entry, which runs over [first, until).

    Raises ProblemError: the line cannot be answered on any of the days, the days are no span, the day of entry is stated.
    """
    return finish(timeline_steps(book, facts, first=first, until=until, known_on=known_on), engine)


def timeline_steps(
    book: Book,
    facts: Mapping[str, Any],
    *,
    first: date | None = None,
    until: date | None = None,
    known_on: date | None = None,
    sketch: bool = False,
) -> Steps[Data]:
    """Make a timeline in steps: it gives way after each day that it looks at. Raises ProblemError as `timeline` does.

    A `sketch` is the greater part of it in a tenth of the time: without what was called off, for which the law of earlier days must be read,
    and without the range of each step by facts that are not stated.
    """
    knowledge = yield from ask(known_on)
    names = names_of(knowledge)
    if any(names.get(key) == ENTRY_DATE for key in facts):
        message = "a timeline runs over the days of entry: it takes none"
        raise refuse("contradictory_facts", ENTRY_DATE, message, "leave entry_date out; from and until bound the days")
    window = _window(knowledge, first, until)
    stated = _stated(knowledge, facts)
    answers = yield from answers_on(knowledge, facts, boundary_days(knowledge.law, stated, window.first, window.last))
    if all("problem" in answer for answer in answers.values()):
        knowledge.read({**facts, ENTRY_DATE: max(answers).isoformat()})
        _refuse(knowledge, facts, max(answers))
    spans = merged(answers, window)
    steps: list[Data] = []
    before: Data | None = None
    asked = Plain(knowledge) if sketch else knowledge
    for start, end in spans:
        steps.append(_step(book, asked, facts, answers[start], before, start, end))
        before = before if "problem" in answers[start] else answers[start]
        yield None
    called_off = (yield from withdrawn_steps(book, knowledge, facts, stated, window, answers)) if not sketch else []
    law = knowledge.law
    return {
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "known_on": known_on.isoformat() if known_on else None,
        "from": window.first.isoformat(),
        "until": None if window.open else window.last.isoformat(),
        "facts": {key: value for key, value in facts.items() if key not in knowledge.reader.personal},
        "steps": steps,
        "withdrawn": called_off,
    }


def _window(knowledge: Knowledge, first: date | None, until: date | None) -> Window:
    law = knowledge.law
    begin = first or law.start
    edges = [date.fromordinal(law.compiled.bounds[-1])] if law.compiled.bounds else []
    end = until or max([law.horizon, begin, *edges]) + _DAY
    if end <= begin:
        raise refuse(
            "out_of_range", "until", f"until {end} is not after from {begin}", "until is the first day that is not looked at any more"
        )
    if end.year - begin.year > _MOST_YEARS:
        raise refuse("out_of_range", "until", f"from {begin} until {end} is more than {_MOST_YEARS} years", "ask for fewer years")
    return Window(begin, end, until is None)


def _stated(knowledge: Knowledge, facts: Mapping[str, Any]) -> Data:
    """Return the facts of a line by their names in the dictionary, days as days; what cannot be read is told when the line is."""
    names, specs, found = names_of(knowledge), knowledge.law.facts, Data()
    for key, value in facts.items():
        name = names.get(key)
        if name is None or value is None:
            continue
        found[name] = value
        if specs[name].type == "date" and isinstance(value, str):
            try:
                found[name] = date.fromisoformat(value)
            except ValueError:
                continue
    return found


def _refuse(knowledge: Knowledge, facts: Mapping[str, Any], day: date) -> None:
    """No day can be answered: tell why, as of the last one."""
    try:
        assess_row(Plain(knowledge), {**facts, ENTRY_DATE: day.isoformat()}, "none")
    except LawConflictError as error:
        raise ProblemError(problem_of(error)) from None


# ---------------------------------------------------------------- one step
def _step(
    book: Book, knowledge: Knowledge, facts: Mapping[str, Any], answer: Data, before: Data | None, start: date, end: date | None
) -> Data:
    found: Data = {"from": start.isoformat(), "until": end.isoformat() if end else None, "status": "law"}
    if "problem" in answer:
        return {**found, "problem": answer["problem"], "changes": []}
    row = {key: value for key, value in facts.items() if key != "id"}
    line = knowledge.read({**row, ENTRY_DATE: start.isoformat()})
    full = knowledge.answer(line, "", "full")
    verdicts = {one["program"]: one for one in full["programs"]}
    listed = listed_on(book, knowledge.law.known_on, line.hts, start)
    released = "released_by" in answer
    return {
        **found,
        **amounts(answer),
        "range": answer["range"] if released else full["range"],
        "unknown": [] if released else [question["fact"] for question in full["questions"]],
        "warnings": list(dict.fromkeys(warning["code"] for warning in full["warnings"])),
        "changes": [] if before is None else changes(knowledge, before, answer, start, verdicts, listed),
    }


def changes(knowledge: Knowledge, before: Data, after: Data, day: date, verdicts: Mapping[str, Data], listed: Listed) -> list[Data]:
    """Return what changed on a day: headings with the act behind each, fees, and low-value treatment."""
    found = [
        caused(knowledge.law, change, before, after, day, verdicts.get(change["program"]), listed)
        for change in heading_changes(before, after)
    ]
    for name in ("mpf", "hmf"):
        if before["fees"][name] != after["fees"][name]:
            detail = after["fees"]["detail"][name]
            amount = {"from": before["fees"][name], "to": after["fees"][name]}
            found.append(
                {"program": "fees", "heading": name, "what": "changed", "duty": amount, "because": detail["says"], "cites": detail["cites"]}
            )
    gate = gate_change(before, after)
    return [*found, treated(knowledge.law, gate, after)] if gate else found
