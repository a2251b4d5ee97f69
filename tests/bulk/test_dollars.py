"""Values of lines in every type of column: which of them are whole dollars, and how many."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest

from tariff_engine.bulk import BulkAssessor
from tariff_service.rulebook import open_engine

LINE = {"hts": "8703.23.01.90", "origin": "MX", "entry_date": "2025-08-15"}
WHOLE = ["3000", "20000", "99999999999", "20000.00"]
OTHERS = [None, "20000.50", "0.01", "-1", "-20000.00", "0"]
DECIMALS = [pa.decimal128(38, 2), pa.decimal128(38, 12), pa.decimal128(18, 2), pa.decimal128(15, 0), pa.decimal128(38, 0)]
LARGE = [str(2**63), str(2**64), str(2**64 + 20000), "-" + str(2**64 - 20000)]


def assessed(values: Any, skip: int = 0) -> tuple[BulkAssessor, list[dict[str, Any]]]:
    assessor = BulkAssessor(open_engine(None).at(), ranges=False)
    columns = {name: pa.array([text] * len(values)) for name, text in LINE.items()}
    batch = pa.RecordBatch.from_pydict({**columns, "value": values}).slice(skip)
    return assessor, assessor.assess(batch).summary.to_pylist()


@pytest.mark.parametrize("kind", DECIMALS, ids=str)
def test_whole_dollars_are_found_in_decimals_of_every_size(kind: pa.DataType) -> None:
    fits = [Decimal(text) for text in WHOLE if int(Decimal(text)) < 2**63 // 10**kind.scale]  # others are answered alone
    odd = [None if text is None else Decimal(text) for text in OTHERS if kind.scale or "." not in str(text)]
    large = [Decimal(text) for text in LARGE] if kind.precision - kind.scale >= 21 else []
    assessor, rows = assessed(pa.array([*fits, *odd, *large], kind))
    assert assessor.alone == len(odd) + len(large)
    assert [row["value"] for row in rows[: len(fits)]] == fits


def test_a_slice_of_a_column_says_the_same() -> None:
    values = pa.array([Decimal(text) for text in ("7000.00", "8000.00", "9000.50", "20000.00")], pa.decimal128(38, 2))
    whole, part = assessed(values)[1], assessed(values, skip=1)
    assert [{**row, "row": 0} for row in part[1]] == [{**row, "row": 0} for row in whole[1:]]
    assert part[0].alone == 1
