"""From rows of a file to lines of entries: what belongs to the line, to its entry and to what was paid. A bad row is told, never lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.entry_number import read_entry_number
from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_engine.refund import read_amount, read_paid
from tariff_engine.refund_entry import read_fact

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_service.refund_files import Lines, Row

OWN = ("id", "entry_number", "line", "paid", "paid_total", "duty", "quantity", "ordinal")
_SPECIAL_CHAPTERS = {"99": "additional", "98": "chapter98"}  # of the nomenclature: provisions that stand beside the number of the goods
_MAX_ID = 200


@dataclass(slots=True)
class Claim:
    """One line of an entry as it was sent: read, or with the problem that stands in the way."""

    rows: tuple[int, ...]
    id: str
    entry_number: str | None = None
    line: Line | None = None
    entry: dict[str, Any] = field(default_factory=dict)
    paid: dict[str, int] | None = None
    paid_total: int | None = None
    notes: tuple[Problem, ...] = ()
    problem: Problem | None = None


def read_claims(lines: Lines, knowledge: Knowledge, action: str = "", *, duty_of_number: bool = False) -> list[Claim]:
    """Return the lines of entries in the order of the file. `duty_of_number`: a column of duties is that of the number in its row."""
    groups = _groups(lines)
    if not duty_of_number and lines.columns is not None and not any(len(group) > 1 or chapter_of(group[0]) for group in groups):
        _forget_duty(lines)
    claims = [_claim(group, knowledge, action) for group in groups]
    _refuse_two_entries(claims)
    return claims


def _forget_duty(lines: Lines) -> None:
    """A column of duties says what each number paid only in a file with a row a number; else whose duty it is would be a guess."""
    columns = lines.columns
    if columns is None or ("own", "duty") not in columns.targets:
        return
    place = columns.targets.index(("own", "duty"))
    columns.targets[place] = None
    columns.unknown.append(columns.headers[place])
    for row in lines.rows:
        row.facts.pop("duty", None)


def chapter_of(row: Row) -> str:
    """Return which of the special chapters the number of a row is of; nothing for the number of goods, and for a row with a problem."""
    hts = row.facts.get("hts")
    return _SPECIAL_CHAPTERS.get(hts[:2], "") if isinstance(hts, str) and row.problem is None else ""


def _groups(lines: Lines) -> list[list[Row]]:
    """Return the rows of each line: in a table, rows of one entry number and one line number are the numbers of one line."""
    found: dict[Any, list[Row]] = {}
    for row in lines.rows:
        number, line = row.facts.get("entry_number"), row.facts.get("line")
        whole = lines.columns is not None and number and line
        found.setdefault((str(number).replace("-", "").upper(), str(line)) if whole else row.number, []).append(row)
    return list(found.values())


def _claim(group: list[Row], knowledge: Knowledge, action: str) -> Claim:
    numbers = tuple(row.number for row in group)
    first = next((row for row in group if not chapter_of(row)), group[0])
    claim = Claim(numbers, first.id or str(first.number), notes=tuple(note for row in group for note in row.notes))
    try:
        wrong = next((row.problem for row in group if row.problem), None)
        if wrong is not None:
            claim.problem = wrong
            return claim
        _fill(claim, merged_facts(group) if len(group) > 1 or chapter_of(first) else dict(first.facts), knowledge, action)
    except ProblemError as error:
        claim.problem = error.problem
    return claim


def merged_facts(group: list[Row]) -> dict[str, Any]:
    """Return the facts of a line whose numbers stand in rows of their own, with what each of them paid."""
    main = [row for row in group if not chapter_of(row)]
    if len(main) != 1:
        message = f"{len(main)} rows of the line hold a number of chapters 1 to 97, one is needed"
        raise refuse(
            "line_numbers", "hts", message, "give each line its own line number; a row of chapter 98 or 99 needs entry and line number"
        )
    facts = dict(main[0].facts)
    paid = dict(facts.pop("paid", {}))
    for row in group:
        number, duty = row.facts.get("hts"), row.facts.get("duty")
        if number is None:
            raise refuse("fact_missing", "hts", f"row {row.number} of the line holds no HTS number", "send the number")
        if chapter_of(row) == "chapter98":
            facts.setdefault("chapter98", number)
        if duty not in {None, "0", "0.00"} or chapter_of(row) == "additional":
            if number in paid:
                raise refuse("fact_stated_twice", "hts", f"{number} stands twice on the line", "send each number once")
            paid[number] = "0" if duty is None else duty
    facts["paid"] = paid
    facts.pop("duty", None)
    return facts


def _fill(claim: Claim, raw: dict[str, Any], knowledge: Knowledge, action: str) -> None:
    """Read what belongs to whom. Raises ProblemError with every defect of the row."""
    wrong: list[Problem] = []
    specs = knowledge.law.refunds.facts

    def attempt(work: Any, *arguments: Any) -> Any:
        try:
            return work(*arguments)
        except ProblemError as error:
            wrong.append(error.problem)
            return None

    total = f"paid_{action.replace('-', '_')}"
    own = {name: raw.pop(name) for name in (*OWN, total) if name in raw}
    stated = {name: raw.pop(name) for name in list(raw) if name in specs and raw[name] is not None}
    if own.get("entry_number") is not None:
        claim.entry_number = attempt(read_entry_number, own["entry_number"])
    claim.id = _identity(own, claim)
    claim.entry = {name: value for name, given in stated.items() if (value := attempt(read_fact, name, specs[name], given)) is not None}
    if own.get("paid") is not None:
        claim.paid = attempt(read_paid, own["paid"])
    sums = [own[name] for name in ("paid_total", total) if own.get(name) is not None]
    if len(sums) > 1 or (sums and claim.paid):
        wrong.append(Problem("fact_stated_twice", "paid", "what was paid is stated by number and as a sum, or twice", "send one of them"))
    elif sums:
        claim.paid_total = attempt(read_amount, sums[0], "paid_total")
    if own.get("quantity") is not None:
        raw["quantity"] = own["quantity"]
    claim.notes += take_claims(raw, knowledge)
    claim.line = attempt(knowledge.read, raw)
    if wrong:
        first, *others = wrong
        claim.line = None
        raise ProblemError(Problem(first.code, first.field, first.message, first.fix, (*first.also, *others)))


def take_claims(raw: dict[str, Any], knowledge: Knowledge) -> tuple[Problem, ...]:
    """Take the fact that a special program symbol states: on an entry that was filed the symbol is the claim. Return a note for each."""
    symbol, notes = raw.get("spi"), []
    for fact, symbols in knowledge.law.preferences.by_fact.items():
        aliases = knowledge.law.facts[fact].aliases
        if symbol in symbols and not any(raw.get(name) is not None for name in (fact, *aliases)):
            raw[fact] = True
            message = f"{symbol} is claimed on the line, so {fact} is taken for true"
            notes.append(Problem("claim_taken", fact, message, f"state {fact} if it is not so"))
    return tuple(notes)


def _identity(own: Mapping[str, Any], claim: Claim) -> str:
    stated = own.get("id")
    if isinstance(stated, str | int) and not isinstance(stated, bool) and 0 < len(str(stated)) <= _MAX_ID:
        return str(stated)
    number = claim.entry_number
    line = own.get("line")
    if number and isinstance(line, str | int) and not isinstance(line, bool) and len(str(line)) <= _MAX_ID:
        return f"{number}/{line}"
    return str(claim.rows[0])


def _refuse_two_entries(claims: list[Claim]) -> None:
    """Lines of one entry number state one day of entry and one set of facts of the entry; a line that states others is refused."""
    days: dict[str, date] = {}
    facts: dict[str, dict[str, Any]] = {}
    for claim in claims:
        number, line = claim.entry_number, claim.line
        if number is None or line is None:
            continue
        mine = facts.setdefault(number, {})
        other = next((name for name, value in claim.entry.items() if mine.get(name, value) != value), None)
        if days.setdefault(number, line.day) != line.day:
            other = "entry_date"
        if other is not None:
            message = f"{other} is stated otherwise by an earlier row of entry {number}"
            claim.problem, claim.line = Problem("contradictory_facts", other, message, "state one value for all lines of an entry"), None
            continue
        mine.update(claim.entry)
