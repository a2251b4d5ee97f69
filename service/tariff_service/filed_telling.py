"""What a finding says: the sentence, the condition that decided, the act and the citation behind it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tariff_engine.money import dollars_text
from tariff_engine.refund import programs_of
from tariff_service.explaining import instrument
from tariff_service.filed_comparing import ERA, EXTRA, LATER, MISSING, RATE, REFUND, SEQUENCE, VALUE, Comparison, Finding
from tariff_service.filed_owed import BASE, OwedNumber
from tariff_service.paper import money

if TYPE_CHECKING:
    from tariff_engine.law import Law

Data = dict[str, Any]
FILING, LATER_LAW, ACTION, UNKNOWN = "filing", "later_law", "refund_action", "facts"


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts findings into words by the law of today; `order_cites` gives the citations of the filing order of a day."""

    law: Law
    order_cites: Mapping[str, tuple[str, ...]]

    def tell(self, compared: Comparison, finding: Finding) -> Data:
        """Return a finding as it stands in the report."""
        number = finding.owed_number or finding.filed_number
        program = self._program(compared, finding)
        found: Data = {
            "type": finding.type,
            "cause": LATER_LAW if finding.later else FILING,
            "filed_number": finding.filed_number,
            "owed_number": finding.owed_number,
            "program": program,
            "filed": _dollars(finding.filed),
            "owed": _dollars(finding.owed),
            "difference": _dollars(finding.difference),
        }
        if finding.rate:
            found["filed_rate"] = finding.rate
        if finding.base is not None:
            found["filed_base"] = str(finding.base)
        due = compared.then.numbers.get(number or "")
        if due is not None and not finding.later:
            found["owed_rate"], found["owed_base"] = due.rate, str(due.base)
        if finding.era is not None:
            found["era"] = {"from": finding.era.from_.isoformat(), "until": finding.era.until.isoformat() if finding.era.until else None}
        if finding.order:
            found["order"] = list(finding.order)
        if finding.numbers:
            found["numbers"] = list(finding.numbers)
        found["says"] = _SAYS[finding.type](compared, finding)
        found |= self._basis(compared, finding, program)
        fix = _FIXES[finding.type](finding)
        action = next((one for one in self.law.refunds.actions if program in one.programs and one.covers(compared.filed.line.day)), None)
        if action is not None and finding.difference:
            found["action"] = action.action
            fix = f"Duties of this program are given back ({action.action}): see `tariff refund` before you correct anything."
        return found | {"fix": fix}

    def _program(self, compared: Comparison, finding: Finding) -> str:
        for number in (finding.owed_number, finding.filed_number):
            one = compared.then.numbers.get(number or "") or compared.now.numbers.get(number or "")
            if one is not None:
                return one.program
        if finding.era is not None and finding.filed_number in finding.era.owed.numbers:
            return finding.era.owed.numbers[finding.filed_number].program
        return min(programs_of(self.law).get(finding.filed_number or "", ()), default="")

    def _basis(self, compared: Comparison, finding: Finding, program: str) -> Data:
        """Return why: the verdict on the program, the sentence of the number, the acts, the citations, and a doubt of the book."""
        if finding.type == SEQUENCE:
            day = compared.filed.line.day.isoformat()
            return {
                "because": "CBP's message says in which order the numbers of a line stand.",
                "instruments": [],
                "cites": list(self.order_cites.get(day, ())),
            }
        if finding.later:
            return self._later(compared, finding)
        due = compared.then.numbers.get(finding.owed_number or "")
        verdict = compared.then.verdicts.get(program)
        because, cites, acts = "", list[str](), list[str]()
        if verdict is not None and program != BASE:
            because, cites, acts = verdict["because"], list(verdict["cites"]), list(verdict.get("instruments", ()))
        if due is not None:
            because = because if verdict is not None and due.number in verdict.get("headings", ()) and because else due.shown["says"]
            cites = list(dict.fromkeys([*due.shown["cites"], *cites]))
            acts = [*([due.shown["instrument"]] if "instrument" in due.shown else ()), *acts]
        if not because:
            because = f"The law book has no number {finding.filed_number} for these goods."
        found: Data = {"because": because, "instruments": self._acts(acts), "cites": cites}
        if due is not None and "doubt" in due.shown:
            found["confidence"], found["doubt"] = due.shown["confidence"], due.shown["doubt"]
        return found

    def _later(self, compared: Comparison, finding: Finding) -> Data:
        """Return the acts that came after the filing and that stand behind the numbers of today, or behind their end."""
        acts, cites, words = list[str](), list[str](), list[str]()
        for number in finding.numbers:
            now, then = compared.now.numbers.get(number), compared.then.numbers.get(number)
            one = now or then
            if one is None or one.program == BASE:
                continue
            verdict = compared.now.verdicts.get(one.program)
            if now is not None:
                words.append(now.shown["says"])
                cites += now.shown["cites"]
                acts += [now.shown["instrument"]] if "instrument" in now.shown else []
            elif verdict is not None:
                words.append(verdict["because"])
                cites += verdict["cites"]
                acts += verdict.get("instruments", ())
        return {
            "because": " ".join(dict.fromkeys(words)),
            "instruments": self._acts(acts),
            "cites": list(dict.fromkeys(cites)),
        }

    def _acts(self, names: Iterable[str]) -> list[Data]:
        return [instrument(self.law, name) for name in dict.fromkeys(names) if name in self.law.instruments]


def _dollars(amount: int | None) -> str | None:
    return None if amount is None else dollars_text(amount)


def _paid(amount: int | None) -> str:
    return money(_dollars(amount))


def _at(one: OwedNumber) -> str:
    """Say at which rate on which value a number is owed."""
    return f" at {one.rate} on ${one.base:,}"


# ---------------------------------------------------------------- sentences
def _missing(compared: Comparison, finding: Finding) -> str:
    one = compared.then.numbers[finding.owed_number or ""]
    return (
        f"{one.number} was not filed; it is owed{_at(one)}."
        if one.duty
        else f"{one.number} was not filed; it is to be reported, and carries no duty."
    )


def _extra(_: Comparison, finding: Finding) -> str:
    return f"{finding.filed_number} was filed with {_paid(finding.filed)} and is not owed."


def _rate(compared: Comparison, finding: Finding) -> str:
    one = compared.then.numbers[finding.owed_number or ""]
    as_rate = f" ({finding.rate} of ${one.base:,})" if finding.rate else ""
    return f"{one.number}: {_paid(finding.filed)} was paid{as_rate}; {one.rate} of ${one.base:,} is owed, {_paid(one.duty)}."


def _value(compared: Comparison, finding: Finding) -> str:
    one = compared.then.numbers[finding.owed_number or ""]
    return (
        f"{one.number}: {_paid(finding.filed)} is {one.rate} of ${finding.base or 0:,}; "
        f"it is charged on ${one.base:,}, which makes {_paid(finding.owed)}."
    )


def _era(compared: Comparison, finding: Finding) -> str:
    era, day = finding.era, compared.filed.line.day
    if era is None:
        return ""
    span = f"from {era.from_} on" if era.until is None else f"from {era.from_} until {era.until}"
    what = f"{finding.filed_number} with {_paid(finding.filed)}" if finding.filed_number == finding.owed_number else finding.filed_number
    instead = f"{finding.owed_number}, {_paid(finding.owed)}" if finding.owed_number else "nothing under it"
    return f"{what} is right for entries {span}; this one is of {day}, and owes {instead}."


def _order(compared: Comparison, finding: Finding) -> str:
    filed = [one.number for one in compared.filed.others if one.number in finding.order]
    return f"Filed in the order {', '.join(filed)}; CBP asks for {', '.join(finding.order)}."


def _refund(compared: Comparison, finding: Finding) -> str:
    less = "less" if finding.type == REFUND else "more"
    was, now = (
        [number for number in finding.numbers if number in law.numbers and law.numbers[number].duty]
        for law in (compared.then, compared.now)
    )
    return (
        f"By the law known at filing, {_paid(finding.filed)} was owed under {_listed(was)}; by that known today, "
        f"{_paid(finding.owed)} under {_listed(now)}: {_paid(abs(finding.difference or 0))} {less}."
    )


def _listed(numbers: Iterable[str]) -> str:
    found = list(numbers) or ["no number"]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


_SAYS = {MISSING: _missing, EXTRA: _extra, RATE: _rate, VALUE: _value, ERA: _era, SEQUENCE: _order, REFUND: _refund, LATER: _refund}


def _tender(finding: Finding) -> str:
    difference = finding.difference
    if not difference:
        return "Correct the summary; no duty changes."
    return "Correct the summary, or protest after liquidation." if difference > 0 else "Correct the summary and tender the difference."


_FIXES: dict[str, Any] = {
    **dict.fromkeys((MISSING, EXTRA, RATE, VALUE, ERA), _tender),
    SEQUENCE: lambda _: "Put the numbers in this order when the summary is corrected; no duty changes.",
    REFUND: lambda _: "Claim it: a later act reaches back to this entry.",
    LATER: lambda _: "Check whether the act asks for the difference on entries filed before it.",
}
