"""The law book as plain data: nothing of the book is left out, and every filter says what the book says."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.law.rulebook import the_book
from tests.service.law import the_engine

from tariff_engine.problems import ProblemError
from tariff_service import law_reading
from tariff_service.law_reading import Chosen
from tariff_service.output import encode

LISTS = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules" / "lists"


def test_every_program_is_listed_with_its_life_its_acts_and_its_citations() -> None:
    book = the_book()
    found = {one["program"]: one for one in law_reading.programs(book)}
    assert list(found) == [one.program for one in book.programs]
    ended = found["ieepa-canada"]
    assert (ended["begins"], ended["ends"], ended["ended_by"]["id"]) == ("2025-03-04", "2026-02-24", "eo-14389")
    assert found["s122"]["ends"] == "2026-07-24"
    assert found["s301-china"]["ends"] is None
    published = [act["published"] for act in found["s301-china"]["instruments"]]
    assert published == sorted(published)
    assert all(one["cites"] and one["provisions"] for one in found.values())
    assert sum(one["provisions"] for one in found.values()) == len(book.nodes)


def test_a_program_that_was_not_yet_ended_as_known_has_no_end() -> None:
    found = {one["program"]: one for one in law_reading.programs(the_book(), known_on=date(2026, 1, 1))}
    assert found["ieepa-canada"]["ends"] is None
    assert found["s122"]["begins"] is None


def test_with_a_day_a_program_says_whether_it_does_anything_on_it() -> None:
    def in_force(day: date) -> set[str]:
        return {one["program"] for one in law_reading.programs(the_book(), on=day) if one["in_force"]}

    assert {"ieepa-canada", "s301-china"} <= in_force(date(2025, 6, 1))
    assert "ieepa-canada" not in in_force(date(2026, 3, 1))


def test_a_program_is_read_with_its_frame_and_all_its_provisions() -> None:
    book = the_book()
    for one in book.programs:
        found = law_reading.program(book, one.program)
        assert [item["provision"] for item in found["provisions"]] == [provision.id for provision in one.provisions]
        assert set(found["lists"]) <= {item["list"] for item in law_reading.lists(book)}
        encode(found)
    metals = law_reading.program(book, "s232-metals-2026")
    assert metals["groups"]
    assert "s232_metals_2026_note16c" in metals["lists"]


def test_the_provisions_in_force_on_a_day_are_those_that_their_lives_say() -> None:
    book, day = the_book(), date(2025, 9, 10)
    found = {one["provision"]: one for one in law_reading.provisions(book, program="s232-steel-2025", on=day)}
    for node in book.nodes.values():
        if node.program.program == "s232-steel-2025":
            lived = next(one for one in law_reading.provision(book, node.id, day)["provisions"] if one["provision"] == node.id)
            assert (lived["in_force"] is not None) == (node.id in found)
            if lived["in_force"]:
                assert found[node.id]["in_force"]["rate"] == lived["in_force"]["rate"]
                assert found[node.id]["in_force"]["since"] == lived["in_force"]["from"]


def test_provisions_that_nobody_knew_of_are_left_out_and_what_was_called_off_is_not_yet() -> None:
    book = the_book()
    then = {one["provision"]: one for one in law_reading.provisions(book, known_on=date(2025, 2, 2))}
    now = {one["provision"]: one for one in law_reading.provisions(book)}
    assert "9903.03.01" in now
    assert "9903.03.01" not in then
    assert (then["9903.01.10"]["from"], now["9903.01.10"]["from"]) == ("2025-02-04", "2025-03-04")
    assert now["9903.88.16"]["withdrawn"]


def test_a_heading_is_found_dotted_or_not_and_a_variant_by_its_name() -> None:
    book = the_book()
    assert law_reading.provision(book, "99030110") == law_reading.provision(book, "9903.01.10")
    (one,) = law_reading.provision(book, "9903.82.06/us-95")["provisions"]
    assert one["provision"] == "9903.82.06/us-95"


@pytest.mark.parametrize(
    ("ask", "code", "guess"),
    [
        (lambda: law_reading.program(the_book(), "s301-chin"), "unknown_program", "s301-china"),
        (lambda: law_reading.provisions(the_book(), program="nothing"), "unknown_program", "/v1/programs"),
        (lambda: law_reading.provision(the_book(), "9903.01.17"), "unknown_heading", "9903.01"),
        (lambda: law_reading.table(the_book(), "s301_chin"), "unknown_list", "s301_china"),
        (lambda: law_reading.list_rows(the_book(), "reciprocal_country_rates", Chosen(prefix="01")), "bad_parameter", "prefix"),
    ],
)
def test_what_does_not_exist_is_a_typed_problem_with_a_guess(ask: object, code: str, guess: str) -> None:
    with pytest.raises(ProblemError) as raised:
        ask()  # type: ignore[operator]  # each is a function without parameters
    assert raised.value.problem.code == code
    assert guess in raised.value.problem.fix


def test_every_list_of_the_folder_is_there_with_all_its_rows_as_the_file_holds_them() -> None:
    book = the_book()
    found = {one["list"]: one for one in law_reading.lists(book)}
    assert set(found) == {path.stem for path in LISTS.glob("*.csv")}
    for name, one in found.items():
        rows = list(csv.reader(io.StringIO((LISTS / f"{name}.csv").read_text(encoding="utf-8"))))
        table = law_reading.table(book, name)
        assert [one["columns"], *([*law_reading.row_cells(table, row)] for row in table.rows)] == [row for row in rows if row]
        assert one["rows"] == len(table.rows)


def test_every_list_is_used_by_the_book_or_waits_for_law_that_is_not_in_it_yet() -> None:
    found = {one["list"]: one for one in law_reading.lists(the_book())}
    assert [name for name, one in found.items() if not one["used_by"] and not one["not_in_book"]] == []
    named = {name for one in found.values() for name in one["used_by"] if not name.startswith("program:")}
    assert named <= set(the_book().nodes)
    assert "9903.88.03" in found["s301_china"]["used_by"]


def test_rows_are_filtered_by_day_by_what_was_known_by_prefix_and_by_the_number_they_take() -> None:
    book = the_book()

    def rows(**chosen: Any) -> list[dict[str, Any]]:
        return [law_reading.row_data(row) for row in law_reading.list_rows(book, "s301_china", Chosen(**chosen))]

    everything = rows()
    assert all(row["hts"].startswith("8703") for row in rows(prefix="8703"))
    assert len(rows(prefix="8703")) == sum(row["hts"].startswith("8703") for row in everything)
    assert [row for row in rows(hts="7318152061") if not "7318152061".startswith(row["hts"])] == []
    assert rows(hts="7318152061")
    day = date(2024, 6, 1)
    on = rows(on=day)
    assert 0 < len(on) < len(everything)
    assert all((row["from"] or "") <= day.isoformat() < (row["until"] or "9") for row in on)
    assert len(rows(known_on=date(2020, 1, 1))) != len(rows(known_on=date(2026, 11, 1)))
    assert {"row", "hts", "from", "until", "by", "withdrawn_by", "cite"} <= set(everything[0])


def test_the_acts_that_rows_name_are_told_once() -> None:
    book = the_book()
    rows = law_reading.list_rows(book, "reciprocal_country_rates", Chosen())
    acts = law_reading.acts_of(book, rows)
    assert {row.by for row in rows if row.by} <= set(acts)
    assert acts["eo-14257"]["published"] == "2025-04-02"


def test_the_dictionary_tells_type_question_values_level_and_whether_a_fact_is_personal() -> None:
    law = the_engine().at().law
    found = {one["fact"]: one for one in law_reading.facts(law)}
    assert set(found) == set(law.facts)
    assert found["consignee"]["personal"]
    assert found["entry_date"]["level"] == "entry"
    assert "ocean" in found["mode"]["values"]
    assert found["usmca_qualifying"]["aliases"] == ["usmca", "usmca_free_entry"]
    assert found["vehicle_age"]["derived_from"] == ["manufacture_year"]
    assert "?" in found["melt_pour_country"]["question"]
    json.loads(encode(list(found.values())))


def test_countries_are_listed_by_code() -> None:
    found = law_reading.countries(the_engine().at().law)
    assert {"country": "DE", "name": "Germany"} in found
    assert found == sorted(found, key=lambda one: one["country"])
