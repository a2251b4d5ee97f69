"""Hostile rule files, rates, schedules and preferences: each reader says what is wrong in its own error, and never falls over."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.texts import bounded, junk, spoilt, within_memory

from tariff_engine.notation.load import load_book
from tariff_engine.notation.program import Program
from tariff_engine.notation.tables import read_table
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.preferences_files import load_preferences
from tariff_engine.problems import ProblemError, RulebookError, TariffError
from tariff_engine.rates import parse_rate, rate_text
from tariff_engine.schedule import parse_special
from tariff_engine.schedule_files import load_schedule
from tariff_rules import ROOT

GOOD = Path(__file__).parents[1] / "notation" / "good"
FILES = {path.relative_to(GOOD).as_posix(): path.read_text(encoding="utf-8") for path in sorted(GOOD.rglob("*.*")) if path.is_file()}
PROGRAM = (ROOT / "programs" / "s232" / "wood.yaml").read_text(encoding="utf-8")
RATES = (
    "Free",
    "6.5%",
    "$1.50/kg + 2.5%",
    "33¢ each + 45% on the case + 35% on the battery",
    "1.4¢/kg less 0.02¢/kg for each degree under 100 degrees",
)
SPECIAL = "Free (A+,AU,BH,CL) 2.5% (KR) See 9913.02.05 (MA)"
TABLE = "hts,except,from,until,by,note\n0101,01012100|01012900,2025-01-01,2026-01-01,act-1,one\n8703230190,,,,,\n"
EDITIONS = "editions:\n  - {name: One, file: one.csv, from: 2025-01-01, published: 2024-12-20, cite: HTS 2025}\n"
SCHEDULE = 'hts,units,general,special,column2\n0101,,,,\n01012100,No.,Free,,Free\n0101210010,No.,,,\n01013000,No.,6.8%,"Free (A+,AU)",15%\n'
GONE = "hts,successors\n0101210020,0101210010;01013000\n"
PREFERENCES = (ROOT / "schedule" / "preferences.csv").read_text(encoding="utf-8")


@given(text=spoilt(PROGRAM) | junk())
def test_a_hostile_program_is_read_or_refused(text: str) -> None:
    document = bounded(lambda: read_document("programs/x.yaml", text), RulebookError)
    if not isinstance(document, Exception):
        bounded(lambda: Program.model_validate(document.value), ValueError)


@given(name=st.sampled_from(sorted(FILES)), data=st.data())
def test_a_hostile_rulebook_is_loaded_or_refused(name: str, data: st.DataObject) -> None:
    text = data.draw(spoilt(FILES[name]) | junk())
    with tempfile.TemporaryDirectory() as folder:
        for path, good in FILES.items():
            place = Path(folder) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((text if path == name else good).encode("utf-8", "surrogatepass"))
        bounded(lambda: load_book(Path(folder)), RulebookError)


@given(text=spoilt(TABLE) | junk())
def test_a_hostile_list_is_read_or_refused(text: str) -> None:
    bounded(lambda: read_table("lists/x.csv", text), RulebookError)


@given(text=st.sampled_from(RATES).flatmap(spoilt) | junk())
def test_a_hostile_rate_is_understood_or_refused(text: str) -> None:
    rate = bounded(lambda: parse_rate(text), ProblemError)
    if not isinstance(rate, Exception):
        assert bounded(lambda: parse_rate(rate_text(rate)), ProblemError) == rate or rate.reference is not None


@given(text=spoilt(SPECIAL) | junk())
def test_a_hostile_special_column_is_understood_or_refused(text: str) -> None:
    bounded(lambda: parse_special(text), ProblemError)


@given(which=st.sampled_from(("editions.yaml", "one.csv", "discontinued.csv")), data=st.data())
def test_a_hostile_schedule_is_read_or_refused(which: str, data: st.DataObject) -> None:
    files = {"editions.yaml": EDITIONS, "one.csv": SCHEDULE, "discontinued.csv": GONE}
    files[which] = data.draw(spoilt(files[which]) | junk())
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            (Path(folder) / path).write_bytes(text.encode("utf-8", "surrogatepass"))
        schedule = bounded(lambda: load_schedule(Path(folder)), RulebookError)
        if not isinstance(schedule, Exception):
            from datetime import date  # noqa: PLC0415

            for code in schedule.tables[0].codes[:5]:
                bounded(lambda code=code: schedule.find(code, date(2025, 6, 1)), ProblemError)  # type: ignore[misc]


@given(text=spoilt("\n".join(PREFERENCES.splitlines()[:6]) + "\n") | junk())
def test_hostile_preferences_are_read_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "preferences.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        bounded(lambda: load_preferences(Path(folder)), TariffError)


@pytest.mark.parametrize("size", [1_000_000])
@pytest.mark.parametrize("scrap", ["[", "{a: ", "- ", "a", "9", '"', "\n", "(", "%", "&a [*a]\n", "é"])
def test_a_megabyte_of_one_thing_takes_bounded_time_and_memory(scrap: str, size: int) -> None:
    text = scrap * (size // len(scrap))
    readers: list[tuple[Any, type[Exception]]] = [
        (lambda: read_document("x.yaml", text), RulebookError),
        (lambda: read_table("lists/x.csv", text), RulebookError),
        (lambda: parse_rate(text), ProblemError),
        (lambda: parse_special(text), ProblemError),
    ]
    for read, error in readers:
        within_memory(read, error)
