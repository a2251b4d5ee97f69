"""The law on de minimis shipments as the gate applies it: what deminimis_rules.py read and found good, as plain objects.

What the fields mean stands in docs/fees-and-de-minimis.md; the strict reading is that of the types of the same names in deminimis_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from tariff_engine.fee_law import Assume, LawRow, Mode, NotModes

if TYPE_CHECKING:
    from tariff_engine.law import Act

Method = Literal["ad_valorem", "specific"]
Subject = Literal["shipment", "over_limit", "gift", "traveller", "exempt_articles", "excluded", "formal_entry"]
Ruling = Literal["exempt", "entry_required", "postal_duty"]
Entry = Literal["de_minimis", "gift", "traveller", "postal_duty", "postal_informal", "ace"]


@dataclass(frozen=True, slots=True)
class NotOrigins:
    """Every origin but these."""

    not_: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bracket:
    """An amount an item, in dollars, while the effective rate is `below` a rate, or at most `up_to`; without either, for every rate."""

    below: Fraction | None
    up_to: Fraction | None
    per_item: Decimal

    def takes(self, rate: Fraction) -> bool:
        """Whether the bracket holds a rate."""
        return (self.below is None or rate < self.below) and (self.up_to is None or rate <= self.up_to)


@dataclass(frozen=True, slots=True)
class Duty:
    """What mail pays: a rate on the value, dollars an item, or what the effective rate of some programs says of the one or the other."""

    ad_valorem: Fraction | None
    per_item: Decimal | None
    effective_rate_of: tuple[str, ...] | None
    brackets: tuple[Bracket, ...] | None

    @property
    def method(self) -> Method:
        """Whether the duty is on the value or on the item."""
        return "specific" if self.per_item is not None or self.brackets is not None else "ad_valorem"


@dataclass(frozen=True, slots=True)
class Row(LawRow):
    """One row of the decision table; all that is given must hold. `limit` and `over` are dollars at retail abroad, for the whole shipment.

    `alone`: the shipment is looked at without the other goods of the same person and day.
    """

    subject: Subject
    origin: tuple[str, ...] | NotOrigins | None
    export: tuple[str, ...] | None
    mode: tuple[Mode, ...] | NotModes | None
    postal_method: Method | None
    hts: tuple[str, ...] | None
    adcvd: bool
    quota: bool
    limit: Decimal | None
    over: Decimal | None
    alone: bool
    result: Ruling
    entry: Entry
    duty: Duty | None
    advice: str
    assume: Assume | None

    def takes(self, origin: str | None) -> bool:
        """Whether the row speaks about goods of an origin."""
        if self.origin is None:
            return True
        return origin not in self.origin.not_ if isinstance(self.origin, NotOrigins) else origin in self.origin

    def within(self, value: Decimal) -> bool:
        """Whether a value is at most the row's limit and above its floor."""
        return (self.limit is None or value <= self.limit) and (self.over is None or value > self.over)


@dataclass(frozen=True, slots=True)
class ValueBasis:
    """Which value is tested."""

    says: str
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeMinimis:
    """What de_minimis.yaml says; `instruments` are the acts that it names, by their names."""

    instruments: dict[str, Act]
    value_basis: ValueBasis
    rows: tuple[Row, ...]
