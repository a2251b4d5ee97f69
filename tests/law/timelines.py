"""Timelines of telling goods: what they owed day by day, by the law as it stands now and as it was known on the day of entry.

`python -m tests.law.timelines` in the project's folder writes the files of `timelines/` anew. What stands under `reviewed` is kept where
the row is the same, and is empty where it is not: a row counts only once it was read against the text and the place was written down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tariff_service.timeline import timeline

if TYPE_CHECKING:
    from tests.law.probe import Prober

    from tariff_engine.engine import Engine, Knowledge

FOLDER = Path(__file__).parent / "timelines"
DAY = timedelta(days=1)
BEGIN, END = date(2025, 1, 1), date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line owes: headings with their rates in the order of filing, and the dollars in all."""

    headings: tuple[str, ...]
    duty: str


@dataclass(frozen=True, slots=True)
class Span:
    """Days of entry on which nothing changes: the law today, and the law of the day itself where that was another."""

    start: date
    end: date
    today: Answer
    then: Answer | None


def ask(knowledge: Knowledge, goods: Mapping[str, Any], day: date) -> Answer:
    """Assess goods entered on a day."""
    found = knowledge.answer(knowledge.read({**goods, "entry_date": day}), "", "none", inquire=False)
    rows = [row for row in found["headings"] if row["program"] != "base"]
    headings = tuple(f"{row['heading']} {row['rate'] if row['kind'] in {'additional', 'total'} else row['kind']}" for row in rows)
    return Answer(headings, found["duty"])


def spans(prober: Prober, goods: Mapping[str, Any]) -> Iterator[Span]:
    """Yield the spans of a line from the first day to the last. Only days on which law begins, ends or becomes known are asked about."""
    latest = prober.at(date.max)
    open_: Span | None = None
    for day in sorted(set(days(prober))):
        today, then = ask(latest, goods, day), ask(prober.at(day), goods, day)
        other = None if today == then else then
        if open_ and (open_.today, open_.then) == (today, other):
            continue
        if open_:
            yield Span(open_.start, day, open_.today, open_.then)
        open_ = Span(day, END, today, other)
    assert open_ is not None
    yield open_


def days(prober: Prober) -> Iterator[date]:
    """Yield the first day and every day on which something in the book begins, ends or is published."""
    law = prober.at(date.max).law
    yield BEGIN
    for ordinal in law.compiled.bounds:
        day = date.fromordinal(ordinal)
        if BEGIN < day < END:
            yield day
    for act in prober.book.instruments.values():
        if BEGIN < act.published < END:
            yield act.published


# ---------------------------------------------------------------- files
def rows(prober: Prober, engine: Engine, goods: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a file: span, headings, duty, what they were as filed, and the acts that made the change."""
    found: list[dict[str, Any]] = []
    acts = causes(prober, engine, goods)
    for span in spans(prober, goods):
        row: dict[str, Any] = {"from": span.start, "until": span.end, "headings": list(span.today.headings), "duty": span.today.duty}
        if span.then:
            row["as_filed"] = {"headings": list(span.then.headings), "duty": span.then.duty}
        row["acts"] = acts.get(span.start, [])
        found.append(row)
    return found


def causes(prober: Prober, engine: Engine, goods: Mapping[str, Any]) -> dict[date, list[str]]:
    """Return the acts behind the changes of headings on each day, as the timeline of the service names them."""
    found: dict[date, list[str]] = {}
    for step in timeline(engine, prober.book, goods, first=BEGIN, until=END)["steps"]:
        acts = {change["instrument"]["id"] for change in step["changes"] if change.get("instrument")}
        found[date.fromisoformat(step["from"])] = sorted(acts)
    return found


def write(path: Path, head: Mapping[str, Any], made: list[dict[str, Any]]) -> None:
    """Write a file, a row in a few short lines; what was reviewed stays with its row."""
    kept = {key(row): row.get("reviewed", "") for row in head.get("rows", ())}
    lines = [f"says: {head['says']}", f"goods: {flow(head['goods'])}", "rows:"]
    for row in made:
        lines += [f"- from: {row['from']}", f"  until: {row['until']}"]
        lines.append(f"  headings: [{', '.join(row['headings'])}]")
        lines.append(f"  duty: '{row['duty']}'")
        if "as_filed" in row:
            lines.append(f"  as_filed: {{headings: [{', '.join(row['as_filed']['headings'])}], duty: '{row['as_filed']['duty']}'}}")
        lines.append(f"  acts: [{', '.join(row['acts'])}]")
        lines.append("  reviewed: " + quoted(kept.get(key(row), "")))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def key(row: Mapping[str, Any]) -> str:
    """Return what a reviewer read: everything in a row but the review."""
    return repr([(name, row[name]) for name in ("from", "until", "headings", "duty", "as_filed", "acts") if name in row])


def quoted(words: str) -> str:
    """Return a text as YAML writes it in double quotes."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flow(goods: Mapping[str, Any]) -> str:
    """Return facts on one line of YAML."""
    return yaml.safe_dump(dict(goods), default_flow_style=True, sort_keys=False, width=1000, allow_unicode=True).strip()


def read(path: Path) -> dict[str, Any]:
    """Return a file."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def main() -> None:
    """Write every file anew."""
    from tests.law.probe import Prober  # noqa: PLC0415
    from tests.law.rulebook import the_book  # noqa: PLC0415

    from tariff_engine.build import build_law  # noqa: PLC0415
    from tariff_engine.engine import Engine  # noqa: PLC0415
    from tariff_rules import ROOT  # noqa: PLC0415

    book = the_book()
    engine = Engine(lambda known_on: build_law(book, ROOT, known_on))
    prober = Prober(book, engine.at())
    for path in sorted(FOLDER.glob("*.yaml")):
        head = read(path)
        made = rows(prober, engine, head["goods"])
        write(path, head, made)
        sys.stdout.write(f"{path.name}: {len(made)} rows\n")


if __name__ == "__main__":
    main()
