"""What an entry is to a refund: the facts that only refunds ask for, the reasons for which the process would not take it, and its windows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.facts import read_day
from tariff_engine.problems import Problem, refuse

if TYPE_CHECKING:
    from tariff_engine.refund_law import Action, EntryFact, Refunds, Window

_MAX_CODE = 20
Data = dict[str, Any]


def read_fact(name: str, fact: EntryFact, value: Any) -> Any:
    """Return the value of a fact of an entry in its exact type. Raises ProblemError: another type."""
    if fact.type == "bool" and isinstance(value, bool):
        return value
    if fact.type == "code" and isinstance(value, str) and _is_code(value) and (fact.form is None or re.fullmatch(fact.form, value)):
        return value
    if fact.type == "date":
        return read_day(name, value)
    words = f"text of the form {fact.form}" if fact.form else "text"
    like = "true or false" if fact.type == "bool" else words
    raise refuse("wrong_type", name, f"{name} is {str(value)[:60]!r}", f"send {like}")


def _is_code(text: str) -> bool:
    return 0 < len(text) <= _MAX_CODE and text.isascii() and text.isprintable()


def settle_facts(refunds: Refunds, stated: Mapping[str, Any], on: date) -> tuple[Data, list[Problem]]:
    """Return the facts of an entry on the day of the claim, with what they imply, and warnings on days that are still to come.

    Raises ProblemError `contradictory_facts`.
    """
    facts, warnings = dict(stated), list[Problem]()
    for name, fact in refunds.facts.items():
        day = facts.get(name)
        if day is None or fact.type != "date":
            continue
        if fact.if_later and day > on:
            del facts[name]
            taken = facts.setdefault(fact.if_later, day)
            message = f"{name} {day} lies after {on}, the day of the claim: it is taken for {fact.if_later} {taken}"
            warnings.append(Problem("day_to_come", name, message, f"send it as {fact.if_later}"))
        elif fact.implies:
            if facts.get(fact.implies) is False:
                message = f"{name} is {day}, and {fact.implies} is stated as no"
                raise refuse("contradictory_facts", name, message, "send one of the two")
            facts[fact.implies] = True
    return facts, warnings


def reasons(action: Action, facts: Mapping[str, Any], on: date) -> tuple[list[Data], list[Data]]:
    """Return the checks that an entry fails, and those that cannot be told for want of a fact."""
    failed: list[Data] = []
    open_: list[Data] = []
    for check in action.checks:
        met = check.met(facts, on)
        if met:
            failed.append({"check": check.check, "says": check.says, "cites": list(check.cite)})
        elif met is None:
            open_.append({"check": check.check, "asks": check.asks(facts)})
    return failed, open_


def windows(ways: Iterable[Window], facts: Mapping[str, Any], on: date) -> list[Data]:
    """Return windows for an entry: the state of each, last day and days left, the sentence, its legal basis, what is missing."""
    found = []
    for window in ways:
        span = window.span(facts, on)
        shown: Data = {"window": window.window, "title": window.title, "kind": window.kind, "state": span.state}
        shown["last_day"] = span.last_day.isoformat() if span.last_day else None
        if span.state == "open" and span.last_day:
            shown["days_left"] = (span.last_day - on).days
        shown |= {"because": span.because, "cites": list(span.cite), "asks": list(span.asks)}
        if window.confidence and window.confidence.level != "high":
            shown["confidence"] = {"level": window.confidence.level, "because": window.confidence.because}
        found.append(shown)
    return found


def action_data(action: Action, on: date) -> Data:
    """Return what the book says of an action, its process as known on a day, and what a claim needs."""
    process = action.process
    history: list[Data] = []
    for event in process.history:
        if event.from_ <= on:
            told: Data = {"on": event.from_.isoformat(), "says": event.says, "cites": list(event.cite)}
            if event.confidence and event.confidence.level != "high":
                told["confidence"] = {"level": event.confidence.level, "because": event.confidence.because}
            history.append(told)
    return {
        "action": action.action,
        "title": action.title,
        "says": action.says,
        "cites": list(action.cite),
        "from": action.from_.isoformat(),
        "until": action.until.isoformat(),
        "programs": list(action.programs),
        "interest": {"says": action.interest.says, "cites": list(action.interest.cite), "computed": False},
        "process": {
            "name": process.name,
            "title": process.title,
            "where": process.where,
            "known_until": process.known_until.isoformat(),
            "history": history,
            "open": list(process.open),
        },
        "needs": [{"says": need.says, "cites": list(need.cite)} for need in action.needs],
    }
