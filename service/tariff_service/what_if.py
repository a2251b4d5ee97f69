"""What would change the duty of a line: the smallest changes of facts, each with the exact dollars, its proof, its provision and citation.

The dollars of a change are never estimated: the entry is assessed again with the change made, and the difference of the two answers is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.answer import plain
from tariff_engine.engine import Engine
from tariff_engine.entry import ENGINE, entry_steps, problem_of, read_entry
from tariff_engine.problems import LawConflictError, ProblemError, refuse
from tariff_service.comparing import line_difference
from tariff_service.differing import short_row
from tariff_service.stepping import Plain, Steps, ask, finish, names_of
from tariff_service.what_if_changes import Change, changes, pairs

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

DAYS = 30
MOST_DAYS = 400
MAX_LINES = 50
_MOST = 40  # changes told of a line, each way
_CHANGES = frozenset({"applies", "prohibited", "exempt", "displaced"})
NEVER: tuple[dict[str, Any], ...] = (
    {
        "facts": ["hts", "origin", "value"],
        "because": "They are what the goods are; to state others than are true is a misstatement, whatever it would save.",
        "cites": ["19 U.S.C. 1484(a)(1)", "19 U.S.C. 1592(a)"],
    },
)
Data = dict[str, Any]


def what_if(engine: Engine, entry: Any, *, known_on: date | None = None, days: int = DAYS) -> Data:
    """Return for each line of an entry what would lower its duty, and what would raise it, if true. `days`: how far the entry may move.

    Raises ProblemError: the entry cannot be read or assessed, too many lines, days out of range.
    """
    return finish(what_if_steps(entry, known_on=known_on, days=days), engine)


def what_if_steps(entry: Any, *, known_on: date | None = None, days: int = DAYS) -> Steps[Data]:
    """Find the changes in steps: it gives way after each change that it tries. Raises ProblemError as `what_if` does."""
    if not 0 <= days <= MOST_DAYS:
        raise refuse("out_of_range", "days", f"days is {days}", f"send 0 to {MOST_DAYS}")
    knowledge = yield from ask(known_on)
    shipment = read_entry(knowledge, entry)
    if len(shipment.lines) > MAX_LINES:
        raise refuse("too_many_cells", "lines", f"{len(shipment.lines)} lines", f"ask for at most {MAX_LINES} lines at a time")
    names = names_of(knowledge)
    lines = [(name, {names.get(key, key): value for key, value in facts.items()}) for name, facts in shipment.lines]
    base = yield from _assessed(knowledge, lines)
    if base["problems"]:
        raise ProblemError(_first(base))
    found = []
    for place, (name, facts) in enumerate(lines):
        line = knowledge.read(facts)
        told = yield from _tried(knowledge, lines, base, place, line, days)
        found.append({"id": name, **_line(base["lines"][place]), **_sides(told)})
    law = knowledge.law
    return {
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "known_on": plain(known_on),
        "days": days,
        "totals": base["totals"],
        "lines": found,
        "never": [dict(one) for one in NEVER],
    }


def _first(answer: Data) -> Any:
    problem = dict(answer["problems"][0])
    problem.pop("line", None)
    found: Any = refuse(problem["code"], problem["field"], problem["message"], problem.get("fix", "")).problem
    return found


def _line(one: Data) -> Data:
    return {
        **{key: one[key] for key in ("hts", "origin", "entry_date", "value", "duty")},
        "headings": [short_row(row) for row in one["headings"]],
    }


# ---------------------------------------------------------------- trying
def _tried(knowledge: Knowledge, lines: Sequence[tuple[str, Data]], base: Data, place: int, line: Line, days: int) -> Steps[list[Data]]:
    """Try the changes of a line; those whose duty is another are told by the whole entry assessed again."""
    duty = knowledge.evaluate(line)[0].duty
    if duty is None or "released_by" in base["lines"][place]:
        return []
    answer = knowledge.answer(line, "", "none")
    found: list[Data] = []
    seen: set[tuple[Any, ...]] = set()
    for change in _each(knowledge, line, answer, days):
        yield None
        changed = _duty(knowledge, line, change)
        if changed is None or changed == duty or (change.kind == "together" and changed > duty):
            continue
        key = _key(change, changed)
        if key in seen:
            continue
        seen.add(key)
        told = yield from _told(knowledge, lines, base, place, change)
        if told is not None:
            found.append({**told, "proof": _proof(knowledge, change, answer)})
    return found


def _key(change: Change, changed: int) -> tuple[Any, ...]:
    """Return what two changes share of which the first, being the smaller one, is enough to tell: a fact that comes to the same duty."""
    if change.kind == "threshold":  # the nearest step on either side
        ((name, value),) = change.facts.items()
        return change.kind, name, value > change.stated
    named = () if change.kind == "together" else tuple(map(str, change.facts.get("exclusion_claims", change.facts)))
    return change.kind, named, changed, change.example


def _each(knowledge: Knowledge, line: Line, answer: Data, days: int) -> Iterator[Change]:
    yield from changes(knowledge, line, answer, days)
    yield from pairs(knowledge, line, answer)


def _duty(knowledge: Knowledge, line: Line, change: Change) -> int | None:
    """Return the duty of a line with a change made, in cents; None where the change contradicts the line, or leaves the duty unknown."""
    try:
        return knowledge.evaluate(knowledge.read({**line.facts, **change.facts}))[0].duty
    except (ProblemError, LawConflictError):
        return None


def _told(knowledge: Knowledge, lines: Sequence[tuple[str, Data]], base: Data, place: int, change: Change) -> Steps[Data | None]:
    """Assess the entry with a change made, and tell the change with its dollars and reasons; None where the entry cannot stand so."""
    stated = {name: plain(value) for name, value in change.facts.items()}
    answer = yield from _assessed(knowledge, _changed(knowledge, lines, place, stated))
    if answer["problems"] or "released_by" in answer["lines"][place]:
        return None
    was, now = base["lines"][place], answer["lines"][place]
    if now["duty"] is None or _cents(now["duty"]) == _cents(was["duty"]):
        return None
    titles = {program.name: program.title for program in knowledge.law.compiled.programs}
    reasons = [
        one for one in line_difference(was, now, titles)["programs"] if one["dollars"] not in {None, "0.00"} or one["to"] in _CHANGES
    ]
    found: Data = {
        "kind": change.kind,
        "change": stated,
        "if_true": _words(knowledge, change, stated),
        "difference": f"{Decimal(now['duty']) - Decimal(was['duty']):f}",
        "duty": now["duty"],
        "totals": {name: _difference(base, answer, name) for name in ("duty", "fees", "total")},
        "headings": [row["heading"] for row in now["headings"] if row["heading"]],
        "reasons": reasons,
        "cites": list(dict.fromkeys([*([change.cite] if change.cite else ()), *(cite for one in reasons for cite in one["cites"])])),
    }
    if change.stated is not None:
        found["stated"] = plain(change.stated)
    if change.example:
        found["example"] = True
    if any(knowledge.law.facts[name].level == "entry" for name in change.facts) and len(lines) > 1:
        found["of_the_entry"] = True
    return found


def _difference(base: Data, answer: Data, name: str) -> str | None:
    was, now = base["totals"][name], answer["totals"][name]
    return None if was is None or now is None else f"{Decimal(now) - Decimal(was):f}"


def _changed(knowledge: Knowledge, lines: Sequence[tuple[str, Data]], place: int, stated: Data) -> list[tuple[str, Data]]:
    """Return the lines with facts stated on one of them; facts of the entry on all."""
    shared = {name: value for name, value in stated.items() if knowledge.law.facts[name].level == "entry"}
    return [(name, {**facts, **(stated if at == place else shared)}) for at, (name, facts) in enumerate(lines)]


def _assessed(knowledge: Knowledge, lines: Sequence[tuple[str, Data]]) -> Steps[Data]:
    entry = {"lines": [{"id": name, **facts} for name, facts in lines]}
    steps = entry_steps(Plain(knowledge), entry, "full")
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: Data = done.value
            return answer
        except (ProblemError, LawConflictError) as error:
            return {"problems": [problem_of(error).as_dict()], "lines": []}
        yield None


# ---------------------------------------------------------------- words
def _words(knowledge: Knowledge, change: Change, stated: Mapping[str, Any]) -> str:
    facts = knowledge.law.facts
    if change.kind == "entry_date":
        way = "earlier" if change.facts["entry_date"] < change.stated else "later"
        return f"the entry is not made yet, and is made {abs((change.facts['entry_date'] - change.stated).days)} days {way}, on {stated['entry_date']}"
    if change.kind == "exclusion":
        heading = change.facts["exclusion_claims"][-1]
        return f"the goods are those described in exclusion {heading}, and it is claimed: {knowledge.says.get(heading, '')}".rstrip(": ")
    if change.kind == "special_program":
        return f"the goods qualify for the {change.title}, and it is claimed by {stated['spi']}"
    if change.kind == "threshold":
        ((name, value),) = stated.items()
        return f"{facts[name].what}: measured again it is {value}, not {plain(change.stated)}"
    said = " and ".join(f"{facts[name].what or name}: {_said(value)}" for name, value in stated.items())
    return f"{said} (an amount as an example)" if change.example else said


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _proof(knowledge: Knowledge, change: Change, answer: Data) -> list[Data]:
    """Return what must be shown for each fact of a change: the question, and what law takes where nobody shows it."""
    taken = {question["fact"]: question["because"] for question in answer["questions"]}
    found = []
    for name in change.facts:
        spec = knowledge.law.facts[name]
        found.append({"fact": name, "asks": spec.question or spec.what, "because": taken.get(name, "") or spec.because})
    return found


def _sides(told: Sequence[Data]) -> Data:
    """Part changes into those that lower the duty and those that raise it, the largest first; fewer facts before more."""

    def rank(one: Data) -> tuple[Decimal, int]:
        return -abs(Decimal(one["difference"])), len(one["change"])

    lower = sorted((one for one in told if one["difference"].startswith("-")), key=rank)
    higher = sorted((one for one in told if not one["difference"].startswith("-")), key=rank)
    return {"lower": _fewest(lower)[:_MOST], "higher": _fewest(higher)[:_MOST]}


def _fewest(told: Sequence[Data]) -> list[Data]:
    """Leave out a pair where one of its facts alone does as much, and a special program that a claim of the list is already."""
    singles = [one for one in told if len(one["change"]) == 1]
    return [
        one
        for one in told
        if len(one["change"]) == 1
        or not any(single["change"].items() <= one["change"].items() and single["duty"] == one["duty"] for single in singles)
    ]


def _cents(text: str) -> int:
    return int(text.replace(".", ""))
