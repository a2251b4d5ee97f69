"""What an entry of one line owes in fees, and what the de minimis gate makes of it, for entries that differ from one met before in value only.

Law looks at the value of an entry through thresholds: entries between the same thresholds get the same rows, and dollars alone differ.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from math import floor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tariff_engine.deminimis import Gate, gate
from tariff_engine.fee_law import NO_MANNER, Assumption, Manner
from tariff_engine.fees import FeeAnswer, Scale, scaled_fees

if TYPE_CHECKING:
    from tariff_engine.entry_type import FeeLine
    from tariff_engine.fee_law import Mode, Treatment
    from tariff_engine.law import Law

_MAX_KEPT = 20_000
Form = TypeVar("Form", "Charged", "Passed")


class FeeForm(NamedTuple):
    """A fee as it stands in an answer, but for its amount where `scale` says how that follows from the value: its terms, least and most.

    `sure` says that it is due whatever was taken for granted; `cents` is the amount where there is no scale; `low` is shown where given.
    """

    shown: dict[str, Any]
    scale: tuple[int, int, int, int, int | None] | None
    sure: bool
    cents: int
    low: str | None
    exempt: tuple[dict[str, Any], ...]


class Charged(NamedTuple):
    """The fees of entries of one line that differ in value only; `more` are assumptions, questions and warnings, each a list of maps."""

    mpf: FeeForm
    hmf: FeeForm
    entry: dict[str, Any]
    advice: dict[str, Any]
    more: tuple[tuple[str, tuple[dict[str, Any], ...]], ...]


class Passed(NamedTuple):
    """What the gate makes of shipments of one line as it stands in an answer, where they owe the `ordinary` duties; `more` as in `Charged`."""

    shown: dict[str, Any]
    more: tuple[tuple[str, tuple[dict[str, Any], ...]], ...]
    ordinary: bool


class Desk:
    """Assesses fees and passes the gate for entries under one law, and remembers both."""

    def __init__(self, law: Law) -> None:
        """Find the thresholds of the law; nothing is remembered yet."""
        self._law = law
        required = law.fees.rules.entry_types.required
        self._entry_steps = _steps([limit for row in required for limit in (row.over, row.line_over)])
        self._gate_steps = _steps([limit for row in law.de_minimis.rows for limit in (row.limit, row.over)])
        # whole dollars exceed a threshold where they exceed its whole dollars
        self._whole_entry_steps = list(map(floor, self._entry_steps))
        self._whole_gate_steps = list(map(floor, self._gate_steps))
        self._fees: dict[tuple[Any, ...], tuple[FeeAnswer, Scale | None, Scale | None]] = {}
        self._gates: dict[tuple[Any, ...], Gate] = {}
        self.charged: dict[tuple[Any, ...], Charged] = {}
        self.passed: dict[tuple[Any, ...], Passed] = {}
        self._forms: dict[str, Any] = {}

    def fees(
        self,
        *,
        entry_date: date,
        mode: Mode | None,
        entry_type: str | None,
        lines: Sequence[FeeLine],
        treatment: Treatment,
        manner: Manner = NO_MANNER,
    ) -> FeeAnswer:
        """Return the fees as `assess_fees` does. Raises ProblemError as it does."""
        answer, mpf, hmf = self.scaled(
            entry_date=entry_date, mode=mode, entry_type=entry_type, lines=lines, treatment=treatment, manner=manner
        )
        value = lines[0].value if lines else 0
        return FeeAnswer(
            mpf.of(answer.mpf, value) if mpf else answer.mpf,
            hmf.of(answer.hmf, value) if hmf else answer.hmf,
            answer.entry,
            answer.warnings,
            answer.assumptions,
            answer.questions,
        )

    def scaled(
        self,
        *,
        entry_date: date,
        mode: Mode | None,
        entry_type: str | None,
        lines: Sequence[FeeLine],
        treatment: Treatment,
        manner: Manner = NO_MANNER,
    ) -> tuple[FeeAnswer, Scale | None, Scale | None]:
        """Return the fees as assessed on some value, and how the MPF and the HMF follow from it; None where they stand as they are."""
        plain = len(lines) == 1 and lines[0].chapter98 is None and lines[0].value >= 0 and manner == NO_MANNER
        one = lines[0] if plain else None

        def assess() -> tuple[FeeAnswer, Scale | None, Scale | None]:
            return self.scales(entry_date=entry_date, mode=mode, entry_type=entry_type, lines=lines, treatment=treatment, manner=manner)

        if one is None:
            return assess()[0], None, None
        quota = (one.quota, one.over_quota, one.other_agency)
        shape = (one.number, one.origin, one.hts, one.spi, one.originating, one.usmca_qualifying, one.chapter99, one.adcvd, quota)
        key = (entry_date, mode, entry_type, treatment, bisect_left(self._entry_steps, one.value), shape)
        found: tuple[FeeAnswer, Scale | None, Scale | None] = self.recall(self._fees, key, assess)
        return found

    def scales(
        self,
        *,
        entry_date: date,
        mode: Mode | None,
        entry_type: str | None,
        lines: Sequence[FeeLine],
        treatment: Treatment,
        manner: Manner = NO_MANNER,
    ) -> tuple[FeeAnswer, Scale | None, Scale | None]:
        """Return the fees of any entry, and how each follows from its own base; nothing is remembered. Raises ProblemError."""
        law = self._law
        return scaled_fees(
            law.fees,
            entry_date=entry_date,
            mode=mode,
            entry_type=entry_type,
            lines=lines,
            visible=law.visible,
            treatment=treatment,
            manner=manner,
        )

    def line_steps(self) -> list[int]:
        """Return the thresholds, in whole dollars, for the value of a line among others. A value exceeds one or does not."""
        return sorted({floor(row.line_over) for row in self._law.fees.rules.entry_types.required if row.line_over is not None})

    def steps(self) -> tuple[list[int], list[int]]:
        """Return the thresholds, in whole dollars, for the value of an entry: of fees, and of the gate. A value exceeds one or does not."""
        return self._whole_entry_steps, self._whole_gate_steps

    def step(self, value: int) -> int:
        """Return between which thresholds for fees the value of an entry lies."""
        return bisect_left(self._whole_entry_steps, value)

    def gate_step(self, value: Decimal, dollars: int) -> int:
        """Return between which thresholds of the gate the value of a shipment lies; `dollars` is the value in whole dollars."""
        return bisect_left(self._whole_gate_steps, dollars) if value == dollars else bisect_left(self._gate_steps, value)

    def gate(self, *, value_total: Decimal, value_is_retail: bool, other_goods: Decimal, **facts: Any) -> Gate:
        """Pass a shipment through the gate as `deminimis.gate` does, under the law of the desk. Raises ProblemError as it does."""
        alone = bisect_left(self._gate_steps, value_total - other_goods) if other_goods else None
        key = (bisect_left(self._gate_steps, value_total), alone, value_is_retail, *facts.values())
        kept = self._gates.get(key) if value_total >= 0 else None
        if kept is None:
            law = self._law
            sizes: dict[str, Any] = {"value_total": value_total, "value_is_retail": value_is_retail, "other_goods": other_goods}
            made = gate(law.de_minimis, visible=law.visible, **sizes, **facts)
            if not made.not_applied:  # what is told of other exemptions names the value
                self.recall(self._gates, key, lambda: made)
            return made
        assumptions = kept.assumptions
        if not value_is_retail:
            first, *others = assumptions
            assumptions = (Assumption(first.fact, f"${value_total}", first.because), *others)
        return Gate(
            kept.result,
            kept.row,
            kept.says,
            kept.cites,
            kept.by,
            kept.from_,
            kept.confidence,
            kept.entry,
            kept.origin,
            kept.duties,
            kept.advice,
            kept.not_applied,
            assumptions,
            kept.questions,
            kept.warnings,
        )

    @staticmethod
    def recall(kept: dict[tuple[Any, ...], Any], key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """Return what is remembered for a key; `make` it where nothing is. What is kept is bounded."""
        found = kept.get(key)
        if found is None:
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            found = kept[key] = make()
        return found

    def one_of_equals(self, made: Form) -> Form:
        """Return what was made for another key and is equal, if there is such a thing, else what is given.

        Most products, origins and days are charged alike: one form for all of them stays in the processor's cache.
        """
        if len(self._forms) >= _MAX_KEPT:
            self._forms.clear()
        found: Form = self._forms.setdefault(repr(made), made)
        return found


def _steps(limits: Sequence[Decimal | None]) -> list[Decimal]:
    return sorted({limit for limit in limits if limit is not None})
