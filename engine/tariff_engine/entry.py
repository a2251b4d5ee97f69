"""An entry: its lines, the de minimis gate, the fees and the totals. A single line is an entry of one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine import __version__
from tariff_engine.answer import plain
from tariff_engine.deminimis import Gate, gate
from tariff_engine.entry_type import FeeLine
from tariff_engine.fees import Fee, FeeAnswer, assess_fees
from tariff_engine.money import cents, dollars_text
from tariff_engine.postal import PostalDuty, postal_duty
from tariff_engine.problems import LawConflictError, Problem, ProblemError, refuse

if TYPE_CHECKING:
    from tariff_engine.engine import Explain, Knowledge
    from tariff_engine.facts import Line

ENGINE = f"tariff-engine {__version__}"  # as answers name it
_MAX_LINES = 999  # lines of one entry summary (ACE)
_CHARGED = frozenset({"applies", "exempt", "displaced"})  # what a line would owe; goods that are released owe none of it
_RELIEVED = ("donation_relief", "informational_materials", "personal_use_accompanied_baggage")


@dataclass(frozen=True, slots=True)
class Shipment:
    """An entry as read: the facts it states for all of its lines, and the lines with their ids."""

    id: str
    facts: dict[str, Any]
    lines: tuple[tuple[str, dict[str, Any]], ...]


def read_entry(knowledge: Knowledge, raw: object) -> Shipment:
    """Read an entry: facts of the entry and `lines`, or one flat line. Raises ProblemError."""
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", "entry", f"an entry is a map of facts, not {type(raw).__name__}", "send {entry facts, lines: [...]}")
    body = {str(key): value for key, value in raw.items()}
    identity = _identity(body.pop("id", ""), "id")
    if "lines" not in body:
        return Shipment(identity, {}, ((identity or "1", body),))
    lines = body.pop("lines")
    if not isinstance(lines, list) or not lines or len(lines) > _MAX_LINES:
        raise refuse("wrong_type", "lines", "lines is no list of 1 to 999 lines", "send lines: [{hts, origin, value, ...}]")
    _entry_level(knowledge, body)
    found: list[tuple[str, dict[str, Any]]] = []
    for place, line in enumerate(lines):
        if not isinstance(line, Mapping):
            raise refuse("wrong_type", f"lines[{place}]", "a line is a map of facts", "send {hts, origin, value, ...}")
        one = {str(key): value for key, value in line.items()}
        name = _identity(one.pop("id", ""), f"lines[{place}].id") or str(place + 1)
        for key in body.keys() & one.keys():
            if one[key] != body[key]:
                message = f"{key} is stated for the entry and, differently, for the line"
                raise refuse("contradictory_facts", f"lines[{place}].{key}", message, "state it once, for the entry")
        found.append((name, {**body, **one}))
    if len({name for name, _ in found}) != len(found):
        raise refuse("duplicate_id", "lines", "two lines have the same id", "give each line its own id")
    return Shipment(identity, body, tuple(found))


def _refuse_two_entries(knowledge: Knowledge, lines: Sequence[tuple[str, Line]]) -> None:
    """Facts of the entry that its lines state must be the same on each: two entry dates are two entries."""
    for name, spec in knowledge.law.facts.items():
        if spec.level == "entry" and any(line.facts.get(name) != lines[0][1].facts.get(name) for _, line in lines):
            raise refuse("contradictory_facts", name, f"the lines of one entry state {name} differently", "state it once, for the entry")


def _identity(value: object, field: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > 200:  # noqa: PLR2004
        raise refuse("wrong_type", field, "an id is text of at most 200 characters", 'send an id such as "line-1"')
    return value


def _entry_level(knowledge: Knowledge, facts: Mapping[str, Any]) -> None:
    """Facts of a line do not belong to the entry as a whole: they would silently spread to every line."""
    aliases = {alias: name for name, spec in knowledge.law.facts.items() for alias in (name, *spec.aliases)}
    for key in facts:
        spec = knowledge.law.facts.get(aliases.get(key, ""))
        if spec is not None and spec.level != "entry":
            raise refuse("fact_of_the_line", key, f"{key} is a fact of a line, not of the entry", "state it in each line of lines")


def assess_entry(knowledge: Knowledge, raw: object, explain: Explain = "full", *, asked_on: date | None = None) -> dict[str, Any]:
    """Assess an entry. Problems of single lines stand in their place and in `problems`; the other lines go on.

    Raises ProblemError where the entry as a whole cannot be read.
    """
    steps = entry_steps(knowledge, raw, explain, asked_on=asked_on)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: dict[str, Any] = done.value
            return answer


def entry_steps(
    knowledge: Knowledge, raw: object, explain: Explain = "full", *, asked_on: date | None = None
) -> Generator[None, None, dict[str, Any]]:
    """Assess an entry in steps, one a line, so that a caller who serves others too can give way between them; return the answer.

    Raises ProblemError where the entry as a whole cannot be read.
    """
    law = knowledge.law
    shipment = read_entry(knowledge, raw)
    answers: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    lines: list[tuple[str, Line]] = []
    for name, facts in shipment.lines:
        if answers:
            yield
        try:
            line = knowledge.read(facts)
            answers.append(knowledge.answer(line, name, explain))
            lines.append((name, line))
        except (ProblemError, LawConflictError) as error:
            problem = problem_of(error).as_dict()
            answers.append({"id": name, "problem": problem})
            problems.append({"line": name, **problem})
    entry: dict[str, Any] = {"fees": None, "de_minimis": None, "totals": None}
    if not problems:
        try:
            _refuse_two_entries(knowledge, lines)
            entry = _frame(knowledge, lines, answers)
        except ProblemError as error:
            problems.append({"line": None, **error.problem.as_dict()})
    day = asked_on.isoformat() if asked_on else None
    personal = knowledge.reader.personal
    echo = {"id": shipment.id, **{key: plain(value) for key, value in shipment.facts.items() if key not in personal}}
    return {
        "id": _answer_id(law.id, day, explain, impersonal(raw, personal)),
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "known_on": day,
        "entry": echo,
        "lines": answers,
        **entry,
        "problems": problems,
    }


def impersonal(raw: object, personal: frozenset[str]) -> object:
    """Return an entry without the facts that name a person: an answer, and its id, must not tell who somebody is."""
    if not isinstance(raw, Mapping) or not personal:
        return raw
    found = raw if personal.isdisjoint(raw) else {key: value for key, value in raw.items() if key not in personal}
    lines = found.get("lines")
    if isinstance(lines, list) and any(isinstance(line, Mapping) and not personal.isdisjoint(line) for line in lines):
        return {**found, "lines": [impersonal(line, personal) for line in lines]}
    return found


def assess_row(knowledge: Knowledge, raw: object, explain: Explain = "full") -> dict[str, Any]:
    """Assess one flat line as an entry of its own: the line's answer with its fees and the de minimis gate. Raises ProblemError."""
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", "line", f"a line is a map of facts, not {type(raw).__name__}", "send {id, hts, origin, value, ...}")
    facts = {str(key): value for key, value in raw.items()}
    name = _identity(facts.pop("id", ""), "id")
    line = knowledge.read(facts)
    answer = knowledge.answer(line, name, explain)
    frame = _frame(knowledge, [(name, line)], [answer])
    return {**answer, **frame}


def problem_of(error: Exception) -> Problem:
    """Return an error of the engine as a problem of the input, or of the law book."""
    if isinstance(error, ProblemError):
        return error.problem
    return Problem("law_conflict", "line", str(error), "report it: the law book must order these provisions")


def _answer_id(rulebook: str, day: str | None, explain: str, raw: object) -> str:
    request = json.dumps([rulebook, day, explain, raw], sort_keys=True, default=str, ensure_ascii=False, separators=(",", ":"))
    return f"a-{hashlib.sha256(request.encode()).hexdigest()[:24]}"


# ---------------------------------------------------------------- gate, fees, totals
def _frame(knowledge: Knowledge, lines: Sequence[tuple[str, Line]], answers: list[dict[str, Any]]) -> dict[str, Any]:
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
    fees = assess_fees(
        knowledge.law.fees,
        entry_date=shown[0].day,
        mode=facts.get("mode"),
        entry_type=facts.get("entry_type"),
        lines=[_fee_line(number, line, answers[number]) for number, line in enumerate(shown)],
        visible=knowledge.law.visible,
        treatment=treatment,
    )
    return {"fees": _fees(fees), "de_minimis": _de_minimis(decision, postal), "totals": _totals(answers, fees, postal)}


def _gate(knowledge: Knowledge, lines: Sequence[Line], facts: Mapping[str, Any]) -> Gate:
    retail = facts.get("fair_retail_value")
    exact_values = sum((Decimal(line.facts["value"]) for line in lines), Decimal(0))
    relieved = all(any(line.facts.get(name) for name in _RELIEVED) for line in lines)
    return gate(
        knowledge.law.de_minimis,
        entry_date=lines[0].day,
        visible=knowledge.law.visible,
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
    charged = cents(Fraction(fees.mpf.amount)) + cents(Fraction(fees.hmf.amount))
    found: dict[str, str | None] = {"duty": None, "fees": dollars_text(charged), "total": None}
    if all(answer["duty"] is not None for answer in answers):
        duty = sum(cents(Fraction(answer["duty"])) for answer in answers)
        duty += cents(Fraction(postal.amount)) if postal else 0
        found["duty"], found["total"] = dollars_text(duty), dollars_text(duty + charged)
    return found
