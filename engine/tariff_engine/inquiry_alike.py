"""What is left of the law on a line once more is known of it: combinations of answers that leave the same lead to the same, and one of them is tried.

Metal that was cast in one country or in another is the same to a law that asks for both casting and smelting there, once the smelting is known
to have been elsewhere. What law says of a fact stands in the tests of its conditions; these are settled by what is known and by the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.evaluate import test_bits
from tariff_engine.compiled.logic import dynamic_bits, settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.form import CompiledBook, Node
    from tariff_engine.compiled.situation import Situation

BESIDE_TESTS = frozenset({"exclusion_claims", "loaded_date", "chapter98", "final_mode_differs", "ftz_pf_admission_date"})
"""Facts that decide by more than the tests on them."""


@dataclass(slots=True, eq=False)
class _Tests:
    """The conditions of a situation that test facts, with the bits that each looks at, and the bits that are looked at elsewhere."""

    conditions: tuple[tuple[Node, int], ...]
    elsewhere: int
    settled: dict[tuple[int, int, int], int] = field(default_factory=dict)  # by place, true and false bits: a number of what is left
    forms: dict[Node | bool, int] = field(default_factory=dict)


class Alike:
    """Tells what answers leave of the law. `beside` are facts that do more than to pass tests: what they leave is not told."""

    def __init__(self, book: CompiledBook, beside: Iterable[str]) -> None:
        """Take the compiled book."""
        self._book = book
        self.beside = frozenset(beside) | BESIDE_TESTS
        self._passed: dict[tuple[str, object], tuple[int, int]] = {}

    def left(self, evaluated: Evaluated, fact: str, answer: object) -> tuple[Any, ...] | None:
        """Return what is left of the law on an evaluated line once a fact of it is answered; None where tests alone do not say it.

        Lines of the same contents and claims of which the same is left owe the same, whatever is answered next.
        """
        tests = self._book.fact_bits.get(fact)
        if tests is None or fact in self.beside:
            return None
        pattern, situation = evaluated.plan.pattern, evaluated.plan.situation
        known = self._tests_of(situation)
        passed = self._passed.get((fact, answer))
        if passed is None:
            passed = self._passed[fact, answer] = test_bits(tests, answer)  # of as many answers as are ever tried
        yes, no = passed
        true, false = pattern.true | yes, pattern.false | no
        left = []
        for place, (node, bits) in enumerate(known.conditions):
            key = (place, true & bits, false & bits)
            number = known.settled.get(key)
            if number is None:
                number = known.settled[key] = known.forms.setdefault(settle(node, *key[1:]), len(known.forms))
            left.append(number)
        elsewhere = true & known.elsewhere, false & known.elsewhere
        return situation, pattern.present, pattern.zero, pattern.column, pattern.floors, *elsewhere, tuple(left)

    def _tests_of(self, situation: Situation) -> _Tests:
        found: _Tests | None = situation.tests
        if found is None:
            seen = dict.fromkeys(self._conditions(situation))
            conditions = tuple([(node, bits) for node in seen if (bits := dynamic_bits(node))])
            elsewhere = 0
            for item in situation.live.values():
                for bit in (item.provision.claim_bit, *(row.transit_mode for row in item.rows)):
                    elsewhere |= 1 << bit if bit >= 0 else 0
            found = situation.tests = _Tests(conditions, elsewhere)
        return found

    @staticmethod
    def _conditions(situation: Situation) -> Iterator[Node]:
        for item in situation.live.values():
            yield item.condition
            yield from (node for node, _ in item.outside)
        yield from (left for _, _, left in situation.offsets if not isinstance(left, bool))
