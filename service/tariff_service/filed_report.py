"""The audit of a file: every line, the sums by kind of finding, and each entry with the days on which it can still be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.entry import ENGINE, problem_of
from tariff_engine.money import dollars_text
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.refund_entry import settle_facts, windows
from tariff_service.filed_audit import MATCH, AuditDesk
from tariff_service.filed_comparing import ERA, EXTRA, FACTS, LATER, MISSING, RATE, REFUND, SEQUENCE, VALUE
from tariff_service.filed_reading import FiledLine, Unread
from tariff_service.refund_columns import columns_data

if TYPE_CHECKING:
    from tariff_service.refund_files import Lines

KINDS = {
    MATCH: "filed as owed, by the law known at filing or known today",
    MISSING: "a number is owed and was not filed",
    EXTRA: "a number was filed and is not owed",
    RATE: "the right number with another rate",
    VALUE: "the right number and rate on another value",
    ERA: "the right number or rate of another day of entry",
    SEQUENCE: "the numbers stand in another order than CBP asks for",
    REFUND: "right when filed; later law, or a refund action, gives money back",
    LATER: "right when filed; later law that reaches back asks for more",
    FACTS: "right or wrong by a fact that the file does not state",
}
"""The kinds of findings, and what each means."""
_SUMMARY_DATE = "summary_date"
Data = dict[str, Any]


def audit_report(desk: AuditDesk, lines: Lines, filed: Sequence[FiledLine | Unread], on: date) -> Data:
    """Return the audit of the lines of a file as of a day, from which windows are counted."""
    answers = _answers(desk, filed)
    shown = [answer for answer in answers if "problem" not in answer]
    law = desk.today.law
    return {
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "file": Path(lines.name).name,
        "on": on.isoformat(),
        "columns": columns_data(lines.columns),
        "totals": {"lines": len(answers), "refused": len(answers) - len(shown), **totals(shown)},
        "kinds": by_kind(shown),
        "entries": _entries(desk, filed, answers, on),
        "lines": shown,
        "warnings": _remarks(lines, filed),
        "problems": [answer for answer in answers if "problem" in answer],
    }


def _answers(desk: AuditDesk, filed: Sequence[FiledLine | Unread]) -> list[Data]:
    """Answer every line in its place; they are taken in the order of what was known, so that few laws are in memory."""
    found: dict[int, Data] = {}
    for place in sorted(range(len(filed)), key=lambda place: desk.order(_known(filed[place]))):
        one = filed[place]
        claim = one.claim
        head: Data = {"id": claim.id, "rows": list(claim.rows), "entry_number": claim.entry_number}
        if isinstance(one, Unread):
            found[place] = {**head, "problem": one.problem.as_dict()}
            continue
        try:
            found[place] = desk.audit(one, _known(one))
        except (ProblemError, LawConflictError) as error:
            found[place] = {**head, "problem": problem_of(error).as_dict()}
    return [found[place] for place in range(len(filed))]


def _known(one: FiledLine | Unread) -> date:
    """Return the day of the entry summary, else of entry: what the filer could know."""
    line, entry = one.claim.line, one.claim.entry
    known: date = entry.get(_SUMMARY_DATE) or (line.day if line else date.min)
    return known


def _cents(text: str | None) -> int:
    return int((text or "0.00").replace(".", ""))


def totals(lines: Iterable[Data]) -> Data:
    """Add up what lines paid, owe, paid too much and too little; `net` is over less under. What waits for facts is apart."""
    sums: Counter[str] = Counter()
    complete = True
    for line in lines:
        sums["matched"] += line["status"] == MATCH
        for name in ("paid", "owed_then", "owed_today", "overpaid", "underpaid"):
            sums[name] += _cents(line[name])
        complete = complete and line["owed_then"] is not None and line["owed_today"] is not None
        for one in line["findings"]:
            stake = _cents(one.get("at_stake"))
            sums["stake_over"] += max(stake, 0)
            sums["stake_under"] += max(-stake, 0)
            for end in ("low", "high"):
                sums[f"refund.{end}"] += _cents(one.get("refund", {}).get(end))
    found: Data = {"matched": sums["matched"], "complete": complete}
    found |= {name: dollars_text(sums[name]) for name in ("paid", "owed_then", "owed_today", "overpaid", "underpaid")}
    found["net"] = dollars_text(sums["overpaid"] - sums["underpaid"])
    found["needs_facts"] = {"overpaid": dollars_text(sums["stake_over"]), "underpaid": dollars_text(sums["stake_under"])}
    return found | {"refund_by_action": {end: dollars_text(sums[f"refund.{end}"]) for end in ("low", "high")}}


def by_kind(lines: Iterable[Data]) -> list[Data]:
    """Add up findings by kind: lines, dollars over and under; every kind that occurs, matches first."""
    counts: Counter[str] = Counter()
    over: Counter[str] = Counter()
    under: Counter[str] = Counter()
    for line in lines:
        counts[MATCH] += line["status"] == MATCH
        for one in line["findings"]:
            amount = _cents(one["difference"])
            counts[one["type"]] += 1
            over[one["type"]] += max(amount, 0)
            under[one["type"]] += max(-amount, 0)
    return [
        {"type": kind, "says": says, "count": counts[kind], "overpaid": dollars_text(over[kind]), "underpaid": dollars_text(under[kind])}
        for kind, says in KINDS.items()
        if counts[kind]
    ]


# ---------------------------------------------------------------- entries
def _entries(desk: AuditDesk, filed: Sequence[FiledLine | Unread], answers: Sequence[Data], on: date) -> list[Data]:
    places: dict[str, list[int]] = {}
    for place, one in enumerate(filed):
        if one.claim.entry_number is not None:
            places.setdefault(one.claim.entry_number, []).append(place)
    return [_entry(desk, number, mine, filed, answers, on) for number, mine in places.items()]


def _entry(
    desk: AuditDesk, number: str, places: Sequence[int], filed: Sequence[FiledLine | Unread], answers: Sequence[Data], on: date
) -> Data:
    shown = [answers[place] for place in places if "problem" not in answers[place]]
    found: Data = {"entry_number": number, "lines": len(places), "refused": len(places) - len(shown), **totals(shown)}
    found["findings"] = sum(len(answer["findings"]) for answer in shown)
    found |= {"entry_date": None, "windows": [], "questions": [], "warnings": []}
    read = [one for place in places if isinstance(one := filed[place], FiledLine)]
    if not read or not found["findings"]:
        return found
    stated = {name: value for one in read for name, value in one.claim.entry.items()}
    refunds = desk.today.law.refunds
    try:
        facts, warnings = settle_facts(refunds, stated, on)
    except ProblemError as error:
        return {**found, "problem": error.problem.as_dict()}
    facts["entry_date"] = read[0].line.day
    wanted = {side for side in ("overpaid", "underpaid") if _cents(found[side])} or {"overpaid", "underpaid"}
    ways = [way for way in refunds.corrections if wanted & set(way.serves)]
    spans = windows(ways, facts, on)
    for way, span in zip(ways, spans, strict=True):
        span["serves"] = list(way.serves)
    asked = dict.fromkeys(name for span in spans for name in span["asks"] if name in refunds.facts)
    return {
        **found,
        "entry_date": read[0].line.day.isoformat(),
        "windows": spans,
        "questions": [{"fact": name, "asks": refunds.facts[name].question} for name in asked],
        "warnings": [warning.as_dict() for warning in warnings],
    }


def _remarks(lines: Lines, filed: Sequence[FiledLine | Unread]) -> list[Data]:
    """Say what a reader of the whole must know: a file without any number of chapter 99 may hold one sum a line."""
    read = [one for one in filed if isinstance(one, FiledLine)]
    if read and lines.columns is not None and not any(one.others for one in read):
        message = "no row holds a number of chapter 99: each duty is taken for that of the number in its row, not for the sum of the line"
        return [{"code": "no_additional_numbers", "field": "hts", "message": message, "fix": "send a row for each HTS number"}]
    return []


__all__ = ["KINDS", "audit_report", "by_kind", "totals"]
