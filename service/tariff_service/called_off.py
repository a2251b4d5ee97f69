"""Steps of a timeline that the public was told of and that never came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tariff_engine.engine import Knowledge
from tariff_service.boundary_days import boundary_days
from tariff_service.causes import caused, treated
from tariff_service.dated_answers import ENTRY_DATE, Window, amounts, answer_on, answers_on, state
from tariff_service.differing import GATE, gate_change, heading_changes, money
from tariff_service.explaining import instrument
from tariff_service.stepping import Plain, Steps, ask
from tariff_service.withdrawals import Withdrawal, withdrawals

if TYPE_CHECKING:
    from tariff_engine.book import Book

_DAY = timedelta(days=1)
Data = dict[str, Any]


def withdrawn_steps(
    book: Book, knowledge: Knowledge, facts: Mapping[str, Any], stated: Data, window: Window, answers: Mapping[date, Data]
) -> Steps[list[Data]]:
    """Return the steps that the public was told of and that never came: those of the law of the day before an act called something off.

    A change belongs here if it was ahead on that day, is not ahead any more on the next, and is not among the changes of the law.
    """
    found: list[Data] = []
    for one in withdrawals(book, knowledge.law, stated):
        last_day = one.day - _DAY
        if one.day >= window.last or not knowledge.law.known_on >= one.day:
            continue
        earlier = yield from ask(last_day)
        ahead = yield from answers_on(earlier, facts, boundary_days(earlier.law, stated, max(window.first, last_day), window.last))
        gone = _gone(ahead, knowledge, facts, one)
        if gone:
            later = Plain((yield from ask(one.day)))
            gone = {day: [change for change in lost if not _comes(later, facts, day, change)] for day, lost in gone.items()}
        days = sorted(ahead)
        for day, lost in gone.items():
            if lost:
                place = days.index(day)
                end = next((other for other in days[place + 1 :] if state(ahead[other]) != state(ahead[day])), None)
                found.append(_called_off(knowledge, one, earlier, facts, (ahead[days[place - 1]], ahead[day]), (day, end), lost, answers))
        yield None
    return sorted(found, key=lambda step: (step["from"], step["known_on"]))


def _gone(ahead: Mapping[date, Data], knowledge: Knowledge, facts: Mapping[str, Any], one: Withdrawal) -> dict[date, list[Data]]:
    """Return the changes that were ahead, by what was known, and that the law as known now does not make on that day."""
    plain, found = Plain(knowledge), dict[date, list[Data]]()
    days = sorted(ahead)
    for before, day in pairwise(days):
        if "problem" in ahead[before] or "problem" in ahead[day]:
            continue
        lost = [change for change in heading_changes(ahead[before], ahead[day]) if change["program"] in one.programs]
        gate = gate_change(ahead[before], ahead[day])
        if gate and ahead[day]["de_minimis"]["row"] in one.rows:
            lost.append(gate)
        kept = [change for change in lost if not _comes(plain, facts, day, change)]
        if kept:
            found[day] = kept
    return found


def _comes(knowledge: Knowledge, facts: Mapping[str, Any], day: date, change: Data) -> bool:
    """Whether a law makes a change on a day."""
    before, after = answer_on(knowledge, facts, day - _DAY), answer_on(knowledge, facts, day)
    if "problem" in before or "problem" in after:
        return False
    if change["program"] == GATE:
        return gate_change(before, after) == change
    wanted = _mark(change)
    return any(_mark(other) == wanted for other in heading_changes(before, after))


def _mark(change: Data) -> tuple[Any, ...]:
    return change["program"], change["heading"], change["what"], change["rate"]["to"]


def _called_off(
    knowledge: Knowledge,
    one: Withdrawal,
    earlier: Knowledge,
    facts: Mapping[str, Any],
    pair: tuple[Data, Data],
    span: tuple[date, date | None],
    lost: list[Data],
    answers: Mapping[date, Data],
) -> Data:
    before, after = pair
    day, end = span
    row = {key: value for key, value in facts.items() if key != "id"}
    full = Plain(earlier).answer(earlier.read({**row, ENTRY_DATE: day.isoformat()}), "", "full")
    verdicts = {verdict["program"]: verdict for verdict in full["programs"]}
    told = [
        treated(earlier.law, change, after)
        if change["program"] == GATE
        else caused(earlier.law, change, before, after, day, verdicts.get(change["program"]))
        for change in lost
    ]
    instead = answers[max((other for other in answers if other <= day), default=min(answers))]
    duty = None if "problem" in instead else instead["totals"]["duty"]
    owed = amounts(after)
    return {
        "from": day.isoformat(),
        "until": end.isoformat() if end else None,
        "status": "withdrawn",
        "known_on": (one.day - _DAY).isoformat(),
        "withdrawn_on": one.day.isoformat(),
        "withdrawn_by": [instrument(knowledge.law, name) for name in one.acts],
        **owed,
        "changes": told,
        "instead": {"duty": duty, "difference": money(owed["duty"], duty)},
    }
