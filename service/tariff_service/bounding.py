"""The boundaries of the law as `tariff rules boundaries` tells them: as JSON, every one; in the terminal, a table of a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tariff_engine.boundaries import KINDS, inventory
from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.law import Law
    from tariff_service.paper import Align, Paper

_MANY = 6  # values of one boundary shown on a line
_CODES = ("code", "cut")


def boundary_map(book: Book, law: Law, program: str | None, kinds: Sequence[str]) -> dict[str, Any]:
    """Return the boundaries with their counts by kind. Raises ProblemError: `unknown_program`, `unknown_kind`."""
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange:
        raise refuse("unknown_kind", "--kind", f"{strange[0][:40]} is no kind of boundary", f"one of {', '.join(KINDS)}")
    found = [one for one in inventory(book, law, program) if not kinds or one.kind in kinds]
    counts = Counter(one.kind for one in found)
    return {
        "rulebook": book.id,
        "kinds": {kind: {"says": says, "count": counts[kind]} for kind, says in KINDS.items()},
        "boundaries": [one.as_dict() for one in found],
    }


def show_boundaries(paper: Paper, found: Mapping[str, Any]) -> None:
    """Write a table of kinds, then every boundary but the numbers at the edges of lists, which are counted by list."""
    rows = [(kind, f"{one['count']:,}", one["says"]) for kind, one in found["kinds"].items() if one["count"]]
    paper.title("Where an answer can change")
    paper.table((("Kind", "left"), ("Count", "right"), ("What it is", "left")), rows, wraps=2)
    plain = [one for one in found["boundaries"] if one["kind"] not in _CODES]
    if plain:
        columns: tuple[tuple[str, Align], ...] = (("Of", "left"), ("Fact", "left"), ("Values", "left"), ("What changes", "left"))
        paper.table(columns, [(one["owner"], one["fact"], _sides(one["sides"]), one["says"]) for one in plain], wraps=3)
    lists = Counter(one["owner"] for one in found["boundaries"] if one["kind"] in _CODES)
    if lists:
        paper.table((("List", "left"), ("Edges", "right")), [(name, f"{count:,}") for name, count in sorted(lists.items())])
        paper.line("--json names the numbers at the edges of every code.", indent=0)


def _sides(sides: Sequence[Any]) -> str:
    words = [_word(side) for side in sides[:_MANY]]
    return ", ".join([*words, *(["..."] if len(sides) > _MANY else [])])


def _word(side: Any) -> str:
    if side is None:
        return "not stated"
    if isinstance(side, bool):
        return "yes" if side else "no"
    return ", ".join(side) if isinstance(side, list) else str(side)
