"""Forms: what lines come to that differ in their value only. One line of a form is answered by the engine; its like are arithmetic.

A form holds for lines of the same product, origin and other facts, entered between the same days of the law, whose values lie between the
same thresholds. Whatever else can make lines differ, such as contents, quantities, chapter 98, or a choice of the lowest duty, has no form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.exclusions import unclaimed
from tariff_engine.frame import standing
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.desk import FeeForm
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

MOST = 10**11  # dollars of a line that a form may charge; a larger one is answered alone
_LARGEST = 2**62
Terms = tuple[int, int, int]
"""Cents of a value: (first * dollars + second) // third."""
FeeTerms = tuple[int, int, int, int, int]
"""Cents of a fee: terms, at least the fourth, at most the fifth."""


class Kind(NamedTuple):
    """What lines of many forms share: the terms of their rows, the last of which is the base duty, and everything that is not money.

    `taken`: a total stands in place of the base duty. `known`: the base duty is known. `whole` says of each row whether it is charged on the
    whole value, or on nothing.
    """

    terms: tuple[Terms, ...]
    taken: bool
    known: bool
    whole: tuple[bool, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]  # heading, program, kind, rate, instrument, since
    questions: tuple[str, ...]
    warnings: tuple[str, ...]
    prohibited: bool
    entry_type: str | None


class Form(NamedTuple):
    """A form: its kind, its fees, and number and origin as they are shown."""

    kind: Kind
    mpf: FeeTerms
    hmf: FeeTerms
    hts: str
    origin: str
    opened: bool  # whether the range of the duty is to be asked for


def form_of(knowledge: Knowledge, raw: Mapping[str, Any], *, ranges: bool) -> Form | None:
    """Return the form of a line; None where it has none, or cannot be answered. `ranges`: those of its duty are asked for."""
    try:
        line = knowledge.read(raw)
        if line.content or not line.value or line.value > MOST or line.facts["value"] != line.value:
            return None
        evaluated, base = knowledge.evaluate(line)
        if "chapter98" in line.facts or not _plain(evaluated):
            return None
        opened = (
            bool(evaluated.assumed or base.unclaimed or base.open)
            or next(unclaimed(knowledge.law.compiled, line, evaluated), None) is not None
        )
        answer = knowledge.answer(line, "", "none", inquire=False)
        around = standing(knowledge, line, answer)
    except (ProblemError, LawConflictError):
        return None
    if around is None or answer["questions"]:
        return None
    questions = () if ranges else open_facts(evaluated, base)
    kind = _kind(line, evaluated, answer, questions, around.entry_type)
    if kind is None:
        return None
    return Form(kind, _fee(around.mpf), _fee(around.hmf), answer["hts"], answer["origin"], opened and ranges)


def open_facts(evaluated: Evaluated, base: Any) -> tuple[str, ...]:
    """Return the facts that were taken for granted, whether or not they matter."""
    return tuple(dict.fromkeys([*(one.fact for one in base.open), *(one.fact for one in evaluated.assumed), *base.unclaimed]))


def _plain(evaluated: Evaluated) -> bool:
    """Whether dollars of the whole value alone decide the cents: one split line, no choice by amount, no frame, no amount set off."""
    plan, base = evaluated.plan, evaluated.base
    alone = len(plan.groups) == 1 and not (plan.guards or plan.any_framed or plan.framed or plan.offsets)
    if not alone:
        return False
    if base.rate is None:
        return base.duty is None and plan.replaced
    return base.value == evaluated.line.value


def _kind(line: Line, evaluated: Evaluated, answer: Mapping[str, Any], questions: tuple[str, ...], entry_type: str | None) -> Kind | None:
    """Return the kind of a line; None where its cents, computed by the terms, are not those of its answer."""
    plan, base = evaluated.plan, evaluated.base
    shown, value = answer["headings"], line.value
    if len(shown) != len(plan.rows) + 1 or answer["duty"] is None:
        return None
    known = base.rate is not None
    last = (0, 0, 1) if base.rate is None else (200 * base.rate.numerator, base.rate.denominator, 2 * base.rate.denominator)
    terms = (*plan.money, last)
    taken = bool(plan.total_groups and plan.total_groups[0])
    if any(first * MOST + second >= _LARGEST for first, second, _ in terms):
        return None
    owed = [(first * value + second) // third for first, second, third in terms]
    if taken or not known:
        owed[-1] = 0
    if [_cents(row["duty"]) for row in shown] != owed or any(row["base_value"] not in {str(value), "0"} for row in shown):
        return None
    return Kind(
        terms,
        taken,
        known,
        tuple(row["base_value"] != "0" for row in shown),
        tuple(row["heading"] for row in shown),
        tuple((row["heading"], row["program"], row["kind"], row["rate"], row.get("instrument"), row.get("since")) for row in shown),
        questions,
        tuple(dict.fromkeys(warning["code"] for warning in answer["warnings"])),
        answer.get("prohibited", False),
        entry_type,
    )


def _cents(text: str | None) -> int | None:
    return None if text is None else int(text.replace(".", ""))


def _fee(form: FeeForm) -> FeeTerms:
    if form.scale is None:
        return 0, form.cents, 1, 0, form.cents
    top, bottom, double, least, most = form.scale
    return top, bottom, double, least, _LARGEST if most is None else most
