"""What a part comes to, and what all parts come to: sums by program, origin, chapter and month, and the lines with the most dollars at stake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_TOP: Final = 25  # lines that are named
_ZERO: Final = Decimal("0.00")
_SUMS: Final = ("value", "duty", "mpf", "hmf", "postal_duty", "total")
_WIDE: Final = 36  # digits; a difference of two has one more
Data = dict[str, Any]


def tally(summary: pa.RecordBatch, long: pa.RecordBatch | None) -> Data:
    """Return what a part comes to; `long` is there where a report is wanted, else only the sums are made."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    found: Data = {name: _text(pc.sum(_wide(summary.column(name))).as_py()) for name in _SUMS}
    found["unknown"] = summary.column("duty").null_count
    found["fees_unknown"] = summary.column("mpf").null_count
    found["prohibited"] = pc.sum(summary.column("prohibited")).as_py() or 0
    asked = pc.greater(pc.list_value_length(summary.column("questions")), 0)
    found["open"] = pc.sum(asked).as_py() or 0
    if long is None:
        return found
    table = pa.Table.from_batches([summary])
    table = table.append_column("chapter", _chapters(summary.column("hts")))
    found["by"] = {name: _grouped(table, name, ("value", "duty", "total")) for name in ("origin", "chapter")}
    found["by"]["month"] = _monthly(_grouped(table, "entry_date", ("value", "duty", "total")))
    found["by"]["program"] = _grouped(pa.Table.from_batches([long]), "program", ("duty",))
    found["asked"] = _reach(table.filter(asked))
    found["questions"], found["open_lines"] = _asked(table.filter(asked))
    found["savings"], found["saving_lines"] = _saved(table)
    return found


def _chapters(hts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    coded = hts.dictionary_encode()
    return pc.utf8_slice_codeunits(coded.dictionary, 0, 2).take(coded.indices)


def _monthly(by_day: Data) -> Data:
    found: dict[str, list[Any]] = {}
    for day, group in by_day.items():
        _add(found, {day[:7]: group})
    return {month: [*counts[:2], *map(_text, counts[2:])] for month, counts in sorted(found.items())}


def _reach(table: pa.Table) -> Data:
    """Return the dollars between the lowest and the highest duty under each fact that a line asks: a line stands under all of them."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    if not table.num_rows:
        return {}
    batch = table.select(["questions", "low", "high"]).combine_chunks().to_batches()[0]
    rows = pc.list_parent_indices(batch.column("questions"))
    stake = pc.subtract(_wide(batch.column("high")), _wide(batch.column("low"))).take(rows)
    return _grouped(pa.table({"fact": pc.list_flatten(batch.column("questions")), "stake": stake}), "fact", ("stake",))


def _asked(table: pa.Table) -> tuple[Data, list[Data]]:
    """Return the dollars between the lowest and the highest duty, by the fact that moves most of them, and the lines with the most."""
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    if not table.num_rows:
        return {}, []
    table = table.append_column("fact", pc.list_element(table.column("questions"), 0))
    table = table.append_column("stake", pc.subtract(_wide(table.column("high")), _wide(table.column("low"))))
    return _grouped(table, "fact", ("stake",)), _top(table, "stake")


def _saved(table: pa.Table) -> tuple[Data, list[Data]]:
    """Return what claims that nobody made would save, by the fact, and the lines that would save the most."""
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    table = table.filter(table.column("saving").is_valid())
    if not table.num_rows:
        return {}, []
    table = table.append_column("fact", pc.coalesce(table.column("saving"), "")).append_column("stake", table.column("saves"))
    return _grouped(table, "fact", ("stake",)), _top(table, "stake")


def _grouped(table: pa.Table, key: str, sums: tuple[str, ...]) -> Data:
    """Return by key how many rows there are, of how many a sum is not known, and the sums."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    wide = pa.table({key: table.column(key), **{name: _wide(table.column(name)) for name in sums}})
    counts = [(sums[0], "count", pa.compute.CountOptions(mode=mode)) for mode in ("all", "only_null")]
    made = wide.group_by(key, use_threads=False).aggregate([*counts, *((name, "sum") for name in sums)])
    keys = made.column(key).to_pylist()
    values = [column.to_pylist() for name, column in zip(made.schema.names, made.columns, strict=True) if name != key]
    return {str(one): [rows, nulls, *map(_text, amounts)] for one, rows, nulls, *amounts in zip(keys, *values, strict=True)}


def _top(table: pa.Table, by: str) -> list[Data]:
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    order = pc.sort_indices(table, [(by, "descending"), ("row", "ascending")])[:_TOP]
    names = ("row", "id", "hts", "origin", "entry_date", "value", "duty", "low", "high", "fact", "stake")
    return [{name: _text(row[name]) for name in names} for row in table.select(list(names)).take(order).to_pylist()]


def _wide(column: Any) -> Any:
    """Return a column whose sums cannot overflow."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    return column.cast(pa.decimal128(_WIDE, 2)) if pa.types.is_decimal(column.type) else column.cast(pa.decimal128(_WIDE, 0))


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, int | bool) else f"{value:f}" if isinstance(value, Decimal) else str(value)


# ---------------------------------------------------------------- all parts
def total(tallies: Iterable[Mapping[str, Any]]) -> Data:
    """Return what all parts come to."""
    sums: dict[str, Decimal] = dict.fromkeys(_SUMS, _ZERO)
    counts = dict.fromkeys(("unknown", "fees_unknown", "prohibited", "open"), 0)
    by: dict[str, dict[str, list[Any]]] = {}
    lines: dict[str, list[Data]] = {"open_lines": [], "saving_lines": []}
    for one in tallies:
        for name in _SUMS:
            sums[name] += Decimal(one[name] or 0)
        for name in counts:
            counts[name] += one[name]
        groups = {**one.get("by", {}), **{name: one[name] for name in ("questions", "asked", "savings") if name in one}}
        for name, group in groups.items():
            _add(by.setdefault(name, {}), group)
        for name, kept in lines.items():
            kept.extend(one.get(name, ()))
            kept.sort(key=lambda row: (-Decimal(row["stake"] or 0), row["row"]))
            del kept[_TOP:]
    return {**{name: f"{amount:f}" for name, amount in sums.items()}, **counts, "by": by, **lines}


def _add(into: dict[str, list[Any]], group: Mapping[str, list[Any]]) -> None:
    for key, (rows, nulls, *amounts) in group.items():
        kept = into.setdefault(key, [0, 0, *([_ZERO] * len(amounts))])
        kept[0] += rows
        kept[1] += nulls
        for place, amount in enumerate(amounts, 2):
            kept[place] += Decimal(amount or 0)
