"""The law book as pages: one for every program and every heading, the lists, the acts, and what the book is unsure of."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tariff_service import law_reading
from tariff_service.history import history
from tariff_service.lives import life
from tariff_service.site.headings import act_link, heading_page
from tariff_service.site.markdown import Addresses, page, plain, slug, table, unsearched

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.notation.program import Program

_FOLDER = "lawbook"
_DRAWBACK = {"none": "none", "manufacturing": "of goods used in manufacture only", "all": "available"}
Page = Callable[[], str]


def headings(book: Book) -> dict[str, str]:
    """Return every name under which something is filed, and families, by the page it has: `9903.01.10` but not its variants."""
    names: dict[str, None] = {}
    for node in book.nodes.values():
        names[node.heading or node.id] = None
        for step in node.provision.steps:
            names |= dict.fromkeys(filter(None, (step.at_floor, step.companion.heading if step.companion else None)))
        for ref in node.provision.table or ():
            for row in book.tables[ref].rows:
                names |= dict.fromkeys(filter(None, (row["heading"], row["at_floor"], row["transit_heading"])))
    return {name: f"{_FOLDER}/headings/{slug(name)}.md" for name in sorted(names)}


def programs(book: Book) -> dict[str, str]:
    """Return every program by the page it has, in the order of the book."""
    return {one.program: f"{_FOLDER}/programs/{slug(one.program)}.md" for one in book.programs}


def addresses(book: Book) -> Addresses:
    """Return where everything in the book has its page."""
    pages = headings(book)
    found = dict(pages)
    for node in book.nodes.values():
        if node.heading and node.id != node.heading:
            found[node.id] = f"{pages[node.heading]}#{slug(node.id)}"
    found |= {f"program:{name}": place for name, place in programs(book).items()}
    found |= {f"list:{one['list']}": f"{_FOLDER}/lists/{slug(one['list'])}.md" for one in law_reading.lists(book)}
    found |= {f"act:{name}": f"{_FOLDER}/acts.md#{slug(name)}" for name in book.instruments}
    return Addresses(found)


def pages(book: Book, only: str | None = None) -> dict[str, Page]:
    """Return how to make each page of the law book, by its place in the documents; `only` one program's and its headings', and the indexes."""
    places = addresses(book)
    found: dict[str, Page] = {
        f"{_FOLDER}/index.md": lambda: _index(book, places),
        f"{_FOLDER}/acts.md": lambda: unsearched(_acts(book)),  # headings name their acts, and are found
        f"{_FOLDER}/doubts.md": lambda: _doubts(book, places),
        f"{_FOLDER}/headings.md": lambda: unsearched(_headings(book, places)),
    }
    for one in book.programs:
        if only in {None, one.program}:
            found[programs(book)[one.program]] = lambda one=one: _program(book, one, places)  # type: ignore[misc]  # the program of this turn
    wanted = None if only is None else set(_headings_of(book, only))
    for name, place in headings(book).items():
        if wanted is None or name in wanted:
            found[place] = lambda name=name, place=place: heading_page(life(book, name), history(book, name, order="effect"), place, places)  # type: ignore[misc]
    for data in law_reading.lists(book):
        if wanted is None or any(user.partition("/")[0] in wanted for user in data["used_by"]):
            place = f"{_FOLDER}/lists/{slug(data['list'])}.md"
            found[place] = lambda data=data, place=place: _list(book, data, place, places)  # type: ignore[misc]
    return found


def _headings_of(book: Book, program: str) -> Iterator[str]:
    for node in book.nodes.values():
        if node.program.program == program:
            yield node.heading or node.id
            for ref in node.provision.table or ():
                for row in book.tables[ref].rows:
                    yield from filter(None, (row["heading"], row["at_floor"], row["transit_heading"]))
            for step in node.provision.steps:
                yield from filter(None, (step.at_floor, step.companion.heading if step.companion else None))


# ---------------------------------------------------------------- indexes
def _index(book: Book, places: Addresses) -> str:
    here = f"{_FOLDER}/index.md"
    found = law_reading.programs(book, book.horizon.until)
    rows = [
        (
            places.link(here, f"program:{one['program']}", one["title"]),
            one["begins"] or "",
            one["ends"] or "",
            "yes" if one["in_force"] else "no",
            str(one["provisions"]),
        )
        for one in found
    ]
    return page(
        "# The law book",
        f"Made from the rule files themselves: {len(found)} programs with {sum(one['provisions'] for one in found)} provisions, read to "
        f"{book.horizon.until.isoformat()}. Every step names the act that made it and where the act says so. Nothing on these pages is written by hand.",
        "The [headings](headings.md) by number, the [acts](acts.md) by day, and [what the book is unsure of](doubts.md).",
        table(("Program", "First entries", "Ends before", f"In force on {book.horizon.until.isoformat()}", "Provisions"), rows),
    )


def _headings(book: Book, places: Addresses) -> str:
    here = f"{_FOLDER}/headings.md"
    says: dict[str, list[str]] = {}
    for node in book.nodes.values():
        says.setdefault(node.heading or node.id, []).append(node.provision.says)
    rows = [(places.link(here, name), plain(says[name][0]) if name in says else "a number of a table") for name in headings(book)]
    return page(
        "# Headings",
        "Every number under which a provision is filed, and the families that no number names.",
        table(("Heading", "What it says"), rows),
    )


def _acts(book: Book) -> str:
    acts = sorted(book.instruments.items(), key=lambda one: (one[1].published, one[0]))
    rows = [
        (
            f'<a id="{slug(name)}"></a>{plain(act.cite)}',
            f"[{plain(act.title)}]({act.url})" if act.url else plain(act.title),
            act.signed.isoformat(),
            act.published.isoformat(),
        )
        for name, act in acts
    ]
    return page(
        "# Acts",
        "Every act that made, changed or withdrew a step, by the day from which the public could know it.",
        table(("Citation", "Act", "Signed", "Known from"), rows),
    )


def _doubts(book: Book, places: Addresses) -> str:
    here = f"{_FOLDER}/doubts.md"
    rows = [
        (
            places.link(here, node.id),
            places.link(here, f"program:{node.program.program}", node.program.program),
            level.level,
            places.told(here, level.because),
        )
        for node in book.nodes.values()
        if (level := node.provision.confidence) is not None and level.level != "high"
    ]
    return page(
        "# What the book is unsure of",
        "Where the text leaves room, the book says so: an answer that rests on one of these provisions tells the doubt with it. "
        "What was checked against whom stands in the [accuracy report](../accuracy.md).",
        table(("Provision", "Program", "Confidence", "Why"), rows),
    )


# ---------------------------------------------------------------- programs
def _program(book: Book, one: Program, places: Addresses) -> str:
    here = programs(book)[one.program]
    found = law_reading.program(book, one.program)
    span = (
        f"From {found['begins']}" + (f" until before {found['ends']}" if found["ends"] else " on") if found["begins"] else "Never in force"
    )
    ended = f", ended by {act_link(found['ended_by'], here, places)}" if found["ended_by"] else ""
    rows = [
        (
            places.link(here, item["provision"]),
            places.told(here, item["says"]),
            places.told(here, item["effect"]),
            item["from"] or "",
            item["until"] or "",
        )
        for item in found["provisions"]
    ]
    return page(
        f"# {plain(one.title)}",
        f"`{one.program}`. {span}{ended}.",
        "\n".join(_frame(found, here, places)),
        "## Provisions",
        table(("Provision", "What it says", "Last step", "From", "Until before"), rows),
        "## Examples" if one.examples else "",
        "Each is assessed whenever the book is checked." if one.examples else "",
        table(("Case", "Line", "Chapter 99 headings", "Duty", "Citation"), [_example(item, here, places) for item in one.examples]),
        "## Acts",
        "\n".join(f"- {act_link(act, here, places)}: {plain(act['title'])}" for act in found["instruments"]),
    )


def _frame(found: Mapping[str, Any], here: str, places: Addresses) -> Iterator[str]:
    for item in found["outside"]:
        when = f" (when {'; and '.join(places.told(here, words) for words in item['when'])})" if item["when"] else ""
        yield f"- Outside it: {places.told(here, item['says'])}{when} ({plain('; '.join(item['cites']))})"
    for item in found["drawback"]:
        of = f" of {plain(item['of'] if isinstance(item['of'], str) else ', '.join(item['of']))}" if item["of"] else ""
        yield f"- Drawback{of}: {_DRAWBACK[item['allowed']]} ({plain('; '.join(item['cites']))})"
    for item in found["offsets"]:
        yield f"- Offset: {places.told(here, item['says'])} ({plain('; '.join(item['cites']))})"
    for name in found["lists"]:
        yield f"- List: {places.link(here, 'list:' + name, name)}"


def _example(one: Any, here: str, places: Addresses) -> tuple[str, ...]:
    line = ", ".join(f"{name} {value}" for name, value in one.line.items())
    known = f", as known on {one.known_on.isoformat()}" if one.known_on else ""
    numbers = ", ".join(places.link(here, number) for number in one.headings) or "none"
    return plain(one.says), plain(f"{line}{known}"), numbers, f"${one.duty}", plain(one.cite)


# ---------------------------------------------------------------- lists
def _list(book: Book, data: Mapping[str, Any], here: str, places: Addresses) -> str:
    """A list with its rows; those that differ in the number alone stand together."""
    together: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for row in law_reading.table(book, data["list"]).rows:
        cells = law_reading.row_data(row)
        numbers = cells.pop("hts", "")
        cells.pop("row")
        told = tuple(
            (name, "; ".join(map(str, cell)) if isinstance(cell, list) else str(cell)) for name, cell in cells.items() if cell is not None
        )
        together.setdefault(told, []).append(numbers)
    rows = [
        (
            plain(", ".join(filter(None, numbers)) or "-"),
            places.told(here, ", ".join(f"{name.replace('_', ' ')} {cell}" for name, cell in cells)),
        )
        for cells, numbers in together.items()
    ]
    users = ", ".join(
        places.link(here, name, name.removeprefix("program:")) if name in places else plain(name) for name in dict.fromkeys(data["used_by"])
    )
    title = posixpath.basename(data["list"])
    return unsearched(
        page(
            f"# List {plain(title)}",
            f"{data['rows']:,} rows. {f'Used by {users}.' if users else 'Used by no provision of the book.'}",
            table(("Numbers", "What the rows say"), rows),
        )
    )


def check_names(book: Book) -> list[str]:
    """Return names whose pages would stand in the same place; there must be none."""
    seen: dict[str, str] = {}
    names = [
        *headings(book).items(),
        *programs(book).items(),
        *((one["list"], f"{_FOLDER}/lists/{slug(one['list'])}.md") for one in law_reading.lists(book)),
    ]
    return [f"{name} and {seen[place]}" for name, place in names if seen.setdefault(place, name) != name]
