"""From columns of facts to shipment lines: rows with problems taken out, rows of one line put together, ids given, claims read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import Problem
from tariff_service.bulk.cells import Cleaner
from tariff_service.bulk.grouping import group_numbers
from tariff_service.bulk.measures import quantities
from tariff_service.bulk.pieces import Note, Rejected, Table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_engine.law import Law
    from tariff_service.bulk.headers import Layout
    from tariff_service.refund_columns import Dictionary, Target

_NEEDED = ("hts", "origin", "entry_date", "value")
_FILLED = 2  # cells of those that a shipment line has at the least; below the table there are sums and remarks


@dataclass(slots=True)
class Lines:
    """Lines for the assessor, each with the number of its first row, and what was found on the way."""

    batch: pa.RecordBatch
    numbers: np.ndarray[Any, Any]
    places: np.ndarray[Any, Any]
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    incomplete: frozenset[str] = frozenset()  # entries of which a row was rejected here


class LineReader:
    """Makes lines of the rows of one file."""

    def __init__(self, law: Law, dictionary: Dictionary, dates: str | None = None) -> None:
        """Take the law, whose facts have types and whose special programs have symbols."""
        self._claims = {symbol: fact for fact, symbols in law.preferences.by_fact.items() for symbol in symbols}
        self._cleaner = Cleaner(dictionary, {name: spec.type for name, spec in law.facts.items()}, dates)

    def lines(self, table: Table, layout: Layout, *, last: bool = False) -> Lines:
        """Return the lines of a piece; `last` says that the file ends with it, where remarks may stand below the table."""
        import numpy as np  # noqa: PLC0415  an extra
        import pyarrow as pa  # noqa: PLC0415  an extra

        count = len(table.numbers)
        keep, found = np.ones(count, bool), list[Rejected](table.rejected)
        notes = list(table.notes)
        remarks = _remarks(table, layout) if last else frozenset[int]()
        for row in sorted(remarks):
            keep[row] = False
            words = " ".join(str(cell) for cell in table.original[row] if str(cell).strip())[:200]
            notes.append(Note(int(table.numbers[row]), None, Problem("row_below_table", "row", f"no shipment line, left out: {words}")))
        columns, wrong, mended = self._columns(table, layout)
        ids = _ids(columns, table.numbers)
        for row, problems in sorted(wrong.items()):
            if row not in remarks:
                keep[row] = False
                first, *also = problems
                problem = Problem(first.code, first.field, first.message, first.fix, tuple(also))
                found.append(Rejected(int(table.numbers[row]), problem, table.original[row], ids[row].as_py()))
        joined = group_numbers(columns, keep, table, ids)
        found += joined.rejected
        places = np.flatnonzero(joined.keep)
        facts = {name: array for (kind, name), array in columns.items() if kind == "fact"}
        facts |= joined.facts
        measured = quantities(columns, count)
        if measured is not None:
            facts["quantity"] = measured
        facts |= {name: _constant(value, count) for name, value in layout.constants.items()}
        notes += [Note(int(table.numbers[row]), ids[row].as_py(), problem) for row, problem in mended if keep[row]]
        notes += self._claimed(facts, columns, table, ids, keep)
        entry = columns.get(("own", "entry_number"))
        bad = {one.row for one in found}
        incomplete = () if entry is None else entry.filter(pa.array(np.isin(table.numbers, list(bad)))).to_pylist()
        batch = _batch(facts, ids, entry, places)
        return Lines(batch, table.numbers[places], places, found, notes, frozenset(filter(None, incomplete)))

    def _columns(self, table: Table, layout: Layout) -> tuple[dict[Target, Any], dict[int, list[Problem]], list[tuple[int, Problem]]]:
        columns: dict[Target, Any] = {}
        wrong: dict[int, list[Problem]] = {}
        mended: list[tuple[int, Problem]] = []
        for place, array in table.columns.items():
            target = layout.columns.targets[place]
            if target is None:
                continue
            cells = self._cleaner.read(array, target, layout.columns.headers[place])
            columns[target] = cells.array
            for row, problem in cells.problems:
                wrong.setdefault(row, []).append(problem)
            mended += cells.notes
        return columns, wrong, sorted(mended, key=lambda pair: pair[0])

    def _claimed(self, facts: dict[str, Any], columns: dict[Target, Any], table: Table, ids: Any, keep: Any) -> Iterable[Note]:
        """Take the fact that a special program symbol states on a line that was filed, as the refund view does."""
        import pyarrow as pa  # noqa: PLC0415  an extra
        import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

        symbols = facts.get("spi")
        if symbols is None or ("own", "entry_number") not in columns:
            return
        present = set(symbols.unique().to_pylist()) & set(self._claims)
        for fact in sorted({self._claims[symbol] for symbol in present}):
            wanted = pa.array(sorted(symbol for symbol in present if self._claims[symbol] == fact))
            stated = facts.get(fact, pa.nulls(len(symbols), pa.bool_()))
            taken = pc.and_(pc.and_(pc.is_in(symbols, wanted), pc.is_null(stated)), pa.array(keep))
            facts[fact] = pc.if_else(taken, pa.scalar(value=True), stated)
            for row in pc.indices_nonzero(taken).to_pylist():
                message = f"{symbols[row].as_py()} is claimed on the line, so {fact} is taken for true"
                yield Note(
                    int(table.numbers[row]), ids[row].as_py(), Problem("claim_taken", fact, message, f"state {fact} if it is not so")
                )


def _remarks(table: Table, layout: Layout) -> frozenset[int]:
    """Return the rows at the end that are no lines: of what every line states, they hold one cell or none."""
    needed = [
        place for place, target in enumerate(layout.columns.targets) if target is not None and target[0] == "fact" and target[1] in _NEEDED
    ]
    found = set()
    if len(needed) > _FILLED:
        for row in range(len(table.numbers) - 1, -1, -1):
            filled = sum(_is_filled(table.columns[place][row].as_py()) for place in needed)
            if filled >= _FILLED:
                break
            found.add(row)
    return frozenset(found)


def _is_filled(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())


def _ids(columns: dict[Target, Any], numbers: Any) -> Any:
    """Return the id of every row: its own, else entry and line number, else its number in the file."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    found = columns.get(("own", "id"))
    entry, line = columns.get(("own", "entry_number")), columns.get(("own", "line"))
    if entry is not None and line is not None and (found is None or found.null_count):
        joined = pc.binary_join_element_wise(entry, line, "/")
        found = joined if found is None else pc.coalesce(found, joined)
    if found is not None and not found.null_count:
        return found
    own = pa.array(numbers).cast(pa.string())
    return own if found is None else pc.coalesce(found, own)


def _constant(value: Any, count: int) -> Any:
    import pyarrow as pa  # noqa: PLC0415  an extra

    return pa.repeat(pa.scalar(value), count)


def _batch(facts: dict[str, Any], ids: Any, entry: Any, places: Any) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415  an extra

    columns = {"id": ids, **({} if entry is None else {"entry_number": entry}), **facts}
    batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    return batch if len(places) == batch.num_rows else batch.take(pa.array(places))
