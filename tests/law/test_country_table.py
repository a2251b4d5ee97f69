"""The reciprocal duty of every country on every day that matters, against the official text and against a table made without the rule files.

Five kinds of goods stand for the program: plain goods, goods on Annex II, goods on the water, goods in the air, and for the partners with a
total rate goods with base rates below, at and above it and with a specific rate.

By default the definition of the notation, which takes milliseconds a line, is asked for a share of the countries and days on which the compiled
evaluator is; and the law as it was known, for which another is made on each day, about a share of the countries. With `HYPOTHESIS_PROFILE=ci`
both are asked about more of them, and goods on the water about all.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.law import printed
from tests.law.naive_knowledge import NaiveKnowledge
from tests.law.probe import EVER, Prober

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Knowledge

DAY = timedelta(days=1)
BEGIN, COUNTRY, PAUSE, CHINA_CUT = date(2025, 4, 5), date(2025, 4, 9), date(2025, 4, 10), date(2025, 5, 14)
WATER_CLOSED = date(2025, 6, 16)  # CSMS 65201773; heading 9903.01.28 prints no last day
SECOND, SECOND_WATER = date(2025, 8, 7), date(2025, 10, 5)
KOREA, SWISS = date(2025, 11, 14), date(2025, 11, 14)
END = date(2026, 2, 24)
EDGES = (BEGIN, COUNTRY, PAUSE, CHINA_CUT, WATER_CLOSED, SECOND, SECOND_WATER, KOREA, END)
DAYS = tuple(sorted({day for edge in EDGES for day in (edge - DAY, edge)}))
COLUMN2 = ("CU", "KP", "RU", "BY")  # general note 3(b)
ALWAYS = {*COLUMN2, *printed.CHINA, "CA", "MX", "JP", "KR", "CH", "LI", "DE", "GB"}  # asked of the naive evaluator on every day
VALUE = 1000
WHOLE = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"  # every country on every day; else each on every third day
NAIVE = 10 if WHOLE else 31  # one country in so many, another one each day, is asked of the naive evaluator too

TOYS = "9503000073"  # Free, on no list of any duty
MEDICINE = "3004909201"  # Free, on Annex II from the first day
BELOW, AT, ABOVE = ("3926909989", Fraction(53, 1000)), ("1604310000", Fraction(15, 100)), ("6109100012", Fraction(165, 1000))
WINE = "2204215055"  # 6.3 cents a liter


@dataclass(frozen=True, slots=True)
class Due:
    """What the reciprocal duty is: the heading, and the rate in percent; a total where it takes the place of the base duty; None: exempt."""

    heading: str
    rate: int | None = None
    total: bool = False
    at_floor: str = ""

    def lookup(self, base: Fraction) -> tuple[str, Fraction, Fraction]:
        """Return heading, rate filed and rate added on goods of a base rate."""
        if self.rate is None:
            return self.heading, Fraction(0), Fraction(0)
        rate = Fraction(self.rate, 100)
        if not self.total:
            return self.heading, rate, rate
        return (self.at_floor, Fraction(0), Fraction(0)) if base >= rate else (self.heading, rate, rate - base)


# ---------------------------------------------------------------- the law from the text
@cache
def of_country(first: str, last: str) -> dict[str, Due]:
    """Return code -> duty of the headings of a range that name countries and rates."""
    found: dict[str, Due] = {}
    for one in printed.headings().values():
        if first <= one.number <= last and one.rate is not None:
            twin = next((h.number for h in printed.headings().values() if h.at_floor and h.origins == one.origins), "") if one.total else ""
            for code in one.origins:
                assert code not in found, f"{code} stands in two headings"
                found[code] = Due(one.number, one.rate, one.total, twin)
    return found


def by_text(country: str, day: date) -> Due | None:
    """Return the reciprocal duty of plain goods as headings, notes and orders have it today; None: there is none on the day."""
    if not BEGIN <= day < END:
        return None
    headings = printed.headings()
    whole = next((number for number in ("9903.01.26", "9903.01.27") if country in headings[number].origins), "")
    whole = "9903.01.29" if country in COLUMN2 else whole
    if whole:
        return Due(whole)
    every = Due("9903.01.25", headings["9903.01.25"].rate)
    if day >= SECOND:
        later = of_country("9903.02.79", "9903.02.91") if day >= KOREA else {}
        return (
            later.get(country)
            or of_country("9903.02.72", "9903.02.73").get(country)
            or of_country("9903.02.02", "9903.02.71").get(country, every)
        )
    if country in printed.CHINA and COUNTRY <= day < CHINA_CUT:
        begins, _, rate = printed.raised("EO 14259" if day < PAUSE else "EO 14266", "9903.01.63")
        assert begins == (COUNTRY if day < PAUSE else PAUSE)
        return Due("9903.01.63", rate)
    if day == COUNTRY:
        return of_country("9903.01.43", "9903.01.76").get(country, every)
    return every


# ---------------------------------------------------------------- the law from the table
@cache
def rows() -> dict[str, list[dict[str, str]]]:
    """Return the rows of the independent table by country; * stands for all others."""
    found: dict[str, list[dict[str, str]]] = {}
    with (printed.TEXTS / "reciprocal_rates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["country"], []).append(row)
    return found


def by_table(country: str, day: date) -> Due | None:
    """Return the reciprocal duty of plain goods as the table has it."""
    for row in rows().get(country, rows()["*"]):
        if row["from"] <= day.isoformat() < row["until"]:
            rate = None if row["kind"] == "exempt" else int(row["rate"])
            return Due(row["heading"], rate, row["kind"] == "floor", row["at_floor"])
    return None


# ---------------------------------------------------------------- the law from the engine
def filed(knowledge: Knowledge, line: dict[str, Any]) -> list[tuple[str, Fraction, int]]:
    """Return heading, rate and cents of each row of the program."""
    evaluated, _ = knowledge.evaluate(knowledge.read(line))
    found = [row for row in evaluated.derivation().rows if row.program == "ieepa-reciprocal"]
    return [(row.heading, row.rate if row.kind != "exemption" else Fraction(0), row.duty) for row in found]


def line(hts: str, country: str, day: date, **facts: Any) -> dict[str, Any]:
    """Return a line worth 1,000 dollars, for which content that other duties ask for is stated as nothing."""
    nothing = {"steel_content_value": 0, "aluminum_content_value": 0, "copper_content_value": 0}
    return {"hts": hts, "origin": country, "entry_date": day, "value": VALUE, **nothing, **facts}


def check(knowledge: Knowledge, goods: dict[str, Any], due: Due | None, base: Fraction = Fraction(0)) -> None:
    """Assert that the program files exactly what is due."""
    if due is None:
        assert filed(knowledge, goods) == [], goods
        return
    heading, rate, _ = due.lookup(base)
    assert filed(knowledge, goods) == [(heading, rate, int(rate * VALUE * 100))], goods


# ---------------------------------------------------------------- tests
def test_headings_notes_and_orders_print_the_same_rates() -> None:
    april = of_country("9903.01.43", "9903.01.76")
    assert {code: due.rate for code, due in april.items()} == printed.first_rates()
    august = of_country("9903.02.02", "9903.02.71")
    assert {code: (due.rate, due.total) for code, due in august.items()} == printed.adjusted()
    assert printed.raised("EO 14298", "9903.01.63") == (CHINA_CUT, 125, printed.headings()["9903.01.63"].rate)
    windows = {(one.loaded_before, one.entered_before) for one in printed.headings().values() if one.loaded_before}
    assert windows == {(COUNTRY, None), (PAUSE, None), (SECOND, SECOND_WATER)}


def test_text_and_table_agree_on_every_country_and_day(book: Book) -> None:
    for country in book.countries:
        for day in DAYS:
            assert by_text(country, day) == by_table(country, day), f"{country} on {day}"


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_country_pays_what_the_text_says(day: date, book: Book, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for place, country in enumerate(book.countries):
        due = by_text(country, day)
        check(knowledge, line(TOYS, country, day), due)
        exempt = due and (due if due.rate is None else Due("9903.01.32"))
        check(knowledge, line(MEDICINE, country, day), exempt)
        if place % NAIVE == day.toordinal() % NAIVE or country in ALWAYS:
            check(naive, line(TOYS, country, day), due)
            check(naive, line(MEDICINE, country, day), exempt)


def on_the_water(country: str, day: date, loaded: date) -> Due | None:
    """Return what goods on a vessel since a day pay: nothing, the 10% of all, or what others pay."""
    due = by_text(country, day)
    if due is None or due.rate is None:
        return due
    if loaded < BEGIN and day < WATER_CLOSED:
        return Due("9903.01.28")
    heading = printed.headings()[due.heading]
    if not heading.loaded_before:
        return due
    begins = COUNTRY if day == COUNTRY else heading.loaded_before  # the text of heading 9903.01.63 is that of EO 14266 s.3(b)
    ends = heading.entered_before or WATER_CLOSED
    return Due("9903.01.25", 10) if loaded < begins and day < ends else due


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_goods_on_the_water_keep_the_rate_of_their_window_and_goods_in_the_air_do_not(
    day: date, book: Book, knowledge: Knowledge, naive: NaiveKnowledge
) -> None:
    share = 16 if WHOLE else 31  # no multiple of three
    for place, country in enumerate(book.countries):
        if not WHOLE and place % 3 != day.toordinal() % 3:
            continue
        due = by_text(country, day)
        window = printed.headings()[due.heading].loaded_before if due else None
        for edge in {BEGIN, COUNTRY if day == COUNTRY else window or COUNTRY}:
            for loaded in (edge - DAY, edge):
                if loaded > day:
                    continue
                due = on_the_water(country, day, loaded)
                check(knowledge, line(TOYS, country, day, loaded_date=loaded, mode="ocean"), due)
                if place % share == day.toordinal() % share:
                    check(naive, line(TOYS, country, day, loaded_date=loaded, mode="ocean"), due)
                    for other in ({"mode": "air"}, {"mode": "truck"}, {}, {"mode": "ocean", "final_mode_differs": True}):
                        check(knowledge, line(TOYS, country, day, loaded_date=loaded, **other), by_text(country, day))
                        check(naive, line(TOYS, country, day, loaded_date=loaded, **other), by_text(country, day))


PARTNERS = (*printed.EU, "JP", "KR", "CH", "LI")


@pytest.mark.parametrize("country", PARTNERS)
def test_a_total_of_15_percent_counts_the_base_rate_also_a_specific_one(country: str, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    member = printed.EU.index(country) if country in printed.EU else 0
    for place, day in enumerate(DAYS):
        due = by_text(country, day)
        both = (knowledge, naive) if WHOLE or country not in printed.EU or place % 6 == member % 6 else (knowledge,)
        for hts, base in (BELOW, AT, ABOVE):
            for engine in both:
                check(engine, line(hts, country, day), due, base)
        # 6.3 cents a liter on 1,000 dollars: 2,380 liters come to 149.94, 2,381 to 150.003 dollars
        for liters in (1, 2380, 2381, 5000):
            base = Fraction(63, 1000) * liters / VALUE
            for engine in both:
                check(engine, line(WINE, country, day, quantity={"liter": Decimal(liters)}), due, base)


def test_wine_at_a_specific_rate_comes_to_15_percent_in_all(knowledge: Knowledge) -> None:
    answer = knowledge.evaluate(knowledge.read(line(WINE, "FR", date(2025, 8, 7), quantity={"liter": Decimal(1000)})))[0]
    assert answer.duty == 15000  # 63.00 of base duty within 150.00
    answer = knowledge.evaluate(knowledge.read(line(WINE, "FR", date(2025, 8, 7), quantity={"liter": Decimal(5000)})))[0]
    assert answer.duty == 31500  # 31.5 percent, nothing on top


def test_korean_goods_count_the_agreement_rate_that_is_claimed(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    claimed = line(ABOVE[0], "KR", KOREA, fta_originating=True, spi="KR")
    unclaimed = line(ABOVE[0], "KR", KOREA)
    for engine in (knowledge, naive):
        assert filed(engine, claimed) == [("9903.02.80", Fraction(15, 100), 15000)]
        assert filed(engine, unclaimed) == [("9903.02.79", Fraction(0), 0)]


# ---------------------------------------------------------------- as it was known
SIGNED = {
    "EO 14257": date(2025, 4, 2), "EO 14259": date(2025, 4, 8), "EO 14266": date(2025, 4, 9), "EO 14298": date(2025, 5, 12), "EO 14316": date(2025, 7, 7),
    "EO 14326": date(2025, 7, 31), "EO 14334": date(2025, 8, 11), "EO 14358": date(2025, 11, 4), "EO 14389": date(2026, 2, 20),
}  # fmt: skip
JAPAN_NOTICE, KOREA_NOTICE, SWISS_NOTICE = date(2025, 9, 16), date(2025, 12, 4), date(2025, 12, 18)


def until(name: str) -> date:
    """Return the day up to which an order suspends: the first that stands after the word."""
    return printed.days(printed.orders(name).partition(" until ")[2])[0]


def as_known(country: str, day: date, known_on: date) -> Due | None:
    """Return the reciprocal duty of plain goods as the orders published by a day had it for a later or earlier day of entry."""
    known = {name for name, signed in SIGNED.items() if signed <= known_on}
    if "EO 14257" not in known or day < BEGIN:
        return None
    if "EO 14389" in known and day >= END:
        return None
    exempt = by_text(country, BEGIN)
    if exempt and exempt.rate is None:
        return exempt
    every = Due("9903.01.25", 10)
    if day < COUNTRY:
        return every
    if country in printed.CHINA:
        return china(day, known)
    april = of_country("9903.01.43", "9903.01.76").get(country, every)
    if "EO 14326" in known and day >= SECOND:
        return as_filed(country, day, known_on)
    if "EO 14266" not in known or day < PAUSE:
        return april
    paused = SECOND if "EO 14326" in known else until("EO 14316") if "EO 14316" in known else until("EO 14266")
    return every if day < paused else april


def china(day: date, known: set[str]) -> Due:
    """Return the duty of China: the rates that three orders raised in a week, then 10% as long as the orders known suspend the rest."""
    rate = 84 if "EO 14259" in known else 34
    if "EO 14266" in known and day >= PAUSE:
        rate = 125
    if "EO 14298" not in known or day < CHINA_CUT:
        return Due("9903.01.63", rate)
    ends = CHINA_CUT + 90 * DAY  # EO 14298 s.3(d): for 90 days
    ends = next((until(name) for name in ("EO 14358", "EO 14334") if name in known), ends)
    return Due("9903.01.25", 10) if day < ends else Due("9903.01.63", 34)


def as_filed(country: str, day: date, known_on: date) -> Due:
    """Return the duty of a partner before and after the notice that reached back."""
    notices = {"JP": (JAPAN_NOTICE, SECOND), "KR": (KOREA_NOTICE, KOREA), "CH": (SWISS_NOTICE, SWISS), "LI": (SWISS_NOTICE, SWISS)}
    notice, reaches = notices.get(country, (date.min, date.min))
    august = of_country("9903.02.02", "9903.02.71").get(country, Due("9903.01.25", 10))
    if day < reaches or known_on < notice:
        return august
    later = {**of_country("9903.02.72", "9903.02.73"), **of_country("9903.02.79", "9903.02.91")}
    return later.get(country, august)


KNOWN = tuple(sorted({day for act in (*SIGNED.values(), JAPAN_NOTICE, KOREA_NOTICE, SWISS_NOTICE) for day in (act - DAY, act)}))
ANNOUNCED = (date(2025, 7, 9), date(2025, 8, 1), date(2025, 8, 12), date(2025, 11, 10), date(2026, 11, 10))
ENTRIES = tuple(sorted({*DAYS, *(day for edge in ANNOUNCED for day in (edge - DAY, edge))}))
OFTEN = 5 if WHOLE else 12  # one country in so many, another one on each day of knowledge, is asked about every day of entry


@pytest.mark.parametrize("known_on", KNOWN, ids=str)
def test_what_was_announced_is_the_answer_until_an_act_called_it_off(known_on: date, book: Book, prober: Prober) -> None:
    """Also what never began: the returns of July and August 2025, China's 34% of August and November, of 2026, and of 9 April itself."""
    knowledge = prober.at(known_on)
    for place, country in enumerate(book.countries):
        often = place % OFTEN == known_on.toordinal() % OFTEN
        if not (WHOLE or often or country in printed.CHINA or place % 6 == known_on.toordinal() % 6):
            continue
        for day in ENTRIES if often or country in {*printed.CHINA, "JP", "KR", "CH", "LI"} else ANNOUNCED:
            check(knowledge, line(TOYS, country, day), as_known(country, day, known_on))


def test_the_final_law_is_what_is_known_after_the_last_act(book: Book) -> None:
    for country in book.countries:
        for day in DAYS:
            assert as_known(country, day, EVER) == by_text(country, day), f"{country} on {day}"


# ---------------------------------------------------------------- lists
LISTS = (
    ("reciprocal_annex2", "", "", "(a) As provided for in heading 9903.01.32", "(b) As"),
    ("eu_reciprocal_exempt", "heading", "9903.02.74", "(xx) As", "(xxi)"),
    ("eu_reciprocal_exempt", "heading", "9903.02.76", "(xxii)", "(xxiii)"),
    ("eu_reciprocal_exempt", "heading", "9903.02.77", "(xxiii)", "(xxiv)"),
    ("swiss_liecht_reciprocal_exempt", "heading_ch", "9903.02.84", "(b) As provided in headings 9903.02.84", "(c) As"),
    ("swiss_liecht_reciprocal_exempt", "heading_ch", "9903.02.85", "(c) As provided in headings 9903.02.85", "(d) As"),
    ("swiss_liecht_reciprocal_exempt", "heading_ch", "9903.02.86", "(d) As provided in headings 9903.02.86", ""),
    ("swiss_liecht_reciprocal_exempt", "heading_li", "9903.02.89", "(b) As provided in headings 9903.02.84", "(c) As"),
    ("swiss_liecht_reciprocal_exempt", "heading_li", "9903.02.90", "(c) As provided in headings 9903.02.85", "(d) As"),
    ("swiss_liecht_reciprocal_exempt", "heading_li", "9903.02.91", "(d) As provided in headings 9903.02.86", ""),
    ("civil_aircraft_35b", "", "", "(b) As provided in heading 9903.02.81", "(xxv)"),
)


@pytest.mark.parametrize(
    ("name", "column", "heading", "begins", "ends"), LISTS, ids=lambda value: value if value.startswith("99") else None
)
def test_a_list_has_the_numbers_that_the_note_prints_at_its_digits(
    name: str, column: str, heading: str, begins: str, ends: str, book: Book
) -> None:
    last = END - DAY
    held = [row for row in book.tables[name].rows if row.from_ <= last < row.until and book.row_known(row, EVER)]
    mine = [row.hts for row in held if not column or row[column] == heading]
    assert len(mine) == len(set(mine))
    assert set(mine) == printed.listed(begins, ends)
    assert not any(row.excepted for row in held)


def test_the_described_articles_are_the_eleven_of_the_note(book: Book) -> None:
    words = printed.subdivision("(b) As provided in heading 9903.02.78", "(iv)")
    numbers = {number.replace(".", "") for number in re.findall(r"subheading\s+(\d{4}\.\d\d\.\d\d)", words)}
    rows_of = book.tables["reciprocal_particular_articles"].rows
    assert {row.hts for row in rows_of} == numbers
    assert len(rows_of) == 11


def test_the_memorandum_of_april_2025_added_its_numbers_from_the_first_day(book: Book) -> None:
    words = printed.orders("Memorandum")
    named = re.findall(r"(?<=· )\d{4,8}\b", words)
    assert len(named) == 20
    held = book.tables["reciprocal_annex2"].rows
    for number in named:
        found = [row for row in held if number.startswith(row.hts) or row.hts.startswith(number)]
        assert found, number
        first = [row for row in found if row.from_ == BEGIN]
        assert any(number.startswith(row.hts) for row in first) or len(number) < 8, f"{number} is not excepted from the first day"
