"""The columns that come out of bulk work. Money is exact: dollars and cents as decimals."""

from __future__ import annotations

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

MONEY = pa.decimal128(18, 2)
_TEXTS = pa.list_(pa.string())

SUMMARY_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # number of the row that was read, from 1
        pa.field("id", pa.string()),
        pa.field("entry_number", pa.string()),
        pa.field("hts", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("entry_date", pa.date32()),
        pa.field("value", pa.int64()),  # whole dollars, as charged
        pa.field("duty", MONEY),  # all duties of the line; null where it cannot be known
        pa.field("base_duty", MONEY),
        pa.field("additional_duty", MONEY),
        pa.field("mpf", MONEY),  # of the entry, on its first line; 0.00 on the others
        pa.field("hmf", MONEY),
        pa.field("postal_duty", MONEY),
        pa.field("total", MONEY),  # duty, fees and postal duty
        pa.field("low", MONEY),  # what the duty is at least and at most, whatever the facts that are not stated
        pa.field("high", MONEY),
        pa.field("complete", pa.bool_()),  # whether every combination of answers was tried for the range
        pa.field("prohibited", pa.bool_()),
        pa.field("headings", _TEXTS),  # in filing order
        pa.field("questions", _TEXTS),  # the facts that would settle the range, the one with the most dollars first
        pa.field("warnings", _TEXTS),  # their codes
        pa.field("saving", pa.string()),  # the fact that would save the most, if it were true
        pa.field("saves", MONEY),
        pa.field("de_minimis", pa.string()),
        pa.field("entry_type", pa.string()),
    ]
)
"""A row per line that was assessed, in the order in which lines were read."""

LONG_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("id", pa.string()),
        pa.field("place", pa.int16(), nullable=False),  # in filing order, from 1
        pa.field("heading", pa.string()),
        pa.field("program", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("rate", pa.string()),
        pa.field("base_value", pa.int64()),
        pa.field("duty", MONEY),
        pa.field("instrument", pa.string()),
        pa.field("since", pa.date32()),
    ]
)
"""A row per line and heading."""

REJECTED_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("id", pa.string()),
        pa.field("code", pa.string(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("fix", pa.string(), nullable=False),
    ]
)
"""A row per line that could not be assessed, with the problem."""
