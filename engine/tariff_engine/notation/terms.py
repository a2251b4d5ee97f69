"""The terms of the notation: rates, dollars, names, references, and the dated thing that a legal act does."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, StringConstraints, WithJsonSchema, model_validator

HEADING = r"99\d{2}\.\d{2}\.\d{2}"
LIST = re.compile(r"list:([a-z0-9_]+)((?: [a-z0-9_]+=[^ ]+)*)\Z")
_NAME = r"[a-z0-9][a-z0-9_-]*"
REF = rf"^({HEADING}(/[a-z0-9-]+)?|{HEADING}\.\.{HEADING}|program:[a-z0-9-]+|set:[a-z0-9-]+|family:[a-z0-9-]+)$"

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


def many(raw: object) -> object:
    """Read one word as a list of one: the notation accepts both."""
    return [raw] if isinstance(raw, str) else raw


def one_or_more(pattern: str) -> WithJsonSchema:
    """Return the JSON Schema of a word, or a list of words."""
    word = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]})


Rate = Annotated[InstanceOf[Fraction], BeforeValidator(_percent), WithJsonSchema({"type": "string", "pattern": r"^\d{1,4}(\.\d{1,6})?%$"})]
Dollars = Annotated[
    InstanceOf[Decimal], BeforeValidator(_dollars), WithJsonSchema({"type": "string", "pattern": r"^\$\d{1,12}(\.\d{1,2})?$"})
]
Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME}$")]
Heading = Annotated[str, StringConstraints(pattern=rf"^{HEADING}$")]
Ref = Annotated[str, StringConstraints(pattern=REF)]
Refs = Annotated[list[Ref], BeforeValidator(many), Field(min_length=1), one_or_more(REF)]
ListRef = Annotated[str, StringConstraints(pattern=LIST.pattern.replace(r"\Z", "$"))]
ListRefs = Annotated[list[ListRef], BeforeValidator(many), Field(min_length=1), one_or_more(LIST.pattern.replace(r"\Z", "$"))]
Prefixes = Annotated[list[Annotated[str, StringConstraints(pattern=r"^\d{2,10}$")]], Field(min_length=1)]
_ORIGIN = r"^([A-Z]{2}|group:[a-z0-9_]+)$"
Origins = Annotated[
    list[Annotated[str, StringConstraints(pattern=_ORIGIN)]], BeforeValidator(many), Field(min_length=1), one_or_more(_ORIGIN)
]
Cites = Annotated[list[Annotated[str, StringConstraints(min_length=4)]], BeforeValidator(many), Field(min_length=1), one_or_more(".{4,}")]


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
