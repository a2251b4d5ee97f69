"""The boundaries of programs: their steps, acts, exceptions, groups and conditions, and what each step is charged on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.boundaries.boundary import Boundary, Side, two_days
from tariff_engine.boundaries.conditions import Make, condition, fact_test, walk
from tariff_engine.notation.program import EFFECTS, Piece, Program, Provision, Step
from tariff_engine.notation.terms import Dated

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.boundaries.numbers import Numbers

_VALUE = 10_000  # dollars, on which caps of contents are taken
_LATER = timedelta(days=30)


def program_boundaries(book: Book, program: Program, numbers: Numbers) -> Iterator[Boundary]:
    """Yield the boundaries of one program."""
    names = (program.program,)

    def maker(owner: str) -> Make:
        def make(kind: str, fact: str, sides: tuple[Side, ...], says: str, **more: Any) -> Boundary:
            return Boundary(kind, fact, sides, names, owner, says, **more)

        return make

    make = maker(f"program:{program.program}")
    for what in (program.outside, program.groups, program.offsets, program.drawback, program.ended):
        yield from dated(book, what, make)
        yield from condition(book, what, "", make, numbers)
    for offset in program.offsets:
        yield make("content", offset.credit, (None, "0", "100", str(_VALUE * 100)), f"{offset.offset} may be set off")
    given: dict[str, Side] = {"processing_value": str(_VALUE // 4)}
    claims = tuple(dict.fromkeys(_chapter98(prefix) for rule in program.rules98 for prefix in rule.keeps))
    if claims:
        yield make("claim", "chapter98", (None, *claims), "a chapter 98 number is claimed or not", given=given)
    for rule in program.rules98:
        if rule.from_ is not None:
            yield make("entry_day", "entry_date", two_days(rule.from_), "what chapter 98 leaves begins", given=given)
    by_admission = bool(program.ftz and program.ftz.rate_of == "admission")
    for provision in program.provisions:
        make = maker(provision.id)
        yield from dated(book, provision, make)
        yield from condition(book, provision, (provision.heading or "").partition("/")[0], make, numbers)
        yield from _bases(book, provision, make, numbers)
        if provision.claim_partial:
            yield from fact_test(book, provision.claim_partial, test=True, make=make)
        if by_admission:
            for step in provision.steps:
                later = (step.from_ + _LATER).isoformat()
                yield make("admission", "ftz_pf_admission_date", two_days(step.from_), _step(step), given={"entry_date": later})


def _chapter98(prefix: str) -> str:
    return prefix if len(prefix.replace(".", "")) in {4, 6, 8, 10} else prefix[:4]


def dated(book: Book, whole: Any, make: Make) -> Iterator[Boundary]:
    """Yield the days on which parts of a rule file begin and end, and on which the acts behind them became known."""
    for part in walk(whole):
        if not isinstance(part, Dated):
            continue
        words = _step(part) if isinstance(part, Step) else type(part).__name__.lower()
        for day, edge in ((part.from_, "begins"), (part.until, "ends")):
            if day is not None:
                yield make("entry_day", "entry_date", two_days(day), f"{words} {edge}", by=part.by or "")
        for act, edge in ((part.by, "became known"), (part.withdrawn_by, "was called off")):
            if act:
                yield known(book, act, f"{words} {edge}", part.from_, make)


def known(book: Book, act: str, says: str, starts: date | None, make: Make) -> Boundary:
    """Return the boundary in knowledge time that an act draws."""
    day = book.instruments[act].published
    first = max(starts or book.horizon.from_, book.horizon.from_)
    return make("known_day", "known_on", two_days(day), says, by=act, given={"entry_date": first.isoformat()})


def _step(step: Step) -> str:
    effect = next(name for name in EFFECTS if getattr(step, name) is not None)
    rate = f" {Decimal(step.rate.numerator * 100) / step.rate.denominator:f}%" if step.rate is not None else ""
    return f"{effect.replace('_', ' ')}{rate} from {step.from_}"


def _bases(book: Book, provision: Provision, make: Make, numbers: Numbers) -> Iterator[Boundary]:
    """Yield what the parts of the value that steps are charged on may be worth, and the base rates that totals are compared with."""
    for step in provision.steps:
        if step.up_to is not None:
            yield from (make("base_rate", "hts", sides, says) for sides, says in numbers.around_rate(step.up_to, "the total is"))
        pieces = [step.base, *(choice.base for choice in step.base_if), *([step.companion.base] if step.companion else ())]
        for base in pieces:
            name = (base.part or base.less or "") if isinstance(base, Piece) else base
            if name not in book.slices:
                continue
            cap = base.cap if isinstance(base, Piece) else None
            dollars: list[Side] = [None, "0", "1"]
            if cap is not None:
                whole = int(cap * _VALUE)
                dollars += [str(whole - 1), str(whole), str(whole + 1)]
            fact = book.slices[name].facts[0]
            says = f"the {name} of the article" + (f", up to {float(cap):.0%} of the value" if cap is not None else "")
            yield make("content", fact, (*dollars, str(_VALUE)), says, given={"value": str(_VALUE)})
