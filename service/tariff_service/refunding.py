"""The refund view: every line under three laws, entries with their windows and obstacles, totals, and the entries of a claim file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.build import refit_law
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import ENGINE, problem_of
from tariff_engine.money import dollars_text
from tariff_engine.problems import LawConflictError, Problem, ProblemError, refuse
from tariff_engine.refund import Laws, refund_line
from tariff_engine.refund_entry import action_data, reasons, settle_facts, windows
from tariff_service import rulebook
from tariff_service.refund_columns import columns_data

if TYPE_CHECKING:
    from tariff_engine.law import Law
    from tariff_engine.refund_law import Action
    from tariff_service.refund_files import Lines
    from tariff_service.refund_rows import Claim

_KEEP = 2  # laws of other days of knowledge: lines are answered in the order of the days
_SUMMARY_DATE = "summary_date"
_NOT_CLAIMED = "not_claimed"  # kinds of entries that stay out of the file
Data = dict[str, Any]


class FilingLaws:
    """A rulebook, its law of today, and the law as known on the days on which entries were filed."""

    def __init__(self, folder: Path | None) -> None:
        """Open the rules. Raises ProblemError: no rules."""
        self.today = rulebook.open_engine(folder).at()
        law = self.today.law
        self.book = cache(lambda: rulebook.open_book(folder))
        self._known = Engine(lambda day: law if day == date.max else refit_law(law, self.book(), day), keep=_KEEP)

    def lacking(self, action: Action) -> Knowledge:
        """Return the law of today without the programs of an action."""
        return Knowledge(refit_law(self.today.law, self.book(), without=frozenset(action.programs)))

    def filed(self, day: date) -> Knowledge:
        """Return the law as it was known on the day of the entry summary."""
        found = self._known.at(day)
        return self.today if found.law is self.today.law else found

    def order(self, day: date) -> date:
        """Return what to sort by, so that lines of one day of knowledge come together."""
        return self._known.day(day)


class RefundDesk(FilingLaws):
    """The laws of filing, and the law of today without the programs of an action."""

    def __init__(self, folder: Path | None, action: str | None) -> None:
        """Open the rules. Raises ProblemError: no rules, no such action, or several and none named."""
        super().__init__(folder)
        self.action = chosen_action(self.today.law, action)
        self.without = self.lacking(self.action)


def chosen_action(law: Law, name: str | None) -> Action:
    """Return the refund action that was asked for, or the only one. Raises ProblemError."""
    actions = {action.action: action for action in law.refunds.actions}
    if not actions:
        raise refuse("no_refund_action", "--rules", "the law book holds no refund action", "add refunds.yaml to the rules")
    if name is None and len(actions) > 1:
        raise refuse("which_action", "--action", "the law book holds several refund actions", f"name one of {', '.join(actions)}")
    if name is not None and name not in actions:
        raise refuse("unknown_action", "--action", f"{name[:60]} is no refund action", f"name one of {', '.join(actions)}")
    return actions[name] if name is not None else next(iter(actions.values()))


def refund_report(
    desk: RefundDesk, lines: Lines, claims: list[Claim], on: date, *, as_filed: bool, revived: bool, ask: bool = False
) -> Data:
    """Return the whole view on the lines of a file. `revived` puts entries into the claim file of which a displaced duty may leave nothing.

    `ask` finds out which facts move the duty of each line, which takes up to a second a line.
    """
    answers = _answers(desk, claims, as_filed=as_filed, ask=ask)
    entries = _entries(desk, claims, answers, on)
    claim_file = _claim_file(desk.action, entries, answers, claims, revived=revived)
    shown = [answer for answer in answers if "problem" not in answer]
    law = desk.today.law
    return {
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "action": action_data(desk.action, on),
        "on": on.isoformat(),
        "paid_from": "law_known_when_filed" if as_filed else "law_known_today",
        "columns": columns_data(lines.columns),
        "totals": {"lines": len(claims), "refused": len(claims) - len(shown), **_totals(shown)},
        "headings": _by_heading(shown),
        "entries": entries,
        "claim_file": claim_file,
        "lines": shown,
        "problems": [{"id": answer["id"], "rows": answer["rows"], **answer["problem"]} for answer in answers if "problem" in answer],
    }


# ---------------------------------------------------------------- lines
def _answers(desk: RefundDesk, claims: list[Claim], *, as_filed: bool, ask: bool) -> list[Data]:
    """Answer every line in its place; they are taken in the order of what was known, so that few laws are in memory."""
    found: dict[int, Data] = {}

    def when(place: int) -> date:
        line, entry = claims[place].line, claims[place].entry
        known: date = entry.get(_SUMMARY_DATE) or (line.day if line else date.min)
        return known

    places = range(len(claims))
    for place in sorted(places, key=lambda place: desk.order(when(place))) if as_filed else places:
        claim = claims[place]
        found[place] = _answer(desk, claim, desk.filed(when(place)) if as_filed and claim.line else desk.today, ask=ask)
    return [found[place] for place in places]


def _answer(desk: RefundDesk, claim: Claim, filed: Knowledge, *, ask: bool) -> Data:
    head: Data = {"id": claim.id, "rows": list(claim.rows), "entry_number": claim.entry_number}
    if claim.line is None:
        problem = claim.problem or Problem("internal_error", "row", "the row was not read", "please report it with the row")
        return {**head, "problem": problem.as_dict()}
    try:
        laws = Laws(filed, desk.today, desk.without)
        answer = refund_line(desk.action, laws, claim.line, claim.id, paid=claim.paid, paid_total=claim.paid_total, ask=ask)
    except (ProblemError, LawConflictError) as error:
        return {**head, "problem": problem_of(error).as_dict()}
    answer["warnings"] = [note.as_dict() for note in claim.notes] + answer["warnings"]
    return {**head, **answer}


def _cents(text: str | None) -> int:
    return int((text or "0.00").replace(".", ""))


def _totals(answers: Iterable[Data]) -> Data:
    """Add lines up; where a line waits for a fact, what it would get is not in the sum, and `complete` says so."""
    sums: Counter[str] = Counter()
    complete, count = True, 0
    for answer in answers:
        count += 1
        complete = complete and answer["complete"]
        for name in ("paid", "paid_under", "today", "without", "retroactive"):
            sums[name] += _cents(answer[name])
        for name in ("by_action", "refund"):
            for end in ("low", "high"):
                sums[f"{name}.{end}"] += _cents((answer[name] or {}).get(end))
    found: Data = {"answered": count, "complete": complete}
    found |= {name: dollars_text(sums[name]) for name in ("paid", "paid_under", "today", "without", "retroactive")}
    return found | {name: {end: dollars_text(sums[f"{name}.{end}"]) for end in ("low", "high")} for name in ("by_action", "refund")}


def _by_heading(answers: Iterable[Data]) -> list[Data]:
    """Add up what each additional number paid and would pay; chapters 1 to 97 are one sum."""
    sums: dict[tuple[str, str, bool], Counter[str]] = defaultdict(Counter)
    for answer in answers:
        for row in answer["headings"]:
            key = ("chapters 1 to 97" if row["program"] == "base" else row["heading"], row["program"], row["stripped"])
            for name in ("paid", "today", "without", "difference"):
                sums[key][name] += _cents(row[name])
    return [
        {"heading": heading, "program": program, "stripped": stripped, **{name: dollars_text(found[name]) for name in found}}
        for (heading, program, stripped), found in sorted(sums.items(), key=lambda item: (not item[0][2], item[0][1] == "base", item[0][0]))
    ]


# ---------------------------------------------------------------- entries
def _entries(desk: RefundDesk, claims: list[Claim], answers: list[Data], on: date) -> list[Data]:
    places: dict[str | None, list[int]] = {}
    for place, claim in enumerate(claims):
        places.setdefault(claim.entry_number, []).append(place)
    return [_entry(desk, number, mine, claims, answers, on) for number, mine in places.items() if number is not None]


def _entry(desk: RefundDesk, number: str, places: list[int], claims: list[Claim], answers: list[Data], on: date) -> Data:
    mine = [answers[place] for place in places]
    shown = [answer for answer in mine if "problem" not in answer]
    found: Data = {"entry_number": number, "lines": len(mine), "refused": len(mine) - len(shown), **_totals(shown)}
    found["numbers"] = sorted({heading for answer in shown for heading in answer["numbers"]})
    found["revived"] = sorted({row["heading"] for answer in shown for row in answer["revived"]})
    found |= {"facts": {}, "checks": [], "not_checked": [], "windows": [], "warnings": []}
    read = [claims[place] for place in places if claims[place].line is not None]
    if not read:
        return found
    stated = {name: value for claim in read for name, value in claim.entry.items()}
    law = desk.today.law
    try:
        facts, warnings = settle_facts(law.refunds, stated, on)
    except ProblemError as error:
        found["problem"] = error.problem.as_dict()
        return found
    line = read[0].line
    facts["entry_date"] = line.day if line else None
    found["entry_date"] = facts["entry_date"]
    found["warnings"] = [warning.as_dict() for warning in warnings]
    if not found["numbers"]:
        return found  # nothing of the action stands on it: there is nothing to claim, and nothing to watch
    failed, open_ = reasons(desk.action, facts, on)
    spans = windows(desk.action.windows, facts, on)
    asked = dict.fromkeys(name for item in (*open_, *spans) for name in item["asks"])
    found["facts"] = {
        name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items() if name != "entry_date"
    }
    found["checks"], found["not_checked"], found["windows"] = failed, [item["check"] for item in open_], spans
    found["questions"] = [{"fact": name, "asks": law.refunds.facts[name].question} for name in asked if name in law.refunds.facts]
    return found


# ---------------------------------------------------------------- the file
def _claim_file(action: Action, entries: list[Data], answers: list[Data], claims: list[Claim], *, revived: bool) -> Data | None:
    """Return which entries go into the claim file, in how many parts, and which stay out of it, with the reasons."""
    if action.file is None:
        return None
    taken: list[str] = []
    apart: list[Data] = []
    for entry in entries:
        why = _stays_out(entry, revived=revived)
        if why:
            apart.append({"entry_number": entry["entry_number"], "reasons": why})
        else:
            taken.append(entry["entry_number"])
    nameless = [
        answers[place]["id"]
        for place, claim in enumerate(claims)
        if claim.entry_number is None and answers[place].get("status") == "refund"
    ]
    most = action.file.most
    return {
        "column": action.file.column,
        "most": most,
        "cites": list(action.file.cite),
        "entries": taken,
        "files": -(-len(taken) // most),
        "apart": apart,
        "lines_without_entry_number": nameless,
    }


def _stays_out(entry: Mapping[str, Any], *, revived: bool) -> list[Data]:
    """Return why an entry is not claimed: nothing read, no number of the action, nothing paid, an obstacle, or nothing may be left."""
    if "problem" in entry:
        return [{"reason": entry["problem"]["code"], "says": entry["problem"]["message"]}]
    if not entry["answered"]:
        return [{"reason": "not_read", "says": "No line of the entry could be read."}]
    if not entry["numbers"]:
        return [{"reason": "no_number", "says": "The entry carries no number of the action."}]
    if _cents(entry["paid_under"]) <= 0:
        return [{"reason": "nothing_paid", "says": "Nothing was paid under the numbers of the action."}]
    found = [{"reason": check["check"], "says": check["says"], "cites": check["cites"]} for check in entry["checks"]]
    if not found and not revived and entry["revived"] and entry["complete"] and _cents(entry["by_action"]["low"]) <= 0:
        numbers = ", ".join(entry["revived"])
        says = f"If the displaced duty comes back ({numbers}), nothing is left of the refund; --include-revived claims it all the same."
        found.append({"reason": "duty_revived", "says": says})
    return found
