"""What if: one line or entry under other facts, other knowledge days and other rulebooks, with the reason of each difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any

from tariff_engine.answer import plain
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import ENGINE, entry_steps, problem_of, read_entry
from tariff_engine.problems import LawConflictError, ProblemError, refuse
from tariff_service.differing import BASE, dollars, gate_change, money, short_row
from tariff_service.explaining import not_found
from tariff_service.stepping import Plain, Steps, ask, finish, names_of, without

MAX_CELLS = 200
MAX_LINES = 5_000  # lines of all cells together
_TELLING = frozenset({"applies", "prohibited", "exempt", "displaced", "nothing_to_charge", "outside", "fact_unknown"})
_KNOWN_ON, _CLAIMS, _RULEBOOK = "known_on", "claims", "rulebook"
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that varies: a fact by its name, `known_on`, `rulebook`, or `claims`, whose values are maps of facts."""

    name: str
    values: tuple[Any, ...]


def compare(
    engine: Engine,
    base: Any,
    vary: Any,
    *,
    known_on: date | None = None,
    max_cells: int = MAX_CELLS,
    rulebooks: Mapping[str, Engine] | None = None,
) -> Data:
    """Compare an entry, or one flat line, with itself under every combination of what varies.

    `vary` maps names of facts to lists of values, `known_on` to days (null: everything known), `claims` to lists of maps of facts, and
    `rulebook` to ids of `rulebooks`. Facts that vary and that the base does not state take their first value there. A cell that cannot be
    assessed holds its problem. Raises ProblemError: the base cannot be read, nothing varies, too many cells, unknown names.
    """
    return finish(compare_steps(base, vary, known_on=known_on, max_cells=max_cells), engine, rulebooks)


def compare_steps(base: Any, vary: Any, *, known_on: date | None = None, max_cells: int = MAX_CELLS) -> Steps[Data]:
    """Compare in steps: it gives way after each line of each cell. Raises ProblemError as `compare` does."""
    knowledge = yield from ask(known_on)
    names = names_of(knowledge)
    dimensions = read_vary(knowledge, vary, max_cells)
    sent = _complete(knowledge, base, dimensions, names)
    lines = len(read_entry(knowledge, sent).lines)
    cells = prod(len(dimension.values) for dimension in dimensions)
    if lines * cells > MAX_LINES:
        raise refuse("too_many_cells", "vary", f"{cells} cells of {lines} lines each", f"ask for at most {MAX_LINES:,} lines in all")
    titles = {program.name: program.title for program in knowledge.law.compiled.programs}
    first = yield from _assessed(knowledge, sent)
    if "problem" in first:
        raise ProblemError(first["problem"])
    found: list[Data] = []
    for values in product(*(dimension.values for dimension in dimensions)):
        varied = {dimension.name: value for dimension, value in zip(dimensions, values, strict=True)}
        day, rulebook = varied.get(_KNOWN_ON, known_on), varied.get(_RULEBOOK)
        law = knowledge if day == known_on and rulebook is None else (yield from ask(day, rulebook))
        answer = yield from _assessed(law, _applied(law, sent, varied, names))
        shown = {"varied": {name: plain(value) for name, value in varied.items()}}
        if "problem" in answer:
            found.append({**shown, "problem": answer["problem"].as_dict()})
        else:
            found.append({**shown, **_cell(answer), "differences": _differences(first, answer, titles)})
        yield None
    law_ = knowledge.law
    return {
        "rulebook": {"id": law_.id, "edition": law_.edition, "horizon": law_.horizon.isoformat()},
        "engine": ENGINE,
        "known_on": plain(known_on),
        "vary": {dimension.name: [plain(value) for value in dimension.values] for dimension in dimensions},
        "base": {"stated": {one.name: plain(one.values[0]) for one in dimensions if _lacks(base, one.name, names)}, **_cell(first)},
        "cells": found,
    }


# ---------------------------------------------------------------- what varies
def read_vary(knowledge: Knowledge, vary: Any, max_cells: int) -> list[Dimension]:
    """Read what varies. Raises ProblemError: no map of lists, unknown facts, personal facts, no or too many cells."""
    if not isinstance(vary, Mapping) or not vary:
        raise refuse("wrong_type", "vary", "vary is a map of facts to lists of values", 'send vary: {"origin": ["..", ".."]}')
    found: dict[str, Dimension] = {}
    for key, values in vary.items():
        if not isinstance(values, list) or not values:
            raise refuse("wrong_type", f"vary.{key}", f"{key} varies over a list of values", "send a list of at least one value")
        name = _name(knowledge, str(key), f"vary.{key}", (_KNOWN_ON, _CLAIMS, _RULEBOOK))
        if name in found:
            raise refuse("fact_stated_twice", f"vary.{key}", f"{key} is another name of {name}, which varies too", "send it once")
        found[name] = Dimension(name, tuple(_value(knowledge, name, value, f"vary.{key}[{place}]") for place, value in enumerate(values)))
    cells = prod(len(dimension.values) for dimension in found.values())
    if cells > max_cells:
        raise refuse("too_many_cells", "vary", f"{cells} combinations", f"ask for at most {max_cells} cells at a time")
    return list(found.values())


def _name(knowledge: Knowledge, key: str, field: str, more: Sequence[str] = ()) -> str:
    names = names_of(knowledge)
    if key not in names and key not in more:
        raise not_found("unknown_fact", field, key, [*names, *more], "GET /v1/facts lists every name")
    if key in knowledge.reader.personal:
        raise refuse("unprocessable", field, f"{key} says who somebody is, and answers never tell that", "vary another fact")
    return names.get(key, key)


def _value(knowledge: Knowledge, name: str, value: Any, field: str) -> Any:
    if name == _KNOWN_ON:
        return _day(value, field)
    if name == _RULEBOOK and not isinstance(value, str):
        raise refuse("wrong_type", field, "a rulebook is named by its id", "send the id as text")
    if name == _CLAIMS:
        if not isinstance(value, Mapping):
            raise refuse("wrong_type", field, "a claim is a map of facts", 'send {"fact": value, ...}')
        for key in value:
            _name(knowledge, str(key), f"{field}.{key}")
    return value


def _day(value: Any, field: str) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.isoformat() != value:
        raise refuse("wrong_type", field, f"known_on is {str(value)[:40]!r}", "send a day as YYYY-MM-DD, or null for everything known")
    return found


# ---------------------------------------------------------------- the entries
def _lacks(base: Any, name: str, names: Mapping[str, str]) -> bool:
    """Whether a base does not state a fact, neither for the entry nor for each line."""
    if name in {_KNOWN_ON, _CLAIMS, _RULEBOOK} or not isinstance(base, Mapping):
        return False
    lines = base.get("lines")
    inside = lines if isinstance(lines, list) else []
    stated = [{names.get(str(key)) for key, value in one.items() if value is not None} for one in inside if isinstance(one, Mapping)]
    return name not in {names.get(str(key)) for key, value in base.items() if value is not None} and (
        not stated or not all(name in facts for facts in stated)
    )


def _complete(knowledge: Knowledge, base: Any, dimensions: Sequence[Dimension], names: Mapping[str, str]) -> Any:
    missing = {one.name: one.values[0] for one in dimensions if _lacks(base, one.name, names)}
    return _applied(knowledge, base, missing, names) if missing else base


def _applied(knowledge: Knowledge, entry: Any, varied: Mapping[str, Any], names: Mapping[str, str]) -> Any:
    """Return an entry with facts in place of its own: those of the entry there, those of a line on each line; null takes a fact away."""
    facts = {name: value for name, value in varied.items() if name not in {_KNOWN_ON, _CLAIMS, _RULEBOOK}}
    facts |= {names.get(str(key), str(key)): value for key, value in (varied.get(_CLAIMS) or {}).items()}
    if not isinstance(entry, Mapping):
        return entry
    found = {str(key): value for key, value in entry.items()}
    for name, value in facts.items():
        found = without(found, name, names)
        if not isinstance(found.get("lines"), list):
            found[name] = value
            continue
        spec = knowledge.law.facts.get(name)
        shared = spec is not None and spec.level == "entry"
        lines = [without(line, name, names) if isinstance(line, Mapping) else line for line in found["lines"]]
        found["lines"] = lines if shared else [{**line, name: value} if isinstance(line, Mapping) else line for line in lines]
        if shared:
            found[name] = value
    return found


def _assessed(knowledge: Knowledge, entry: Any) -> Steps[Data]:
    steps = entry_steps(Plain(knowledge), entry, "full")
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: Data = done.value
            return answer
        except (ProblemError, LawConflictError) as error:
            return {"problem": problem_of(error)}
        yield None


# ---------------------------------------------------------------- cells
def _cell(answer: Data) -> Data:
    return {
        "lines": [_line(line) for line in answer["lines"]],
        "fees": {name: answer["fees"][name] for name in ("mpf", "hmf")} if answer["fees"] else None,
        "de_minimis": answer["de_minimis"]["result"] if answer["de_minimis"] else None,
        "totals": answer["totals"],
        "problems": answer["problems"],
    }


def _line(line: Data) -> Data:
    if "problem" in line:
        return {"id": line["id"], "problem": line["problem"]}
    return {
        "id": line["id"],
        **{key: line[key] for key in ("hts", "origin", "entry_date", "value", "duty", "additional_rate")},
        "headings": [short_row(row) for row in line["headings"]],
        "verdicts": {verdict["program"]: verdict["verdict"] for verdict in line["programs"]},
        "warnings": list(dict.fromkeys(warning["code"] for warning in line["warnings"])),
    }


def _differences(base: Data, cell: Data, titles: Mapping[str, str]) -> Data:
    """Return what a cell owes more, or less, than the base, and why."""
    totals = base["totals"] or {}, cell["totals"] or {}
    found: Data = {name: money(totals[0].get(name), totals[1].get(name)) for name in ("duty", "fees", "total")}
    if base["de_minimis"] and cell["de_minimis"] and (gate := gate_change(base, cell)):
        found["de_minimis"] = {**gate, "because": cell["de_minimis"]["says"], "cites": cell["de_minimis"]["cites"]}
    found["lines"] = [line_difference(one, other, titles) for one, other in zip(base["lines"], cell["lines"], strict=True)]
    return found


def line_difference(base: Data, cell: Data, titles: Mapping[str, str]) -> Data:
    """Return what a line owes more, or less, than another answer on it, by program with the reason of each; the largest first."""
    if "problem" in base or "problem" in cell:
        return {"id": cell["id"], "duty": None, "programs": []}
    programs = sorted(program_reasons(base, cell, titles), key=lambda one: -abs(Decimal(one["dollars"] or 0)))
    return {"id": cell["id"], "duty": money(base["duty"], cell["duty"]), "programs": programs}


def program_reasons(base: Data, cell: Data, titles: Mapping[str, str]) -> Iterator[Data]:
    """Yield a reason for each program whose headings or dollars differ, or whose verdict came to, or from, more than that it is beside the point.

    The dollars add up to the difference of the line.
    """
    was, now = ({verdict["program"]: verdict for verdict in answer["programs"]} for answer in (base, cell))
    paid, due = dollars(base), dollars(cell)
    for program in dict.fromkeys([*was, *now, *paid, *due]):
        one, other = was.get(program), now.get(program)
        rows = [[row for row in answer["headings"] if row["program"] == program] for answer in (base, cell)]
        said = [_rows_words(found) for found in rows]
        difference = money(paid.get(program, "0.00"), due.get(program, "0.00"))
        verdicts = [verdict["verdict"] if verdict else None for verdict in (one, other)]
        told = verdicts[0] != verdicts[1] and not _TELLING.isdisjoint(verdicts)
        if not told and said[0] == said[1] and paid.get(program, "0.00") == due.get(program, "0.00"):
            continue
        found: Data = {
            "program": program,
            "title": titles.get(program) or (other or one or {}).get("title"),
            "from": verdicts[0] or said[0],
            "to": verdicts[1] or said[1],
            "dollars": difference,
            "headings": {"from": [row["heading"] for row in rows[0]], "to": [row["heading"] for row in rows[1]]},
            "rates": {"from": [row["rate"] for row in rows[0]], "to": [row["rate"] for row in rows[1]]},
        }
        yield {**found, **_because(program, one, other, rows)}


def _rows_words(rows: Sequence[Data]) -> str | None:
    return ", ".join(f"{row['rate']} ({row['says'].rstrip('.')})" for row in rows) or None


def _because(program: str, one: Data | None, other: Data | None, rows: Sequence[Sequence[Data]]) -> Data:
    """The sentence that decided in the cell, and the one that decided in the base."""
    if program == BASE or other is None:
        shown = [" ".join(dict.fromkeys(row["says"] for row in found)) or None for found in rows]
        return {"because": shown[1], "because_base": shown[0], "cites": [cite for row in rows[1] for cite in row["cites"]]}
    return {
        "because": other["because"],
        "because_base": one["because"] if one else None,
        "facts": other.get("facts", {}),
        "provision": other.get("provision"),
        "instruments": other.get("instruments", []),
        "cites": other["cites"],
    }
