"""The answer in the shape that users rely on (docs/answer.md): plain data, decimal strings, filing order, nothing that depends on a clock."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.adcvd import allotted
from tariff_engine.evaluate.words import dotted
from tariff_engine.money import approximate_percent, approximate_ratio, cents, dollars_text, percent_text
from tariff_engine.problems import Problem
from tariff_engine.rates import rate_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tariff_engine.base import LineBase
    from tariff_engine.compiled.plan import Plan
    from tariff_engine.evaluate.derivation import Derivation, Row
    from tariff_engine.exclusions import Claimable
    from tariff_engine.facts import Line
    from tariff_engine.inquiry import Inquiry
    from tariff_engine.law import DrawbackRule, Law
    from tariff_engine.rates import Rate


class LineParts(NamedTuple):
    """Everything that an answer on one line is made of."""

    id: str
    line: Line
    base: LineBase
    derivation: Derivation
    verdicts: Sequence[dict[str, Any]]
    inquiry: Inquiry | None
    warnings: Sequence[Problem]
    says: dict[str, str]
    doubts: dict[str, tuple[str, str]]
    adcvd: Sequence[dict[str, Any]]
    adcvd_duty: int
    plan: Plan
    claimable: Sequence[Claimable] = ()


_PLAIN = frozenset({str, bool, int})


def plain(value: Any) -> Any:
    """Return a fact's value as JSON says it: decimals and dates as text."""
    if value is None or value.__class__ in _PLAIN:
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


_dotted = lru_cache(maxsize=32_768)(dotted)


def line_answer(law: Law, parts: LineParts) -> dict[str, Any]:
    """Return the answer on one line."""
    line, base, derivation = parts.line, parts.base, parts.derivation
    rows = sum([row.duty for row in derivation.rows])
    duty = None if derivation.base_duty is None else derivation.base_duty + rows
    additional = rows - ((derivation.full_base_duty or 0) - (derivation.base_duty or 0))
    total = None if duty is None else duty + parts.adcvd_duty
    headings = _headings(law, parts)
    headings.extend(parts.adcvd)
    code, rate = _dotted(line.hts), _rate_text(base.rate)
    headings.append(_base_heading(parts, code, rate))
    answer: dict[str, Any] = {
        "id": parts.id,
        "hts": code,
        "origin": line.origin,
        "entry_date": line.day.isoformat(),
        "value": str(line.value),
        "headings": headings,
        "base": _base(law, base, derivation, rate),
        "duty": None if total is None else dollars_text(total),
        "additional_duty": dollars_text(additional),
        "additional_rate": _share(additional, line.value),
    }
    if derivation.prohibited:
        answer["prohibited"] = True
    if parts.verdicts:
        answer["programs"] = parts.verdicts
    answer["questions"] = _questions(law, parts)
    answer["assumptions"] = _assumptions(law, parts)
    answer["range"] = _range(parts, total)
    warnings = list(parts.warnings)
    if parts.inquiry and not parts.inquiry.complete:
        message = "so many facts are open that not every combination of answers was tried: the range may be wider"
        warnings.append(Problem("range_incomplete", "line", message, "answer the questions with the largest differences first"))
    answer["warnings"] = [warning.as_dict() for warning in warnings]
    answer["filing"] = _stated(parts, {"lines": _filing(law, parts, [row["rate"] for row in headings], code, rate)})
    answer["savings"] = _savings(law, parts)
    return answer


def _share(amount: int, value: int) -> str:
    if not value:
        return "0%"
    share = approximate_ratio(abs(amount), 100 * value, 4)
    return f"-{share}" if amount < 0 and share != "0%" else share


_TEXTS: dict[int, tuple[Rate, str]] = {}  # rates are made once by their reader, so that the object itself is known again
_MAX_TEXTS = 20_000


def _rate_text(rate: Rate) -> str:
    """Return a rate as text, from memory where it was asked for before."""
    found = _TEXTS.get(id(rate))
    if found is None:
        if len(_TEXTS) >= _MAX_TEXTS:
            _TEXTS.clear()
        found = _TEXTS[id(rate)] = rate, rate_text(rate)
    return found[1]


def _headings(law: Law, parts: LineParts) -> list[dict[str, Any]]:
    """Return the rows as they stand in an answer: what the plan settles is written once, the dollars for each line."""
    rows, forms = parts.derivation.rows, parts.plan.headings
    if forms is None:
        charged = len(parts.plan.rows)  # what follows are credits, which differ from line to line
        forms = parts.plan.headings = tuple(_heading(law, row, parts) for row in rows[:charged])
    found = []
    for row, form in zip(rows, forms, strict=False):
        shown = form.copy()
        shown["base_value"], shown["duty"] = str(row.base), dollars_text(row.duty)
        found.append(shown)
    found.extend(_heading(law, row, parts) for row in rows[len(forms) :])
    return found


def _heading(law: Law, row: Row, parts: LineParts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "heading": row.heading,
        "program": row.program,
        "rate": percent_text(row.rate),
        "kind": row.kind,
        "base_value": str(row.base),
        "duty": dollars_text(row.duty),
        "says": parts.says[row.provision],
        "cites": row.cites,
    }
    if row.since:
        found["since"] = row.since.isoformat()
    if row.by:
        act = law.instruments[row.by]
        found["instrument"], found["announced"] = row.by, act.published.isoformat()
        if row.since and act.published > row.since:
            found["retroactive"] = True
    if row.provision in parts.doubts:
        found["confidence"], found["doubt"] = parts.doubts[row.provision]
    if row.kind in _CHARGES:
        rule = next((one for one in law.drawback.get(row.provision, ()) if one.start <= parts.line.day < one.until), None)
        if rule is not None:
            found["drawback"] = _drawback(rule)
    return found


_CHARGES = frozenset({"additional", "total"})


def _drawback(rule: DrawbackRule) -> dict[str, Any]:
    found: dict[str, Any] = {"allowed": rule.allowed, "cites": rule.cites}
    if rule.says:
        found["says"] = rule.says
    if rule.confidence != "high":
        found["confidence"], found["because"] = rule.confidence, rule.because
    return found


def _base_heading(parts: LineParts, code: str, rate: str) -> dict[str, Any]:
    left = parts.derivation.base_duty
    return {
        "heading": code,
        "program": "base",
        "rate": rate,
        "kind": "base",
        "base_value": str(parts.base.base.value),
        "duty": None if left is None else dollars_text(left),
        "says": _COLUMNS[parts.base.column],
        "cites": (f"{_dotted(parts.base.tariff.rate_line)}, {parts.base.tariff.edition}",),
    }


_COLUMNS = {
    "general": "The general rate of duty of column 1.",
    "special": "The special rate of column 1, under the program claimed.",
    "column2": "The rate of column 2.",
}


def _base(law: Law, base: LineBase, derivation: Derivation, rate: str) -> dict[str, Any]:
    found: dict[str, Any] = {"column": base.column, "rate": rate, "edition": base.tariff.edition}
    full, left = derivation.full_base_duty, derivation.base_duty
    found["duty"] = None if left is None else dollars_text(left)
    found["full_duty"] = None if full is None else dollars_text(full)
    known = base.base.duty is not None or base.base.rate is not None
    found["ave"] = approximate_percent(base.base.ave, 4) if known else None
    if base.symbol:
        found["special_program"] = base.symbol
    if base.in_force:
        found["claims_in_force"] = base.in_force
    if base.base.chapter98:
        meaning = law.chapter98.meanings[base.treatment]
        found["chapter98"] = {
            "number": base.base.chapter98,
            "treatment": base.treatment,
            "says": meaning.says,
            "cites": (meaning.cite, law.chapter98.cite),
        }
    if base.restored and left is not None and base.restored.rate.ad_valorem is not None:
        then = cents(Fraction(*base.restored.rate.ad_valorem) * base.base.value)
        found["restored"] = {
            "special_program": base.restored.symbol,
            "rate": _rate_text(base.restored.rate),
            "refund": dollars_text(max(left - then, 0)),
            "cites": (base.restored.by,),
        }
    if base.base.value != 0 or full:
        found["dutiable_value"] = str(base.base.value)
    return found


def _questions(law: Law, parts: LineParts) -> list[dict[str, Any]]:
    found = []
    if parts.base.missing and parts.derivation.base_duty is None:
        units = ", ".join(parts.base.missing)
        found.append(
            {
                "fact": "quantity",
                "asks": law.facts["quantity"].question,
                "units": parts.base.missing,
                "because": f"the rate {_rate_text(parts.base.rate)} is computed from: {units}",
                "answers": [],
            }
        )
    for question in parts.inquiry.questions if parts.inquiry else ():
        spec = law.facts[question.fact]
        item: dict[str, Any] = {
            "fact": question.fact,
            "asks": spec.question or spec.what,
            "taken": plain(question.taken),
            "because": question.because,
            "answers": [
                {
                    "answer": plain(option.answer),
                    "duty": dollars_text(option.duty + parts.adcvd_duty),
                    "difference": dollars_text(option.difference),
                    "headings": option.headings,
                }
                for option in question.options
            ],
        }
        if question.linked:
            item["together_with"] = question.linked
        found.append(item)
    return found


def _assumptions(law: Law, parts: LineParts) -> list[dict[str, Any]]:
    """What was taken, for the facts that matter."""
    found: list[dict[str, Any]] = [
        {"fact": question.fact, "taken": plain(question.taken), "because": question.because, "provisions": question.rules}
        for question in (parts.inquiry.questions if parts.inquiry else ())
    ]
    if parts.base.missing and parts.derivation.base_duty is None:
        because = f"{law.facts['quantity'].what} is needed for the rate {_rate_text(parts.base.rate)}"
        found.append({"fact": "quantity", "taken": None, "because": because, "provisions": []})
    return found


def _range(parts: LineParts, total: int | None) -> dict[str, str | None]:
    inquiry = parts.inquiry
    if total is None:
        known = sum(row.duty for row in parts.derivation.rows) + parts.adcvd_duty
        return {"low": dollars_text(known), "high": None}
    if inquiry is None or inquiry.low is None or inquiry.high is None:
        return {"low": dollars_text(total), "high": dollars_text(total)}
    return {"low": dollars_text(inquiry.low + parts.adcvd_duty), "high": dollars_text(inquiry.high + parts.adcvd_duty)}


def _filing(law: Law, parts: LineParts, rates: list[str], code: str, rate: str) -> list[dict[str, Any]]:
    """The lines to file: one, or as many as law treats parts of the value apart. Their values sum to the entered value."""
    found, rows, segments = list[dict[str, Any]](), parts.derivation.rows, parts.derivation.segments
    if len(segments) > 1:
        segments = tuple(sorted(segments, key=lambda one: _rank(law.splits, _part_names(one.parts))))
    for segment in segments:
        numbers: list[dict[str, str | None]] = []
        for place, duty in zip(segment.rows, segment.duties, strict=True):
            row = rows[place]
            if row.heading:
                numbers.append({"heading": row.heading, "rate": rates[place], "duty": dollars_text(duty)})
        base = segment.base_duty
        numbers.append({"heading": code, "rate": rate, "duty": None if base is None else dollars_text(base)})
        found.append({"value": str(segment.value), "parts": _part_names(segment.parts), "numbers": numbers})
    if parts.adcvd:
        for line, cases in zip(found, allotted(parts.adcvd, [segment.value for segment in segments]), strict=True):
            line["adcvd"] = cases
    return found


def _rank(order: Sequence[str], names: Sequence[str]) -> int:
    """Return the place of a line among those that law makes of one, by the first part in order that it holds."""
    return min((order.index(name) for name in names if name in order), default=len(order))


def _stated(parts: LineParts, filing: dict[str, Any]) -> dict[str, Any]:
    """Add what the filer states on the line beside its numbers: a chapter 98 number, a special program, quantities."""
    facts = parts.line.facts
    if "chapter98" in facts:
        filing["chapter98"] = facts["chapter98"]
    symbol = facts.get("spi") or parts.base.symbol
    if symbol:
        filing["spi"] = symbol
    if "quantity" in facts:
        filing["quantity"] = plain(dict(sorted(facts["quantity"].items())))
    return filing


@lru_cache(maxsize=4096)
def _part_names(parts: frozenset[str]) -> tuple[str, ...]:
    """Return the slices of the value that a line holds; the tiers of a slice under a cap are one."""
    return tuple(sorted({part.partition("+")[0] for part in parts}))


def _said(answer: Any) -> str:
    return ("yes" if answer else "no") if isinstance(answer, bool) else str(plain(answer))


def _savings(law: Law, parts: LineParts) -> list[dict[str, Any]]:
    """Answers that would lower the duty, if true, the largest saving first."""
    found = list[tuple[int, dict[str, Any]]]()
    for question in parts.inquiry.questions if parts.inquiry else ():
        best, least = None, 0
        for option in question.options:
            if option.difference < least:
                best, least = option, option.difference
        if best is not None:
            spec = law.facts[question.fact]
            saving = {
                "fact": question.fact,
                "if_true": f"{spec.what or question.fact}: {_said(best.answer)}",
                "answer": plain(best.answer),
                "saves": dollars_text(-best.difference),
                "duty": dollars_text(best.duty + parts.adcvd_duty),
                "headings": best.headings,
            }
            found.append((best.difference, saving))
    for one in parts.claimable:
        says = parts.says.get(one.heading, "")
        saving = {
            "fact": "exclusion_claims",
            "if_true": f"the goods are described in exclusion {one.heading}, and it is claimed: {says}",
            "answer": one.heading,
            "saves": dollars_text(one.saves),
            "duty": dollars_text(one.duty + parts.adcvd_duty),
            "headings": one.headings,
        }
        found.append((-one.saves, saving))
    if len(found) > 1:
        found.sort(key=itemgetter(0))
    return [saving for _, saving in found]
