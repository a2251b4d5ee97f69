"""Every section 232 program against its decision table: days, origins, goods and facts combined, and what each combination files.

The combinations are read off the program file (`combinations.py`), what must come out is written down by hand (`decisions/`). By default every
two values of any two dimensions meet, as far as some hundreds of lines go; under `HYPOTHESIS_PROFILE=ci` all of these are tried, and some
thousands of all combinations of every dimension, evenly spread; under `long` ten times as many.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.combinations import Combinations, refused
from tests.law.decision_relations import Order, orders
from tests.law.decision_table import FOLDER, DecisionTable, Expected, tables
from tests.law.rulebook import the_book

from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.evaluate.derivation import Derivation, Outcome, Verdict
from tariff_engine.evaluate.words import dotted
from tariff_engine.money import cents
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from tests.law.naive_knowledge import NaiveKnowledge
    from tests.law.probe import Prober

    from tariff_engine.book import Book
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.engine import Knowledge

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
FULL = PROFILE != "default"
SOME = 900  # lines of one program by default
MOST = 6_000 if PROFILE == "ci" else 60_000  # and of all combinations, besides every pair
EVERY_NAIVE = 25  # lines between two that the definition of the notation evaluates as well
Line = Mapping[str, Any]


def charging() -> list[str]:
    """Return the section 232 programs that charge, or once did: an authority that nobody used has nothing to decide."""
    programs = [program for program in the_book().programs if program.program.startswith("s232-")]
    return sorted(
        program.program for program in programs if not all(step.authorized for provision in program.provisions for step in provision.steps)
    )


def lines_of(made: Combinations) -> Iterator[Line]:
    """Yield the lines to try: the pairs, and in the full run evenly spread ones of all combinations as well."""
    pairs = list(made.pairs())
    yield from pairs if FULL else pairs[:: -(-len(pairs) // SOME)]
    if FULL:
        for day in made.days:
            step = max(1, made.count(day) * len(made.days) // MOST)
            yield from islice(made.every(day), 0, None, step)


class Check:
    """Checks one line against the table of a program."""

    def __init__(self, table: DecisionTable, book: Book, knowledge: Knowledge) -> None:
        """Take a table with the law."""
        self.table, self.book, self.knowledge = table, book, knowledge
        self.program = next(program for program in book.programs if program.program == table.program)
        self._number = next(one.index for one in knowledge.law.compiled.programs if one.name == table.program)
        self._groups = [{name for rank in group.order for name in book.expand(rank)} for group in self.program.groups]
        self.orders = orders()

    def wrong(self, line: Line) -> str | None:
        """Return what is wrong with the outcome of a line; None where nothing is, or where the line is refused."""
        try:
            read = self.knowledge.read(line)
        except ProblemError as error:
            if refused(error):
                return None
            raise
        evaluated, base = self.knowledge.evaluate(read)
        derivation = evaluated.derivation()
        outcomes = Outcomes(evaluated, self.knowledge.evaluator.situations).of_program(self._number)
        ave = base.base.ave
        found = [
            *self._headings(line, outcomes, derivation, ave),
            *self._families(outcomes),
            *_sums(evaluated, derivation),
            *_totals(derivation, outcomes, ave),
            *_orders(self.orders, line, derivation),
        ]
        return "; ".join(found) or None

    # ------------------------------------------------------------ headings
    def _headings(self, line: Line, outcomes: list[Outcome], derivation: Derivation, ave: Fraction) -> Iterator[str]:
        """Who pays which heading: as the table says, unless a duty of another program stands in its place."""
        expected = self.table.expected(line, ave)
        elsewhere = [one for one in outcomes if one.verdict is Verdict.DISPLACED and self._by_others(one)]
        rows = [row for row in derivation.rows if row.program == self.table.program and row.kind != "credit"]
        duties = {row.heading for row in rows if row.kind != "exemption"}
        wanted = {one.heading for one in expected if _charges(one, ave)}
        gone = {one.heading for one in elsewhere}
        if duties - wanted or (wanted - duties) - gone:
            yield f"charges under {sorted(duties)}, the table says {sorted(wanted)}"
        free = {one.heading for one in expected if not _charges(one, ave) and not one.at_floor}
        free |= {one.at_floor for one in expected if one.at_floor and not _charges(one, ave)}
        exempt = {row.heading for row in rows if row.kind == "exemption" and row.heading} - self._companions()
        if exempt - free - gone:
            yield f"files {sorted(exempt)} as exemptions, the table says {sorted(free)}"
        for one in expected:
            outcome = next((found for found in outcomes if found.heading == one.heading and found.applies and found.is_duty), None)
            if outcome is not None and not elsewhere and one.heading:
                said = (outcome.add, outcome.up_to, outcome.would_base)
                if said != (one.add, one.in_all, one.dollars):
                    yield f"{one.heading} at {said}, the table says {(one.add, one.in_all, one.dollars)}"

    def _by_others(self, outcome: Outcome) -> bool:
        return any(self.book.nodes[taken.by].program is not self.program for taken in outcome.taken)

    def _companions(self) -> set[str]:
        return {step.companion.heading for provision in self.program.provisions for step in provision.steps if step.companion}

    def _families(self, outcomes: list[Outcome]) -> Iterator[str]:
        """One heading of an exclusive family, never two."""
        for members in self._groups:
            alive = [one.id for one in outcomes if one.id in members and one.applies]
            if len(alive) > 1:
                yield f"{alive} stand together"


def _charges(one: Expected, ave: Fraction) -> bool:
    return one.banned or one.add is not None or (one.in_all is not None and ave < one.in_all)


def _sums(evaluated: Evaluated, derivation: Derivation) -> Iterator[str]:
    """The parts of the value, and the lines to file, sum to the value."""
    value = evaluated.line.value
    if sum(amount for amount in evaluated.amounts if amount > 0) != value:
        yield f"the parts {evaluated.amounts} do not sum to {value}"
    if sum(segment.value for segment in derivation.segments) != value:
        yield f"the lines to file do not sum to {value}"


def _totals(derivation: Derivation, outcomes: list[Outcome], ave: Fraction) -> Iterator[str]:
    """A total and the base duty on the same parts come to the total, or to the base duty where that is more."""
    for outcome in outcomes:
        if outcome.up_to is None or not outcome.applies or outcome.framed:
            continue
        row = next((row for row in derivation.rows if row.provision == outcome.id), None)
        if row is None:
            continue
        if ave >= outcome.up_to:
            if row.duty or row.kind != "exemption":
                yield f"{row.heading} charges {row.duty} though the base rate reaches the total"
        elif row.duty != cents(outcome.up_to * row.base):
            yield f"{row.heading} comes to {row.duty}, not to {outcome.up_to} of {row.base}"
        elif any(segment.base_duty for segment in derivation.segments if segment.parts & row.parts):
            yield f"the base duty is owed beside the total of {row.heading}"


def _orders(known: Iterable[Order], line: Line, derivation: Derivation) -> Iterator[str]:
    """Who pays one duty does not pay another, as the table of orders says."""
    for order in known:
        if order.reaches(line):
            for first, second in order.broken(derivation):
                yield f"{first.heading} and {second.heading} both charge, against {order.cite}"


@pytest.mark.parametrize("name", tables())
def test_every_combination_files_what_the_decision_table_says(
    name: str, book: Book, knowledge: Knowledge, naive: NaiveKnowledge, prober: Prober
) -> None:
    table = DecisionTable(FOLDER / f"{name}.yaml", prober.maker)
    check = Check(table, book, knowledge)
    wrong, count = [], 0
    for count, line in enumerate(lines_of(Combinations(book, check.program, prober.maker, table.asks)), start=1):
        found = check.wrong(line)
        if found is None and count % EVERY_NAIVE == 0:
            found = differs(knowledge, naive, line)
        if found:
            wrong.append(f"{dotted(line['hts'])} of {line['origin']} on {line['entry_date']}, {_facts(line)}: {found}")
    assert count, "no combination was made"
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:20])


def differs(knowledge: Knowledge, naive: NaiveKnowledge, line: Line) -> str | None:
    """Return how the definition of the notation departs from the compiled evaluator."""
    try:
        read = knowledge.read(line)
    except ProblemError:
        return None
    compiled, defined = knowledge.evaluate(read)[0].derivation(), naive.evaluate(read)[0].derivation()
    return None if (compiled.duty, _filed(compiled)) == (defined.duty, _filed(defined)) else "the naive evaluator says otherwise"


def _filed(derivation: Derivation) -> list[tuple[str, int]]:
    return [(row.heading, row.duty) for row in derivation.rows]


def _facts(line: Line) -> str:
    known = {"hts", "origin", "entry_date", "value"}
    return ", ".join(f"{name}={value}" for name, value in line.items() if name not in known) or "nothing stated"


def test_every_program_that_charges_has_a_table() -> None:
    assert tables() == charging()
