"""The files that all programs share: relations, legal acts, facts, origins, filing order, and the book as a whole."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from tariff_engine.chapter98 import How
from tariff_engine.notation.conditions import NotOrigin
from tariff_engine.notation.program import Confidence
from tariff_engine.notation.terms import HEADING, Cites, Dated, ListRefs, Name, Origins, Prefixes, Ref, Refs, Strict


class Relation(Dated):
    """Where a provision of `over` applies, those of `excludes` are not due: on the whole article, or on the part that it covers."""

    from_: date = Field(alias="from")
    over: Refs
    excludes: Refs
    test: Literal["owed", "applies"] = "applies"
    on: Literal["article", "part"] = "article"
    cite: Cites
    confidence: Confidence | None = None


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


FactType = Literal["bool", "date", "country", "usd", "pct", "number", "text", "code", "list", "map", "cases"]


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
    starts: Annotated[str, StringConstraints(pattern=r"^\d{2,10}$")] | None = None
    min: int | None = None
    max: int | None = None
    ask: bool = True
    personal: bool = False


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


class Member(Dated):
    """A country that belongs to an origin group only on some days; as known, where an act is named."""

    origin: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


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


class Splits(Strict):
    """In which order the lines stand that law makes of one: by the first of these parts of the value that a line holds."""

    order: Annotated[list[Name], Field(min_length=1)]
    cite: Cites


class Filing(Strict):
    """filing.yaml."""

    filing: list[FilingEra]
    limits: list[NumberLimit] = []
    splits: Splits | None = None


class Horizon(Strict):
    """The first day that the book answers for, and how far the law in it was read."""

    from_: date = Field(alias="from")
    until: date


class TreatmentWords(Strict):
    """What a treatment of chapter 98 is told as; the fact that it asks for, and why."""

    says: str = Field(min_length=10, max_length=160)
    cite: str = Field(min_length=4)
    asks: Name | None = None
    because: str = ""


class Chapter98File(Strict):
    """chapter98.yaml: what the words of chapter98.csv mean."""

    cite: str = Field(min_length=4)
    treatments: dict[Literal["free", "bond", "work", "less_us", "value", "rate", "retail", "unheld"], TreatmentWords]

    @model_validator(mode="after")
    def _every_word(self) -> Self:
        missing = [word for word in get_args(How) if word not in self.treatments]
        if missing:
            message = f"say what each treatment means; missing: {', '.join(missing)}"
            raise ValueError(message)
        return self


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


class NotModelled(Strict):
    """Headings of chapter 99 that the official text prints and the book does not hold, and why not."""

    headings: Annotated[list[Annotated[str, StringConstraints(pattern=rf"^{HEADING}(\.\.{HEADING})?$")]], Field(min_length=1)]
    reason: Literal["quota_only", "ended_before", "suspended", "reduction", "bond", "by_reference", "to_come", "doubtful"]
    because: str = Field(min_length=20, max_length=300)
    cite: Cites


class CoverageFile(Strict):
    """coverage.yaml: with chapter99.csv, every heading that the official text prints is accounted for."""

    not_modelled: list[NotModelled]


class BookFile(Strict):
    """book.yaml."""

    edition: str
    horizon: Horizon
    absent: list[Absent] = []
