"""An answer as a page shows it: the sums first, then line by line. Every number is the answer's own; nothing is computed here anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tariff_service.differing import dollars
from tariff_service.web.asking import Ask
from tariff_service.web.fields import told
from tariff_service.web.verdicts import Group, groups
from tariff_service.web.waterfall import Bar, waterfall

if TYPE_CHECKING:
    from tariff_engine.law import Law


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact as it was stated."""

    name: str
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of the answer with what the page shows of it. `copied` is its table as tab-separated text."""

    number: int
    answer: Mapping[str, Any]
    country: str
    stated: tuple[Stated, ...]
    groups: tuple[Group, ...]
    bars: tuple[Bar, ...]
    copied: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """An answer with its lines. `single` is the only line, where there is one."""

    answer: Mapping[str, Any]
    lines: tuple[LineView, ...]
    stated: tuple[Stated, ...]  # of the entry as a whole
    open: bool  # whether facts that matter are not stated
    warned: bool

    @property
    def banned(self) -> list[str]:
        """The ids of lines that may not be imported at all."""
        return [line.answer["id"] for line in self.lines if line.answer.get("prohibited")]

    @property
    def single(self) -> LineView | None:
        """The only line."""
        return self.lines[0] if len(self.lines) == 1 else None


def entry_view(law: Law, ask: Ask, answer: Mapping[str, Any]) -> EntryView:
    """Return an answer for the page."""
    specs = {name: spec for spec in law.facts.values() for name in (spec.name, *spec.aliases)}
    shared = {key: value for key, value in ask.entry.items() if key != "lines"} if "lines" in ask.entry else {}
    lines = tuple(_line(law, number, one, ask.flat(number)) for number, one in enumerate(answer["lines"], 1))
    return EntryView(
        answer,
        lines,
        tuple(Stated(key, specs[key].what, told(law, key, value)) for key, value in shared.items()),
        any(line.answer.get("questions") for line in lines),
        any(line.answer.get("warnings") for line in lines),
    )


def _line(law: Law, number: int, answer: Mapping[str, Any], facts: Mapping[str, Any]) -> LineView:
    specs = {name: spec for spec in law.facts.values() for name in (spec.name, *spec.aliases)}
    stated = tuple(
        Stated(
            key,
            specs[key].what,
            ", ".join(f"{one} {name}" for name, one in value.items()) if isinstance(value, dict) else told(law, key, value),
        )
        for key, value in facts.items()
    )
    if "problem" in answer:
        return LineView(number, answer, "", stated, (), (), "")
    rows = [
        (row["heading"] or row["program"], row["rate"], row["base_value"] or "", row["duty"] or "", row["says"], "; ".join(row["cites"]))
        for row in answer["headings"]
    ]
    copied = "\n".join("\t".join(cells) for cells in [("Number", "Rate", "Base", "Duty", "What it says", "Citation"), *rows])
    return LineView(
        number,
        answer,
        law.countries.get(answer["origin"], answer["origin"]),
        stated,
        tuple(groups(law, answer, dollars(answer))),
        tuple(waterfall(answer)),
        copied,
    )
