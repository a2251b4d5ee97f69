"""The rows of a table that name a product or an origin, and what durable-rules is told of each."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tariff_engine.durable.terms import Told, day_number

if TYPE_CHECKING:
    from tariff_engine.book import Node
    from tariff_engine.durable.compile import Compiled
    from tariff_engine.facts import Line
    from tariff_engine.notation.tables import Row

NEVER = 10**6  # days: more than any window reaches


def rows_of(compiled: Compiled, node: Node, line: Line) -> list[Row]:
    """Return the rows that name the product and the origin, most exact first: the longest code, a named origin before every origin."""
    book, wanted = compiled.book, node.provision.look_up or []
    found: list[tuple[int, bool, int, int, Row]] = []
    for order, name in enumerate(node.provision.table or ()):
        for place, row in enumerate(book.tables[name].rows):
            if "hts" in wanted and not (line.hts.startswith(row.hts) and not line.hts.startswith(row.excepted)):
                continue
            origin = row["origin"]
            if "origin" in wanted and origin not in {"*", line.origin} and not _in(compiled, origin, line):
                continue
            if book.visible(row.by or None, row.withdrawn_by or None, compiled.known_on):
                found.append((-len(row.hts), origin == "*", order, place, row))
    return [row for *_, row in sorted(found, key=lambda item: item[:4])]


def _in(compiled: Compiled, name: str, line: Line) -> bool:
    return name.startswith("group:") and compiled.book.in_group(name[6:], line.origin, line.day)


def row_facts(row: Row, node: Node, line: Line, *, claimed: bool) -> dict[str, Told]:
    """Return what durable-rules is told: days as distances (an inequality between two facts aborts it), claims and modes as booleans."""
    admission = node.program.ftz and node.program.ftz.rate_of == "admission"
    day = line.facts.get("ftz_pf_admission_date", line.day) if admission else line.day
    modes = row["transit_mode"].split("|") if row["transit_mode"] else []
    loaded = line.facts.get("loaded_date")
    return {
        "t": "row",
        "since": day_number(day) - day_number(row.from_),
        "left": day_number(row.until) - day_number(day),
        "partial": bool(row["partial_ex"] and node.provision.claim_partial),
        "claimed": claimed,
        "transit": bool(row["loaded_before"]),
        "loaded": _distance(loaded, row["loaded_before"]),
        "entered": _distance(line.day, row["entered_before"]),
        "changed": bool(line.facts.get("final_mode_differs")),
        "mode_fits": not modes or str(line.facts.get("mode")) in modes,
    }


def _distance(day: date | None, limit: str) -> int:
    return day_number(day) - day_number(date.fromisoformat(limit)) if day is not None and limit else NEVER
