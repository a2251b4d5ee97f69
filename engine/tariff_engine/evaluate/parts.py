"""The parts of a line's value that law treats apart: each known slice (steel, U.S. content ...), cut at the caps that law names, and the rest.

A slice with a cap (say U.S. content up to 40% of the value) is two parts: the part within the cap and the excess. A base such as
"the value less U.S. content up to 40%" is then simply a set of parts, and the parts of a line always sum to its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.money import whole_dollars
from tariff_engine.notation.program import Piece

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.facts import Line

REST = "rest"
NOTHING = "0"
"""The dollars that tests take of a content which nobody stated where another is stated (`silent_if`)."""


class Parts:
    """The parts that a rulebook can ever cut, in a fixed order."""

    def __init__(self, book: Book) -> None:
        """Find the caps that the book puts on each slice."""
        caps: dict[str, set[Fraction]] = {name: set() for name in book.slices}
        for piece in _pieces(book.programs):
            name = piece.part or piece.less
            if piece.cap is not None and name in caps:
                caps[name].add(piece.cap)
        self.tiers: dict[str, list[tuple[str, Fraction | None]]] = {}
        for name, found in caps.items():
            ordered: list[Fraction | None] = [*sorted(found), None]
            self.tiers[name] = [(name if place == 0 else f"{name}+{place}", cap) for place, cap in enumerate(ordered)]
        self.names: tuple[str, ...] = (*(part for tiers in self.tiers.values() for part, _ in tiers), REST)

    def cut(self, line: Line) -> dict[str, int]:
        """Return the parts of the line's value in whole dollars. They sum to the value; a slice that is not known is no part."""
        found: dict[str, int] = {}
        for name, content in line.content.items():
            below = 0
            for part, cap in self.tiers[name]:
                upper = content if cap is None else min(content, whole_dollars(cap * line.value))
                found[part] = upper - below
                below = upper
        found[REST] = line.value - sum(found.values())
        return found

    def of_slice(self, name: str, cap: Fraction | None = None) -> frozenset[str]:
        """Return the parts of a slice, up to a cap if one is named."""
        tiers = self.tiers[name]
        if cap is None:
            return frozenset(part for part, _ in tiers)
        return frozenset(part for part, limit in tiers if limit is not None and limit <= cap)


def _pieces(model: Any) -> Iterator[Piece]:
    if isinstance(model, Piece):
        yield model
    elif isinstance(model, list | tuple):
        for item in model:
            yield from _pieces(item)
    elif isinstance(model, dict):
        yield from _pieces(list(model.values()))
    elif hasattr(type(model), "model_fields"):
        for name in type(model).model_fields:
            yield from _pieces(getattr(model, name))
