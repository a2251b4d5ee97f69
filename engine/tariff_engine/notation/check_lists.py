"""The lists: no row twice, no two rows of a table that answer one question differently, and every cell that the engine reads is readable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations

from tariff_engine.book import Book, Node
from tariff_engine.notation.check_places import Places
from tariff_engine.notation.tables import Row, Table
from tariff_engine.notation.terms import HEADING
from tariff_engine.notation.wording import near

_HEADING = re.compile(rf"{HEADING}\Z")
_RATE = re.compile(r"\d{1,4}(\.\d{1,6})?%\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_EFFECTS = ("add", "up_to", "exempt")
_TRANSIT = ("loaded_before", "entered_before", "transit_heading", "transit_rate")


def check_lists(places: Places) -> Iterator[str]:
    """Yield what is wrong with the lists, file by file."""
    book = places.book
    lists = {name: table for name, table in book.tables.items() if not name.startswith("list:")}
    for path in book.files:
        if path.startswith("lists/") and path[6:-4] not in lists:
            yield f"{path}:1: file: no rule names this list; name it in a rule (list:{path[6:-4]}), or remove it"
    for table in lists.values():
        for row, words in _rows(book, table):
            yield f"lists/{table.name}.csv:{row.number}: {words}"
    for name, node in book.nodes.items():
        if node.provision.table:
            yield from _family(places, name, node)


def _rows(book: Book, table: Table) -> Iterator[tuple[Row, str]]:
    """Yield rows that stand twice, rows without a source, and days that no act set."""
    cited = "cite" in table.columns
    seen: dict[tuple[object, ...], Row] = {}
    starts = {row.from_ for row in table.rows if not row.by}
    ends = {row.until for row in table.rows if not row.by}
    called_off: dict[str, list[Row]] = {}
    for row in table.rows:
        if row.withdrawn_by:
            called_off.setdefault(row.hts, []).append(row)
    for row in table.rows:
        if cited and not row.cells["cite"]:
            yield row, "cite: it is empty; say where the law says so"
        spaced = next((name for name, cell in row.cells.items() if cell and (cell[0] == " " or cell[-1] == " ")), None)
        if spaced is not None:
            yield row, f"{spaced}: a space begins or ends the cell; remove it"
        key = (row.hts, row.excepted, row.from_, row.until, row.by, row.withdrawn_by, *row.cells.values())
        first = seen.setdefault(key, row)
        if first is not row:
            yield row, f"row: it repeats line {first.number}; remove one of them"
        if row.by:
            if row.withdrawn_by and book.published(row.withdrawn_by) < book.published(row.by):
                yield row, f"withdrawn_by: {row.withdrawn_by} was published before {row.by}, so it cannot call it off; exchange them"
            continue
        # a day without an act is right where a number took the place of another on that day, or where a row that an act called off stands beside
        if row.from_ != date.min and row.from_ not in ends:
            yield row, f"by: name the act that put the row on the list from {row.from_}"
        twin = any(other is not row and other.from_ <= row.until < other.until for other in called_off.get(row.hts, ()))
        if row.until != date.max and row.until not in starts and not twin:
            yield (
                row,
                f"by: name the act that ended the row on {row.until}, and keep the row as it was before, with that act as withdrawn_by",
            )


def _family(places: Places, name: str, node: Node) -> Iterator[str]:
    """Yield what is wrong with the rows of a provision's table: cells out of form, and two answers to one question."""
    book, provision = places.book, node.provision
    by_origin, by_hts = "origin" in (provision.look_up or []), "hts" in (provision.look_up or [])
    groups: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for ref in provision.table or []:
        table = book.tables[ref]
        path = f"lists/{ref.partition(' ')[0].removeprefix('list:')}.csv"
        needed = [*(["origin"] if by_origin else []), *(["hts"] if by_hts else []), "heading", "cite"]
        missing = next((column for column in needed if column not in table.columns), None)
        if missing is not None:
            yield places.node(
                name, ("look_up",), f"{path} has no column {missing}, which the table of a provision needs{near(missing, table.columns)}"
            )
            continue
        unread = [*([] if by_origin else ["origin"]), *([] if by_hts else ["hts", "except"])]
        for column in (one for one in unread if one in table.columns):
            asked = "hts" if column == "except" else column
            words = f"{path} has a column {column}, and nothing looks at it; add {asked} to look_up, or remove the column"
            yield places.node(name, ("look_up",), words)
        for row in table.rows:
            for words in _cells(book, row, partial=provision.claim_partial is not None, by_origin=by_origin):
                yield f"{path}:{row.number}: {words}"
            groups.setdefault((row.hts if by_hts else "", row["origin"] if by_origin else ""), []).append((path, row))
    for (hts, origin), rows in groups.items():
        for (one_path, one), (path, two) in combinations(rows, 2):
            if _clash(book, one, two):
                asked = " and ".join(word for word in (hts, origin) if word)
                yield f"{path}:{two.number}: row: it answers for {asked} from {max(one.from_, two.from_)} otherwise than {one_path}:{one.number}; end one before the other begins, or say which act called it off"


def _cells(book: Book, row: Row, *, partial: bool, by_origin: bool) -> Iterator[str]:
    """Yield the cells that an evaluator could not read as they stand: an empty rate would be a silent zero."""
    effect, rate = row["effect"] or "add", row["rate"]
    if effect not in _EFFECTS:
        yield f"effect: write one of {', '.join(_EFFECTS)}, not {effect!r}"
    if effect in {"add", "up_to"} and not _RATE.match(rate):
        yield f"rate: write a rate such as 25% or 7.5%, not {rate!r}"
    if effect == "exempt" and rate:
        yield f"rate: leave it empty where the effect is exempt, or write the effect that charges {rate}"
    if row["at_floor"] and effect != "up_to":
        yield "at_floor: only a total (effect up_to) has a twin heading at the floor; leave it empty"
    for column in ("heading", "at_floor", "transit_heading"):
        if (row[column] or column == "heading") and not _HEADING.match(row[column]):
            yield f"{column}: write a heading such as 9903.01.25, not {row[column]!r}"
    yield from _transit(book, row)
    if row["partial_ex"] and not partial:
        yield "partial_ex: the provision does not say which fact claims a described article; give it claim_partial: FACT, or empty the cell"
    if (
        by_origin
        and row["origin"] != "*"
        and row["origin"] not in book.countries
        and row["origin"].removeprefix("group:") not in book.groups
    ):
        yield f"origin: {row['origin']!r} is neither *, nor a country, nor group:NAME"
    if (row.from_ != date.min or row.until != date.max) and not row.by:
        yield "by: a row of a table with dates names the act that set them"


def _transit(book: Book, row: Row) -> Iterator[str]:
    """Yield what is wrong with the window in which goods in transit keep a heading and a rate."""
    transit = [column for column in _TRANSIT if row[column]]
    if transit and len(transit) != len(_TRANSIT):
        yield f"{transit[0]}: goods in transit need all of {', '.join(_TRANSIT)}; fill or empty the others"
    elif transit:
        for column in _TRANSIT[:2]:
            if not _is_day(row[column]):
                yield f"{column}: {row[column]!r} is no day such as 2025-03-04"
        if not _RATE.match(row["transit_rate"]):
            yield f"transit_rate: write a rate such as 10%, not {row['transit_rate']!r}"
    if row["transit_mode"] and not transit:
        yield "transit_mode: no window stands beside it; fill in the four columns of goods in transit, or empty it"
    modes = book.facts["mode"].values if "mode" in book.facts else []
    for mode in row["transit_mode"].split("|") if row["transit_mode"] else ():
        if mode not in modes:
            fix = f"write one of {', '.join(modes)}, several parted by |" if modes else "give facts.yaml the fact mode with its values"
            yield f"transit_mode: {mode!r} is no value of the fact mode; {fix}"


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.match(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _clash(book: Book, one: Row, two: Row) -> bool:
    """Whether two rows stand on one day, were known on one day, and say different things."""
    if one.until <= two.from_ or two.until <= one.from_ or one["partial_ex"] != two["partial_ex"] or one.excepted != two.excepted:
        return False
    both_known = max(book.published(row.by or None) for row in (one, two))
    one_gone = min((book.published(row.withdrawn_by) for row in (one, two) if row.withdrawn_by), default=date.max)
    if both_known >= one_gone:
        return False
    said = [{name: cell for name, cell in row.cells.items() if name != "cite"} for row in (one, two)]
    return said[0] != said[1]
