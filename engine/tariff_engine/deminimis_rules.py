"""The law on de minimis shipments as types: de_minimis.yaml, strictly. What the keys mean stands in docs/fees-and-de-minimis.md."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tariff_engine.fee_rules import Assume, Country, LawRow, Mode, NotModes, Prefix, parse_model
from tariff_engine.notation.model import Cites, Dollars, Instrument, Name, Rate, Strict

Method = Literal["ad_valorem", "specific"]
Subject = Literal["shipment", "over_limit", "gift", "traveller", "exempt_articles", "excluded", "formal_entry"]
Ruling = Literal["exempt", "entry_required", "postal_duty"]
Entry = Literal["de_minimis", "gift", "traveller", "postal_duty", "postal_informal", "ace"]


class NotOrigins(Strict):
    """Every origin but these."""

    not_: Sequence[Country] = Field(alias="not")


class Bracket(Strict):
    """An amount an item while the effective rate is `below` a rate, or at most `up_to`; without either, for every rate."""

    below: Rate | None = None
    up_to: Rate | None = None
    per_item: Dollars

    def takes(self, rate: Fraction) -> bool:
        """Whether the bracket holds a rate."""
        return (self.below is None or rate < self.below) and (self.up_to is None or rate <= self.up_to)


class Duty(Strict):
    """What mail pays: a rate on the value, an amount an item, or what the effective rate of some programs says of the one or the other."""

    ad_valorem: Rate | None = None
    per_item: Dollars | None = None
    effective_rate_of: Annotated[list[Name], Field(min_length=1)] | None = None
    brackets: list[Bracket] | None = None

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> Self:
        if sum(way is not None for way in (self.ad_valorem, self.per_item, self.effective_rate_of)) != 1:
            raise ValueError("give exactly one of ad_valorem, per_item, effective_rate_of")
        if self.brackets is not None and (self.effective_rate_of is None or not self.brackets):
            raise ValueError("brackets need effective_rate_of and at least one bracket")
        if self.brackets and (self.brackets[-1].below is not None or self.brackets[-1].up_to is not None):
            raise ValueError("the last bracket takes every higher rate: give it neither below nor up_to")
        return self

    @property
    def method(self) -> Method:
        """Whether the duty is on the value or on the item."""
        return "specific" if self.per_item is not None or self.brackets is not None else "ad_valorem"


class Row(LawRow):
    """One row of the decision table; all that is given must hold. `limit` and `over` are dollars at retail abroad, for the whole shipment."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
    subject: Subject
    origin: Sequence[Country] | NotOrigins | None = None
    export: Sequence[Country] | None = None
    mode: Sequence[Mode] | NotModes | None = None
    postal_method: Method | None = None
    hts: Sequence[Prefix] | None = None
    adcvd: bool = False
    quota: bool = False
    limit: Dollars | None = None
    over: Dollars | None = None
    result: Ruling
    entry: Entry
    duty: Duty | None = None
    advice: str = ""
    assume: Assume | None = None

    @model_validator(mode="after")
    def _duty_is_for_mail(self) -> Self:
        if (self.result == "postal_duty") != (self.duty is not None):
            raise ValueError("a postal_duty, and no other result, says its `duty`")
        if self.subject == "over_limit" and self.over is None:
            raise ValueError("a row on over_limit says `over` how much")
        return self

    def takes(self, origin: str | None) -> bool:
        """Whether the row speaks about goods of an origin."""
        if self.origin is None:
            return True
        return origin not in self.origin.not_ if isinstance(self.origin, NotOrigins) else origin in self.origin

    def within(self, value: Decimal) -> bool:
        """Whether a value is at most the row's limit and above its floor."""
        return (self.limit is None or value <= self.limit) and (self.over is None or value > self.over)


class ValueBasis(Strict):
    """Which value is tested."""

    says: str
    cite: Cites


class DeMinimis(Strict):
    """de_minimis.yaml."""

    instruments: dict[Name, Instrument] = Field(default_factory=dict)
    value_basis: ValueBasis
    rows: list[Row]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for row in self.rows:
            if row.id in seen:
                raise ValueError(f"row {row.id} stands twice")
            seen.add(row.id)
        return self


def parse_de_minimis(tree: object) -> DeMinimis:
    """Return the law on de minimis shipments from de_minimis.yaml as plain data. Raises RulebookError: one line per defect."""
    return parse_model(DeMinimis, tree, "de_minimis.yaml")
