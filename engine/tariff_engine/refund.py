"""What a line gets back: what was paid, what is owed by the law of today, and what is owed by the law without the programs of an action.

All three are answers of the same evaluator on the same line; the third is given by a law from which the programs were left out, so that
a duty that they displaced comes back, and a floor that included the base duty gives it back. Nothing is subtracted but dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.answer import plain
from tariff_engine.evaluate.words import dotted
from tariff_engine.facts import exact
from tariff_engine.money import CENTS, dollars_text
from tariff_engine.problems import Problem, refuse

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.law import Law
    from tariff_engine.refund_law import Action

_MAX_PAID = 200
_BASE = "base"
_NUMBER_LENGTHS = (8, 10)
Data = dict[str, Any]


class Laws(NamedTuple):
    """The law by which the paid duty is computed, the law as known today, and the same without the programs of the action."""

    filed: Knowledge
    today: Knowledge
    without: Knowledge


@dataclass(slots=True)
class _Row:
    """A heading on the line, in cents: as filed, as stated to be paid, as owed today, and without the action; None: not known."""

    heading: str
    program: str
    stripped: bool
    filed: int | None = 0
    stated: int | None = None
    today: int | None = 0
    without: int | None = 0

    @property
    def paid(self) -> int | None:
        """What was paid: as stated, else as filed."""
        return self.filed if self.stated is None else self.stated

    def shown(self) -> Data:
        """Return the row as it stands in an answer."""
        found: Data = {"heading": self.heading, "program": self.program, "stripped": self.stripped, "filed": _text(self.filed)}
        if self.stated is not None:
            found["stated"] = _text(self.stated)
        found |= {"paid": _text(self.paid), "today": _text(self.today), "without": _text(self.without)}
        found["difference"] = _text(_less(self.paid, self.without))
        return found


def read_paid(stated: Any, field: str = "paid") -> dict[str, int]:
    """Read what was paid under each number, in cents. Raises ProblemError: no map, no number of the schedule, no amount in whole cents."""
    if not isinstance(stated, Mapping) or len(stated) > _MAX_PAID:
        raise refuse("wrong_type", field, f"{field} is no map from HTS numbers to dollars", 'send {"NUMBER": "250.00"}')
    found: dict[str, int] = {}
    for number, amount in stated.items():
        digits = number.replace(".", "") if isinstance(number, str) and len(number) <= 20 else ""  # noqa: PLR2004
        if not (digits.isascii() and digits.isdigit() and len(digits) in _NUMBER_LENGTHS):
            raise refuse("wrong_type", field, f"{str(number)[:40]!r} is no HTS number of 8 or 10 digits", "write the number in full")
        heading = dotted(digits)
        if heading in found:
            raise refuse("fact_stated_twice", field, f"{heading} is stated twice", "send one amount a number")
        found[heading] = read_amount(amount, f"{field}.{heading}")
    return found


def read_amount(value: Any, field: str) -> int:
    """Read dollars as cents. Raises ProblemError: no number, negative, or finer than a cent."""
    amount = exact(field, value)
    if amount < 0 or amount > Decimal(10) ** 12:
        raise refuse("out_of_range", field, f"{field} is {value}", "send the dollars that were paid, from 0 upward")
    if amount * CENTS != int(amount * CENTS):
        raise refuse("out_of_range", field, f"{field} is {value}, finer than a cent", "send dollars and cents")
    return int(amount * CENTS)


def refund_line(
    action: Action,
    laws: Laws,
    line: Line,
    identity: str,
    *,
    paid: Mapping[str, int] | None = None,
    paid_total: int | None = None,
    ask: bool = False,
) -> Data:
    """Return what one line gets back under an action, heading by heading.

    `paid` are cents that were paid under the numbers of the line; `paid_total` is the sum paid under the numbers of the action. Without
    them the duty of the law `laws.filed` was paid. `ask` finds out which facts that nobody stated move the duty, which takes its time;
    those that were assumed are told in any case. Raises ProblemError and LawConflictError as an assessment does.
    """
    covered = action.covers(line.day)
    today = laws.today.answer(line, identity, "none", inquire=ask)
    filed = today if laws.filed is laws.today else laws.filed.answer(line, identity, "none", inquire=False)
    without = laws.without.answer(line, identity, "none", inquire=ask) if covered else today
    programs = frozenset(action.programs) if covered else frozenset[str]()
    rows = _rows(programs, filed, today, without)
    warnings: list[Problem] = []
    if paid:
        _state(rows, paid, programs, laws.today.law, warnings)
    if paid_total is not None:
        _state_total(rows, paid_total, warnings)
    found = _amounts(list(rows.values()), warnings)
    revived = found["revived"]
    if revived:
        back = ", ".join(row["heading"] for row in revived)
        cites = "; ".join(action.revives.cite)
        warnings.append(Problem("duty_revived", "headings", f"{action.revives.says} ({back}; {cites})", "ask CBP before you claim"))
    numbers = [row.heading for row in rows.values() if row.stripped and _filed_number(row, filed)]
    paid_under = sum(row.paid or 0 for row in rows.values() if row.stripped)
    return {
        "id": identity,
        "hts": today["hts"],
        "origin": line.origin,
        "entry_date": line.day.isoformat(),
        "value": str(line.value),
        "paid_known_on": _day(laws.filed.law),
        "status": "outside_period" if not covered else "refund" if paid_under else "nothing_paid" if numbers else "no_number",
        "numbers": numbers,
        "paid_under": dollars_text(paid_under),
        **found,
        "headings": [row.shown() for row in rows.values()],
        "assumed": _assumed(laws, line, covered=covered),
        "questions": _questions(today, without),
        "warnings": [warning.as_dict() for warning in warnings] + _warnings(today, without),
    }


def _day(law: Law) -> str | None:
    return None if law.known_on.year == law.known_on.max.year else law.known_on.isoformat()


def _rows(programs: frozenset[str], filed: Data, today: Data, without: Data) -> dict[str, _Row]:
    """Return the headings of all three answers, those of the paid duty first, the number of chapters 1 to 97 last."""
    rows: dict[str, _Row] = {}
    for side, answer in (("filed", filed), ("today", today), ("without", without)):
        for shown in answer["headings"]:
            key = shown["heading"] or f"({shown['program']})"
            row = rows.setdefault(key, _Row(key, shown["program"], shown["program"] in programs))
            before, amount = getattr(row, side), None if shown["duty"] is None else int(shown["duty"].replace(".", ""))
            setattr(row, side, None if before is None or amount is None else before + amount)
    last = [key for key, row in rows.items() if row.program == _BASE]
    return {**{key: row for key, row in rows.items() if key not in last}, **{key: rows[key] for key in last}}


def _filed_number(row: _Row, filed: Data) -> bool:
    return bool(row.stated) or any(shown["heading"] == row.heading for shown in filed["headings"])


def _state(rows: dict[str, _Row], paid: Mapping[str, int], programs: frozenset[str], law: Law, warnings: list[Problem]) -> None:
    """Put what was stated to be paid into the rows; a number of the action that is not stated was not paid."""
    base = next((row for row in rows.values() if row.program == _BASE), None)
    for heading, amount in paid.items():
        found = rows.get(heading)
        if found is None and base is not None and base.heading.startswith(heading):
            found = base  # eight digits of the ten
        if found is None:
            owners = programs_of(law).get(heading, frozenset())
            found = rows[heading] = _Row(heading, min(owners, default=""), bool(owners) and owners <= programs)
        if found.stated is not None:
            raise refuse(
                "fact_stated_twice", "paid", f"{heading} and {found.heading} are one number of the line", "send one amount a number"
            )
        found.stated = amount
    whole = any(row.stated is not None and not row.stripped for row in rows.values())  # a listing of all numbers of the line
    for row in rows.values():
        if row.stripped and row.stated is None:
            row.stated = 0
        if whole and row.stated is None and row.filed:
            message = f"{row.heading}: no amount is stated; the {dollars_text(row.filed)} that follow from law and facts are taken for paid"
            warnings.append(
                Problem("paid_not_stated", f"paid.{row.heading}", message, "state it, or check the number against the entry summary")
            )
        if row.stated is not None and row.filed is not None and row.stated != row.filed:
            message = f"{row.heading}: {dollars_text(row.stated)} is stated to be paid, {dollars_text(row.filed)} follows from the law and the facts"
            warnings.append(
                Problem("paid_differs", f"paid.{row.heading}", message, "check facts, amount and number against the entry summary")
            )


def _state_total(rows: dict[str, _Row], total: int, warnings: list[Problem]) -> None:
    """Spread a stated sum over the numbers of the action: as computed where it fits, else with the difference on the first of them."""
    mine = [row for row in rows.values() if row.stripped]
    computed = sum(row.paid or 0 for row in mine)
    if total == computed:
        return
    message = f"{dollars_text(total)} is stated to be paid under the action, {dollars_text(computed)} follows from the law and the facts"
    warnings.append(Problem("paid_differs", "paid_total", message, "check facts and amount against the entry summary"))
    if not mine:
        rows["(stated)"] = mine_row = _Row("(stated)", "", stripped=True)
        mine = [mine_row]
    most = max(mine, key=lambda row: row.paid or 0)
    rest = total - sum(row.paid or 0 for row in mine if row is not most)
    for row in mine:
        row.stated = rest if row is most else row.paid
    if rest < 0:
        for row in mine:
            row.stated = total if row is most else 0


def _amounts(rows: list[_Row], warnings: list[Problem]) -> Data:
    """Add up: the refund is what was paid less what is owed without the action; `high` leaves out the duties that would come back.

    It has two causes: `retroactive`, paid less owed by the law as known today; and `by_action`, owed today less owed without the action.
    """
    unknown = [row.heading for row in rows if None in (row.paid, row.today, row.without)]
    known = [row for row in rows if row.heading not in unknown]
    settled = all(row.paid is row.today is row.without is None for row in rows if row.heading in unknown)
    if unknown:
        message = f"the duty of {', '.join(unknown)} is not known: " + (
            "it is left out, being the same with and without the action" if settled else "the refund is not known either"
        )
        warnings.append(Problem("duty_unknown", "headings", message, "send the fact that the questions ask for"))
    paid, owed, without = (sum(getattr(row, side) for row in known) for side in ("paid", "today", "without"))
    rises = [(row, (row.without or 0) - (row.today or 0)) for row in known if not row.stripped and row.program != _BASE]
    revived = [(row, rise) for row, rise in rises if rise > 0]
    low, more = paid - without, sum(rise for _, rise in revived)
    complete = not unknown or settled
    return {
        "paid": dollars_text(paid),
        "today": dollars_text(owed),
        "without": dollars_text(without),
        "complete": complete,
        "retroactive": dollars_text(paid - owed) if complete else None,
        "by_action": {"low": dollars_text(owed - without), "high": dollars_text(owed - without + more)} if complete else None,
        "refund": {"low": dollars_text(low), "high": dollars_text(low + more)} if complete else None,
        "revived": [{"heading": row.heading, "program": row.program, "duty": dollars_text(rise)} for row, rise in revived],
    }


def _assumed(laws: Laws, line: Line, *, covered: bool) -> list[Data]:
    """Return what law takes for facts that nobody stated, with and without the action, each fact once."""
    found: dict[str, Data] = {}
    facts = laws.today.law.facts
    for knowledge in (laws.today, laws.without) if covered else (laws.today,):
        for one in knowledge.evaluate(line)[0].derivation().assumed:
            asks = facts[one.fact].question or facts[one.fact].what
            found.setdefault(one.fact, {"fact": one.fact, "taken": plain(one.take), "because": one.because, "asks": asks})
    return list(found.values())


def _questions(today: Data, without: Data) -> list[Data]:
    """Return the facts that move the duty with or without the action, each once."""
    found: dict[str, Data] = {}
    for answer in (today, without):
        for question in answer["questions"]:
            asked = {"fact": question["fact"], "asks": question["asks"], "because": question["because"]}
            found.setdefault(question["fact"], {**asked, "taken": question.get("taken")})
    return list(found.values())


def _warnings(today: Data, without: Data) -> list[Data]:
    found = {warning["message"]: warning for answer in (today, without) for warning in answer["warnings"]}
    return list(found.values())


def programs_of(law: Law) -> dict[str, frozenset[str]]:
    """Return which programs file each heading of the law, from its provisions and the rows of their tables."""
    kept: dict[str, frozenset[str]] | None = law.memory.get("programs_of")
    if kept is None:
        found: dict[str, set[str]] = {}
        for provision in law.compiled.provisions:
            numbers = {provision.heading, *(effect.at_floor for effect in provision.effects)}
            numbers |= {effect.companion[0] for effect in provision.effects if effect.companion}
            for rows in law.compiled.families.get(provision.index, {}).values():
                for row in rows:
                    numbers |= {row.heading, row.at_floor, row.transit_heading}
            for number in numbers - {""}:
                found.setdefault(number, set()).add(law.compiled.programs[provision.program].name)
        kept = law.memory["programs_of"] = {number: frozenset(names) for number, names in found.items()}
    return kept


def _less(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else one - two


def _text(amount: int | None) -> str | None:
    return None if amount is None else dollars_text(amount)
