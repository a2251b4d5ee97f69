"""Quantities of lines: columns that name a unit, and pairs of columns with an amount and its unit, as one map a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_service.refund_columns import Target

_NO_UNIT = "X"  # the schedule asks for no quantity (Census, HTS general statistical notes)
_AMOUNT = 26  # digits before the decimals of a quantity
_DECIMALS = 12


def quantities(columns: dict[Target, Any], count: int) -> pa.Array | None:
    """Return the quantities of every row by unit, null where none is stated; None where no column holds any."""
    import numpy as np  # noqa: PLC0415  an extra
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    kind = pa.decimal128(_AMOUNT + _DECIMALS, _DECIMALS)
    pairs = [(pa.repeat(pa.scalar(name), count), array) for (what, name), array in columns.items() if what == "quantity"]
    for place in ("1", "2"):
        unit, amount = columns.get(("own", f"unit_{place}")), columns.get(("own", f"quantity_{place}"))
        if unit is not None and amount is not None:
            named = pc.utf8_upper(unit)
            pairs.append((unit, pc.if_else(pc.fill_null(pc.not_equal(named, _NO_UNIT), fill_value=False), amount, None)))
    if not pairs:
        return None
    valid = np.stack([array.is_valid().to_numpy(zero_copy_only=False) for _, array in pairs], axis=1)
    order = np.argsort(np.tile(np.arange(count), len(pairs)), kind="stable")
    chosen = pa.array(order[valid.reshape(-1)])
    keys = pa.concat_arrays([key for key, _ in pairs]).take(chosen)
    items = pa.concat_arrays([array.cast(kind) for _, array in pairs]).take(chosen)
    counts = valid.sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    mask = pa.array(np.append(counts == 0, False))  # the end of the last row
    return pa.MapArray.from_arrays(pc.if_else(mask, None, pa.array(offsets)), keys, items)
