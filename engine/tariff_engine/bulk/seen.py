"""What an inquiry into a line sees of the law and of the line: lines of which it sees the same take the same course, on whatever day.

Two days, products or origins are the same to an inquiry where the same provisions are live, with the same effects and what is left of their
conditions, the same rows of tables, and the same relations and choices among them. What is told of a provision, its heading, its citations
and its first day, is not looked at: no duty hangs on it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.base import claim_facts
from tariff_engine.compiled.form import FOREVER
from tariff_engine.inquiry_alike import BESIDE_TESTS

if TYPE_CHECKING:
    from tariff_engine.base import LineBase
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.form import FamilyRow
    from tariff_engine.compiled.situation import Live, Situation
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

_OWN = frozenset({"hts", "origin", "entry_date", "value"})


class _Seen(NamedTuple):
    """What is seen of a situation: its number, and from which days on a day of entry is another one to an inquiry.

    These are the ends of windows for goods in transit, and the days that are tried as answers, which must not lie after that of entry.
    `divided`: one of them lies inside the interval of days of the situation.
    """

    number: int
    days: tuple[int, ...]
    divided: bool


class Sight:
    """Says what inquiries under one law see of lines without contents."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Collect the facts whose very value matters."""
        law = knowledge.law
        self._book = book = law.compiled
        self._bits = {name: tests.all_bits for name, tests in book.fact_bits.items()}
        self._age_bits = sum(self._bits.get(name, 0) for name in book.ages)
        self._answers = knowledge.inquirer.answers
        self._dates = [name for name, spec in law.facts.items() if spec.type == "date" and spec.ask and name not in _OWN]
        asked = {name for rule in law.contradictions for name in (rule.field, *rule.facts, *(rule.after or ()))}
        self._exact = frozenset({*claim_facts(law), *asked, *BESIDE_TESTS, *book.derived} - _OWN)
        self.forget()

    def forget(self) -> None:
        """Let go of what was met."""
        self._lives: dict[int, tuple[Live, int]] = {}
        self._met: dict[Any, int] = {}
        self._situations: dict[Situation, _Seen] = {}

    def rest(self) -> None:
        """Let go of situations; what is seen of another one like them keeps its number."""
        self._lives.clear()
        self._situations.clear()

    def __len__(self) -> int:
        """Return how much is kept."""
        return len(self._situations) + len(self._met)

    def of(self, line: Line, evaluated: Evaluated, base: LineBase) -> tuple[Any, ...]:
        """Return what is seen of a line; lines of which the same is seen differ in their base rates and their value."""
        plan = evaluated.plan
        situation, pattern = plan.situation, plan.pattern
        relevant = situation.relevant
        number, days, _ = self._of_situation(line, situation)
        facts = []
        for name, value in line.facts.items():
            if name in self._exact:
                facts.append((name, value))
            elif self._bits.get(name, 0) & relevant:
                facts.append((name, None))  # the pattern has its bits
        return (
            number,
            pattern.true,
            pattern.false,
            pattern.column,
            pattern.floors,
            base.column,
            base.unclaimed,
            tuple(sorted(facts)) if len(facts) > 1 else tuple(facts),
            line.day.year if relevant & self._age_bits else 0,
            bisect_right(days, line.day.toordinal()),
        )

    def divided(self, line: Line, situation: Situation) -> bool:
        """Whether lines that differ in the day of entry only, between the same two days of the law, are not seen alike."""
        return self._of_situation(line, situation).divided

    # ------------------------------------------------------------ situations
    def _number(self, seen: Any) -> int:
        return self._met.setdefault(seen, len(self._met))

    def _of_situation(self, line: Line, situation: Situation) -> _Seen:
        found = self._situations.get(situation)
        if found is None:
            day = self._book.bounds[situation.interval - 1] if situation.interval else 1
            rows = [row for item in situation.live.values() for row in item.rows if row.loaded_before and day < row.entered_before]
            tried = self._days_tried(line, (situation.relevant, situation.windows), moving=bool(rows))
            days = tuple(sorted({*tried, *(row.entered_before for row in rows)}))
            seen = (
                situation.relevant,
                situation.floors,
                situation.windows if rows else (),
                days,
                # numbers in the place of what they stand for: some thousand of these are kept
                tuple(
                    [self._number((self._live(item, day), self._edges(item, situation, day))) for _, item in sorted(situation.live.items())]
                ),
                self._number(tuple([self._program(number, situation, day) for number in range(len(self._book.programs))])),
            )
            after = self._book.bounds[situation.interval] if situation.interval < len(self._book.bounds) else FOREVER
            divided = bisect_right(days, day) != bisect_right(days, after - 1)
            found = self._situations[situation] = _Seen(self._number(seen), days, divided)
        return found

    def _days_tried(self, line: Line, relevant: tuple[int, tuple[int, ...]], *, moving: bool) -> set[int]:
        """Return the days that are answers to questions which can come up."""
        found: set[int] = set()
        for fact in self._dates:
            if moving or self._bits.get(fact, 0) & relevant[0]:
                tried = self._answers.of(line, fact, relevant)
                found.update(one.toordinal() for one in tried if len(tried) > 1)
        return found

    def _live(self, item: Live, day: int) -> int:
        """Return the number of a live provision without its relations."""
        closed = any(row.loaded_before and day >= row.entered_before for row in item.rows)
        known = self._lives.get(id(item))
        if known is not None and not closed:
            return known[1]
        effect = item.effect
        rows = tuple((row.effect, row.rate, row.partial, bool(row.at_floor), self._window(row, day)) for row in item.rows)
        companion = effect.companion and (effect.companion[1], bool(effect.companion[2]))
        charged = (effect.kind, effect.rate, effect.covers, effect.columns, companion)
        number = self._number((item.provision.index, charged, item.condition, rows, item.outside, item.base))
        if not closed:
            self._lives[id(item)] = item, number
        return number

    @staticmethod
    def _window(row: FamilyRow, day: int) -> tuple[Any, ...] | None:
        if not row.loaded_before or day >= row.entered_before:
            return None
        return row.loaded_before, row.entered_before, row.transit_mode, row.transit_rate

    def _edges(self, item: Live, situation: Situation, day: int) -> tuple[tuple[int, ...], ...]:
        """Return which exceptions and relations of a provision are in force among those that are live."""
        live, provision = situation.live, item.provision
        return tuple(
            [
                tuple([place for place, edge in enumerate(edges) if edge.start <= day < edge.end and not live.keys().isdisjoint(edge.refs)])
                for edges in (provision.unless, provision.relations)
            ]
        )

    def _program(self, number: int, situation: Situation, day: int) -> Any:
        """Return which choices among the provisions of a program are in force, and what is set off against them."""
        program = self._book.programs[number]
        if not program.offsets and number not in situation.programs:
            return None
        groups = tuple([place for place, group in enumerate(program.groups) if group.start <= day < group.end])
        offsets = tuple(
            [(offset, left) for owner, offset, left in situation.offsets if owner == number and offset.start <= day < offset.end]
        )
        return groups, offsets
