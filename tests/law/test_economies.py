"""The action on 60 economies: what products of every country pay on every day that matters, against the official text.

The rates, floors, headings and windows are read from the text by rule (`actions.py`), never from the rule files.
"""

from __future__ import annotations

import csv
import os
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from tests.law import actions, printed
from tests.law.naive_knowledge import NaiveKnowledge
from tests.law.probe import Prober

from tariff_engine.evaluate.charge import Base
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Knowledge

DAY = timedelta(days=1)
LOADED, ENTERED = actions.windows(actions.article("9903.05.85"))
BEGIN = LOADED
MEMORANDUM = date(2026, 7, 23)  # 91 FR 47717; the duties begin in the minute in which the surcharge ends
DAYS = (BEGIN - DAY, BEGIN, ENTERED - DAY, ENTERED, date(2026, 7, 31), date(2026, 9, 28))
WHOLE = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"  # every member state; else one of them stands for all
ECONOMIES = tuple(sorted(code for code in actions.economies() if WHOLE or code not in printed.EU or code == "DE"))
VALUE = 1000
NOTHING = {"steel_content_value": 0, "aluminum_content_value": 0, "copper_content_value": 0}

TOYS = "9503000073"  # Free, on no list of any duty
SHIRT, PLASTIC = ("6109100012", Fraction(165, 1000)), ("3926909989", Fraction(53, 1000))
TEN, TWELVE = ("0207254000", Fraction(1, 10)), ("0704200000", Fraction(1, 8))
WINE = "2204215055"  # 6.3 cents a liter


def line(hts: str, country: str, day: date, **facts: Any) -> dict[str, Any]:
    """Return a line worth 1,000 dollars, for which content that other duties ask for is stated as nothing."""
    return {"hts": hts, "origin": country, "entry_date": day, "value": VALUE, **NOTHING, **facts}


def filed(knowledge: Knowledge, goods: dict[str, Any], program: str = "s301-forced-labour") -> list[tuple[str, Fraction, int]]:
    """Return heading, rate and cents of each row of the program."""
    evaluated, _ = knowledge.evaluate(knowledge.read(goods))
    found = [row for row in evaluated.derivation().rows if row.program == program]
    return [(row.heading, row.rate if row.kind != "exemption" else Fraction(0), row.duty) for row in found]


def due(country: str, base: Fraction = Fraction(0)) -> list[tuple[str, Fraction, int]]:
    """Return what the text has products of a country file, at a base rate."""
    economy = actions.economies().get(country)
    if economy is None:
        return []
    if not economy.floor:
        return [(economy.heading, economy.rate, int(economy.rate * VALUE * 100))]
    if base >= economy.rate:
        return [(economy.at_floor, Fraction(0), 0)]
    return [(economy.heading, economy.rate, int(economy.rate * VALUE * 100))]


# ---------------------------------------------------------------- the text
def test_the_text_names_sixty_economies_and_two_rates() -> None:
    """The member states of the European Union are one of the sixty."""
    found = actions.economies()
    assert len({one.heading for one in found.values()}) == 60
    assert len(found) == 59 + len(printed.EU)
    assert {one.rate for one in found.values()} == {Fraction(1, 10), Fraction(1, 8)}
    assert {code for code, one in found.items() if one.floor} == {*printed.EU, "JP", "KR", "CH", "TW"}
    assert {code for code, one in found.items() if one.column_2} == {"RU"}
    assert (date(2026, 7, 24), date(2026, 7, 28)) == (LOADED, ENTERED)


def test_the_sums_of_the_note_are_those_of_the_headings() -> None:
    words = " ".join(actions.part("economies", "(k)", "").split())
    assert "For headings 9903.05.39 and 9903.05.76" in words
    assert "is 10 percent ad valorem" in words
    assert "For headings 9903.05.49, 9903.05.71 and 9903.05.74" in words
    assert {actions.economies()[code].rate for code in ("DE", "TW")} == {Fraction(1, 10)}
    assert {actions.economies()[code].rate for code in ("JP", "KR", "CH")} == {Fraction(1, 8)}


# ---------------------------------------------------------------- rates, floors, windows
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_products_of_every_country_pay_what_the_text_says(day: date, book: Book, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for place, country in enumerate(sorted(book.countries)):
        for hts, base in ((TOYS, Fraction(0)), PLASTIC, SHIRT) if country in actions.economies() else ((TOYS, Fraction(0)),):
            wanted = due(country, base) if day >= BEGIN else []
            if hts == SHIRT[0] and country == "JO" and day >= BEGIN:
                wanted = [("9903.06.20", Fraction(0), 0)]  # a textile on Jordan's list
            assert filed(knowledge, line(hts, country, day)) == wanted, f"{hts} of {country} on {day}"
            if place % 12 == day.day % 12 or country in {"RU", "JO", "CA", "MX", "CH"}:
                assert filed(naive, line(hts, country, day)) == wanted, f"{hts} of {country} on {day}, naive"


@pytest.mark.parametrize("country", ECONOMIES)
def test_base_rates_at_the_floor_and_specific_rates_count(country: str, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for hts, base in (TEN, TWELVE):
        for engine in (knowledge, naive):
            assert filed(engine, line(hts, country, ENTERED)) == due(country, base) or country == "RU"
    if not actions.economies()[country].floor:
        return
    for liters in (1, 1587, 1588, 1984, 1985, 5000):  # 6.3 cents a liter: 10% of 1,000 dollars lies after 1,587 liters, 12.5% after 1,984
        base = Fraction(63, 1000) * liters / VALUE
        for engine in (knowledge, naive):
            assert filed(engine, line(WINE, country, ENTERED, quantity={"liter": Decimal(liters)})) == due(country, base), liters


def test_korean_goods_count_the_agreement_rate_that_is_claimed(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    claimed = line(SHIRT[0], "KR", ENTERED, fta_originating=True, spi="KR")
    for engine in (knowledge, naive):
        assert filed(engine, claimed) == due("KR")
        assert filed(engine, line(SHIRT[0], "KR", ENTERED)) == due("KR", SHIRT[1])


@pytest.mark.parametrize("country", ECONOMIES)
def test_goods_on_the_water_are_outside_for_four_days_and_goods_in_the_air_are_not(
    country: str, knowledge: Knowledge, naive: NaiveKnowledge
) -> None:
    outside = [("9903.05.85", Fraction(0), 0)]
    for day in (BEGIN, ENTERED - DAY, ENTERED):
        for loaded in (LOADED - DAY, LOADED):
            if loaded > day:
                continue
            wanted = outside if loaded < LOADED and day < ENTERED else due(country)
            for engine in (knowledge, naive):
                assert filed(engine, line(TOYS, country, day, loaded_date=loaded, mode="ocean")) == wanted, f"{day}, loaded {loaded}"
            for other in ({"mode": "air"}, {"mode": "truck"}, {"mode": "ocean", "final_mode_differs": True}):
                assert filed(knowledge, line(TOYS, country, day, loaded_date=loaded, **other)) == due(country), other


def test_the_duty_is_known_from_the_memorandum_on(prober: Prober) -> None:
    for country in ECONOMIES:
        assert filed(prober.at(MEMORANDUM), line(TOYS, country, BEGIN)) == due(country)
        assert filed(prober.at(MEMORANDUM - DAY), line(TOYS, country, BEGIN)) == []


# ---------------------------------------------------------------- exemptions that every economy has
CLAIMS: dict[str, dict[str, Any]] = {
    "9903.05.86": {},
    "9903.05.87": {"particular_article_claim": True},
    "9903.05.88": {"civil_aircraft_gn6": True},
    "9903.05.89": {"pharmaceutical_use": True},
    "9903.05.91": {"donation_relief": True},
    "9903.05.92": {"informational_materials": True},
}


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a list as the file holds them."""
    return list(csv.DictReader((ROOT / "lists" / f"{name}.csv").read_text(encoding="utf-8").splitlines()))


def rows_of_program(knowledge: Knowledge, goods: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return heading, kind and cents of the program on goods of a free base rate, whatever the schedule says of the number."""
    read = knowledge.read(goods)
    evaluated = knowledge.evaluator.evaluate(read, Base(None, Fraction(0), read.value), "general")
    return [(row.heading, row.kind, row.duty) for row in evaluated.derivation().rows if row.program == "s301-forced-labour"]


@pytest.mark.parametrize("heading", ["9903.05.86", "9903.05.87", "9903.05.88", "9903.05.89"])
def test_every_row_of_the_common_lists_relieves_under_its_claim_only(heading: str, knowledge: Knowledge) -> None:
    """Each economy in turn; a number that is on two lists, or that pays a duty of section 232, may file the other heading."""
    rows = [row for row in rows_of("s301fl_common_exempt") if row["heading"] == heading]
    common = {row["hts"] for row in rows_of("s301fl_common_exempt") if row["heading"] == "9903.05.86"}
    own = 0
    for place, row in enumerate(rows):
        if row["hts"].startswith("98"):  # a provision of chapter 98, which is reported beside a number of chapters 1 to 97
            continue
        country = ECONOMIES[place % len(ECONOMIES)]
        goods = line(row["hts"].ljust(10, "0"), country, ENTERED)
        found = rows_of_program(knowledge, {**goods, **CLAIMS[heading]})
        assert found, row
        assert all(kind == "exemption" for _, kind, _ in found), f"{row}: {found}"
        own += found[0][0] == heading
        if CLAIMS[heading] and not any(row["hts"].startswith(code) for code in common):
            bare = rows_of_program(knowledge, goods)
            assert not any(filed_under == heading for filed_under, _, _ in bare), row
    assert own > len(rows) * 0.5, f"only {own} of {len(rows)} rows file their own heading"


def test_the_lists_have_as_many_numbers_as_the_note() -> None:
    rows = rows_of("s301fl_common_exempt")
    counts = {heading: sum(row["heading"] == heading for row in rows) for heading in CLAIMS if heading <= "9903.05.89"}
    assert counts == {"9903.05.86": 863, "9903.05.87": 16, "9903.05.88": 541, "9903.05.89": 700}
    described = {row["hts"] for row in rows if row["heading"] == "9903.05.87"}
    assert described == actions.described(actions.part("economies", "(c)", "(d)"))


@pytest.mark.parametrize("country", ECONOMIES)
def test_donations_informational_materials_and_baggage_are_outside(country: str, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for engine in (knowledge, naive):
        for heading in ("9903.05.91", "9903.05.92"):
            assert filed(engine, line(TOYS, country, BEGIN, **CLAIMS[heading])) == [(heading, Fraction(0), 0)]
        assert filed(engine, line(TOYS, country, BEGIN, personal_use_accompanied_baggage=True)) == []


# ---------------------------------------------------------------- exemptions of some
@pytest.mark.parametrize("country", ECONOMIES)
def test_the_usmca_relieves_canada_and_mexico_alone(country: str, knowledge: Knowledge) -> None:
    goods = line(SHIRT[0], country, BEGIN, usmca_qualifying=True)
    exempt = actions.economies()[country].exempt
    heading = next((one for one in ("9903.05.93", "9903.05.94") if f"product of {printed_name(one)}," in actions.article(one)), "")
    assert heading
    relief = {"CA": "9903.05.93", "MX": "9903.05.94"}.get(country)
    if relief == "9903.05.93":
        assert relief in exempt
    if relief:
        assert filed(knowledge, goods) == [(relief, Fraction(0), 0)]
        return
    try:
        found = filed(knowledge, goods)
    except ProblemError:
        return  # a claim that the origin cannot make
    assert found == filed(knowledge, line(SHIRT[0], country, BEGIN))


def printed_name(heading: str) -> str:
    """Return the country that an agreement heading names."""
    return {"9903.05.93": "Canada", "9903.05.94": "Mexico"}[heading]


CAFTA = {"CR": "9903.05.95", "DO": "9903.05.95", "HN": "9903.05.95", "NI": "9903.05.95", "GT": "9903.06.06", "SV": "9903.06.09"}


@pytest.mark.parametrize("country", ECONOMIES)
def test_textiles_originating_under_the_cafta_dr_are_outside(country: str, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    assert all(heading in actions.economies()[code].exempt for code, heading in CAFTA.items())
    for engine in (knowledge, naive):
        claimed = line(SHIRT[0], country, ENTERED, cafta_dr_originating=True)
        heading = CAFTA.get(country)
        if heading:
            assert filed(engine, claimed) == [(heading, Fraction(0), 0)]
            assert filed(engine, line(SHIRT[0], country, ENTERED)) == due(country)
            assert filed(engine, line(TOYS, country, ENTERED, cafta_dr_originating=True)) == due(country)


def test_every_row_of_the_country_lists_relieves_its_own_country(knowledge: Knowledge) -> None:
    """A described article needs its claim; the number of another economy's list relieves nothing."""
    rows = rows_of("s301fl_country")
    common = tuple(row["hts"] for row in rows_of("s301fl_common_exempt") if row["heading"] == "9903.05.86")
    textiles = tuple(row["hts"] for row in rows_of("s301fl_textile_derived"))
    own: dict[str, int] = {}
    for row in rows:
        country = "DE" if row["origin"] == "group:eu" else row["origin"]
        assert row["heading"] in actions.economies()[country].exempt
        goods = line(row["hts"].ljust(10, "0"), country, ENTERED)
        claim = CLAIMS["9903.05.87"] if row["partial_ex"] else {}
        found = rows_of_program(knowledge, {**goods, **claim})
        assert found, row
        assert all(kind == "exemption" for _, kind, _ in found), f"{row}: {found}"
        own[row["heading"]] = own.get(row["heading"], 0) + (found[0][0] == row["heading"])
        if row["hts"].startswith((*common, *textiles)):
            continue
        if row["partial_ex"]:
            assert [one[0] for one in rows_of_program(knowledge, goods)] == [actions.economies()[country].heading], row
        other = rows_of_program(knowledge, {**goods, "origin": "VN", **claim})
        assert [one[0] for one in other] in (["9903.05.84"], ["9903.05.90"]), row
    assert set(own) == {row["heading"] for row in rows}
    assert all(own.values()), own


def test_the_headings_of_the_country_lists_are_those_of_the_note() -> None:
    """The first heading of a pair is the list of numbers, the second the described articles."""
    rows = rows_of("s301fl_country")
    words = " ".join(actions.note("economies").split())
    for heading in sorted({row["heading"] for row in rows}):
        kinds = {bool(row["partial_ex"]) for row in rows if row["heading"] == heading}
        assert len(kinds) == 1, heading
        found = words.partition(f"As provided in heading {heading},")[2]
        if found:
            particular = "particular articles" in found[:260]
            assert particular == kinds.pop(), heading
    held = {row["hts"] for row in rows if row["heading"] == "9903.06.21"}
    assert held == actions.described(words.partition("heading 9903.06.21,")[2].partition("(k)")[0])


# ---------------------------------------------------------------- other programs
SECTION_232: tuple[tuple[str, dict[str, Any]], ...] = (
    ("7208510030", {}),
    ("7601103000", {}),
    ("7408116000", {}),
    ("8703230190", {}),
    ("4407110001", {}),
    ("8704225120", {}),
)


@pytest.mark.parametrize("country", ECONOMIES)
def test_what_pays_a_listed_duty_of_section_232_pays_no_duty_of_the_action(country: str, knowledge: Knowledge) -> None:
    """Note 52(f) lists the headings; what pays under 9903.82.01 or .03, on unmanned aircraft or polysilicon, pays both."""
    words = actions.part("economies", "(f)", "(g)")
    relieved = 0
    for hts, facts in SECTION_232:
        read = {**line(hts, country, date(2026, 8, 10), **facts)}
        for content in NOTHING:
            read.pop(content)
        evaluated, _ = knowledge.evaluate(knowledge.read(read))
        rows = evaluated.derivation().rows
        named = set(actions.headings(words))
        listed = [row.heading for row in rows if row.program.startswith("s232") and row.kind != "exemption" and row.heading in named]
        mine = [(row.heading, row.duty) for row in rows if row.program == "s301-forced-labour"]
        if listed:
            relieved += 1
            assert [duty for _, duty in mine] in ([0], []), f"{hts} of {country}: {listed} and {mine}"
        else:
            assert mine, f"{hts} of {country}"
    assert relieved >= 3


@pytest.mark.parametrize("country", ECONOMIES)
def test_the_surcharge_and_the_emergency_duties_are_over_and_the_other_duties_add(country: str, knowledge: Knowledge) -> None:
    for day in (BEGIN - DAY, BEGIN):
        evaluated, _ = knowledge.evaluate(knowledge.read(line(TOYS, country, day)))
        programs = {row.program for row in evaluated.derivation().rows}
        assert ("s122" in programs) == (day < BEGIN)
        assert ("s301-forced-labour" in programs) == (day >= BEGIN)
        assert not {name for name in programs if name.startswith("ieepa")}


def test_duties_on_one_country_add_to_the_action(knowledge: Knowledge) -> None:
    adding = (("CN", PLASTIC[0], "s301-china"), ("BR", PLASTIC[0], "s301-brazil"), ("CA", "2203000060", "s338-canada"))
    for country, hts, program in adding:
        goods = line(hts, country, date(2026, 9, 1), quantity={"liter": 100})
        assert next(duty for _, _, duty in filed(knowledge, goods, program)) > 0
        assert filed(knowledge, goods) == due(country)
