"""The report of a book: what it owes by program, origin, chapter and month, and where the money is that an answer could move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tariff_engine.law import Law

_MOST: Final = 15  # bars of a chart; the others are told as one
_HUNDRED: Final = Decimal(100)
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: its name, how many lines it is of, its dollars, and its share of the longest."""

    name: str
    code: str
    lines: int
    amount: Decimal
    share: str
    value: Decimal | None = None
    reach: tuple[int, Decimal] | None = None  # of a question: the lines that ask it at all, and the dollars of their ranges

    @property
    def rate(self) -> str:
        """The duty as a share of the value."""
        return f"{self.amount * _HUNDRED / self.value:.1f}%" if self.value else ""


@dataclass(frozen=True, slots=True)
class Names:
    """What codes are called."""

    programs: Mapping[str, str]
    countries: Mapping[str, str]
    facts: Mapping[str, str]

    @classmethod
    def of(cls, law: Law) -> Names:
        """Return the names that a law book has."""
        programs = {program.name: program.title for program in law.compiled.programs}
        questions = {name: spec.question or spec.what for name, spec in law.facts.items()}
        return cls({**programs, "base": "Base duty (chapters 1 to 97)"}, law.countries, questions)


def write_report(path: Path, report: Data, names: Names) -> None:
    """Write the report as HTML or as a workbook, whichever the name asks for."""
    if path.suffix.lower() == ".xlsx":
        from tariff_service.bulk.report_book import report_book  # noqa: PLC0415  needs openpyxl

        report_book(path, report, names)
        return
    path.write_text(report_page(report, names), encoding="utf-8")


def report_page(report: Data, names: Names) -> str:
    """Return the report as one page of HTML that needs nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    from tariff_service.paper import money  # noqa: PLC0415

    page = Environment(
        loader=PackageLoader("tariff_service.bulk", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters["money"] = lambda amount: money(None if amount is None else f"{Decimal(amount):.2f}")
    page.filters["dollars"] = dollars
    shown = {name: bars(report, name, names) for name in ("program", "origin", "chapter")}
    months = columns(report)
    found: str = page.get_template("report.html").render(
        report=report,
        totals=report["totals"],
        charts=shown,
        months=months,
        asked=stakes(report, "questions", names),
        saved=stakes(report, "savings", names),
        names=names,
    )
    return found


# ---------------------------------------------------------------- charts
def bars(report: Data, by: str, names: Names) -> list[Bar]:
    """Return the bars of a chart, the longest first; what is beyond the most that are shown stands together in the last."""
    found = [
        (code, rows, Decimal(amounts[-1] if by == "program" else amounts[1]), None if by == "program" else Decimal(amounts[0]))
        for code, (rows, _, *amounts) in report["totals"]["by"].get(by, {}).items()
    ]
    found = [one for one in found if by != "program" or one[2]]
    found.sort(key=lambda one: (-one[2], one[0]))
    rest = found[_MOST:]
    longest = max((abs(amount) for _, _, amount, _ in found[:_MOST]), default=Decimal(0))
    made = [Bar(_name(by, code, names), code, rows, amount, share(amount, longest), value) for code, rows, amount, value in found[:_MOST]]
    if rest:
        amount = sum((one[2] for one in rest), Decimal(0))
        value = None if by == "program" else sum((one[3] or Decimal(0) for one in rest), Decimal(0))
        made.append(Bar(f"{len(rest)} others", "", sum(one[1] for one in rest), amount, share(amount, longest), value))
    return made


def _name(by: str, code: str, names: Names) -> str:
    if by == "program":
        return names.programs.get(code, code)
    return names.countries.get(code, code) if by == "origin" else f"Chapter {code}"


def share(amount: Decimal, longest: Decimal) -> str:
    """Return how long a bar is, in percent of the longest."""
    return f"{min(max(amount, Decimal(0)) * _HUNDRED / longest, _HUNDRED):.2f}" if longest else "0"


@dataclass(frozen=True, slots=True)
class Month:
    """A month: its column in the chart, left and wide in percent, and its label where there is room."""

    month: str
    lines: int
    value: Decimal
    duty: Decimal
    left: str
    width: str
    height: str
    label: str

    @property
    def top(self) -> str:
        """Where the column begins, from above."""
        return f"{_HUNDRED - Decimal(self.height):.2f}"


def columns(report: Data) -> list[Month]:
    """Return the months from the first to the last, those without lines too."""
    found: dict[str, list[Any]] = report["totals"]["by"].get("month", {})
    if not found:
        return []
    months = list(_months(min(found), max(found)))
    highest = max(Decimal(row[3]) for row in found.values())
    each = max(1, -(-len(months) // 12))
    width = _HUNDRED / len(months)
    made = []
    for place, month in enumerate(months):
        rows, _, value, duty, *_ = found.get(month, [0, 0, Decimal(0), Decimal(0)])
        label = month if place % each == 0 else ""
        sizes = (f"{place * width + width / 10:.3f}", f"{width * 8 / 10:.3f}", share(Decimal(duty), highest))
        made.append(Month(month, rows, Decimal(value), Decimal(duty), *sizes, label))
    return made


def _months(first: str, last: str) -> Iterator[str]:
    year, month = (int(part) for part in first.split("-"))
    while f"{year:04}-{month:02}" <= last:
        yield f"{year:04}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004  months of a year


def dollars(amount: Any) -> str:
    """Return an amount as short as a chart wants it: $1.2M, $340K, $12."""
    found = Decimal(amount)
    for size, sign in ((Decimal(1_000_000_000), "B"), (Decimal(1_000_000), "M"), (Decimal(1_000), "K")):
        if abs(found) >= size:
            return f"${found / size:.1f}{sign}"
    return f"${found:.0f}"


# ---------------------------------------------------------------- stakes
def stakes(report: Data, name: str, names: Names) -> Sequence[Bar]:
    """Return the facts with the most dollars at stake, or with the most that a claim would save.

    The range of a line stands under its first question alone, so that the bars add up to what is at stake in the book. What a question could move
    at the most, the ranges of all lines that ask it, stands beside it.
    """
    groups = report["totals"]["by"]
    every = groups.get("asked", {}) if name == "questions" else {}
    found = [
        (fact, rows, Decimal(amount)) for fact, (rows, _, amount) in {**dict.fromkeys(every, (0, 0, 0)), **groups.get(name, {})}.items()
    ]
    reach = {fact: (rows, Decimal(amount)) for fact, (rows, _, amount) in every.items()}
    found.sort(key=lambda one: (-one[2], -reach.get(one[0], (0, Decimal(0)))[1], one[0]))
    longest = found[0][2] if found else Decimal(0)
    return [
        Bar(names.facts.get(fact, fact), fact, rows, amount, share(amount, longest), reach=reach.get(fact))
        for fact, rows, amount in found[:_MOST]
    ]
