"""One line of a file by its id, as the facts that it states."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import ProblemError, refuse
from tariff_service.bulk.lines import LineReader, Lines
from tariff_service.bulk.mapping import read_mapping
from tariff_service.bulk.opening import open_input, open_source
from tariff_service.refund_columns import Dictionary

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge


def find_line(source: str, line: str, mapping: Path | None, sheet: str | None, knowledge: Knowledge) -> dict[str, Any]:
    """Return the facts of the first line with an id. Raises ProblemError: no line has it, or the row that has it cannot be read."""
    mapped = read_mapping(mapping, knowledge.law, sheet)
    dictionary = Dictionary(knowledge.law, None, mapped.columns)
    with TemporaryDirectory(prefix="tariff-bulk-") as folder:
        opened = open_source(open_input(source, Path(folder)), dictionary, mapped)
        reader = LineReader(knowledge.law, dictionary, mapped.dates)
        with closing(opened.pieces()) as pieces:
            for piece in pieces:
                lines = reader.lines(opened.reader.table(piece), opened.layout, last=piece.last)
                found = _in_piece(lines, line)
                if found is not None:
                    return found
    raise refuse("unknown_line", "--explain", f"no line of the file has the id {line[:60]}", "ids stand in the column `id` of the output")


def _in_piece(lines: Lines, line: str) -> dict[str, Any] | None:
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  it has no types

    place = pc.index(lines.batch.column("id"), line).as_py() if lines.batch.num_rows else -1
    if place >= 0:
        row: dict[str, Any] = lines.batch.slice(place, 1).to_pylist()[0]
        return {name: _plain(value) for name, value in row.items() if value is not None and name != "entry_number"}
    wrong = next((one for one in lines.rejected if one.id == line), None)
    if wrong is not None:
        raise ProblemError(wrong.problem)
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):
            return {key: _plain(one) for key, one in value}
        return [_plain(one) for one in value]
    return value
