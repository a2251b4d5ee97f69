"""The duty that mail pays in place of every other duty, once the de minimis gate has found it due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tariff_engine.deminimis import Gate
from tariff_engine.deminimis_law import Duty, Method
from tariff_engine.fee_law import Assumption, Question
from tariff_engine.money import cents, percent_text
from tariff_engine.problems import refuse

EffectiveRate = Callable[[tuple[str, ...]], Fraction]


@dataclass(frozen=True, slots=True)
class PostalDuty:
    """What a postal item pays, in dollars exact to the cent: the highest of the methods the carrier may have chosen; `low` is the lowest."""

    amount: Decimal
    low: Decimal
    method: Method
    rate: str
    working: str
    row: str
    says: str
    cites: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    questions: tuple[Question, ...]


def postal_duty(gate: Gate, *, value: int, items: int | None, effective_rate: EffectiveRate) -> PostalDuty:
    """Return what mail pays in place of every other duty, in dollars exact to the cent.

    `value` is that of the item or items in whole dollars; `items` the number of postal items, None if not stated; `effective_rate` gives for
    the programs named by a row the total of their rates on the goods, stacking rules applied. While the carrier's method is open, the costlier
    one is taken. Raises ProblemError: the gate found no postal duty, a negative value, fewer than one item. Sources: EO 14256 s.2(c),
    EO 14324 s.3(b)-(c) and s.5, EO 14388 s.3.
    """
    if not gate.duties:
        raise refuse(
            "no_postal_duty", "mode", f"the gate says {gate.result} ({gate.row}), not a postal duty", "ask for the ordinary duties"
        )
    if value < 0:
        raise refuse("value_negative", "value", f"the mail is worth ${value}", "send a value of zero or more")
    if items is not None and items < 1:
        raise refuse("items_not_positive", "items", f"{items} postal items", "send a whole number of one or more")
    owed = [(row, *_owed(row.duty, value, items or 1, effective_rate)) for row in gate.duties if row.duty is not None]
    row, amount, rate, working = max(owed, key=lambda one: one[1])
    assumptions: list[Assumption] = []
    questions: list[Question] = []
    if items is None and any(one.duty is not None and one.duty.method == "specific" for one in gate.duties):
        assumptions.append(Assumption("items", "1", "the number of postal items is not stated"))
        questions.append(Question("items", "an amount is due for each postal item"))
    return PostalDuty(
        _money(amount),
        _money(min(one[1] for one in owed)),
        "ad_valorem" if row.duty is None else row.duty.method,
        rate,
        working,
        row.id,
        row.says,
        row.cite,
        tuple(assumptions),
        tuple(questions),
    )


def _owed(duty: Duty, value: int, items: int, effective_rate: EffectiveRate) -> tuple[int, str, str]:
    """Return the amount in cents, the rate and the working of one duty."""
    rate = duty.ad_valorem if duty.effective_rate_of is None else effective_rate(duty.effective_rate_of)
    if rate is not None and duty.brackets is None:
        amount = cents(rate * value)
        return amount, percent_text(rate), f"{percent_text(rate)} x ${value} = ${_money(amount)}"
    each = duty.per_item
    for bracket in duty.brackets or ():
        if each is None and rate is not None and bracket.takes(rate):
            each = bracket.per_item
    if each is None:
        raise refuse("no_bracket", "origin", "no bracket of the postal duty holds the effective rate", "check the brackets of the row")
    amount = cents(Fraction(each)) * items
    why = "" if rate is None else f" (effective rate {percent_text(rate)})"
    return amount, f"${each} an item", f"${each} x {items} = ${_money(amount)}{why}"


def _money(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
