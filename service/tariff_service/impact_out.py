"""Where the lines of an impact go: CSV, JSONL or JSON line by line, a workbook of Excel, a page of HTML. No cell is a formula."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

from tariff_engine.problems import ProblemError, refuse
from tariff_service.output import encode
from tariff_service.refund_columns import safe_cell

COLUMNS: Final = ("row", "id", "hts", "origin", "entry_date", "value", "status", "from", "to", "difference")
REASONS: Final = ("program", "program_difference", "headings_from", "headings_to", "rates_from", "rates_to", "because", "cites", "problem")
_SHEET: Final = 1_000_000  # rows; a sheet of Excel takes some 48,000 more
Data = Mapping[str, Any]


class Sink(Protocol):
    """Takes lines one after the other, and the report at the end."""

    def line(self, line: Data) -> None:
        """Take one line."""

    def end(self, report: Data) -> None:
        """Take the report, after the last line."""


@contextlib.contextmanager
def sinks(paths: Sequence[Path]) -> Iterator[list[Sink]]:
    """Open new files by their suffixes: .csv, .jsonl, .json, .xlsx, .html. What is not finished is removed.

    Raises ProblemError: a suffix that is none of these, a file that is there already or cannot be written, no openpyxl.
    """
    made: list[Path] = []
    try:
        with contextlib.ExitStack() as stack:
            yield [_sink(path, stack, made) for path in paths]
            made.clear()
    except OSError as error:
        raise refuse("file_unwritable", "--out", f"the file cannot be written: {error.strerror or error}", "name another file") from error
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink()


def _sink(path: Path, stack: contextlib.ExitStack, made: list[Path]) -> Sink:
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".jsonl", ".json", ".xlsx", ".html"}:
        raise refuse("unknown_form", "--out", f"{str(path)[:200]} names no form", "let it end in .csv, .jsonl, .json, .xlsx or .html")
    try:
        file = stack.enter_context(path.open("x", encoding="utf-8", newline=""))
    except FileExistsError:
        raise refuse("file_exists", "--out", f"there is already a file {path}", "name another, or move it away") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refuse("file_unwritable", "--out", f"{str(path)[:200]} cannot be written: {reason}", "name another file") from None
    made.append(path)
    if suffix == ".xlsx":
        return _Workbook(path)
    forms: dict[str, Callable[[TextIO], Sink]] = {".csv": _Csv, ".jsonl": _Jsonl, ".json": _Json, ".html": _Html}
    return forms[suffix](file)


def cells(line: Data) -> Iterator[list[str]]:
    """Yield the rows of a table for a line: one for each program that differs, at least one. Their differences add up to that of the line."""
    head = [str(line["row"]), *(safe_cell(line.get(name)) for name in COLUMNS[1:7]), *(line.get(name) or "" for name in COLUMNS[7:])]
    reasons = line.get("programs") or []
    if not reasons:
        yield [*head, *[""] * (len(REASONS) - 1), safe_cell(problem_words(line))]
    for place, one in enumerate(reasons):
        shown = head if place == 0 else [*head[:7], "", "", ""]  # the amounts of a line once, so that a column adds up
        lists = (one["headings"]["from"], one["headings"]["to"], one["rates"]["from"], one["rates"]["to"])
        words = [" ".join(lists[0]), " ".join(lists[1]), ", ".join(lists[2]), ", ".join(lists[3]), one["because"], "; ".join(one["cites"])]
        yield [*shown, safe_cell(one["program"]), one["difference"], *(safe_cell(word) for word in words), ""]


def problem_words(line: Data) -> str:
    """Return the problem of a line in words; nothing where it has none."""
    sides = line.get("problem") or {}
    told = {name: f"{one['code']}: {one['field']}: {one['message']}" for name, one in sides.items() if one}
    if len(set(told.values())) == 1 and len(told) == len(sides):
        return next(iter(told.values()))
    return "; ".join(f"by the law {name}: {words}" for name, words in told.items())


# ---------------------------------------------------------------- text
class _Csv:
    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow((*COLUMNS, *REASONS))

    def line(self, line: Data) -> None:
        self._writer.writerows(cells(line))

    def end(self, report: Data) -> None:
        """The totals stand in the report; the columns add up to them."""


class _Jsonl:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def line(self, line: Data) -> None:
        self._file.write(encode(line).decode())

    def end(self, report: Data) -> None:
        """Nothing but lines stands in JSONL."""


class _Json:
    def __init__(self, file: TextIO) -> None:
        self._file, self._before = file, '{"lines":[\n'

    def line(self, line: Data) -> None:
        self._file.write(self._before + encode(line).decode().rstrip("\n"))
        self._before = ",\n"

    def end(self, report: Data) -> None:
        start = self._before if self._before.startswith("{") else "\n"
        self._file.write(f'{start}],"report":{encode(report).decode().rstrip()}}}\n')


# ---------------------------------------------------------------- Excel
class _Workbook:
    """Lines on one sheet (or several, where they are more than a sheet takes), the totals on others."""

    def __init__(self, path: Path) -> None:
        try:
            import openpyxl  # noqa: PLC0415  an extra
        except ImportError:
            raise refuse("excel_missing", "--out", "writing Excel needs the package openpyxl", "install the extra `excel`") from None
        self._path, self._book, self._rows = path, openpyxl.Workbook(write_only=True), _SHEET
        self._sheet: Any = None
        self._sheets = 0

    def line(self, line: Data) -> None:
        if self._rows >= _SHEET:
            self._sheets += 1
            self._sheet = self._book.create_sheet("Lines" if self._sheets == 1 else f"Lines {self._sheets}")
            self._sheet.append([*COLUMNS, *REASONS])
            self._rows = 0
        for row in cells(line):
            self._sheet.append([_number(cell, place) for place, cell in enumerate(row)])
            self._rows += 1

    def end(self, report: Data) -> None:
        sheet = self._book.create_sheet("Totals")
        for row in total_rows(report):
            sheet.append([_plain(cell) for cell in row])
        for word, title in (("program", "By program"), ("provision", "By provision"), ("origin", "By origin")):
            sheet = self._book.create_sheet(title)
            sheet.append([word, "lines", "from", "to", "difference"])
            for one in report[f"by_{word}"]:
                sheet.append([safe_cell(one[word]), one["lines"], *(_amount(one[name]) for name in ("from", "to", "difference"))])
        try:
            self._book.save(self._path)
        except OSError as error:
            raise _unwritable(self._path, error) from None


def _unwritable(path: Path, error: OSError) -> ProblemError:
    return refuse("file_unwritable", "--out", f"{path} cannot be written: {error.strerror or error}", "name another file")


def _number(cell: str, place: int) -> Any:
    """Return amounts as numbers, so that Excel adds them up; every other cell as the text it is."""
    return _amount(cell) if place in {5, 7, 8, 9, len(COLUMNS) + 1} else cell


def _amount(text: str) -> Any:
    from decimal import Decimal, InvalidOperation  # noqa: PLC0415

    try:
        return Decimal(text)
    except (InvalidOperation, ValueError):
        return text


def _plain(cell: object) -> Any:
    return cell if isinstance(cell, int) else safe_cell(cell)


def total_rows(report: Data) -> Iterator[tuple[object, ...]]:
    """Yield the head of a report as rows of two cells."""
    for side in ("from", "to"):
        book = report[side]
        yield f"law {side}", f"{book['name']}, edition {book['edition']}, law read up to {book['horizon']}, {book['id']}"
    yield "lines", report["rows"]
    yield "lines that change", report["changed"]
    yield from ((f"lines {status.replace('_', ' ')}", count) for status, count in report["statuses"].items())
    totals = report["totals"]
    for name, words in (("from", "owed by the first law"), ("to", "owed by the second"), ("difference", "difference")):
        yield words, totals[name]


# ---------------------------------------------------------------- HTML
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}"
    ".big{font-size:2rem;font-weight:600;margin:.2rem 0}@media print{body{margin:0}}"
)


class _Html:
    """A page with the totals and the largest differences; every line would be more than anybody reads."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def line(self, line: Data) -> None:
        """Lines are told by the report."""

    def end(self, report: Data) -> None:
        text = io.StringIO()
        text.write('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
        text.write('<meta name="viewport" content="width=device-width,initial-scale=1">')
        text.write(f"<title>Impact of a change of law</title><style>{_STYLE}</style></head><body>\n<h1>Impact of a change of law</h1>\n")
        totals = report["totals"]
        text.write(f'<p class="big">{escape(signed(totals["difference"]))}</p>')
        text.write(f"<p>on {totals['lines']:,} lines that both laws answer, of which {report['changed']:,} change.</p>\n")
        text.write(_table(("", ""), [tuple(map(str, row)) for row in total_rows(report)], numbers=()))
        for word, title in (("program", "By program"), ("provision", "By provision"), ("origin", "By origin")):
            rows = [
                (one[word], f"{one['lines']:,}", *(signed(one[name]) for name in ("from", "to", "difference")))
                for one in report[f"by_{word}"]
            ]
            text.write(f"<h2>{title}</h2>\n" + _table((word, "lines", "from", "to", "difference"), rows, numbers=(1, 2, 3, 4)))
        rows = [_shown(line) for line in report["largest"]]
        text.write(f"<h2>The {len(rows):,} largest differences</h2>\n")
        text.write(_table(("line", "number", "origin", "day", "from", "to", "difference", "because"), rows, numbers=(4, 5, 6)))
        text.write("</body></html>\n")
        self._file.write(text.getvalue())


def _shown(line: Data) -> tuple[str, ...]:
    because = "; ".join(f"{one['program']}: {one['because']}" for one in line["programs"])
    return (
        line["id"],
        line["hts"],
        line["origin"],
        line["entry_date"],
        *(signed(line[name]) for name in ("from", "to", "difference")),
        because,
    )


def signed(amount: str) -> str:
    """Return an amount as dollars, the minus before the sign."""
    minus, size = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    whole, _, cents = size.partition(".")
    return f"{minus}${int(whole):,}.{cents or '00'}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        made = (f"<{tag}{' class=n' if place in numbers else ''}>{escape(str(cell))}</{tag}>" for place, cell in enumerate(cells))
        return f"<tr>{''.join(made)}</tr>"

    top = f"<thead>{row(head, 'th')}</thead>" if any(head) else ""
    return f"<table>{top}<tbody>{''.join(row(one, 'td') for one in rows)}</tbody></table>\n"
