"""The grammar of the rule files as strict, immutable types. Nothing is evaluated here; docs/notation.md tells the meaning."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, StringConstraints, WithJsonSchema, model_validator

HEADING = r"99\d{2}\.\d{2}\.\d{2}"
LIST = re.compile(r"list:([a-z0-9_]+)((?: [a-z0-9_]+=[^ ]+)*)\Z")
_NAME = r"[a-z0-9][a-z0-9_-]*"
_REF = rf"^({HEADING}(/[a-z0-9-]+)?|{HEADING}\.\.{HEADING}|program:[a-z0-9-]+|set:[a-z0-9-]+|family:[a-z0-9-]+)$"

Column = Literal["general", "special", "column2"]


def _percent(raw: object) -> object:
    if isinstance(raw, str) and re.fullmatch(r"\d{1,4}(\.\d{1,6})?%", raw):
        return Fraction(Decimal(raw[:-1])) / 100
    message = f"write a rate as a percentage such as 25% or 7.5%, not {f'{raw!r}' if isinstance(raw, str) else raw}"
    raise ValueError(message)


def _dollars(raw: object) -> object:
    if isinstance(raw, str) and re.fullmatch(r"\$\d{1,12}(\.\d{1,2})?", raw):
        return Decimal(raw[1:])
    message = f"write an amount as dollars such as $100 or $2.50, not {raw!r}"
    raise ValueError(message)


def _many(raw: object) -> object:
    return [raw] if isinstance(raw, str) else raw


def _one_or_more(pattern: str) -> WithJsonSchema:
    word = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]})


Rate = Annotated[InstanceOf[Fraction], BeforeValidator(_percent), WithJsonSchema({"type": "string", "pattern": r"^\d{1,4}(\.\d{1,6})?%$"})]
Dollars = Annotated[
    InstanceOf[Decimal], BeforeValidator(_dollars), WithJsonSchema({"type": "string", "pattern": r"^\$\d{1,12}(\.\d{1,2})?$"})
]
Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME}$")]
Heading = Annotated[str, StringConstraints(pattern=rf"^{HEADING}$")]
Ref = Annotated[str, StringConstraints(pattern=_REF)]
Refs = Annotated[list[Ref], BeforeValidator(_many), Field(min_length=1), _one_or_more(_REF)]
ListRef = Annotated[str, StringConstraints(pattern=LIST.pattern.replace(r"\Z", "$"))]
ListRefs = Annotated[list[ListRef], BeforeValidator(_many), Field(min_length=1), _one_or_more(LIST.pattern.replace(r"\Z", "$"))]
Prefixes = Annotated[list[Annotated[str, StringConstraints(pattern=r"^\d{2,10}$")]], Field(min_length=1)]
_ORIGIN = r"^([A-Z]{2}|group:[a-z0-9_]+)$"
Origins = Annotated[
    list[Annotated[str, StringConstraints(pattern=_ORIGIN)]], BeforeValidator(_many), Field(min_length=1), _one_or_more(_ORIGIN)
]
Cites = Annotated[list[Annotated[str, StringConstraints(min_length=4)]], BeforeValidator(_many), Field(min_length=1), _one_or_more(".{4,}")]


class Strict(BaseModel):
    """Unknown keys and wrong types are errors; every object is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Dated(Strict):
    """Something a legal act did: in effect on [from, until), known while `by` is published and `withdrawn_by` is not."""

    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    by: Name | None = None
    withdrawn_by: Name | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.from_ and self.until and self.until <= self.from_:
            message = f"`until` {self.until} must be after `from` {self.from_}: it is the first day on which the thing no longer holds"
            raise ValueError(message)
        return self


# ---------------------------------------------------------------- conditions
class NotOrigin(Strict):
    """Every origin but these."""

    not_: Origins = Field(alias="not")


class Products(Strict):
    """On any `in` list or prefix, on no `not_in` list, in one of the chapters, in none of `not_chapter`."""

    in_: ListRefs | None = Field(default=None, alias="in")
    starts: Prefixes | None = None
    not_in: ListRefs | None = None
    chapter: Prefixes | None = None
    not_chapter: Prefixes | None = None


class Test(Strict):
    """A comparison on one fact; several keys must all hold. `above`, `at_least`, `below` take numbers, `before` and `from` dates."""

    __test__ = False  # not a test class of pytest

    is_: str | None = Field(default=None, alias="is")
    in_: list[str] | None = Field(default=None, alias="in")
    above: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$")] | None = None
    at_least: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$")] | None = None
    below: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$")] | None = None
    before: date | None = None
    from_: date | None = Field(default=None, alias="from")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            message = "give at least one of is, in, above, at_least, below, before, from"
            raise ValueError(message)
        return self


class InTransit(Strict):
    """Loaded (or, with `exported_before`, exported) before a day, and entered before another, by these modes if named."""

    loaded_before: date | None = None
    exported_before: date | None = None
    entered_before: date
    mode: list[str] | None = None


class BaseRate(Strict):
    """The column rate of the line; specific and compound rates as their ad valorem equivalent."""

    below: Rate | None = None
    at_least: Rate | None = None


class SubjectTo(Strict):
    """Holds when one of the named provisions applies; `owed` wants more than 0% owed under it."""

    any: Refs
    test: Literal["owed", "applies"] = "applies"
    on: Literal["article", "part"] = "article"


class When(Strict):
    """Every key must hold."""

    origin: Origins | NotOrigin | None = None
    hts: Products | None = None
    facts: dict[str, bool | Test] | None = None
    claimed: bool | None = None
    column: list[Column] | None = None
    entered: Dated | None = None
    in_transit: InTransit | None = None
    base_rate: BaseRate | None = None
    subject_to: SubjectTo | None = None
    any: Annotated[list[When], Field(min_length=1)] | None = None
    not_: When | None = Field(default=None, alias="not")


# ---------------------------------------------------------------- effects
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
    base: Name | Piece


class Step(Dated):
    """What the provision does from a day on. Exactly one effect."""

    from_: date = Field(alias="from")
    add: Rate | None = None
    up_to: Rate | None = None
    exempt: Literal[True] | None = None
    prohibited: Literal[True] | None = None
    table: Literal[True] | None = None
    ended: Literal[True] | None = None
    at_floor: Heading | None = None
    base: Name | Piece = "value"
    base_if: list[BaseIf] = []
    covers: Name | None = None
    columns: list[Column] | None = None
    companion: Companion | None = None
    cite: Cites

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        effects = (self.add, self.up_to, self.exempt, self.prohibited, self.table, self.ended)
        if sum(effect is not None for effect in effects) != 1:
            given = [name for name in ("add", "up_to", "exempt", "prohibited", "table", "ended") if getattr(self, name) is not None]
            message = f"give exactly one of add, up_to, exempt, prohibited, table, ended; there {'are ' + ' and '.join(given) if given else 'is none'}"
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
        list[Annotated[list[Ref], BeforeValidator(_many), _one_or_more(_REF)]],
        Field(min_length=1),
    ]
    cite: Cites


class Chapter98(Strict):
    """What chapter 98 leaves of the value for the program."""

    exempt: bool
    keeps: dict[str, Literal["processing_value", "value_less_processing", "value"]]
    cite: Cites


class Outside(Strict):
    """A case beyond the program that has no heading of its own."""

    says: str = Field(min_length=10, max_length=160)
    when: When
    cite: Cites


class Ftz(Strict):
    """Which day picks the rate for goods admitted to a foreign trade zone in privileged foreign status."""

    rate_of: Literal["admission", "entry"]
    cite: Cites


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
    chapter98: Chapter98 | None = None
    ftz: Ftz | None = None
    outside: list[Outside] = []
    ended: Step | None = None
    groups: list[Group] = []
    provisions: list[Provision] = Field(min_length=1)
    offsets: list[Offset] = []
    examples: list[Example] = []


# ---------------------------------------------------------------- what all programs share
class Relation(Dated):
    """Where a provision of `over` applies, those of `excludes` are not due: on the whole article, or on the part that it covers."""

    from_: date = Field(alias="from")
    over: Refs
    excludes: Refs
    test: Literal["owed", "applies"] = "applies"
    on: Literal["article", "part"] = "article"
    cite: Cites


class Relations(Strict):
    """The order among programs; what is not said adds."""

    default: Literal["adds"]
    default_cite: Cites
    sets: dict[Name, Refs] = {}
    unmodelled: list[Ref] = []
    relations: list[Relation]


class Instrument(Strict):
    """A legal act: `published` is the day on which the public knew it, the start of its knowledge time."""

    title: str = Field(min_length=4, max_length=120)
    signed: date
    published: date
    cite: str = Field(min_length=4)
    url: str = ""


class Instruments(Strict):
    """instruments.yaml."""

    instruments: dict[Name, Instrument]


FactType = Literal["bool", "date", "country", "usd", "pct", "number", "text", "code", "list", "map"]


class Fact(Strict):
    """One fact of a line or an entry: its type, the question that asks for it, and what the law takes when nobody states it."""

    type: FactType
    what: str = ""
    question: str = ""
    level: Literal["line", "entry"] = "line"
    aliases: list[str] = []
    ratio: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    years_before_entry: str | None = None
    take: bool | str | None = None
    because: str = "a claim that is not made is not granted"
    answers: list[str] = []
    values: list[str] = []
    min: int | None = None
    max: int | None = None
    ask: bool = True


class Slice(Strict):
    """A part of the value that law treats apart: the facts that state it (dollars first, percentages after)."""

    facts: Annotated[list[str], Field(min_length=1)]
    unknown: Literal["whole", "none"]
    silent_if: list[str] = []
    because: str
    cite: str = ""


class Contradiction(Strict):
    """Facts that cannot hold together: they are refused, with the words that say why. `after`: the first day is after the second."""

    field: str
    says: str = Field(min_length=10, max_length=200)
    fix: str = Field(min_length=10, max_length=200)
    facts: dict[str, bool | str] = {}
    after: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    origin_not: list[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]] | None = None


class Facts(Strict):
    """facts.yaml."""

    facts: dict[str, Fact]
    slices: dict[Name, Slice]
    contradictions: list[Contradiction] = []


class Member(Strict):
    """A country that belongs to an origin group only on some days."""

    origin: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None


class OriginGroups(Strict):
    """origins.yaml."""

    groups: dict[str, list[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | Member]]


class FilingEra(Strict):
    """The order of program classes on a line for entries from a day on."""

    from_: date = Field(alias="from")
    until: date | None = None
    order: list[Name]
    cite: Cites
    confidence: Confidence | None = None


class NumberLimit(Strict):
    """How many HTS numbers ACE takes on one line."""

    from_: date = Field(alias="from")
    numbers: int
    cite: Cites


class Filing(Strict):
    """filing.yaml."""

    filing: list[FilingEra]
    limits: list[NumberLimit] = []


class Horizon(Strict):
    """The first day that the book answers for, and how far the law in it was read."""

    from_: date = Field(alias="from")
    until: date


class Dutiable(Strict):
    """What a chapter 98 number leaves dutiable at the rate of the chapter 1-97 number."""

    prefix: Annotated[str, StringConstraints(pattern=r"^98\d{2}(\.\d{2}){0,2}$")]
    dutiable: Literal["none", "processing_value", "value_less_us_content"]
    says: str = Field(min_length=10, max_length=160)
    cite: str = Field(min_length=4)


class Chapter98File(Strict):
    """chapter98.yaml."""

    dutiable: list[Dutiable]


class EditionRow(Strict):
    """A table of base rates: the first entry date that it governs, and the day on which the public had it."""

    name: str
    file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.csv$")]
    from_: date = Field(alias="from")
    published: date
    cite: str = Field(min_length=4)


class EditionsFile(Strict):
    """schedule/editions.yaml."""

    editions: Annotated[list[EditionRow], Field(min_length=1)]


class Absent(Dated):
    """Law that the book knows of and does not yet hold: an answer that it could reach says so."""

    name: Name
    title: str = Field(min_length=10, max_length=160)
    from_: date = Field(alias="from")
    origin: Origins | NotOrigin | None = None
    lists: ListRefs | None = None
    starts: Prefixes | None = None
    cite: Cites


class BookFile(Strict):
    """book.yaml."""

    edition: str
    horizon: Horizon
    absent: list[Absent] = []


When.model_rebuild()
