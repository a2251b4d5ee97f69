"""Reports with a row a number (ACE ES-003): rows of one entry and line number are one line, told by its number of chapters 1 to 97."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import Problem
from tariff_service.bulk.pieces import Rejected, Table

if TYPE_CHECKING:
    import numpy as np

    from tariff_service.refund_columns import Target

_ADDITIONAL, _SPECIAL = "99", "98"  # chapters of the nomenclature that stand beside the number of the goods


@dataclass(slots=True)
class Joined:
    """Which rows stand for their lines, the facts that other rows of the lines gave them, and rows that are no line."""

    keep: np.ndarray[Any, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


def group_numbers(columns: dict[Target, Any], keep: np.ndarray[Any, Any], table: Table, ids: Any) -> Joined:
    """Join the rows of each line. A line with a row that cannot be read, or without one number of the goods, is refused as a whole."""
    import numpy as np  # noqa: PLC0415  an extra
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    entry, line, hts = columns.get(("own", "entry_number")), columns.get(("own", "line")), columns.get(("fact", "hts"))
    if entry is None or line is None or hts is None or not len(keep):
        return Joined(keep)
    chapter = pc.utf8_slice_codeunits(hts, 0, 2)
    additional, special = _is(chapter, _ADDITIONAL), _is(chapter, _SPECIAL)
    whole = (pc.and_(entry.is_valid(), line.is_valid())).to_numpy(zero_copy_only=False)
    joined = pc.binary_join_element_wise(entry, line, "/")
    same = pc.fill_null(pc.equal(joined[1:], joined[:-1]), fill_value=False).to_numpy(zero_copy_only=False)
    group = np.concatenate([[0], np.cumsum(~(same & whole[1:] & whole[:-1]))])
    if group[-1] == len(keep) - 1 and not (additional | special).any():
        return Joined(keep)
    groups = int(group[-1]) + 1
    goods = ~additional & ~special
    mains = np.bincount(group, goods & keep, groups)
    broken = np.bincount(group, ~keep, groups) > 0
    found = Joined(keep & goods & ~broken[group] & (mains == 1)[group])
    several = np.bincount(group, minlength=groups) > 1
    for row in np.flatnonzero(keep & (broken | (mains != 1))[group]).tolist():
        if broken[group[row]]:
            if not several[group[row]]:
                continue
            problem = Problem("line_incomplete", "row", "another row of the line cannot be read", "mend that row")
        else:
            message = f"{int(mains[group[row]])} rows of the line hold a number of chapters 1 to 97, one is needed"
            problem = Problem("line_numbers", "hts", message, "give each line its own line number")
        found.rejected.append(Rejected(int(table.numbers[row]), problem, table.original[row], ids[row].as_py()))
    if (special & keep).any():
        stated = np.full(groups, -1)
        rows = np.flatnonzero(special & keep)
        stated[group[rows][::-1]] = rows[::-1]  # the first of them counts
        places = stated[group]
        claimed = hts.take(pa.array(np.where(places < 0, 0, places), mask=places < 0))
        own = columns.get(("fact", "chapter98"))
        found.facts["chapter98"] = claimed if own is None else pc.coalesce(own, claimed)
    return found


def _is(chapter: Any, wanted: str) -> np.ndarray[Any, Any]:
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    found: np.ndarray[Any, Any] = pc.fill_null(pc.equal(chapter, wanted), fill_value=False).to_numpy(zero_copy_only=False)
    return found
