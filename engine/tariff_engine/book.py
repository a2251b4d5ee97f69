"""The rulebook: everything the rules folder says, parsed and linked, with its content hash and its two kinds of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tariff_engine.notation.model import (
        Absent,
        Contradiction,
        Fact,
        FilingEra,
        Horizon,
        Instrument,
        Member,
        NumberLimit,
        Relations,
        Slice,
    )
    from tariff_engine.notation.program import Program, Provision
    from tariff_engine.notation.tables import Row, Table
    from tariff_engine.notation.terms import Dated


@dataclass(frozen=True, slots=True)
class Node:
    """A provision in its program."""

    provision: Provision
    program: Program

    @property
    def id(self) -> str:
        """The heading with its variant, or `family:name`."""
        return self.provision.id

    @property
    def heading(self) -> str:
        """The bare heading, empty for a family."""
        return (self.provision.heading or "").partition("/")[0]


@dataclass(eq=False, repr=False)
class Book:
    """A rulebook. `nodes` keeps the order of the files; `refs` tells which provisions a reference names."""

    id: str
    edition: str
    horizon: Horizon
    instruments: dict[str, Instrument]
    facts: dict[str, Fact]
    slices: dict[str, Slice]
    groups: dict[str, list[str | Member]]
    countries: dict[str, str]
    filing: list[FilingEra]
    limits: list[NumberLimit]
    splits: tuple[str, ...]
    relations: Relations
    programs: list[Program]
    nodes: dict[str, Node]
    refs: dict[str, tuple[str, ...]]
    tables: dict[str, Table]
    contradictions: list[Contradiction] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Other names under which a fact may be sent."""
        return {alias: name for name, fact in self.facts.items() for alias in fact.aliases}

    def contents(self, facts: Iterable[str]) -> list[str]:
        """Return the slices of the value that facts state in dollars."""
        by_fact = {piece.facts[0]: name for name, piece in self.slices.items()}
        return [by_fact[fact] for fact in facts]

    def published(self, instrument: str | None) -> date:
        """Return the day on which an act became known; no act means always."""
        return self.instruments[instrument].published if instrument else date.min

    def visible(self, by: str | None, withdrawn_by: str | None, known_on: date) -> bool:
        """Whether a thing done by one act, and perhaps called off by another, was the law as known on a day."""
        return self.published(by) <= known_on and not (withdrawn_by and self.published(withdrawn_by) <= known_on)

    def known(self, what: Dated, known_on: date) -> bool:
        """Whether a dated thing was the law as known on a day."""
        return self.visible(what.by, what.withdrawn_by, known_on)

    def row_known(self, row: Row, known_on: date) -> bool:
        """Whether a row of a list was the law as known on a day."""
        return self.visible(row.by or None, row.withdrawn_by or None, known_on)

    def live(self, what: Dated, day: date, known_on: date) -> bool:
        """Whether a dated thing is known and in effect on a day."""
        return (what.from_ or date.min) <= day < (what.until or date.max) and self.known(what, known_on)

    def in_group(self, group: str, origin: str, day: date) -> bool:
        """Whether a country is in a (dated) origin group on a day."""
        return any(
            member == origin
            if isinstance(member, str)
            else member.origin == origin and (member.from_ or date.min) <= day < (member.until or date.max)
            for member in self.groups[group]
        )

    def lacking(self, programs: frozenset[str]) -> Book:
        """Return the book as if some programs had never been made: no provision of theirs stands, and no reference reaches one.

        Raises ProblemError `unknown_program` for a name that is no program of the book.
        """
        unknown = sorted(programs - {program.program for program in self.programs})
        if unknown:
            raise refuse(
                "unknown_program", "program", f"{unknown[0]} is no program of this rulebook", "`tariff rules list` names every program"
            )
        nodes = {name: node for name, node in self.nodes.items() if node.program.program not in programs}
        refs = {ref: tuple(name for name in names if name in nodes) for ref, names in self.refs.items()}
        kept = [program for program in self.programs if program.program not in programs]
        return replace(self, programs=kept, nodes=nodes, refs=refs)

    def expand(self, refs: Iterable[str]) -> tuple[str, ...]:
        """Return the provisions that the references name, each once, in order."""
        return tuple(dict.fromkeys(name for ref in refs for name in self.refs[ref]))

    def class_order(self, day: date) -> list[str]:
        """Return the order of program classes on a line for an entry date."""
        era = next(era for era in reversed(self.filing) if era.from_ <= day)
        return era.order
