"""When a provision speaks: conditions on origin, product, facts, dates, column and other duties. Every key must hold."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tariff_engine.notation.terms import Column, Dated, ListRefs, Origins, Prefixes, Rate, Refs, Strict


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
    """Loaded (or, with `exported_before`, exported) before a day, and entered before another, by these modes if named.

    `or_final_mode`: loading on a vessel is enough, whatever the goods changed to; else they must have been on their final mode of transit.
    """

    loaded_before: date | None = None
    exported_before: date | None = None
    entered_before: date
    mode: list[str] | None = None
    or_final_mode: Literal[True] | None = None


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


When.model_rebuild()
