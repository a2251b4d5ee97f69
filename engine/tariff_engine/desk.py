"""What an entry of one line owes in fees, and what the de minimis gate makes of it, for entries that differ from one met before in value only.

Law looks at the value of an entry through thresholds: entries between the same thresholds get the same rows, and dollars alone differ.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.deminimis import Gate, gate
from tariff_engine.fee_law import Assumption
from tariff_engine.fees import FeeAnswer, Scale, scaled_fees

if TYPE_CHECKING:
    from tariff_engine.entry_type import FeeLine
    from tariff_engine.fee_law import Mode, Treatment
    from tariff_engine.law import Law

_MAX_KEPT = 20_000


class Desk:
    """Assesses fees and passes the gate for entries under one law, and remembers both."""

    def __init__(self, law: Law) -> None:
        """Find the thresholds of the law; nothing is remembered yet."""
        self._law = law
        required = law.fees.rules.entry_types.required
        self._entry_steps = _steps([limit for row in required for limit in (row.over, row.line_over)])
        self._gate_steps = _steps([limit for row in law.de_minimis.rows for limit in (row.limit, row.over)])
        self._fees: dict[tuple[Any, ...], tuple[FeeAnswer, Scale | None, Scale | None]] = {}
        self._gates: dict[tuple[Any, ...], Gate] = {}

    def fees(
        self, *, entry_date: date, mode: Mode | None, entry_type: str | None, lines: Sequence[FeeLine], treatment: Treatment
    ) -> FeeAnswer:
        """Return the fees as `assess_fees` does. Raises ProblemError as it does."""
        one = lines[0] if len(lines) == 1 and lines[0].chapter98 is None and lines[0].value >= 0 else None

        def assess() -> tuple[FeeAnswer, Scale | None, Scale | None]:
            law = self._law
            return scaled_fees(
                law.fees,
                entry_date=entry_date,
                mode=mode,
                entry_type=entry_type,
                lines=lines,
                visible=law.visible,
                treatment=treatment,
                bills=None,
            )

        if one is None:
            return assess()[0]
        shape = (one.number, one.origin, one.hts, one.spi, one.originating, one.usmca_qualifying, one.chapter99, one.adcvd, one.quota)
        key = (entry_date, mode, entry_type, treatment, bisect_left(self._entry_steps, one.value), shape)
        answer, mpf, hmf = self._recall(self._fees, key, assess)
        return FeeAnswer(
            mpf.of(answer.mpf, one.value) if mpf else answer.mpf,
            hmf.of(answer.hmf, one.value) if hmf else answer.hmf,
            answer.entry,
            answer.warnings,
            answer.assumptions,
            answer.questions,
        )

    def gate(self, *, value_total: Decimal, value_is_retail: bool, **facts: Any) -> Gate:
        """Pass a shipment through the gate as `deminimis.gate` does, under the law of the desk. Raises ProblemError as it does."""
        key = (bisect_left(self._gate_steps, value_total), value_is_retail, *facts.values())
        kept = self._gates.get(key) if value_total >= 0 else None
        if kept is None:
            law = self._law
            made = gate(law.de_minimis, visible=law.visible, value_total=value_total, value_is_retail=value_is_retail, **facts)
            if not made.not_applied:  # what is told of other exemptions names the value
                self._recall(self._gates, key, lambda: made)
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
    def _recall(kept: dict[tuple[Any, ...], Any], key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        found = kept.get(key)
        if found is None:
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            found = kept[key] = make()
        return found


def _steps(limits: Sequence[Decimal | None]) -> list[Decimal]:
    return sorted({limit for limit in limits if limit is not None})
