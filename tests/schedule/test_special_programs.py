"""Who may claim what, when: a table of claims by hand, and both sides of every span and exclusion in the sheets."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from tariff_engine.preferences import Choice, choose_column
from tariff_engine.preferences_files import load_preferences
from tariff_engine.rates import parse_rate, rate_text
from tariff_engine.schedule import TariffLine, parse_special
from tariff_engine.special_programs import Preferences

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "rules" / "tariff_rules" / "schedule"
DAY = timedelta(days=1)
GENERAL = "4%"


@cache
def preferences() -> Preferences:
    return load_preferences(FOLDER)


def sheet(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def line(prints: str, hts: str = "99999999") -> TariffLine:
    """Return a made-up line that bears 4% in general and prints a special column."""
    return TariffLine(hts, hts, (), parse_rate(GENERAL), parse_special(prints), parse_rate("40%"), "made up")


def claim(spi: str, origin: str, on: date, made: TariffLine, *, known_on: date | None = None, denied: tuple[str, ...] = ()) -> Choice:
    return choose_column(made, origin, on, spi=spi, usmca=None, column2=False, preferences=preferences(), known_on=known_on, denied=denied)


def codes(choice: Choice) -> list[str]:
    return [warning.code for warning in choice.warnings]


CLAIMS = sheet(HERE / "data" / "claims.csv")


@pytest.mark.parametrize("row", CLAIMS, ids=[f"{r['spi']}-{r['origin']}-{r['on']}-{n}" for n, r in enumerate(CLAIMS)])
def test_a_claim_of_the_table_gets_the_rate_or_the_warning_that_stands_there(row: dict[str, str]) -> None:
    known_on = date.fromisoformat(row["known_on"]) if row["known_on"] else None
    denied = tuple(filter(None, row["denied"].split(";")))
    choice = claim(
        row["spi"], row["origin"], date.fromisoformat(row["on"]), line(row["prints"], row["hts"]), known_on=known_on, denied=denied
    )
    found = rate_text(choice.rate), choice.symbol or "", ";".join(codes(choice))
    assert found == (row["rate"], row["symbol"], row["warnings"])


SPANS = sheet(FOLDER / "preferences.csv")


def test_the_table_of_claims_asks_every_program() -> None:
    assert {row["symbol"] for row in SPANS if "#" not in row["symbol"]} == {row["spi"] for row in CLAIMS}


def live(symbol: str, origin: str, on: date) -> set[str]:
    """Return the effects in force of the sheet, read here without the engine."""
    return {
        row["effect"] or "grant"
        for row in SPANS
        if row["symbol"] == symbol and row["origin"] in (origin, "*") and row["from"] <= on.isoformat() < (row["until"] or "9999")
    }


def edges() -> Iterator[tuple[str, str, date]]:
    for row in SPANS:
        origin = "FR" if row["origin"] == "*" else row["origin"]
        for day in filter(None, (row["from"], row["until"])):
            for on in (date.fromisoformat(day) - DAY, date.fromisoformat(day)):
                yield row["symbol"], origin, on


def test_every_span_holds_from_its_first_day_to_its_last() -> None:
    for symbol, origin, on in sorted(set(edges())):
        printed = preferences().by_symbol[symbol].prints
        prints = f"Free ({printed[0]})" if printed else "Free (XX)"
        choice, effects = claim(symbol, origin, on, line(prints)), live(symbol, origin, on)
        where = f"{symbol} of {origin} on {on}"
        if "grant" in effects:
            assert choice.in_force == (symbol,), where
            assert choice.symbol or not printed, where
        elif "refund" in effects:
            assert codes(choice) == ["special_refund_only"], where
            assert choice.restored is not None or not printed, where
        else:
            assert codes(choice) == ["special_not_in_force"], where
        assert choice.symbol or choice.warnings, where


def test_what_became_known_later_is_not_told_before() -> None:
    late = [row for row in SPANS if row["known_from"]]
    assert {row["known_from"] for row in late} == {"2020-10-10", "2026-02-03", "2026-05-19"}
    for row in late:
        known, on = date.fromisoformat(row["known_from"]), date.fromisoformat(row["from"])
        made = line(f"Free ({row['symbol']})")
        assert claim(row["symbol"], row["origin"], on, made, known_on=known - DAY).warnings[0].code == "special_not_in_force"
        assert codes(claim(row["symbol"], row["origin"], on, made, known_on=known)) != ["special_not_in_force"]


EXCLUDED = sheet(FOLDER / "preference_exclusions.csv")


def test_a_country_is_left_out_of_its_line_on_its_days_and_its_neighbors_are_not() -> None:
    lapse = date(2021, 1, 1)
    for row in (row for row in EXCLUDED if row["symbol"] == "A*" and row["hts"]):
        first, until = date.fromisoformat(row["from"]), date.fromisoformat(row["until"]) if row["until"] else lapse
        made = line("Free (A*)", row["hts"])
        assert codes(claim("A", row["origin"], first, made)) == ["special_product_excluded"], row
        if until < lapse and live("A", row["origin"], until):
            assert claim("A", row["origin"], until, made).symbol == "A*", row
        if first > date(2018, 7, 6):
            assert claim("A", row["origin"], first - DAY, made).symbol == "A*", row
    left_out = {(row["hts"], row["origin"]) for row in EXCLUDED}
    for hts in sorted({row["hts"] for row in EXCLUDED if row["symbol"] == "A*" and row["hts"]})[::25]:
        if (hts, "KH") not in left_out:
            assert codes(claim("A", "KH", date(2019, 3, 1), line("Free (A*)", hts))) == []


def test_the_sheets_repeat_nothing_and_name_what_exists() -> None:
    spans = [(row["symbol"], row["origin"], row["from"]) for row in SPANS]
    assert len(spans) == len(set(spans))
    rows = [(row["symbol"], row["hts"], row["origin"], row["from"]) for row in EXCLUDED]
    assert len(rows) == len(set(rows))
    beneficiaries = {(row["symbol"], row["origin"]) for row in SPANS}
    assert {(row["symbol"], row["origin"]) for row in EXCLUDED if row["hts"]} <= beneficiaries
    assert all(row["by"] for row in [*SPANS, *EXCLUDED])
    for symbol, origin, on in sorted(set(edges())):
        assert len(live(symbol, origin, on)) <= 1, f"{symbol} of {origin} on {on} has two effects"
