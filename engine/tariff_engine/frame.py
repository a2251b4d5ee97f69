"""What stands around the lines of an entry: the de minimis gate with the postal duty, the fees, and the totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.deminimis import Gate
from tariff_engine.desk import Charged, FeeForm, Passed
from tariff_engine.entry_type import FeeLine
from tariff_engine.fee_law import NO_MANNER, Assumption, Manner
from tariff_engine.fees import Fee, FeeAnswer
from tariff_engine.money import CENTS, cents, dollars_text
from tariff_engine.postal import PostalDuty, postal_duty

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.fees import Scale

_CHARGED = frozenset({"applies", "exempt", "displaced"})  # what a line would owe; goods that are released owe none of it
_ADDITIONAL = frozenset({"additional", "total"})
_RELIEVED = ("donation_relief", "informational_materials", "personal_use_accompanied_baggage")
_UNUSUAL = frozenset(
    {
        *_RELIEVED,
        "fair_retail_value",
        "de_minimis_claimed",
        "postal_method",
        "export_country",
        "bona_fide_gift",
        "adcvd",
        "quota_status",
        "entry_type",
        "chapter98",
        "items",
        "in_quota",
        "other_agency",
        "other_goods_same_day_value",
        "filing_method",
        "waybills",
        "mail_kind",
    }
)  # facts besides those of most lines at which the gate and the fees look


def frame(knowledge: Knowledge, lines: Sequence[tuple[str, Line]], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Pass the shipment through the gate, charge the fees, and add up. Answers of released goods lose their duties."""
    facts = lines[0][1].facts
    shown = [line for _, line in lines]
    if len(shown) == 1 and _UNUSUAL.isdisjoint(facts):
        passed = _pass(knowledge, shown[0])
        if passed is not None:
            return _ordinary(knowledge, shown[0], answers[0], passed)
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
        lines=[fee_line(knowledge, number, line, answers[number]) for number, line in enumerate(shown)],
        treatment=treatment,
        manner=manner_of(facts),
    )
    return {
        "fees": _fees(fees),
        "de_minimis": _de_minimis(decision, postal, shown),
        "filing": {"entry_type": entry_advice(fees)},
        "totals": _totals(answers, fees, postal),
    }


def manner_of(facts: Mapping[str, Any]) -> Manner:
    """Return what is stated of how the entry is made."""
    bills = facts.get("waybills")
    return Manner(facts.get("filing_method"), None if bills is None else int(bills), facts.get("mail_kind"))


def _pass(knowledge: Knowledge, line: Line) -> Passed | None:
    """Pass a shipment of one line, of which nothing unusual is stated; None where it owes other than the ordinary duties."""
    desk, mode, value = knowledge.desk, line.facts.get("mode"), line.facts["value"]
    key = (desk.gate_step(value, line.value), line.day, mode, line.origin, line.hts)
    passed = desk.passed.get(key)
    if passed is None:
        decision = _gate(knowledge, [line], line.facts)
        ordinary = decision.result == "entry_required" and not decision.not_applied and value >= 0  # what else is told names the value
        shown = _de_minimis(decision, None, [line])
        more = tuple((name, tuple(shown.pop(name))) for name in ("questions", "warnings") if name in shown)
        passed = desk.recall(desk.passed, key, lambda: desk.one_of_equals(Passed(shown, more, ordinary=ordinary)))
    return passed if passed.ordinary else None


def _ordinary(knowledge: Knowledge, line: Line, answer: Mapping[str, Any], passed: Passed) -> dict[str, Any]:
    """Return what stands around the one line of an entry that pays the ordinary duties and fees."""
    desk, facts, value = knowledge.desk, line.facts, line.value
    chapter99 = False
    for row in answer["headings"]:
        if row["kind"] in _ADDITIONAL:
            chapter99 = True
    key = (
        line.day,
        facts.get("mode"),
        desk.step(value),
        line.origin,
        line.hts,
        facts.get("spi"),
        facts.get("fta_originating"),
        facts.get("usmca_qualifying"),
        chapter99,
    )
    charged = desk.charged.get(key)
    if charged is None:
        charged = desk.recall(desk.charged, key, lambda: desk.one_of_equals(_charged(knowledge, line, answer)))
    mpf_cents, mpf = _owed(charged.mpf, value)
    hmf_cents, hmf = _owed(charged.hmf, value)
    fees: dict[str, Any] = {
        "mpf": mpf["amount"],
        "hmf": hmf["amount"],
        "detail": {"mpf": mpf, "hmf": hmf},
        "entry_type": charged.entry.copy(),
    }
    for name, items in charged.more:
        fees[name] = [item.copy() for item in items]
    gate = passed.shown.copy()
    for name, items in passed.more:
        gate[name] = [item.copy() for item in items]
    fee, duty = mpf_cents + hmf_cents, answer["duty"]
    total = None if duty is None else dollars_text(int(duty.replace(".", "")) + fee)  # as `dollars_text` wrote it: always with two decimals
    return {
        "fees": fees,
        "de_minimis": gate,
        "filing": {"entry_type": charged.advice.copy()},
        "totals": {"duty": duty, "fees": dollars_text(fee), "total": total},
    }


class Standing(NamedTuple):
    """What stands around an entry of one line that the gate lets pass, wherever its value lies between the same thresholds."""

    mpf: FeeForm
    hmf: FeeForm
    entry_type: str | None


def standing(knowledge: Knowledge, line: Line, answer: Mapping[str, Any]) -> Standing | None:
    """Return what stands around an entry of one line; None where the gate does not let it pass, or more than its value decides.

    Raises ProblemError as `frame` does.
    """
    facts = line.facts
    decision = _gate(knowledge, [line], facts)
    if decision.result != "entry_required" or manner_of(facts) != NO_MANNER:
        return None
    fees, mpf, hmf = knowledge.desk.scaled(
        entry_date=line.day,
        mode=facts.get("mode"),
        entry_type=facts.get("entry_type"),
        lines=[fee_line(knowledge, 0, line, answer)],
        treatment="entry",
    )
    return Standing(_form(fees.mpf, mpf), _form(fees.hmf, hmf), fees.entry.code)


def _charged(knowledge: Knowledge, line: Line, answer: Mapping[str, Any]) -> Charged:
    fees, mpf, hmf = knowledge.desk.scaled(
        entry_date=line.day, mode=line.facts.get("mode"), entry_type=None, lines=[fee_line(knowledge, 0, line, answer)], treatment="entry"
    )
    shown = _fees(fees)
    more = tuple((name, tuple(shown[name])) for name in ("assumptions", "questions", "warnings") if name in shown)
    return Charged(_form(fees.mpf, mpf), _form(fees.hmf, hmf), shown["entry_type"], entry_advice(fees), more)


def _form(fee: Fee, scale: Scale | None) -> FeeForm:
    shown = _fee(fee)
    exempt, low = tuple(shown.pop("exempt_lines", ())), shown.pop("low", None)
    if scale is None:
        return FeeForm(shown, None, low is None, cents(Fraction(fee.amount)), low, exempt)
    top, bottom = 2 * CENTS * scale.rate.numerator, scale.rate.denominator
    return FeeForm(shown, (top, bottom, 2 * bottom, scale.least, scale.most), scale.sure, 0, None, exempt)


def _owed(form: FeeForm, value: int) -> tuple[int, dict[str, Any]]:
    """Return a fee on a value in whole dollars: its cents, and as it stands in an answer."""
    shown, owed, low = form.shown.copy(), form.cents, form.low
    if form.scale is not None:
        top, bottom, double, least, most = form.scale
        owed = max((top * value + bottom) // double, least)
        if most is not None and owed > most:
            owed = most
        shown["amount"], shown["base_value"] = dollars_text(owed), str(value)
        low = None if form.sure or not owed else "0.00"
    if low is not None:
        shown["low"] = low
    if form.exempt:
        shown["exempt_lines"] = [note.copy() for note in form.exempt]
    return owed, shown


class GateLine(NamedTuple):
    """A line as the gate sees it; `value` is in dollars as stated. `relieved`: of a kind that the suspensions leave exempt."""

    origin: str
    hts: str
    value: Decimal
    adcvd: bool
    quota: bool
    relieved: bool
    traveller: bool


def gate_line(line: Line) -> GateLine:
    """Return a line as the gate sees it."""
    facts = line.facts
    return GateLine(
        line.origin,
        line.hts,
        facts["value"],
        bool(facts.get("adcvd")),
        facts.get("quota_status") is not None or facts.get("in_quota") is True,
        any(facts.get(name) for name in _RELIEVED),
        bool(facts.get("personal_use_accompanied_baggage")),
    )


def _gate(knowledge: Knowledge, lines: Sequence[Line], facts: Mapping[str, Any]) -> Gate:
    return gate_of(knowledge, lines[0].day, [gate_line(line) for line in lines], facts)


def gate_of(knowledge: Knowledge, day: date, lines: Sequence[GateLine], facts: Mapping[str, Any]) -> Gate:
    """Pass a shipment through the gate. Raises ProblemError."""
    retail = facts.get("fair_retail_value")
    exact_values = sum((Decimal(line.value) for line in lines), Decimal(0))
    other_goods = facts.get("other_goods_same_day_value") or Decimal(0)
    return knowledge.desk.gate(
        entry_date=day,
        mode=facts.get("mode"),
        origins=tuple(dict.fromkeys(line.origin for line in lines)),
        value_total=(exact_values if retail is None else retail) + other_goods,
        value_is_retail=retail is not None,
        other_goods=other_goods,
        claimed=facts.get("de_minimis_claimed"),
        postal_method=facts.get("postal_method"),
        export_country=facts.get("export_country"),
        gift=facts.get("bona_fide_gift"),
        traveller=any(line.traveller for line in lines) or None,
        adcvd=any(line.adcvd for line in lines),
        quota=any(line.quota for line in lines),
        exempt_articles=all(line.relieved for line in lines),
        formal_entry=facts.get("entry_type") in knowledge.law.fees.rules.entry_types.formal,
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
            verdict |= {"verdict": "outside", "because": f"The goods are released: {decision.says}", "cites": decision.cites}
    for name in ("questions", "assumptions", "savings"):
        answer[name] = []


def fee_line(knowledge: Knowledge, number: int, line: Line, answer: Mapping[str, Any]) -> FeeLine:
    """Return a line as the fees see it."""
    facts = line.facts
    status = facts.get("quota_status")
    within = facts.get("in_quota") is True or status in knowledge.law.fees.rules.entry_types.quota_status.within
    chapter99 = any(row["kind"] in {"additional", "total"} for row in answer["headings"])
    base = answer["base"]
    under = base.get("chapter98")  # the number, if it is honored
    in_force = base.get("claims_in_force", ())
    return FeeLine(
        number=number + 1,
        value=line.value,
        origin=line.origin,
        hts=line.hts,
        spi=" ".join(in_force) or None,  # a claim whose program does not cover the goods on the day frees of no fee
        originating=facts.get("fta_originating"),
        usmca_qualifying=facts.get("usmca_qualifying") if in_force else None,
        chapter98=under["number"] if under else None,
        dutiable_value=int(base.get("dutiable_value", 0)) if under else None,
        chapter99=chapter99,
        adcvd=bool(facts.get("adcvd")),
        quota=within,
        over_quota=status is not None and not within,
        other_agency=facts.get("other_agency") is True,
    )


def _fee(fee: Fee) -> dict[str, Any]:
    found: dict[str, Any] = {
        "amount": f"{fee.amount:.2f}",
        "rate": fee.rate,
        "base_value": str(fee.base),
        "says": fee.says,
        "cites": fee.cites,
    }
    if fee.low != fee.amount:
        found["low"] = f"{fee.low:.2f}"
    if fee.open_end:
        found["high"] = None
    if fee.surcharge is not None:
        extra = fee.surcharge
        found["surcharge"] = {"amount": f"{extra.amount:.2f}", "class_code": extra.class_code, "says": extra.says, "cites": extra.cites}
    if fee.class_code:
        found["class_code"] = fee.class_code
    if fee.exempt:
        found["exempt_lines"] = [{"line": note.line, "says": note.says, "cites": note.cites} for note in fee.exempt]
    return found


def _fees(answer: FeeAnswer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "mpf": f"{answer.mpf.amount:.2f}",
        "hmf": f"{answer.hmf.amount:.2f}",
        "detail": {"mpf": _fee(answer.mpf), "hmf": _fee(answer.hmf)},
        "entry_type": {"code": answer.entry.code, "says": answer.entry.says, "cites": answer.entry.cites},
    }
    if answer.assumptions:
        found["assumptions"] = [{"fact": a.fact, "taken": a.taken, "because": a.because} for a in answer.assumptions]
    if answer.questions:
        found["questions"] = [{"fact": q.fact, "matters": q.matters} for q in answer.questions]
    if answer.warnings:
        found["warnings"] = [warning.as_dict() for warning in answer.warnings]
    return found


def entry_advice(answer: FeeAnswer) -> dict[str, Any]:
    """Return which type of entry to file, and every reason why it must be formal."""
    entry = answer.entry
    found: dict[str, Any] = {"code": entry.code, "formal": entry.formal, "says": entry.says, "cites": entry.cites}
    if entry.reasons:
        found["reasons"] = [
            {"type": reason.type, "row": reason.row, "lines": reason.lines, "says": reason.says, "cites": reason.cites}
            for reason in entry.reasons
        ]
    return found


_NO_OTHERS = Assumption("other_goods_same_day_value", "$0", "nobody stated that the same person imports other goods on that day")


def _de_minimis(decision: Gate, postal: PostalDuty | None, lines: Sequence[Line]) -> dict[str, Any]:
    found: dict[str, Any] = {"result": decision.result, "row": decision.row, "says": decision.says, "cites": decision.cites}
    if decision.by:
        found["instrument"] = decision.by
    others = lines[0].facts.get("other_goods_same_day_value")
    if others is not None:
        found["other_goods_same_day_value"] = f"{others:.2f}"
    if postal is not None:
        found["postal_duty"] = {
            "duty": f"{postal.amount:.2f}",
            "low": f"{postal.low:.2f}",
            "method": postal.method,
            "rate": postal.rate,
            "working": postal.working,
        }
    if decision.advice:
        found["advice"] = decision.advice
    notes = [*decision.assumptions, *(postal.assumptions if postal else ())]
    if others is None and decision.entry == "de_minimis":
        notes.append(_NO_OTHERS)
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
