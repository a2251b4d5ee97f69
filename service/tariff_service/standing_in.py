"""What was filed in the place of a provision that an act made to reach back: the duties that it relieves of or comes before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tariff_service.condition_words import effect_words
from tariff_service.courses import State
from tariff_service.law_reading import step_in_force

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node

_DAY = timedelta(days=1)


def standing_in(book: Book, node: Node, day: date, known: date) -> list[tuple[str, State]]:
    """Return the provisions that held on a day of entry by what was known the day before `known`, and would have given way to this one."""
    found: list[tuple[str, State]] = []
    for name in dict.fromkeys((*_relieved(book, node), *_later_in_group(book, node))):
        step = step_in_force(book, book.nodes[name], day, known - _DAY)
        if step is not None and not step.exempt:
            found.append((name, State(effect_words(step))))
    return found


def _relieved(book: Book, node: Node) -> Iterator[str]:
    """Yield the provisions that name it among their exceptions."""
    for name, other in book.nodes.items():
        if any(node.id in book.expand(one.any) for one in other.provision.unless):
            yield name


def _later_in_group(book: Book, node: Node) -> Iterator[str]:
    """Yield the provisions that stand below it where one of several headings is filed."""
    for group in node.program.groups:
        ranks = [book.expand(rank) for rank in group.order]
        place = next((number for number, rank in enumerate(ranks) if node.id in rank), len(ranks))
        for rank in ranks[place + 1 :]:
            yield from rank
