"""Hypothesis strategies: lines and entries as a filer sends them (JSON), drawn from the law book and aimed at its boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.answer import plain
from tariff_engine.problems import refuse
from tariff_engine.testing.rulebook import Rulebook

try:
    from hypothesis import strategies as st
except ImportError as error:
    message = 'the strategies of tariff_engine.testing need Hypothesis: pip install "tariff-engine[testing]"'
    raise ImportError(message) from error

if TYPE_CHECKING:
    from tariff_engine.book import Node
    from tariff_engine.boundaries import Boundary
    from tariff_engine.testing.drawing import Space

Line = dict[str, Any]
Draw = st.DrawFn

_MODES = ("ocean", "air", "truck", "rail", "express", "postal", "other")
_VALUES = st.one_of(st.sampled_from((0, 1, 800, 801, 2500, 2501, 10_000, 999_999_999)), st.integers(1, 100_000))
_SHARES = (0, 1, 10, 20, 25, 40, 50, 100)
_UNITS = ("kg", "each", "liter", "doz", "m2", "pf_liter", "bbl")
_LONG = 400  # days between two events of one shipment, at most
_NUMBER = 10  # digits of a statistical number


def lines(rulebook: Rulebook | None = None) -> st.SearchStrategy[Line]:
    """Lines that can be read: numbers near listed ones, days around steps, facts that law tests, most left unknown.

    A line may contradict itself, as filers' lines do; it is then refused with a problem.
    """
    return _lines(rulebook or Rulebook.installed())


@st.composite
def _lines(draw: Draw, rulebook: Rulebook) -> Line:
    where = rulebook.space
    day = draw(st.sampled_from(where.days))
    value = draw(_VALUES)
    line: Line = {
        "hts": draw(_numbers(where)),
        "origin": draw(st.sampled_from(where.origins)),
        "entry_date": day.isoformat(),
        "value": value,
    }
    for name in draw(
        st.lists(st.sampled_from(("mode", "flags", "words", "content", "dates", "claims", "quantity")), unique=True, max_size=4)
    ):
        line |= draw(_more(where, name, day, value))
    return line


@st.composite
def _numbers(draw: Draw, where: Space) -> str:
    """A number of the schedule: under a listed code three times in four."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(where.codes))
    prefix = draw(st.sampled_from(where.listed))
    return prefix if len(prefix) == _NUMBER else draw(st.sampled_from(where.near(prefix)))


@st.composite
def _more(draw: Draw, where: Space, name: str, day: date, value: int) -> Line:
    """Further facts of one sort."""
    if name == "mode":
        return {"mode": draw(st.sampled_from(_MODES))}
    if name == "flags":
        return dict(draw(st.dictionaries(st.sampled_from(where.flags), st.booleans(), min_size=1, max_size=4)))
    if name == "words":
        fact, values = draw(st.sampled_from(where.words))
        return {fact: plain(draw(st.sampled_from(values)))}
    if name == "content":
        fact = draw(st.sampled_from(where.contents))
        return {fact: f"{Decimal(value * draw(st.sampled_from(_SHARES))) / 100:f}"}
    if name == "dates":
        fact = draw(st.sampled_from(("loaded_date", "export_date", "ftz_pf_admission_date")))
        return {fact: (day - timedelta(days=draw(st.integers(0, _LONG)))).isoformat()}
    if name == "claims":
        claimed: bool = draw(st.booleans())
        if where.claims and claimed:
            return {"exclusion_claims": [draw(st.sampled_from(where.claims))]}
        return {"chapter98": draw(st.sampled_from(where.chapter98)), "processing_value": value // 3}
    return {"quantity": draw(st.dictionaries(st.sampled_from(_UNITS), st.integers(0, 500), min_size=1))}


def boundary_lines(program: str | None = None, rulebook: Rulebook | None = None) -> st.SearchStrategy[Line]:
    """Lines on one side of a boundary of the book, or of one program: they meet a provision, and one fact is at its edge.

    Raises ProblemError `unknown_program` when the first line is drawn. What crosses in knowledge time is drawn by `known_lines`.
    """
    return _crossings(rulebook or Rulebook.installed(), program, known=False).map(lambda pair: pair[0])


def known_lines(program: str | None = None, rulebook: Rulebook | None = None) -> st.SearchStrategy[tuple[Line, str]]:
    """Lines with a day of knowledge (YYYY-MM-DD) on one side of the publication of an act that reaches them."""
    return _crossings(rulebook or Rulebook.installed(), program, known=True)


@st.composite
def _crossings(draw: Draw, rulebook: Rulebook, program: str | None, *, known: bool) -> tuple[Line, str]:
    if program is not None and program not in rulebook.programs:
        raise refuse("unknown_program", "program", f"{program} is no program of this rulebook", "`tariff rules list` names every program")
    edges = _edges(rulebook, program)
    kind = "known_day" if known else draw(st.sampled_from(sorted(set(edges) - {"known_day"})))
    edge = draw(st.sampled_from(edges[kind]))
    side = draw(st.sampled_from(edge.sides))
    line = _line_at(rulebook, edge, draw) | dict(edge.given)
    if edge.fact != "known_on":
        line[edge.fact] = side
    return {name: value for name, value in line.items() if value is not None}, str(side) if known else ""


_EDGES: dict[tuple[int, str | None], dict[str, list[Boundary]]] = {}


def _edges(rulebook: Rulebook, program: str | None) -> dict[str, list[Boundary]]:
    """The boundaries of a program by kind: each kind is drawn as often, however many edges lists have."""
    key = id(rulebook), program
    if key not in _EDGES:
        found: dict[str, list[Boundary]] = {}
        for one in rulebook.boundaries:
            if program is None or program in one.programs:
                found.setdefault(one.kind, []).append(one)
        _EDGES[key] = found
    return _EDGES[key]


def _line_at(rulebook: Rulebook, edge: Boundary, draw: Draw) -> Line:
    """A line that meets what draws the boundary on a day on which it is alive, or any line where nothing in particular draws it."""
    nodes = _owners(rulebook, edge)
    if nodes:
        node = draw(st.sampled_from(nodes))
        found = rulebook.template(node, _alive(rulebook, node, edge.given, edge))
        if found is not None:
            return dict(found)
    return draw(_lines(rulebook))


def _owners(rulebook: Rulebook, edge: Boundary) -> list[Node]:
    book = rulebook.book
    if edge.owner in book.nodes:
        return [book.nodes[edge.owner]]
    if edge.owner.startswith("list:"):
        return [node for node in book.nodes.values() if node.program.program in edge.programs and edge.owner in _lists(node)]
    return [node for node in book.nodes.values() if node.program.program in edge.programs]


def _lists(node: Node) -> set[str]:
    text = node.provision.model_dump_json(include={"when", "table", "steps"})
    return {f"list:{piece.split(' ')[0].split(chr(34))[0]}" for piece in text.split("list:")[1:]}


def _alive(rulebook: Rulebook, node: Node, given: Mapping[str, Any], edge: Boundary) -> date:
    """A day on which a provision is in force: the one that the boundary gives, or else the first day of one of its steps."""
    stated = given.get("entry_date") or (edge.sides[-1] if edge.fact == "entry_date" else None)
    if isinstance(stated, str):
        return max(date.fromisoformat(stated), rulebook.book.horizon.from_)
    starts = [step.from_ for step in node.provision.steps if not step.withdrawn_by and not step.ended and not step.authorized]
    return max(starts[-1] if starts else node.provision.steps[0].from_, rulebook.book.horizon.from_)


def entries(rulebook: Rulebook | None = None, most: int = 4) -> st.SearchStrategy[Line]:
    """Entries: what is said once for all lines, and one to `most` lines with ids."""
    return _entries(rulebook or Rulebook.installed(), most)


@st.composite
def _entries(draw: Draw, rulebook: Rulebook, most: int) -> Line:
    facts = rulebook.book.facts
    drawn = draw(st.lists(_lines(rulebook), min_size=1, max_size=most))
    around = {name: value for name, value in drawn[0].items() if facts[name].level == "entry"}
    found = [{name: value for name, value in line.items() if facts[name].level == "line"} for line in drawn]
    return {**around, "lines": [{"id": f"line-{place}", **line} for place, line in enumerate(found, 1)]}
