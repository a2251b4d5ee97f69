"""From what durable-rules decided to money: the numbers to file, handed to the arithmetic that every engine shares (`evaluate.charge`)."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from tariff_engine.evaluate.charge import Draft, charge
from tariff_engine.evaluate.derivation import Derivation, Outcome, Row
from tariff_engine.money import cents
from tariff_engine.problems import LawConflictError

if TYPE_CHECKING:
    from tariff_engine.durable.decide import Decision


def derivation(decision: Decision) -> Derivation:
    """Return the evaluation. Raises LawConflictError where two duties of a one-of program reach one part and nothing ordered them."""
    book, line, value = decision.book, decision.line, decision.value
    outcomes = [decision.outcomes[name] for name in book.nodes]
    standing = [outcome for outcome in outcomes if outcome.applies]
    _refuse_unordered(decision, standing)
    order = book.class_order(line.day)
    drafts: list[tuple[int, str, int, Draft]] = []
    for outcome in standing:
        node = book.nodes[outcome.id]
        if outcome.is_duty or outcome.id in decision.relieved or node.provision.filed:
            rank = order.index(node.program.files_as)
            drafts += [(rank, draft.heading, len(drafts) + n, draft) for n, draft in enumerate(_drafts(decision, outcome))]
    drafts.sort(key=lambda item: item[:3])
    rows, segments, left, full = charge([draft for *_, draft in drafts], value.amounts, value.base)
    rows += tuple(_credits(decision, rows))
    return Derivation(line.day, rows, left, full, segments, (), any(outcome.forbids for outcome in standing))


def _drafts(decision: Decision, outcome: Outcome) -> list[Draft]:
    """The number that a provision files, and that of the other line of its split."""
    value, step = decision.value, outcome.step
    at_floor = outcome.up_to is not None and value.base.ave >= outcome.up_to
    heading = outcome.at_floor if at_floor and outcome.at_floor else outcome.heading
    rate = None if at_floor or outcome.forbids else outcome.rate
    kind = "prohibited" if outcome.forbids else "exemption" if rate is None else "total" if outcome.add is None else "additional"
    found = [Draft(heading, outcome, kind, rate or Fraction(0), outcome.parts, outcome.base, outcome.framed)]
    if step and step.companion:
        base, parts = step.companion.base, value.everything - outcome.reach
        if (base.part or base.less) in decision.line.content:
            parts = value.reach(base)
        if value.amount(parts):
            found.append(Draft(step.companion.heading, outcome, "exemption", Fraction(0), parts, value.amount(parts)))
    return found


def _credits(decision: Decision, rows: tuple[Row, ...]) -> list[Row]:
    """Amounts that the filer may set off, against what is owed under the duties that they may reduce."""
    found = []
    for program in decision.book.programs:
        for place, offset in enumerate(program.offsets):
            stated = decision.line.facts.get(offset.credit)
            if stated is None or (program.program, place) not in decision.credits:
                continue
            reducible = decision.book.expand(offset.against)
            amount = min(cents(Fraction(stated)), sum(row.duty for row in rows if row.provision in reducible))
            if amount:
                found.append(Row("", f"offset:{offset.offset}", program.program, "credit", Fraction(0), 0, -amount, frozenset()))
    return found


def _refuse_unordered(decision: Decision, standing: list[Outcome]) -> None:
    for program in decision.book.programs:
        mine = [outcome for outcome in standing if program.one_of and outcome.program == program.program and outcome.is_duty]
        for one, two in combinations(mine, 2):
            if one.parts & two.parts:
                names = f"{one.heading or one.id} and {two.heading or two.id}"
                message = f"{names} of {program.program} both reach the line and nothing orders them"
                raise LawConflictError(message)
