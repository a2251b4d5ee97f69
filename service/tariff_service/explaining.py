"""Why, and why not: the verdicts of an assessment with the acts behind them, and what was, or would have been, owed by earlier law."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.entry import assess_entry, read_entry
from tariff_engine.problems import LawConflictError, ProblemError, refuse

if TYPE_CHECKING:
    from tariff_engine.engine import Engine, Knowledge
    from tariff_engine.law import CalledOff, Law

_DAY = timedelta(days=1)


def explain_entry(
    engine: Engine, raw: Any, *, known_on: date | None = None, program: str | None = None, line: str | None = None
) -> dict[str, Any]:
    """Explain an entry: all programs or one, all lines or one. Raises ProblemError, also for a program or line that does not exist."""
    knowledge = engine.at(known_on)
    titles = {one.name: one.title for one in knowledge.law.compiled.programs}
    if program is not None and program not in titles:
        raise not_found("unknown_program", "--program", program, titles, "`tariff rules list` names every program")
    answer = assess_entry(knowledge, raw, "full", asked_on=known_on)
    facts = dict(read_entry(knowledge, raw).lines)
    if line is not None and line not in facts:
        raise not_found("unknown_line", "--line", line, facts, f"the entry has {', '.join(list(facts)[:20])}")
    lines = [one for one in answer["lines"] if line is None or one["id"] == line]
    return {
        "id": answer["id"],
        "rulebook": answer["rulebook"],
        "known_on": answer["known_on"],
        "lines": [_line(engine, knowledge, one, facts[one["id"]], titles, program) for one in lines],
        "problems": [one for one in answer["problems"] if line is None or one["line"] in {line, None}],
    }


def not_found(code: str, field: str, asked: str, known: Iterable[str], otherwise: str) -> ProblemError:
    """Return the problem of a name that does not exist, with a guess at what was meant."""
    near = difflib.get_close_matches(asked[:100], list(known), n=3, cutoff=0.5)
    return refuse(code, field, f"there is no {asked[:60]}", f"did you mean {' or '.join(near)}?" if near else otherwise)


def _line(
    engine: Engine, knowledge: Knowledge, answer: Mapping[str, Any], facts: dict[str, Any], titles: Mapping[str, str], program: str | None
) -> dict[str, Any]:
    if "problem" in answer:
        return dict(answer)
    law = knowledge.law
    verdicts = [verdict for verdict in answer["programs"] if program in {None, verdict["program"]}]
    return {
        **{key: answer[key] for key in ("id", "hts", "origin", "entry_date", "value", "duty")},
        "programs": [
            {
                "program": verdict["program"],
                "title": titles[verdict["program"]],
                **{key: value for key, value in verdict.items() if key not in {"program", "instruments"}},
                "instruments": [instrument(law, name) for name in verdict.get("instruments", ())],
            }
            for verdict in verdicts
        ],
        "warnings": answer["warnings"],
        "by_earlier_law": list(_earlier(engine, knowledge, answer, facts, program)),
    }


def instrument(law: Law, name: str) -> dict[str, Any]:
    """Return a legal act as plain data."""
    act = law.instruments[name]
    found = {"id": name, "title": act.title, "cite": act.cite, "signed": act.signed.isoformat(), "published": act.published.isoformat()}
    return {**found, "url": act.url} if act.url else found


# ---------------------------------------------------------------- the same line by earlier law
def _earlier(
    engine: Engine, knowledge: Knowledge, answer: Mapping[str, Any], facts: dict[str, Any], program: str | None
) -> Iterator[dict[str, Any]]:
    """Assess the line as it was known before a step was called off, and on the day of entry; yield where that makes a difference."""
    law, day = knowledge.law, date.fromisoformat(answer["entry_date"])
    moments: dict[date, list[CalledOff]] = {}
    for name, steps in law.called_off.items():
        for step in steps:
            last = law.instruments[step.withdrawn_by].published - _DAY
            if program in {None, name} and step.start <= day < (step.until or date.max) and law.instruments[step.by].published <= last:
                moments.setdefault(last, []).append(step)
    if program is None and day < law.known_on:
        moments.setdefault(day, [])
    told: set[tuple[str | None, tuple[str, ...]]] = {_outcome(answer)}
    for moment in sorted(moments):
        try:
            then = _at(engine, moment, facts)
        except (ProblemError, LawConflictError):
            continue  # the law of that day does not answer it
        filed = {row["heading"] for row in then["headings"]}
        called_off = [step for step in moments[moment] if step.provision.partition("/")[0] in filed]
        if _outcome(then) not in told and (called_off or moment == day):
            told.add(_outcome(then))
            yield _difference(law, moment, then, answer, called_off)


def _at(engine: Engine, moment: date, facts: dict[str, Any]) -> dict[str, Any]:
    earlier = engine.at(moment)
    return earlier.answer(earlier.read(facts), "", "none", inquire=False)


def _outcome(answer: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    return answer["duty"], tuple(row["heading"] for row in answer["headings"])


def _difference(law: Law, moment: date, then: Mapping[str, Any], now: Mapping[str, Any], called_off: list[CalledOff]) -> dict[str, Any]:
    acts = dict.fromkeys(step.withdrawn_by for step in called_off)
    later = (row.get("instrument", "") for row in now["headings"])
    acts |= dict.fromkeys(name for name in later if name in law.instruments and law.instruments[name].published > moment)
    headings = [row["heading"] for row in then["headings"] if row["kind"] != "base" and row["heading"]]
    known = None not in {then["duty"], now["duty"]}
    return {
        "known_on": moment.isoformat(),
        "duty": then["duty"],
        "headings": headings,
        "difference": f"{Decimal(now['duty']) - Decimal(then['duty']):f}" if known else None,
        "called_off": [step.provision for step in called_off],
        "instruments": [instrument(law, name) for name in acts],
    }
