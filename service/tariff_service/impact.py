"""What a change of law does to lines: which change, by how much, because of which provisions, and what that comes to in all.

Entries are answered in batches by both laws (`many_columns.ManyEntries`), and only lines that differ are asked again for their reasons, and
only where somebody reads them: each line that is written to a file, and the largest differences. What is kept of a line is its share of the totals and its place among the largest differences, so memory does not grow with the number of lines.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tariff_service.comparing import program_reasons
from tariff_service.differing import BASE, dollars, gate_change, heading_changes, money
from tariff_service.line_stream import Sent, batches, entries
from tariff_service.many import Assessed, assess_together
from tariff_service.many_columns import ManyEntries
from tariff_service.stepping import names_of

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge

Data = dict[str, Any]
FEES: Final = "fees"  # merchandise processing and harbor maintenance, beside the programs
POSTAL: Final = "postal duty"
CHANGES: Final = ("more", "less", "filed_otherwise")  # what becomes of a line that changes
BATCH: Final = 4_000  # lines
_ZERO: Final = Decimal(0)
_STATED: Final = ("hts", "origin", "entry_date", "value")


@dataclass(slots=True)
class Sums:
    """What lines owe by one law and by the other, and how many of them there are."""

    lines: int = 0
    before: Decimal = _ZERO
    after: Decimal = _ZERO

    def add(self, before: Decimal, after: Decimal) -> None:
        """Count one line more."""
        self.lines += 1
        self.before += before
        self.after += after

    def data(self) -> Data:
        """Return the sums as plain data."""
        return {
            "lines": self.lines,
            "from": f"{self.before:.2f}",
            "to": f"{self.after:.2f}",
            "difference": f"{self.after - self.before:.2f}",
        }


@dataclass(slots=True)
class Totals:
    """What all lines came to: `all` of those whose duty both laws tell, and of them those that changed, by program, provision and origin."""

    rows: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    all: Sums = field(default_factory=Sums)
    programs: dict[str, Sums] = field(default_factory=dict)
    provisions: dict[str, Sums] = field(default_factory=dict)
    origins: dict[str, Sums] = field(default_factory=dict)
    failures: int = 0


class Impact:
    """Two laws, and what lines came to by them so far. `largest` are the lines with the largest differences."""

    def __init__(self, before: Knowledge, after: Knowledge, *, largest: int = 20, columns: bool = True) -> None:
        """Take the laws, and how many of the largest differences are kept. `columns`: use the extra `bulk` where it is installed."""
        self.before, self.after = before, after
        self._many = tuple(ManyEntries(law, columns=columns) for law in (before, after))
        self._full: tuple[list[Sent], list[list[Assessed]]] | None = None  # the explained answers on the last entry that was asked for
        self.totals = Totals()
        self._largest: list[tuple[Decimal, int, Data, list[Sent], int]] = []
        self._most = largest
        self._names = names_of(before), names_of(after)
        self._titles = {program.name: program.title for knowledge in (before, after) for program in knowledge.law.compiled.programs}

    @property
    def largest(self) -> list[Data]:
        """The lines with the largest differences, the largest first."""
        ordered = sorted(self._largest, key=lambda one: (-one[0], -one[1]))
        return [self._explained(line, entry, place) for _, _, line, entry, place in ordered]

    def run(self, sent: Iterable[Sent], tell: Callable[[int], None] | None = None, *, reasons: bool = True) -> Iterator[Data]:
        """Yield what became of each line, in order: its `status`, what it owed and owes, and for those that changed the reasons.

        Without `reasons` they are left out, and asked for the largest differences alone.
        """
        for batch in batches(entries(sent), BATCH):
            yield from self._batch(batch, reasons=reasons)
            if tell is not None:
                tell(self.totals.rows)

    def _batch(self, batch: Sequence[list[Sent]], *, reasons: bool) -> Iterator[Data]:
        good = [entry for entry in batch if all(one.problem is None for one in entry)]
        olds, news = (many.assess([self._facts(entry, place) for entry in good]) for place, many in enumerate(self._many))
        answers = {id(entry): pair for entry, *pair in zip(good, olds, news, strict=True)}
        for entry in batch:
            old, new = answers.get(id(entry)) or [self._around(entry, place) for place in (0, 1)]
            for place, one in enumerate(entry):
                line = self._counted(self._line(one, old[place], new[place]), entry, place)
                yield self._explained(line, entry, place) if reasons else line

    def _facts(self, entry: Sequence[Sent], place: int) -> list[Data]:
        return [self._known(one, place) for one in entry]

    def _around(self, entry: Sequence[Sent], place: int) -> list[Assessed]:
        """Answer an entry of which a line cannot be read: what the others owe in all is not known, for its fees are not."""
        law = (self.before, self.after)[place]
        return [
            Assessed(None, one.problem) if one.problem else _no_total(assess_together(law, [self._known(one, place)])[0]) for one in entry
        ]

    def _known(self, sent: Sent, place: int) -> Data:
        """Return the facts of a line without those of which only the other law has heard; what neither knows is refused by both."""
        mine, other = self._names[place], self._names[1 - place]
        return {key: value for key, value in sent.facts.items() if key != "id" and (key in mine or key not in other)}

    # ------------------------------------------------------------ one line
    def _line(self, sent: Sent, old: Assessed, new: Assessed) -> Data:
        found: Data = {"row": sent.row, "id": sent.id}
        if old.answer is None or new.answer is None:
            self.totals.failures += old.failed or new.failed
            sides = {"from": old.problem, "to": new.problem}
            return {
                **found,
                "status": "refused" if old.answer is None and new.answer is None else "refused_by_one",
                "problem": {name: problem.as_dict() if problem else None for name, problem in sides.items()},
            }
        before, after = old.answer, new.answer
        found |= {name: after[name] for name in _STATED}
        owed = before["totals"]["total"], after["totals"]["total"]
        found |= {"from": owed[0], "to": owed[1], "difference": money(*owed)}
        if None in owed:
            return {**found, "status": "not_told"}
        self._add(before, after)
        if owed[0] == owed[1] and not heading_changes(before, after) and gate_change(before, after) is None:
            return {**found, "status": "same"}
        difference = Decimal(found["difference"])
        status = "more" if difference > 0 else "less" if difference < 0 else "filed_otherwise"
        return {**found, "status": status}

    def _explained(self, line: Data, entry: list[Sent], place: int) -> Data:
        """Return a line with its reasons, where it changed."""
        if line["status"] in CHANGES and "programs" not in line:
            if self._full is None or self._full[0] is not entry:
                laws = (self.before, self.after)
                self._full = entry, [assess_together(law, self._facts(entry, number), "full") for number, law in enumerate(laws)]
            before, after = (answers[place].answer for answers in self._full[1])
            line["programs"] = self._reasons(before, after) if before is not None and after is not None else []
        return line

    def _reasons(self, before: Data, after: Data) -> list[Data]:
        """Return why each program differs; the dollars add up to the difference of the line."""
        reasons = [_reason(one) for one in program_reasons(before, after, self._titles)]
        reasons = [one for one in reasons if one["difference"] != "0.00" or one["headings"]["from"] != one["headings"]["to"]]
        for name, words in ((FEES, "the fees of the entry"), (POSTAL, "the duty on postal shipments")):
            difference = parts(after)[name] - parts(before)[name]
            if difference:
                reasons.append({**_NOTHING, "program": name, "title": words, "difference": f"{difference:.2f}", "because": words})
        gate = gate_change(before, after)
        if gate is not None and gate["result"]["from"] != gate["result"]["to"]:
            words = f"{gate['result']['from']} before, {gate['result']['to']} after: {after['de_minimis']['says']}"
            told = {"program": gate["program"], "title": "low-value treatment", "difference": "0.00", "because": words}
            reasons.append({**_NOTHING, **told, "cites": after["de_minimis"]["cites"]})
        return sorted(reasons, key=lambda one: (-abs(Decimal(one["difference"])), str(one["program"])))

    # ------------------------------------------------------------ sums
    def _add(self, before: Data, after: Data) -> None:
        was, now = parts(before), parts(after)
        self.totals.all.add(sum(was.values(), _ZERO), sum(now.values(), _ZERO))
        self.totals.origins.setdefault(after["origin"], Sums()).add(sum(was.values(), _ZERO), sum(now.values(), _ZERO))
        _spread(self.totals.programs, was, now)
        _spread(self.totals.provisions, self._headings(before), self._headings(after))

    def _headings(self, answer: Mapping[str, Any]) -> dict[str, Decimal]:
        """Return what a line owes under each heading of the law book; numbers that the filer states are no provisions."""
        found: dict[str, Decimal] = {}
        for row in answer["headings"]:
            if row["program"] in self._titles:
                name = row["heading"] or row["program"]
                found[name] = found.get(name, _ZERO) + Decimal(row["duty"] or 0)
        return found

    def _counted(self, line: Data, entry: list[Sent], place: int) -> Data:
        self.totals.rows += 1
        status = line["status"]
        self.totals.statuses[status] = self.totals.statuses.get(status, 0) + 1
        if self._most and status in CHANGES:
            key = (abs(Decimal(line["difference"])), -self.totals.rows, line, entry, place)
            if len(self._largest) < self._most:
                heapq.heappush(self._largest, key)
            elif key[:2] > self._largest[0][:2]:
                heapq.heapreplace(self._largest, key)
        return line


def _no_total(one: Assessed) -> Assessed:
    if one.answer is None:
        return one
    return Assessed({**one.answer, "totals": {"duty": None, "fees": None, "total": None}})


def _spread(into: dict[str, Sums], was: Mapping[str, Decimal], now: Mapping[str, Decimal]) -> None:
    for name in dict.fromkeys([*was, *now]):
        one, other = was.get(name), now.get(name)
        if one or other or (one is None) != (other is None):
            into.setdefault(name, Sums()).add(one or _ZERO, other or _ZERO)


def parts(answer: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what a line owes by program, its fees and its postal duty: they add up to the total. Only of a line whose total is known."""
    found = {name: Decimal(amount or 0) for name, amount in dollars(answer).items()}
    totals = answer["totals"]
    found[FEES] = Decimal(totals["fees"])
    found[POSTAL] = Decimal(totals["duty"]) - sum((amount for name, amount in found.items() if name != FEES), _ZERO)
    return found


_NOTHING: Final[Data] = {"headings": {"from": [], "to": []}, "rates": {"from": [], "to": []}, "provisions": [], "acts": [], "cites": []}


def _reason(one: Mapping[str, Any]) -> Data:
    """Return the reason of one program as it stands in a report."""
    provisions = [*one["headings"]["from"], *one["headings"]["to"]] or ([one["provision"]] if one.get("provision") else [])
    return {
        "program": one["program"],
        "title": one["title"],
        "difference": one["dollars"] or "0.00",
        "headings": one["headings"],
        "rates": one["rates"],
        "provisions": sorted(set(provisions)) if one["program"] != BASE else [],
        "because": one.get("because") or (f"no longer: {one['because_base']}" if one.get("because_base") else ""),
        "acts": list(one.get("instruments", [])),
        "cites": list(one.get("cites", [])),
    }


def report(impact: Impact, names: tuple[str, str], known_on: str | None) -> Data:
    """Return the totals, and the lines with the largest differences, as plain data."""
    totals = impact.totals
    laws = (impact.before.law, impact.after.law)
    books = [
        {"name": name, "id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()}
        for name, law in zip(names, laws, strict=True)
    ]

    def spread(found: Mapping[str, Sums], word: str) -> list[Data]:
        ordered = sorted(found.items(), key=lambda item: (-abs(item[1].after - item[1].before), item[0]))
        return [{word: name, **sums.data()} for name, sums in ordered]

    changed = sum(totals.statuses.get(status, 0) for status in CHANGES)
    return {
        "from": books[0],
        "to": books[1],
        "known_on": known_on,
        "rows": totals.rows,
        "changed": changed,
        "statuses": dict(sorted(totals.statuses.items())),
        "totals": totals.all.data(),
        "by_program": spread(totals.programs, "program"),
        "by_provision": spread(totals.provisions, "provision"),
        "by_origin": spread(totals.origins, "origin"),
        "largest": impact.largest,
    }
