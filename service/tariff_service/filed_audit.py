"""The audit of one filed line: what it owes by the law as known when it was filed and as known today, and every finding in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.answer import plain
from tariff_engine.evaluate.words import dotted
from tariff_engine.money import dollars_text
from tariff_engine.refund import Laws, programs_of, refund_line
from tariff_service.filed_comparing import FACTS, REFUND, SEQUENCE, Comparison, findings
from tariff_service.filed_eras import Eras
from tariff_service.filed_facts import Explained, explained
from tariff_service.filed_owed import owed
from tariff_service.filed_telling import ACTION, UNKNOWN, Teller
from tariff_service.paper import money
from tariff_service.refunding import FilingLaws

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.refund_law import Action
    from tariff_service.filed_reading import FiledLine

MATCH = "match"
_MOST_ASKED = 8
Data = dict[str, Any]


class AuditDesk(FilingLaws):
    """The laws by which filed lines are audited: of today, of the days of filing, and without the programs of each refund action."""

    def __init__(self, folder: Path | None, tolerance: int = 0) -> None:
        """Open the rules; amounts that differ by at most `tolerance` cents are the same. Raises ProblemError: no rules."""
        super().__init__(folder)
        self.tolerance = tolerance
        self._without = cache(self._lacking)
        self._order_cites: dict[str, tuple[str, ...]] = {}
        self._teller = Teller(self.today.law, self._order_cites)

    def _lacking(self, name: str) -> Knowledge:
        return self.lacking(next(action for action in self.today.law.refunds.actions if action.action == name))

    def audit(self, filed: FiledLine, known: date) -> Data:
        """Return what an audit says of a line that was filed on a day. Raises ProblemError and LawConflictError as an assessment does."""
        line, then_law = filed.line, self.filed(known)
        now = owed(self.today, line)
        then = now if then_law is self.today else owed(then_law, line)
        compared = Comparison(filed, then, now, Eras(self.today, line), self.tolerance)
        found = findings(compared)
        asked: Data = {}
        told: list[Data] = []
        if found or None in {then.duty, now.duty}:
            asked = owed(then_law, line, inquire=True, why=False).answer
            wrong = any(not one.later and one.type != SEQUENCE for one in found)
            known_facts = explained(then_law, compared, asked) if wrong else None
            if known_facts is not None:
                told.append(_needs(then_law, compared, known_facts, asked))
                now_too = owed(self.today, self.today.reader.with_facts(line, known_facts.facts))
                compared = replace(compared, then=known_facts.owed, now=now_too)
                found = findings(compared)
            told += _unknown(compared, asked)
        self._cite_order(line)
        told += [self._teller.tell(compared, one) for one in found]
        actions = [one for action in self.today.law.refunds.actions if (one := self._claim(action, filed, then_law))]
        return self._shown(filed, known, compared, told + actions, asked)

    def _cite_order(self, line: Line) -> None:
        day = line.day
        if day.isoformat() not in self._order_cites:
            era = next((era for era in reversed(self.book().filing) if era.from_ <= day), None)
            self._order_cites[day.isoformat()] = tuple(era.cite) if era else ()

    def _claim(self, action: Action, filed: FiledLine, then: Knowledge) -> Data | None:
        """Return what an action gives back of what was paid under its programs, as a finding; the amounts are those of `tariff refund`."""
        owners = programs_of(self.today.law)
        mine = [number for number, duty in filed.paid.items() if duty and owners.get(number, frozenset({""})) <= frozenset(action.programs)]
        if not mine or not action.covers(filed.line.day):
            return None
        laws = Laws(then, self.today, self._without(action.action))
        found = refund_line(action, laws, filed.line, filed.claim.id, paid=filed.paid)
        if found["by_action"] is None or found["by_action"]["high"].startswith("-") or not found["by_action"]["high"].strip("0."):
            return None
        low, high = found["by_action"]["low"], found["by_action"]["high"]
        amount = money(high) if low == high else f"{money(low)} to {money(high)}"
        return {
            "type": REFUND,
            "cause": ACTION,
            "filed_number": None,
            "owed_number": None,
            "program": action.programs[0] if len(action.programs) == 1 else "",
            "filed": None,
            "owed": None,
            "difference": None,
            "numbers": mine,
            "refund": found["by_action"],
            "action": action.action,
            "says": f"{action.title}: {amount} of what was paid under {', '.join(mine)} can be claimed, without interest.",
            "because": action.says,
            "instruments": [],
            "cites": list(action.cite),
            "fix": f"See `tariff refund --action {action.action}` for windows and claim files.",
        }

    def _shown(self, filed: FiledLine, known: date, compared: Comparison, told: list[Data], asked: Data) -> Data:
        line, claim = filed.line, filed.claim
        counted = [one for one in told if one["cause"] in {"filing", "later_law"}]
        errors = [_cents(one["difference"]) for one in counted]
        return {
            "id": claim.id,
            "rows": list(claim.rows),
            "entry_number": claim.entry_number,
            "hts": dotted(line.hts),
            "origin": line.origin,
            "entry_date": line.day.isoformat(),
            "value": str(line.value),
            "filed_on": known.isoformat(),
            "status": MATCH if not told else FACTS if any(one["type"] == FACTS for one in told) else "findings",
            "paid": dollars_text(sum(filed.paid.values())),
            "owed_then": _text(compared.then.duty),
            "owed_today": _text(compared.now.duty),
            "overpaid": dollars_text(sum(amount for amount in errors if amount > 0)),
            "underpaid": dollars_text(-sum(amount for amount in errors if amount < 0)),
            "filed_numbers": [_number(one.number, one.duty) for one in (*filed.others, filed.goods)],
            "owed_numbers": [_number(one.number, one.duty) for one in compared.then.numbers.values()],
            "findings": told,
            "questions": _open(asked) if told else [],
            "warnings": [note.as_dict() for note in (*claim.notes, *filed.notes)] + list(compared.now.answer["warnings"]),
        }


def _number(number: str, duty: int | None) -> Data:
    return {"number": number, "duty": _text(duty)}


def _text(amount: int | None) -> str | None:
    return None if amount is None else dollars_text(amount)


def _cents(text: str | None) -> int:
    return int((text or "0.00").replace(".", ""))


def _open(asked: Data) -> list[Data]:
    """Return the questions that change the duty, those of the largest difference first."""
    found = [question for question in asked.get("questions", ()) if question["answers"]]

    def stake(question: Data) -> int:
        return -max(abs(_cents(answer["difference"])) for answer in question["answers"])

    found.sort(key=stake)
    return [
        {"fact": one["fact"], "asks": one["asks"], "taken": one["taken"], "because": one["because"], "answers": one["answers"]}
        for one in found[:_MOST_ASKED]
    ]


# ---------------------------------------------------------------- facts that are not known
def _needs(knowledge: Knowledge, compared: Comparison, known: Explained, asked: Data) -> Data:
    """Return the finding that the line was filed right if some facts are so, which the file does not state."""
    facts = knowledge.law.facts
    then = compared.then
    said = ", ".join(f"{name} is {_word(value)}" for name, value in known.facts.items())
    paid = sum(compared.filed.paid.values())
    return {
        "type": FACTS,
        "cause": UNKNOWN,
        "filed_number": None,
        "owed_number": None,
        "program": "",
        "filed": dollars_text(paid),
        "owed": _text(then.duty),
        "difference": None,
        "at_stake": None if then.duty is None else dollars_text(paid - then.duty),
        "facts": [
            {"fact": name, "answer": plain(value), "asks": facts[name].question or facts[name].what} for name, value in known.facts.items()
        ],
        "range": asked["range"],
        "says": f"Filed right if {said}, which the file does not state; without it {money(_text(then.duty))} is owed, and {money(dollars_text(paid))} was paid.",
        "because": "; ".join(facts[name].because for name in known.facts if facts[name].because)
        or "a claim that is not shown is not granted",
        "instruments": [],
        "cites": list(
            dict.fromkeys(cite for one in known.owed.numbers.values() if one.number not in then.numbers for cite in one.shown["cites"])
        ),
        "fix": "Find the proof, and state the fact in a column of the file.",
    }


def _unknown(compared: Comparison, asked: Data) -> list[Data]:
    """Return the findings on duties that cannot be computed for want of a quantity."""
    found = []
    for one in compared.then.numbers.values():
        filed = compared.stated(one.number)
        if one.duty is not None:
            continue
        question = next((question for question in asked.get("questions", ()) if question["fact"] == "quantity"), None)
        found.append(
            {
                "type": FACTS,
                "cause": UNKNOWN,
                "filed_number": one.number if filed else None,
                "owed_number": one.number,
                "program": one.program,
                "filed": _text(filed.duty if filed else 0),
                "owed": None,
                "difference": None,
                "at_stake": None,
                "facts": [{"fact": "quantity", "answer": None, "asks": question["asks"]}] if question else [],
                "range": asked["range"],
                "says": f"{one.number}: the duty at {one.rate} cannot be checked; {question['because'] if question else 'a quantity is missing'}.",
                "because": one.shown["says"],
                "instruments": [],
                "cites": list(one.shown["cites"]),
                "fix": "State the quantity in a column such as Quantity kg.",
            }
        )
    return found


def _word(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(plain(value))
