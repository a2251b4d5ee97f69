"""What stands around the lines of an entry: the de minimis gate with the postal duty, the fees, and the totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.deminimis import Gate
from tariff_engine.entry_type import FeeLine
from tariff_engine.fees import Fee, FeeAnswer
from tariff_engine.money import cents, dollars_text
from tariff_engine.postal import PostalDuty, postal_duty

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

_CHARGED = frozenset({"applies", "exempt", "displaced"})  # what a line would owe; goods that are released owe none of it
_RELIEVED = ("donation_relief", "informational_materials", "personal_use_accompanied_baggage")


def frame(knowledge: Knowledge, lines: Sequence[tuple[str, Line]], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Pass the shipment through the gate, charge the fees, and add up. Answers of released goods lose their duties."""
    facts = lines[0][1].facts
    shown = [line for _, line in lines]
    decision = _gate(knowledge, shown, facts)
    postal: PostalDuty | None = None
    if decision.result == "postal_duty":
        postal = _postal(knowledge, shown, decision, facts)
    if decision.result in {"exempt", "postal_duty"}:
        for answer in answers:
            _release(answer, decision)
    treatment = decision.result if decision.result in {"exempt", "postal_duty"} else "entry"
    fees = knowledge.desk.fees(
        entry_date=shown[0].day,
        mode=facts.get("mode"),
        entry_type=facts.get("entry_type"),
        lines=[_fee_line(number, line, answers[number]) for number, line in enumerate(shown)],
        treatment=treatment,
    )
    return {"fees": _fees(fees), "de_minimis": _de_minimis(decision, postal), "totals": _totals(answers, fees, postal)}


def _gate(knowledge: Knowledge, lines: Sequence[Line], facts: Mapping[str, Any]) -> Gate:
    retail = facts.get("fair_retail_value")
    exact_values = sum((Decimal(line.facts["value"]) for line in lines), Decimal(0))
    relieved = all(any(line.facts.get(name) for name in _RELIEVED) for line in lines)
    return knowledge.desk.gate(
        entry_date=lines[0].day,
        mode=facts.get("mode"),
        origins=tuple(dict.fromkeys(line.origin for line in lines)),
        value_total=exact_values if retail is None else retail,
        value_is_retail=retail is not None,
        claimed=facts.get("de_minimis_claimed"),
        postal_method=facts.get("postal_method"),
        export_country=facts.get("export_country"),
        gift=facts.get("bona_fide_gift"),
        traveller=any(line.facts.get("personal_use_accompanied_baggage") for line in lines) or None,
        adcvd=any(line.facts.get("adcvd") for line in lines),
        quota=any(line.facts.get("quota_status") is not None for line in lines),
        exempt_articles=relieved,
        hts=tuple(line.hts for line in lines),
    )


def _postal(knowledge: Knowledge, lines: Sequence[Line], decision: Gate, facts: Mapping[str, Any]) -> PostalDuty:
    evaluated = [knowledge.evaluate(line)[0] for line in lines]
    items = facts.get("items")
    return postal_duty(
        decision,
        value=sum(line.value for line in lines),
        items=None if items is None else int(items),
        effective_rate=lambda programs: max(knowledge.program_rate(one, programs) for one in evaluated),
    )


def _release(answer: dict[str, Any], decision: Gate) -> None:
    """Goods released under the exemption, or for the postal duty, owe none of the line's duties; what they would have owed is kept."""
    answer["otherwise"] = {"duty": answer["duty"], "headings": [row["heading"] for row in answer["headings"]]}
    answer["headings"] = []
    answer["duty"] = answer["additional_duty"] = "0.00"
    answer["additional_rate"] = "0%"
    answer["range"] = {"low": "0.00", "high": "0.00"}
    answer["released_by"] = decision.row
    answer["filing"] = {"lines": []}
    for verdict in answer.get("programs", ()):
        if verdict["verdict"] in _CHARGED:
            verdict |= {"verdict": "outside", "because": f"The goods are released: {decision.says}", "cites": list(decision.cites)}
    for name in ("questions", "assumptions", "savings"):
        answer[name] = []


def _fee_line(number: int, line: Line, answer: Mapping[str, Any]) -> FeeLine:
    facts = line.facts
    chapter99 = any(row["kind"] in {"additional", "total"} for row in answer["headings"])
    dutiable = answer["base"].get("dutiable_value")
    return FeeLine(
        number=number + 1,
        value=line.value,
        origin=line.origin,
        hts=line.hts,
        spi=facts.get("spi"),
        originating=facts.get("fta_originating"),
        usmca_qualifying=facts.get("usmca_qualifying"),
        chapter98=facts.get("chapter98"),
        dutiable_value=int(dutiable) if dutiable is not None and "chapter98" in facts else None,
        chapter99=chapter99,
        adcvd=bool(facts.get("adcvd")),
        quota=facts.get("quota_status") is not None,
    )


def _fee(fee: Fee) -> dict[str, Any]:
    found: dict[str, Any] = {
        "amount": f"{fee.amount:.2f}",
        "rate": fee.rate,
        "base_value": str(fee.base),
        "says": fee.says,
        "cites": list(fee.cites),
    }
    if fee.low != fee.amount:
        found["low"] = f"{fee.low:.2f}"
    if fee.exempt:
        found["exempt_lines"] = [{"line": note.line, "says": note.says, "cites": list(note.cites)} for note in fee.exempt]
    return found


def _fees(answer: FeeAnswer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "mpf": f"{answer.mpf.amount:.2f}",
        "hmf": f"{answer.hmf.amount:.2f}",
        "detail": {"mpf": _fee(answer.mpf), "hmf": _fee(answer.hmf)},
        "entry_type": {"code": answer.entry.code, "says": answer.entry.says, "cites": list(answer.entry.cites)},
    }
    if answer.assumptions:
        found["assumptions"] = [{"fact": a.fact, "taken": a.taken, "because": a.because} for a in answer.assumptions]
    if answer.questions:
        found["questions"] = [{"fact": q.fact, "matters": q.matters} for q in answer.questions]
    if answer.warnings:
        found["warnings"] = [warning.as_dict() for warning in answer.warnings]
    return found


def _de_minimis(decision: Gate, postal: PostalDuty | None) -> dict[str, Any]:
    found: dict[str, Any] = {"result": decision.result, "row": decision.row, "says": decision.says, "cites": list(decision.cites)}
    if decision.by:
        found["instrument"] = decision.by
    if postal is not None:
        found["postal_duty"] = {
            "duty": f"{postal.amount:.2f}",
            "low": f"{postal.low:.2f}",
            "method": postal.method,
            "rate": postal.rate,
            "working": postal.working,
        }
    if decision.advice:
        found["advice"] = list(decision.advice)
    notes = [*decision.assumptions, *(postal.assumptions if postal else ())]
    if decision.result != "entry_required" and notes:
        found["assumptions"] = [{"fact": a.fact, "taken": a.taken, "because": a.because} for a in notes]
    questions = [*decision.questions, *(postal.questions if postal else ())]
    if questions:
        found["questions"] = [{"fact": q.fact, "matters": q.matters} for q in questions]
    if decision.warnings:
        found["warnings"] = [warning.as_dict() for warning in decision.warnings]
    return found


def _totals(answers: Sequence[Mapping[str, Any]], fees: FeeAnswer, postal: PostalDuty | None) -> dict[str, str | None]:
    charged = int(fees.mpf.amount.scaleb(2)) + int(fees.hmf.amount.scaleb(2))
    found: dict[str, str | None] = {"duty": None, "fees": dollars_text(charged), "total": None}
    if all(answer["duty"] is not None for answer in answers):
        duty = sum(int(answer["duty"].replace(".", "")) for answer in answers)  # as `dollars_text` wrote it: always with two decimals
        duty += cents(Fraction(postal.amount)) if postal else 0
        found["duty"], found["total"] = dollars_text(duty), dollars_text(duty + charged)
    return found
