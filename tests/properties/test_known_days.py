"""A server keeps the law of a few knowledge days in memory, and answers the same whether a day is kept or loaded anew."""

from __future__ import annotations

from datetime import date, timedelta

from tariff_engine.book import Book
from tariff_engine.build import build_law
from tariff_engine.engine import Engine
from tariff_engine.law import Law
from tariff_rules import ROOT

DAYS = [date(2025, 2, 2), date(2025, 2, 4), date(2025, 3, 1), date(2025, 4, 3)]


def test_no_more_days_are_kept_than_asked_for_and_the_least_lately_used_goes_first(book: Book) -> None:
    loaded: list[date] = []

    def load(day: date) -> Law:
        loaded.append(day)
        return build_law(book, ROOT, day)

    engine = Engine(load, keep=2)
    first, second, third = (engine.day(day) for day in DAYS[:3])
    assert len({first, second, third}) == 3
    for day in (DAYS[0], DAYS[1], DAYS[0]):
        engine.at(day)
    assert loaded == [date.max, first, second]
    engine.at(DAYS[2])  # the second goes
    assert [engine.has(day) for day in DAYS[:3]] == [True, False, True]
    assert engine.has(None)
    engine.at(DAYS[1])
    assert loaded == [date.max, first, second, third, second]


def test_days_between_two_publications_share_one_law(engine: Engine) -> None:
    day = engine.day(DAYS[3])
    assert engine.day(day) == day
    assert day <= DAYS[3]
    assert engine.at(day) is engine.at(DAYS[3])
    assert engine.day(day - timedelta(days=1)) < day


def test_a_law_loaded_apart_is_taken_over(book: Book) -> None:
    engine = Engine(lambda day: build_law(book, ROOT, day), keep=1)
    assert not engine.has(DAYS[0])
    engine.at()
    known = engine.load(DAYS[0])
    assert not engine.has(DAYS[0])
    engine.take_over(DAYS[0], known)
    assert engine.at(DAYS[0]) is known
