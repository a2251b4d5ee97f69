"""A rulebook as the kit uses it: read once, with its inventory of boundaries, a maker of lines, and a way to ask in the same process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache, cached_property
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from tariff_engine.answer import plain
from tariff_engine.boundaries import Boundary, inventory
from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import assess_row, problem_of
from tariff_engine.notation.conditions import NotOrigin, When
from tariff_engine.notation.load import load_book
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing.drawing import Space, space
from tariff_engine.testing.making import LineMaker
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node

_ORIGINS = 20  # tried where a condition names no origin: those that the book names most
_NUMBERS = 12  # tried where a condition names no product: spread over the schedule
_MOST = 60  # lines made in search of one that meets a provision


class Rulebook:
    """A rulebook read for tests. Reading takes a second; everything else is made when it is first asked for."""

    def __init__(self, root: Traversable) -> None:
        """Take a folder of rules. Raises RulebookError."""
        self.book: Book = load_book(root)
        final = build_law(self.book, root)
        self.engine = Engine(lambda day: final if day == date.max else refit_law(final, self.book, day), keep=8)
        self._templates: dict[tuple[str, date], dict[str, Any] | None] = {}

    @staticmethod
    @cache
    def installed() -> Rulebook:
        """Return the rulebook that is installed, read once for the process."""
        return Rulebook(ROOT)

    @property
    def knowledge(self) -> Knowledge:
        """Everything known."""
        return self.engine.at()

    @cached_property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The inventory of the whole book."""
        return tuple(inventory(self.book, self.knowledge.law))

    @cached_property
    def space(self) -> Space:
        """What lines can be made of."""
        return space(self.knowledge)

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of the programs, in the order of verdicts."""
        return tuple(program.program for program in self.book.programs)

    @cached_property
    def dollars(self) -> tuple[str, ...]:
        """The facts that are amounts in dollars, or shares from which amounts follow, and quantities."""
        content = {fact for piece in self.book.slices.values() for fact in piece.facts}
        return tuple(name for name, fact in self.book.facts.items() if fact.type in {"usd", "map"} or name in content)

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """The facts that claim relief: special programs, by symbol or by a fact of the line, exclusions, chapter 98."""
        return (*sorted(self.knowledge.law.preferences.by_fact), "exclusion_claims", "spi", "chapter98")

    def ask(self, line: Mapping[str, Any], *, known_on: str | None = None) -> dict[str, Any]:
        """Answer a line in this process, as an entry of its own; a line that is refused is `{"problem": ...}`."""
        knowledge = self.engine.at(None if known_on is None else date.fromisoformat(known_on))
        try:
            return assess_row(knowledge, line)
        except (ProblemError, LawConflictError) as error:
            return {"problem": problem_of(error).as_dict()}

    # ------------------------------------------------------------ lines that meet a provision
    @cached_property
    def maker(self) -> LineMaker:
        """The maker of lines that meet a provision."""
        named = Counter(name for node in self.book.nodes.values() for name in _origins(node.provision.when))
        origins = [name for name, _ in named.most_common(_ORIGINS)]
        codes = self.space.codes
        return LineMaker(self.book, self.knowledge.law.schedule, origins, codes[:: len(codes) // _NUMBERS])

    def template(self, node: Node, day: date) -> dict[str, Any] | None:
        """Return a line of a day that meets the condition of a provision, as JSON holds it; None where none can be made."""
        key = node.id, day
        if key not in self._templates:
            met: Callable[[dict[str, Any]], bool] = lambda line: self._applies(node, line)  # noqa: E731
            tried = [plain(line) for _, line in zip(range(_MOST), self.maker.lines(node, day, date.max), strict=False)]
            self._templates[key] = next(filter(met, tried), tried[0] if tried else None)
        return self._templates[key]

    def _applies(self, node: Node, line: Mapping[str, Any]) -> bool:
        """Whether the heading of a provision, or another of its program, is filed on a line."""
        try:
            evaluated, _ = self.knowledge.evaluate(self.knowledge.read(line))
        except (ProblemError, LawConflictError):
            return False
        return node.id in {row.provision for row in evaluated.derivation().rows}


def _origins(when: When) -> Iterator[str]:
    wanted = when.origin.not_ if isinstance(when.origin, NotOrigin) else when.origin or []
    yield from (name for name in wanted if not name.startswith("group:"))
    for inner in (*(when.any or ()), *([when.not_] if when.not_ else ())):
        yield from _origins(inner)
