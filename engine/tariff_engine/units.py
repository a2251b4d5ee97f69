"""The words of quantities: units, what of the article is measured, its valued parts; and the amounts a filer sent under them.

These tables are language, not law: how a unit is spelled in rate columns, in the columns of units and by filers, and between which units
conversion is exact arithmetic that changes nothing in law (a dozen is twelve, a metric ton a thousand kilograms). Weights of different
things (clean, drained, of the copper) are different quantities and are never taken for each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from tariff_engine.problems import refuse

_DOLLAR: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its print after an amount, the family and size for exact conversion, and its spellings, parted by blanks."""

    prints: str
    family: str
    size: Fraction
    spellings: str


def _units(*rows: tuple[str, str, str, int | Fraction, str]) -> dict[str, Unit]:
    return {name: Unit(prints, family, Fraction(size), f"{name} {spellings}") for name, prints, family, size, spellings in rows}


# Every unit that a rate names, and those that convert into one.
UNITS: Final = _units(
    ("each", " each", "count", 1, "no number numbers ea pcs pc piece pieces unit units"),
    ("head", "/head", "count", 1, ""),
    ("article", "/article", "count", 1, "articles"),
    ("doz", "/doz.", "count", 12, "dozen dozens dz"),
    ("hundred", "/hundred", "count", 100, "hundreds 100"),
    ("gross", "/gross", "count", 144, "gro"),
    ("thousand", "/1000", "count", 1000, "thousands 1000 1_000 ths 1_000_pins 1000_pins thousand_pins"),
    ("pair", "/pr.", "pair", 1, "pr prs pairs"),
    ("doz_pair", "/doz. pr.", "pair", 12, "doz_pr doz_prs doz_pairs dozen_pair dozen_pairs dpr"),
    ("kg", "/kg", "mass", 1, "kgs kilogram kilograms kilo kilos"),
    ("g", "/g", "mass", Fraction(1, 1000), "gram grams gm"),
    ("t", "/t", "mass", 1000, "ton_metric metric_ton metric_tons tonne tonnes"),
    ("clean_kg", "/clean kg", "clean mass", 1, "cy_kg cykg kg_clean clean_yield_kg kg_clean_yield"),
    ("liter", "/liter", "volume", 1, "liters litre litres l"),
    ("pf_liter", "/pf. liter", "proof", 1, "pf_liters proof_liter proof_liters proof_litre proof_litres pfl pf_liter_ethyl_alcohol"),
    ("bbl", "/bbl", "barrel", 1, "bbls barrel barrels"),
    ("m", "/m", "length", 1, "meter meters metre metres lin_m linear_meter linear_meters"),
    ("m2", "/m2", "area", 1, "m² sq_m square_meter square_meters square_metre square_metres"),
    ("cm2", "/cm2", "area", Fraction(1, 10000), "cm² sq_cm square_centimeter square_centimeters"),
    ("m3", "/m3", "cubic", 1, "m³ cubic_meter cubic_meters cubic_metre cubic_metres"),
    ("pack", "/pack", "pack", 1, "packs"),
    ("jewel", "/jewel", "jewel", 1, "jewels jwl jwls"),
    ("line_gross", "/line/gross", "line", 1, "line_grosses gr_lines gross_lines gr_line"),
    ("gross_containers", "/gross of immediate containers", "containers", 1, "gross_of_immediate_containers gross_immediate_containers"),
    ("other_piece", " for each other piece or part", "other piece", 1, "other_pieces other_piece_or_part other_pieces_or_parts"),
    ("plate", "/plate", "plate", 1, "plates"),
    ("degree", "/degree", "degree", 1, "degrees sugar_degree sugar_degrees polarization polarisation"),
)
# basis: what of the article is measured; how it prints; how else a filer or a unit column names kilograms (or meters) of it.
BASES: Final[dict[str, tuple[str, str]]] = {
    "drained_weight": (" on drained weight", "kg_drained drained_kg drained_weight"),
    "total_sugars": (" of total sugars", "kg_ttl_sug kg_sugars"),
    "contents_and_container": (" on contents and container", ""),
    "entire_contents_of_container": (" on entire contents of container", "kg_entire_contents"),
    "incl_container": (", including weight of container", "kg_including_weight_of_container kg_including_container"),
    "recording_surface": (" of recording surface", ""),
    "anhydrous_morphine": (" of anhydrous morphine content", "kg_amc kg_anhydrous_morphine_content"),
    "copper_content": (" on copper content", "cu_kg kg_copper"),
    "lead_content": (" on lead content", "pb_kg kg_lead"),
    "zinc_content": (" on zinc content", "zn_kg kg_zinc"),
    "magnesium_content": (" on magnesium content", "mg_kg kg_magnesium"),
    "manganese_content": (" on manganese content", "mn_kg kg_manganese"),
    "molybdenum_content": (" on molybdenum content", "mo_kg kg_molybdenum"),
    "silicon_content": (" on silicon content", "si_kg kg_silicon"),
    "tungsten_content": (" on tungsten content", "w_kg kg_tungsten"),
}
# part: how it prints, and the parts whose values add up to it.
PARTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "case": (" on the case", ()),
    "strap_band_bracelet": (" on the strap, band or bracelet", ()),
    "case_and_strap": (" on the case and strap, band or bracelet", ("case", "strap_band_bracelet")),
    "battery": (" on the battery", ()),
    "movement": (" on the movement", ()),
    "movement_and_case": (" on the movement and case", ("movement", "case")),
    "apparatus": (" on the apparatus", ()),
    "rifle": (" on the value of the rifle", ()),
    "telescopic_sight": (" on the value of the telescopic sight, if any", ()),
    "entire_set": (" on the entire set", ()),
    "lead_content_value": (" on the value of the lead content", ()),
}
_NO_JOIN: Final = re.compile(r"[^\w]+")
_NAMES: Final = {spelling: name for name, unit in UNITS.items() for spelling in unit.spellings.split()} | {
    spelling: f"kg_{basis}" for basis, (_, others) in BASES.items() for spelling in others.split()
}


@lru_cache(maxsize=1024)
def canonical_quantity(name: str) -> str | None:
    """Return the name under which the engine knows a quantity ("No." is "each", "Cu kg" is "kg_copper_content"), or None."""
    key = _NO_JOIN.sub("_", name[:80].casefold()).strip("_")
    found = _NAMES.get(key)
    if found is None:
        unit, _, basis = key.partition("_")
        found = f"{_NAMES[unit]}_{basis}" if basis in BASES and unit in _NAMES else None
    return found


def billed_quantity(dollars: Fraction, quantity: Fraction) -> Fraction:
    """Return the quantity that is charged: at up to $1 a unit whole units, half upward; above $1 two decimals (19 CFR 159.3(b))."""
    scale = 1 if dollars <= _DOLLAR else 100
    return Fraction((2 * scale * quantity.numerator + quantity.denominator) // (2 * quantity.denominator), scale)


def quantity_of(name: str, sent: Mapping[str, Decimal]) -> Fraction | None:
    """Return the quantity sent under a name, under another spelling of it, or in a unit from which conversion is exact; else None."""
    unit, _, basis = (name, "", "") if name in UNITS else name.partition("_")
    family, size = UNITS[unit].family, UNITS[unit].size
    exact: set[Fraction] = set()
    converted: set[Fraction] = set()
    for key, value in sent.items():
        found = canonical_quantity(key)
        if found is None:
            continue
        amount = Fraction(value) if Decimal(value).is_finite() else Fraction(-1)
        if amount < 0:
            raise refuse("out_of_range", f"quantity.{key}", f"the quantity is {value}", "send a quantity from 0 upward")
        other, _, its_basis = (found, "", "") if found in UNITS else found.partition("_")
        if found == name:
            exact.add(amount)
        elif its_basis == basis and UNITS[other].family == family:
            converted.add(amount * UNITS[other].size / size)
    answers = exact or converted
    if len(answers) > 1:
        raise refuse(
            "quantity_conflict", "quantity", f"the quantities sent give {len(answers)} different amounts of {name}", f"send {name} once"
        )
    return answers.pop() if answers else None


def part_value(name: str, sent: Mapping[str, int]) -> int | None:
    """Return the value of a part in whole dollars, or the sum of the parts it is made of; None when not sent."""
    if name in sent:
        value = sent[name]
        if value < 0:
            raise refuse("out_of_range", f"parts.{name}", f"the value is {value}", "send a value from 0 upward")
        return value
    pieces = [part_value(piece, sent) for piece in PARTS[name][1]] if name in PARTS else []
    values = [piece for piece in pieces if piece is not None]
    return sum(values) if values and len(values) == len(pieces) else None
