"""A program file: what its provisions do from which day on, with their exceptions, groups, offsets and examples."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from tariff_engine.notation.conditions import Products, When
from tariff_engine.notation.terms import (
    HEADING,
    REF,
    Cites,
    Column,
    Dated,
    Heading,
    ListRef,
    Name,
    Rate,
    Ref,
    Refs,
    Strict,
    many,
    one_or_more,
)

EFFECTS = ("add", "up_to", "in_lieu", "exempt", "prohibited", "table", "ended", "authorized")
"""What a step can do; it does exactly one of these. `authorized`: a later act may impose a duty; none did, so nothing is owed."""


class Piece(Strict):
    """A piece of the value cut by a slice: the slice, or the value less the slice; `cap` limits the slice to a share of the value."""

    part: Name | None = None
    less: Name | None = None
    cap: Rate | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.part is None) == (self.less is None):
            message = "give exactly one of part, less"
            raise ValueError(message)
        return self


class BaseIf(Strict):
    """Another base for some products."""

    hts: Products
    base: Name | Piece


class Companion(Strict):
    """A second heading on the second line of a split: it files the rest of the value at no duty."""

    heading: Heading
    base: Piece


class Step(Dated):
    """What the provision does from a day on. Exactly one effect."""

    from_: date = Field(alias="from")
    add: Rate | None = None
    up_to: Rate | None = None
    in_lieu: Rate | None = None
    exempt: Literal[True] | None = None
    prohibited: Literal[True] | None = None
    table: Literal[True] | None = None
    ended: Literal[True] | None = None
    authorized: Literal[True] | None = None
    at_floor: Heading | None = None
    base: Name | Piece = "value"
    base_if: list[BaseIf] = []
    covers: Name | None = None
    columns: list[Column] | None = None
    companion: Companion | None = None
    cite: Cites

    @property
    def rate(self) -> Fraction | None:
        """The rate it charges, whichever way; None for a step that charges none, or that of a table."""
        return next((rate for rate in (self.add, self.up_to, self.in_lieu) if rate is not None), None)

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        effects = [name for name in EFFECTS if getattr(self, name) is not None]
        if len(effects) != 1:
            message = f"give exactly one of {', '.join(EFFECTS)}; there {'are ' + ' and '.join(effects) if effects else 'is none'}"
            raise ValueError(message)
        return self


class Unless(Dated):
    """Exceptions in the order in which they are filed; each takes the parts that it covers."""

    any: Refs
    cite: Cites


class Assume(Strict):
    """What the law takes for a fact that nobody stated, and why."""

    take: bool | str | None
    because: str


class Confidence(Strict):
    """How sure the law book is, and what the doubt is about."""

    level: Literal["high", "medium", "low"]
    because: str = ""


class Provision(Strict):
    """One heading of Chapter 99 (or a family of headings given by a table, or a rule without a heading)."""

    heading: Annotated[str, StringConstraints(pattern=rf"^{HEADING}(/[a-z0-9-]+)?$")] | None = None
    family: Name | None = None
    table: Annotated[list[ListRef], Field(min_length=1)] | None = None
    look_up: list[Literal["origin", "hts"]] | None = None
    claim_partial: str | None = None
    says: str = Field(min_length=10, max_length=160)
    when: When = When()
    steps: list[Step] = Field(min_length=1)
    unless: list[Unless] = []
    if_unknown: dict[str, Assume] = {}
    filed: Literal["always"] | None = None
    confidence: Confidence | None = None

    @property
    def id(self) -> str:
        """The heading with its variant, or `family:name`."""
        return self.heading or f"family:{self.family}"

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if (self.heading is None) == (self.family is None):
            message = "give exactly one of heading, family"
            raise ValueError(message)
        if (self.table is None) != (self.look_up is None):
            message = (
                "table and look_up go together: say which list, and by what it is looked up: look_up: [origin], [hts] or [origin, hts]"
            )
            raise ValueError(message)
        if any(step.table for step in self.steps) != (self.table is not None):
            message = "a provision with a table has a step `table: true`, and only it"
            raise ValueError(message)
        for before, after in pairwise(self.steps):
            if after.from_ < before.from_:
                message = f"the dates of `steps` must rise from top to bottom: move {after.from_} above {before.from_}"
                raise ValueError(message)
        return self


class Offset(Dated):
    """An amount that the filer is entitled to set off against the duties of named provisions (19 U.S.C. 1862 import adjustment offset)."""

    offset: Name
    says: str = Field(min_length=10, max_length=160)
    when: When = When()
    credit: str
    against: Refs
    from_: date = Field(alias="from")
    cite: Cites


class Group(Dated):
    """One of these: the first of `order` that is alive; a nested list means the lowest duty of it."""

    name: Name
    order: Annotated[
        list[Annotated[list[Ref], BeforeValidator(many), one_or_more(REF)]],
        Field(min_length=1),
    ]
    cite: Cites


class Chapter98(Strict):
    """What chapter 98 leaves of the value for the program, from a day on.

    `exempt`: nothing, but for `keeps`. `terms`: what the number itself leaves dutiable; `all`: so nothing where it frees; `part`: only where
    it leaves a part, or takes a bond; of what it frees all is left.
    """

    from_: date | None = Field(default=None, alias="from")
    exempt: bool
    terms: Literal["part", "all"] | None = None
    keeps: dict[str, Literal["processing_value", "value_less_processing", "value", "nothing"]] = {}
    cite: Cites

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.exempt and self.terms:
            message = "`terms` says what a number leaves of the value, and `exempt: true` leaves nothing: keep one"
            raise ValueError(message)
        return self


class Outside(Strict):
    """A case beyond the program that has no heading of its own."""

    says: str = Field(min_length=10, max_length=160)
    when: When
    cite: Cites


class Ftz(Strict):
    """Which day picks the rate for goods admitted to a foreign trade zone in privileged foreign status."""

    rate_of: Literal["admission", "entry"]
    cite: Cites


class Drawback(Dated):
    """Whether duties paid come back as drawback (19 U.S.C. 1313) for goods entered on a day; `of` narrows it to some provisions."""

    allowed: Literal["none", "manufacturing", "all"]
    of: Refs | None = None
    says: str = Field(default="", max_length=200)
    cite: Cites
    confidence: Confidence | None = None


class Example(Strict):
    """A shipment line and what it owes: run whenever the book is checked, and shown to readers."""

    says: str = Field(min_length=10, max_length=160)
    line: dict[str, Any]
    known_on: date | None = None
    headings: list[Heading]
    duty: Annotated[str, StringConstraints(pattern=r"^\d+\.\d{2}$")]
    cite: str = ""


class Program(Strict):
    """One duty family under one authority: one file."""

    program: Name
    title: str = Field(min_length=10, max_length=160)
    files_as: Name
    columns: list[Column] = ["general", "special", "column2"]
    one_of: Literal[True] | None = None
    chapter98: Chapter98 | list[Chapter98] = []
    ftz: Ftz | None = None
    drawback: list[Drawback] = []
    outside: list[Outside] = []
    ended: Step | None = None
    groups: list[Group] = []
    provisions: list[Provision] = Field(min_length=1)
    offsets: list[Offset] = []
    examples: list[Example] = []

    @property
    def rules98(self) -> list[Chapter98]:
        """What chapter 98 leaves for the program, in the order of the days."""
        return self.chapter98 if isinstance(self.chapter98, list) else [self.chapter98]

    def rule98(self, day: date) -> Chapter98 | None:
        """Return what chapter 98 leaves on a day: the last rule that has begun."""
        return next((rule for rule in reversed(self.rules98) if rule.from_ is None or rule.from_ <= day), None)
