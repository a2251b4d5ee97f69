"""Many entries by one law at once, by `tariff_engine.bulk`: of each line what a comparison of dollars reads, and no explanation.

What a column cannot state as the line states it (lists, maps, numbers where text belongs) is answered line by line. Without the extra `bulk`
everything is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tariff_engine.problems import Problem
from tariff_service.many import Assessed, assess_together
from tariff_service.stepping import Plain, names_of

if TYPE_CHECKING:
    from tariff_engine.bulk import BulkAssessor
    from tariff_engine.engine import Knowledge

Entry = Sequence[Mapping[str, Any]]
_NUMBERS: Final = frozenset({"usd", "number", "pct"})
_PLACES, _DIGITS = -12, 15  # of a number that is written out
_ZERO: Final = Decimal("0.00")


class ManyEntries:
    """Answers batches of entries by one law."""

    def __init__(self, knowledge: Knowledge, *, columns: bool = True) -> None:
        """Take the law. `columns`: answer whole batches at once where the extra `bulk` is installed."""
        self.knowledge = knowledge
        specs = knowledge.law.facts
        self._kinds = {name: specs[fact].type for name, fact in names_of(knowledge).items()}
        self._columns = columns
        self._assessor = self._new()
        self._read = 0

    def _new(self) -> BulkAssessor | None:
        if not self._columns:
            return None
        try:
            from tariff_engine.bulk import BulkAssessor  # noqa: PLC0415  an extra
        except ImportError:
            return None
        self._read = 0
        return BulkAssessor(Plain(self.knowledge), ranges=False)

    def assess(self, entries: Sequence[Entry]) -> list[list[Assessed]]:
        """Answer entries, in their order, and the lines of each in theirs."""
        found: list[list[Assessed] | None] = [None] * len(entries)
        if self._assessor is not None:
            written = [(place, rows) for place, entry in enumerate(entries) if (rows := self._written(entry)) is not None]
            for kinds in self._alike(written):
                self._at_once(self._assessor, kinds, found)
        return [one if one is not None else assess_together(self.knowledge, entry) for one, entry in zip(found, entries, strict=True)]

    def _alike(self, written: Sequence[tuple[int, list[dict[str, Any]]]]) -> list[list[tuple[int, list[dict[str, Any]]]]]:
        """Return entries of one line, and then those of several, which are answered apart."""
        return [found for several in (False, True) if (found := [one for one in written if (len(one[1]) > 1) == several])]

    # ------------------------------------------------------------ in
    def _written(self, entry: Entry) -> list[dict[str, Any]] | None:
        """Return the lines of an entry as columns can state them; None where one cannot be."""
        found = []
        for line in entry:
            row: dict[str, Any] = {}
            for name, value in line.items():
                stated = self._cell(self._kinds.get(name), value)
                if stated is None:
                    return None
                row[name] = stated
            found.append(row)
        return found

    @staticmethod
    def _cell(kind: str | None, value: Any) -> Any:
        if kind == "bool":
            return value if isinstance(value, bool) else None
        if kind is None or kind in {"list", "map", "cases"} or isinstance(value, bool):
            return None
        if isinstance(value, str):
            return value if value.isascii() else None
        if kind == "date":
            return value.isoformat() if type(value) is date else None
        if kind not in _NUMBERS or not isinstance(value, int | Decimal):
            return None
        number = Decimal(value)
        exponent = number.as_tuple().exponent
        return f"{number:f}" if isinstance(exponent, int) and exponent >= _PLACES and number.adjusted() < _DIGITS else None

    def _at_once(
        self, assessor: BulkAssessor, written: Sequence[tuple[int, list[dict[str, Any]]]], found: list[list[Assessed] | None]
    ) -> None:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

        rows = [row for _, entry in written for row in entry]
        names = sorted({name for row in rows for name in row})
        columns = {
            name: pa.array([row.get(name) for row in rows], pa.bool_() if self._kinds[name] == "bool" else pa.string()) for name in names
        }
        entries = [str(place) if len(entry) > 1 else None for place, entry in written for _ in entry]
        batch = pa.RecordBatch.from_pydict({**columns, "entry_number": pa.array(entries, pa.string())})
        try:
            done = [assessor.assess(batch), assessor.finish()]
            told = _answers(done, self._read)
        except Exception:  # noqa: BLE001  a fault of ours in one line must not cost the others: each is answered alone
            self._assessor = self._new()
            return
        self._read += len(rows)
        if told.keys() != set(range(len(rows))):
            return
        start = 0
        for place, entry in written:
            found[place] = [told[start + number] for number in range(len(entry))]
            start += len(entry)


# ---------------------------------------------------------------- out
_HEADING = ("program", "heading", "kind", "rate", "base_value", "duty")


def _answers(done: Sequence[Any], before: int) -> dict[int, Assessed]:
    """Return by its place what became of each line, from the summary and the headings."""
    headings: dict[int, list[dict[str, Any]]] = {}
    found: dict[int, Assessed] = {}
    for one in done:
        for row, *cells in _rows(one.long, ("row", *_HEADING)):
            shown = dict(zip(_HEADING, cells, strict=True))
            shown["duty"] = _text(shown["duty"])
            headings.setdefault(row, []).append(shown)
        for row in one.rejected.to_pylist():
            problem = Problem(row["code"], row["field"], row["message"], row["fix"])
            found[row["row"] - before - 1] = Assessed(None, problem)
        names = ("row", "hts", "origin", "entry_date", "value", "duty", "mpf", "hmf", "postal_duty", "de_minimis")
        for row, hts, origin, day, value, duty, mpf, hmf, postal, result in _rows(one.summary, names):
            fees = None if mpf is None or hmf is None else mpf + hmf
            owed = None if duty is None or postal is None or fees is None else duty + postal
            gate: dict[str, Any] = {"result": result}
            if postal:
                gate["postal_duty"] = {"duty": _text(postal)}
            total = None if owed is None else owed + (fees or _ZERO)
            found[row - before - 1] = Assessed(
                {
                    "hts": hts,
                    "origin": origin,
                    "entry_date": day.isoformat(),
                    "value": str(value),
                    "duty": _text(duty),
                    "headings": headings.get(row, []),
                    "de_minimis": gate,
                    "totals": {"duty": _text(owed), "fees": _text(fees), "total": _text(total)},
                }
            )
    return found


def _rows(batch: Any, names: Sequence[str]) -> Any:
    return zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
