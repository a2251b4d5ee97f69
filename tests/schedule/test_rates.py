"""Rate texts: every expression of both tables, hand-checked duties, and laws that hold for any text and value."""

from __future__ import annotations

import csv
import json
import pickle
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.problems import ProblemError
from tariff_engine.rates import AdValorem, Missing, Rate, Reference, Specific, SugarDegree, Term, duty, parse_rate, rate_text
from tariff_engine.schedule import parse_special
from tariff_engine.units import BASES, UNITS, canonical_quantity

UNIT_NAMES = {"1000": "thousand", "1000_pins": "thousand", "piece": "other_piece", "lin_m": "m"}
KINDS = {
    "see_note": {"additional_us_note", "see_heading"},
    "ref_ensemble_garments": {"each_garment"},
    "ref_natural_juice": {"natural_juice"},
    "ref_parent_article": {"parent_article"},
    "ref_set_highest_rate": {"set_highest_rate"},
    "ref_complete_movement": {"complete_movement"},
    "ref_absent_subheading": {"each_article"},
}


def expressions(kind: str) -> list[tuple[str, Any]]:
    """Return every distinct text of the columns of one kind with its components, read independently of the parser."""
    with (Path(__file__).parent / "data" / "expressions.csv").open(encoding="utf-8", newline="") as handle:
        return [(row["text"], json.loads(row["components"])) for row in csv.DictReader(handle) if row["kind"] == kind]


def agrees(term: Term, component: Any) -> bool:
    """Whether a term is what the independent reading says."""
    match component:
        case ["%", percent, *base]:
            return term == AdValorem(Fraction(percent), base[0] if base else None)
        case ["$", dollars, unit, basis, over]:
            kept = None if basis in ("", "ethyl_alcohol") else basis  # a proof liter measures the alcohol content by itself
            return term == Specific(Fraction(dollars), UNIT_NAMES.get(unit, unit), kept, over)
        case ["sugar", base, step, degrees, floor]:
            return term == SugarDegree(Fraction(base), Fraction(step), degrees, Fraction(floor))
        case ["ref", name]:
            return isinstance(term, Reference) and term.kind in KINDS[name]
    return False


def equals(rate: Rate, components: list[Any]) -> bool:
    """Whether a rate is the sum of components."""
    wanted = [component for component in components if component not in ("free", "cap")]
    same = all(agrees(term, component) for term, component in zip(rate.terms, wanted, strict=False))
    return same and len(rate.terms) == len(wanted) and rate.capped == ("cap" in components)


def test_every_general_and_column_2_expression_parses_into_its_components() -> None:
    texts = expressions("rate")
    assert len(texts) > 1400
    assert [text for text, components in texts if not equals(parse_rate(text), components)] == []


def test_every_special_expression_parses_into_its_groups_of_symbols_and_rates() -> None:
    texts = expressions("special")
    assert len(texts) > 450
    for text, groups in texts:
        found = {(symbol, rate) for symbols, rate in parse_special(text) for symbol in symbols}
        wanted = {symbol for symbols, _ in groups for symbol in symbols.split()}
        assert {symbol for symbol, _ in found} == wanted, text
        for symbols, components in groups:
            assert all(any(s == symbol and equals(rate, components) for s, rate in found) for symbol in symbols.split()), text


def test_the_printed_form_of_every_rate_parses_into_the_same_rate() -> None:
    rates = [parse_rate(text) for text, _ in expressions("rate")]
    assert [rate for rate in rates if not rate.reference and parse_rate(rate_text(rate)) != rate] == []


def test_rates_and_their_terms_survive_pickling() -> None:
    rates = [parse_rate(text) for text, _ in expressions("rate")]
    copies = pickle.loads(pickle.dumps(rates))  # noqa: S301 - our own bytes
    assert copies == rates
    assert [rate.ad_valorem for rate in copies] == [rate.ad_valorem for rate in rates]


@pytest.mark.parametrize(
    ("text", "printed", "ad_valorem"),
    [
        ("Free", "Free", (0, 1)),
        ("Free, under bond", "Free, under bond", (0, 1)),
        ("6.5%", "6.5%", (13, 200)),
        ("33 1/3%", "33 1/3%", (1, 3)),
        ("37% /", "37%", (37, 100)),
        ("4.4¢/kg+8%", "4.4¢/kg + 8%", None),
        ("1.5 cents/kg", "1.5¢/kg", None),
        ("$1.055/kg", "$1.055/kg", None),
        ("$3.1/doz. + 35%", "$3.10/doz. + 35%", None),
        ("22¢/kg on drained weght + 45%", "22¢/kg on drained weight + 45%", None),
        ("$1.32/t, including weight of container", "$1.32/t, including weight of container", None),
        ("10¢/1,000 pins + 3.5%", "10¢/1000 + 3.5%", None),
        ("$2.70 each + 45% on the case + 35% on thebattery", "$2.70 each + 45% on the case + 35% on the battery", None),
        ("20¢/thou- sand + 3.5%", "20¢/1000 + 3.5%", None),
    ],
)
def test_a_rate_prints_in_one_normal_form(text: str, printed: str, ad_valorem: tuple[int, int] | None) -> None:
    rate = parse_rate(text)
    assert (rate_text(rate), rate.ad_valorem) == (printed, ad_valorem)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "%",
        "+",
        "5",
        "5 %% ",
        "1 0%",
        "5% + ",
        "5%+Free",
        "$/kg",
        "4¢/stone",
        "1/0%",
        "1 1/0%",
        "50% of the value of repairs",
        "Free?",
        "5%" * 400,
        "\u0665%",
    ],
)
def test_a_text_outside_the_language_is_refused_and_never_read_as_zero(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_rate(text)
    assert caught.value.problem.code == "rate_not_understood"


# Each row: rate text as printed; value; quantities; parts; duty, exact. The arithmetic stands beside it.
HAND = [
    ("$1.509/kg", 20000, {"kg": "1234.567"}, {}, "1862.96613"),  # 0406.90.97 cheese: over $1, two decimals: 1234.57 x 1.509
    ("$2.146/kg", 100, {"kg": "0.005"}, {}, "0.02146"),  # 0406.90.68 cheese: 0.005 -> 0.01 x 2.146
    ("5.25¢/bbl", 5000000, {"bbl": "70000.5"}, {}, "3675.0525"),  # 2709.00.10 crude oil: 70001 x 0.0525
    ("52.5¢/bbl", 900000, {"Barrels": "10000.49"}, {}, "5250"),  # 2710 motor fuel: 10000 x 0.525
    ("3.9¢/kg", 500, {"kg": "100.4"}, {}, "3.90"),  # 0702.00.20 tomatoes: 100 x 0.039
    ("3.9¢/kg", 500, {"kg": "100.5"}, {}, "3.939"),  # half counts as a whole unit: 101 x 0.039
    ("$1/kg", 500, {"kg": "1.5"}, {}, "2"),  # at exactly $1 whole units: 2 x 1
    ("$9.92/kg + 25%", 1000, {"kg": "10"}, {}, "349.20"),  # 2402.10.80 column 2, cigars: 99.20 + 250
    ("57¢/kg + 1.4%", 1000, {"thousands": "2", "kg": "10"}, {}, "19.7"),  # 2402.10.80: 5.70 + 14
    ("23.7¢/pf.liter", 4000, {"pf.liters": "500"}, {}, "118.5"),  # 2208.40.60 rum: 500 x 0.237
    ("$2.35/pf. liter", 4000, {"proof liters": "500.126"}, {}, "1175.3055"),  # column 2: 500.13 x 2.35
    # 2206.00.30: 1000 x 0.031 + 120 x 0.221 = 31 + 26.52
    ("3.1¢/liter + 22.1¢/pf. liter on ethyl alcohol content", 2000, {"liters": "1000", "pf.liters": "120"}, {}, "57.52"),
    ("19.8¢/liter", 5000, {"liters": "900"}, {}, "178.2"),  # 2204.10.00 sparkling wine: 900 x 0.198
    ("12.3¢/kg + 11.4%", 3000, {"m²": "800", "kg": "250"}, {}, "372.75"),  # 5408.33.15 fabric: 30.75 + 342
    ("5¢/clean kg", 3000, {"cy kg": "250", "kg": "400"}, {}, "12.5"),  # 5102.19.20 hair: 250 x 0.05, not 400
    ("13.5¢/kg + 6.3% + 1.9¢/article", 1000, {"No.": "100", "kg": "20"}, {}, "67.6"),  # 6505.00.08 hats: 2.70 + 63 + 1.90
    ("90¢/pr. + 37.5%", 1000, {"prs.": "200"}, {}, "555"),  # 6402.91.20 footwear: 180 + 375
    ("$1.58/pr. + 66%", 1000, {"doz. prs.": "10"}, {}, "849.6"),  # 10 dozen pairs are 120 pairs: 189.60 + 660
    ("12¢/doz. + 5.5%", 400, {"No.": "120"}, {}, "23.2"),  # 8203.20.60 pliers: 120 are 10 dozen: 1.20 + 22
    ("14.4¢/gross + 2%", 400, {"gross": "50"}, {}, "15.2"),  # 9615.11.10 combs: 7.20 + 8
    ("0.18¢/line/ gross + 2.5%", 400, {"gr.lines": "3000", "gross": "100"}, {}, "15.4"),  # 9606.29.40 buttons: 5.40 + 10
    ("38.4¢/1000", 900, {"No.": "10400"}, {}, "3.84"),  # 0601.20.10 bulbs: 10.4 thousand, rounded to 10 x 0.384
    ("39.7¢/t", 900, {"kg": "2600"}, {}, "1.191"),  # 1212.91 sugar beet: 2.6 t, rounded to 3 x 0.397
    ("$1.24/t", 900, {"kg": "2600"}, {}, "3.224"),  # 1212.93 sugar cane: 2.60 x 1.24
    ("68¢/head", 900, {"No.": "10"}, {}, "6.8"),  # 0104.20 goats: 10 x 0.68
    ("9.1¢/kg on molybdenum content + 1.2%", 1000, {"kg": "100", "Mo kg": "99"}, {}, "21.009"),  # 8102.10: 9.009 + 12
    # 2603 column 2: 100 x 0.088 + 10 x 0.033 + 5 x 0.037 = 8.80 + 0.33 + 0.185
    (
        "8.8¢/kg on copper content + 3.3¢/kg on lead content + 3.7¢/kg on zinc content",
        900,
        {"Cu kg": "100", "Pb kg": "10", "Zn kg": "5"},
        {},
        "9.315",
    ),
    ("3.7¢/kg on drained weight", 900, {"kg": "100", "kg drained weight": "60"}, {}, "2.22"),  # 60 x 0.037
    # 9101.11.40 watch: 0.51 + 6.25% x 300 + 5.3% x 2 = 0.51 + 18.75 + 0.106
    (
        "51¢ each + 6.25% on the case and strap, band or bracelet + 5.3% on the battery",
        1000,
        {"each": "1"},
        {"case_and_strap": 300, "battery": 2},
        "19.366",
    ),
    # the same with case and strap valued apart: 200 + 100
    (
        "51¢ each + 6.25% on the case and strap, band or bracelet + 5.3% on the battery",
        1000,
        {"No.": "1"},
        {"case": 200, "strap_band_bracelet": 100, "battery": 2},
        "19.366",
    ),
    # 9105.19.30, ten clocks with 110 jewels: 10 x 0.43 + (110 - 70) x 0.028 + 3.7% x 500 = 4.30 + 1.12 + 18.50
    ("43¢ each + 2.8¢/jewel over 7 + 3.7% on the case", 1000, {"No.": "10", "Jwls.": "110"}, {"case": 500}, "23.92"),
    ("36¢ each + 5.6% + 2¢/jewel", 1000, {"No.": "10", "Jwls.": "70"}, {}, "61"),  # 9106.10: 3.60 + 56 + 1.40
    # 9303.30.80: 3.1% x 900 + 13% x 100 = 27.90 + 13
    (
        "3.1% on the value of the rifle + 13% on the value of the telescopic sight, if any",
        1000,
        {},
        {"rifle": 900, "telescopic_sight": 100},
        "40.9",
    ),
    ("33 1/3%", 1000, {}, {}, "1000/3"),  # exact: cents are rounded elsewhere
    ("6.5%", 14172, {}, {}, "921.18"),  # 14172 x 0.065
]


@pytest.mark.parametrize(("text", "value", "quantities", "parts", "expected"), HAND)
def test_duties_computed_by_hand(text: str, value: int, quantities: dict[str, str], parts: dict[str, int], expected: str) -> None:
    assert duty(parse_rate(text), value, {unit: Decimal(amount) for unit, amount in quantities.items()}, parts) == Fraction(expected)


SUGAR = "1.4606¢/kg less 0.020668¢/kg for each degree under 100 degrees (and fractions of a degree in proportion) but not less than 0.943854¢/kg"


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ("96", "13779.28"),  # 1701.13.10: 1.4606 - 4 x 0.020668 = 1.377928 cents
        ("97.5", "14089.30"),  # 1.4606 - 2.5 x 0.020668 = 1.40893 cents
        ("100", "14606"),  # nothing deducted
        ("75", "9439.00"),  # 1.4606 - 25 x 0.020668 = 0.9439 cents, just above the floor
        ("60", "9438.54"),  # the floor of 0.943854 cents
    ],
)
def test_sugar_pays_by_its_degrees_of_polarization(degrees: str, expected: str) -> None:
    quantities = {"kg": Decimal(1_000_000), "degrees": Decimal(degrees)}
    assert duty(parse_rate(SUGAR), 500_000, quantities, {}) == Fraction(expected)


CAPPED = "4.3% + 1.7¢/jewel + 0.2¢ for each other piece or part, but if consisting in part of a plate or a set of plates the total duty shall not exceed the duty for the complete movement"


def test_an_assembly_with_plates_pays_at_most_the_duty_of_the_complete_movement() -> None:
    counts = {"jewels": Decimal(100), "other pieces": Decimal(500)}
    rate = parse_rate(CAPPED)
    full = Fraction("45.7")  # 43 + 1.70 + 1.00
    assert duty(rate, 1000, counts, {}) == Missing(frozenset({"plate"}))
    assert duty(rate, 1000, {**counts, "plates": Decimal(0)}, {}) == full
    assert duty(rate, 1000, {**counts, "plates": Decimal(2)}, {}) == Missing(parts=frozenset({"complete_movement_duty"}))
    assert duty(rate, 1000, {**counts, "plates": Decimal(2)}, {"complete_movement_duty": 40}) == 40
    assert duty(rate, 1000, {**counts, "plates": Decimal(2)}, {"complete_movement_duty": 90}) == full


@pytest.mark.parametrize(
    ("text", "sent", "missing"),
    [
        ("4.4¢/kg", {}, {"kg"}),
        ("5¢/clean kg", {"kg": "5"}, {"clean_kg"}),  # clean weight is another weight
        ("3.7¢/kg on drained weight", {"kg": "5"}, {"kg_drained_weight"}),
        ("90¢/pr.", {"No.": "5"}, {"pair"}),  # a number of shoes is not a number of pairs
        ("12¢/doz.", {"kg": "5"}, {"doz"}),
        (SUGAR, {"kg": "5"}, {"degree"}),
        ("43¢ each + 2.8¢/jewel over 7 + 3.7% on the case", {"jewels": "50"}, {"each", "case"}),
        ("3.1¢/liter + 22.1¢/pf. liter on ethyl alcohol content", {"liters": "5"}, {"pf_liter"}),
    ],
)
def test_a_missing_quantity_is_named_and_never_taken_as_zero(text: str, sent: dict[str, str], missing: set[str]) -> None:
    answer = duty(parse_rate(text), 1000, {unit: Decimal(amount) for unit, amount in sent.items()}, {})
    assert isinstance(answer, Missing)
    assert answer.names == missing


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("See additional U.S. note 3", "additional_us_note"),
        ("The rate applicable to each garment in the ensemble if separately entered", "each_garment"),
        ("The rate of duty appli- cable to that article in the set subject to the high- est rate of duty", "set_highest_rate"),
        ("The rate applicable to the natural juice in heading 2009", "natural_juice"),
        ("See 9823.10.01-9823.10.45", "see_heading"),
    ],
)
def test_a_rate_that_stands_elsewhere_is_refused_by_name_with_what_to_send(text: str, kind: str) -> None:
    rate = parse_rate(text)
    assert rate.reference == Reference(kind, text)
    assert rate.ad_valorem is None
    with pytest.raises(ProblemError) as caught:
        duty(rate, 1000, {}, {})
    problem = caught.value.problem
    assert problem.code == "rate_by_reference"
    assert text in problem.message
    assert problem.fix


def test_contradictory_and_impossible_amounts_are_refused() -> None:
    def code(text: str, value: int, quantities: dict[str, Decimal], parts: dict[str, int]) -> str:
        with pytest.raises(ProblemError) as caught:
            duty(parse_rate(text), value, quantities, parts)
        return caught.value.problem.code

    assert code("4¢/kg", 1, {"kg": Decimal(5), "kilograms": Decimal(6)}, {}) == "quantity_conflict"
    assert code("4¢/kg", 1, {"kg": Decimal(-1)}, {}) == "out_of_range"
    assert code("4¢/kg", 1, {"kg": Decimal("NaN")}, {}) == "out_of_range"
    assert code("6% on the case + 5% on the battery", 100, {}, {"case": 90, "battery": 40}) == "parts_above_value"
    assert code("6% on the case", 100, {}, {"case": -1}) == "out_of_range"
    assert code("6%", -1, {}, {}) == "out_of_range"


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("No.", "each"),
        ("NO", "each"),
        ("Liters", "liter"),
        ("m2", "m2"),
        ("m²", "m2"),
        ("prs.", "pair"),
        ("doz. prs.", "doz_pair"),
        ("pf.liters", "pf_liter"),
        ("cy kg", "clean_kg"),
        ("Cu kg", "kg_copper_content"),
        ("kg ttl sug", "kg_total_sugars"),
        ("kg amc", "kg_anhydrous_morphine"),
        ("1,000", "thousand"),
        ("t", "t"),
        ("lin. m", "m"),
        ("polarization", "degree"),
        ("stone", None),
        ("", None),
    ],
)
def test_units_are_understood_as_the_schedule_and_filers_spell_them(spelled: str, name: str | None) -> None:
    assert canonical_quantity(spelled) == name


def test_every_quantity_that_a_rate_asks_for_can_be_sent_under_that_very_name() -> None:
    asked = {name for text, _ in expressions("rate") for name in parse_rate(text).quantities}
    assert {name: canonical_quantity(name) for name in asked} == {name: name for name in asked}
    assert {name.partition("_")[2] for name in asked if name not in UNITS} <= set(BASES)


SCRAPS = st.sampled_from(
    [
        "5",
        ".",
        "0",
        "1/3",
        "%",
        "$",
        "¢",
        "/kg",
        " each",
        "+",
        "Free",
        " ",
        "- ",
        "\n",
        "over 7",
        "on the case",
        "See 98",
        "less",
        "(",
        ")",
        "e",
    ]
)


@given(st.text(max_size=700) | st.lists(SCRAPS, max_size=60).map("".join))
def test_any_text_gives_a_rate_or_a_typed_problem_in_bounded_time(text: str) -> None:
    started = time.process_time()  # other work on the machine is not the reader's
    try:
        rate = parse_rate(text)
    except ProblemError as error:
        typed = error.problem.code == "rate_not_understood"
    else:
        typed = parse_rate(rate_text(rate)).ad_valorem == rate.ad_valorem
    assert typed
    assert time.process_time() - started < 0.5


PLAIN = [parse_rate(text) for text, _ in expressions("rate")]
ANSWERABLE = [rate for rate in PLAIN if not rate.reference and not rate.parts]


@given(st.sampled_from(ANSWERABLE), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_duty_never_falls_when_the_value_rises(rate: Rate, low: int, more: int) -> None:
    quantities = {name: Decimal(0 if name == "plate" else 50) for name in rate.quantities}
    before, after = duty(rate, low, quantities, {}), duty(rate, low + more, quantities, {})
    assert isinstance(before, Fraction)
    assert isinstance(after, Fraction)
    assert 0 <= before <= after


@given(st.sampled_from(ANSWERABLE), st.integers(0, 10**9))
def test_the_integer_form_of_a_percentage_gives_the_same_duty_as_its_terms(rate: Rate, value: int) -> None:
    if rate.ad_valorem is not None:
        terms = [term.percent for term in rate.terms if isinstance(term, AdValorem)]
        assert duty(rate, value, {}, {}) == sum(terms, Fraction(0)) * value / 100
