"""What else: the same line from other origins, on other days, under other claims; and what would lower its duty, with the proof of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tariff_service.web.asking import Ask, country
from tariff_service.web.fields import label_of, told

if TYPE_CHECKING:
    from tariff_engine.law import Law

MAX_ORIGINS, MAX_DATES, MAX_CLAIMS = 8, 6, 8
_PARTS = re.compile(r"[,;\n]+")
_NONE = "as stated"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What varies: the axes as typed, and as a comparison takes them."""

    origins: str
    dates: str
    claims: tuple[str, ...]
    vary: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Proof:
    """A saving: what it saves, what must be true, what must be shown, and the headings that are filed then."""

    fact: str
    answer: str
    saves: str
    duty: str
    what: str
    because: str
    headings: tuple[tuple[str, str], ...]  # those that are new, with their sentences
    together: tuple[str, ...]


def read_wanted(law: Law, ask: Ask, line: Mapping[str, Any], savings: Sequence[Mapping[str, Any]]) -> Wanted:
    """Return what to compare: the axes that were typed, and the line itself first on each."""
    origins = [country(law, part) for part in _PARTS.split(ask.options.get("origins", "")) if part.strip()]
    dates = [part.strip() for part in _PARTS.split(ask.options.get("dates", "")) if part.strip()]
    chosen = [part for part in ask.options.get("claims", "").split("|") if part]
    known = {f"{one['fact']}={one['answer']}": one for one in savings if not isinstance(one["answer"], list | dict)}
    vary: dict[str, list[Any]] = {}
    if origins:
        vary["origin"] = list(dict.fromkeys([line["origin"], *origins]))[: MAX_ORIGINS + 1]
    if dates:
        vary["entry_date"] = list(dict.fromkeys([line["entry_date"], *dates]))[: MAX_DATES + 1]
    claims = [known[name] for name in dict.fromkeys(chosen) if name in known][:MAX_CLAIMS]
    if not vary and not chosen:
        claims = list(known.values())[:MAX_CLAIMS]
    if claims:
        vary["claims"] = [{}, *({one["fact"]: _claimed(law, one)} for one in claims)]
    return Wanted(ask.options.get("origins", ""), ask.options.get("dates", ""), tuple(chosen), vary)


def _claimed(law: Law, saving: Mapping[str, Any]) -> Any:
    """Return the answer of a saving as a line states it: one of a list stands in a list."""
    return [saving["answer"]] if law.facts[saving["fact"]].type == "list" else saving["answer"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the matrix: its name, and a cell for each day."""

    name: str
    cells: tuple[Mapping[str, Any], ...]


def rows(law: Law, wanted: Wanted, cells: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[Row]]:
    """Return the names of the columns, and the rows."""
    columns = list(wanted.vary.get("entry_date", [""]))
    found: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        varied = cell["varied"]
        parts = []
        if "origin" in varied:
            parts.append(f"{law.countries.get(varied['origin'], varied['origin'])} ({varied['origin']})")
        if "claims" in varied:
            claims = varied["claims"]
            parts.append(
                ", ".join(
                    f"{label_of(name)}: {told(law, name, value[0] if isinstance(value, list) and len(value) == 1 else value)}"
                    for name, value in claims.items()
                )
                or _NONE
            )
        found.setdefault(", ".join(parts) or _NONE, []).append(cell)
    return columns, [Row(name, tuple(cells)) for name, cells in found.items()]


def proofs(law: Law, says: Mapping[str, str], line: Mapping[str, Any]) -> list[Proof]:
    """Return the savings of a line with what each needs."""
    filed = {row["heading"] for row in line["headings"]}
    asked = {one["fact"]: one for one in line["questions"]}
    found = []
    for saving in line["savings"]:
        spec = law.facts.get(saving["fact"])
        new = [heading for heading in saving["headings"] if heading and heading not in filed]
        found.append(
            Proof(
                saving["fact"],
                told(law, saving["fact"], saving["answer"]),
                saving["saves"],
                saving["duty"],
                saving["if_true"].rpartition(": ")[0] or saving["if_true"],
                str(asked[saving["fact"]]["because"]) if saving["fact"] in asked else spec.because if spec else "",
                tuple((heading, says.get(heading, "")) for heading in new),
                tuple(asked.get(saving["fact"], {}).get("together_with", ())),
            )
        )
    return found
