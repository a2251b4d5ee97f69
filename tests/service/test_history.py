"""The history of provisions and programs: what every act did, by the two days on which it counts, and nothing that the law does not say."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from tests.law.rulebook import the_book
from tests.service.law import the_engine

from tariff_engine.book import Book, Node
from tariff_engine.problems import ProblemError
from tariff_service import law_reading
from tariff_service.condition_words import effect_words
from tariff_service.courses import course
from tariff_service.history import history
from tariff_service.lanes import lanes
from tariff_service.output import encode

Data = dict[str, Any]
FAMILY = "family:reciprocal-country-rate"
DAY = timedelta(days=1)


def told(name: str, about: str = "rate", **options: Any) -> list[tuple[Any, ...]]:
    """Return the events of a history, short: known, effect, kind, outcome, the rates before and after, the act."""
    events = [one for one in history(the_book(), name, **options)["events"] if one["about"] == about]
    return [
        (
            one["known"],
            one["effect"],
            one["kind"],
            one["outcome"],
            (one["was"] or {}).get("rate"),
            (one["now"] or {}).get("rate"),
            (one["by"] or {}).get("id"),
        )
        for one in events
    ]


# ---------------------------------------------------------------- the stories that everybody knows
def test_the_duty_on_canada_was_announced_paused_begun_raised_and_ended() -> None:
    assert told("9903.01.10") == [
        ("2025-02-01", "2025-02-04", "announced", "called_off", None, "25%", "eo-14193"),
        ("2025-02-03", "2025-02-04", "paused", "called_off", "25%", None, "eo-14197"),
        ("2025-02-03", "2025-03-04", "took_effect", "came", None, "25%", "eo-14197"),
        ("2025-07-31", "2025-08-01", "amended", "came", "25%", "35%", "eo-14325"),
        ("2026-02-20", "2026-02-24", "ended", "came", "35%", None, "eo-14389"),
    ]


def test_as_known_before_the_pause_the_duty_lies_ahead() -> None:
    found = history(the_book(), "99030110", known_on=date(2025, 2, 2))
    assert [(one["kind"], one["outcome"]) for one in found["events"]] == [("announced", "ahead")]
    assert found["provisions"][0]["status"] == "ahead"
    assert found["lanes"][0]["segments"][0]["from"] == "2025-02-04"
    none_yet = history(the_book(), "9903.01.10", known_on=date(2025, 1, 31))
    assert (none_yet["events"], none_yet["lanes"], none_yet["provisions"][0]["status"]) == ([], [], "not_yet_known")


def test_the_opioid_duty_was_lowered_from_20_to_10_percent() -> None:
    assert told("9903.01.24")[1] == ("2025-11-04", "2025-11-10", "amended", "came", "20%", "10%", "eo-14357")


def test_the_floor_of_japan_reaches_back_and_says_what_was_filed_until_then() -> None:
    (event,) = [one for one in history(the_book(), "9903.02.73")["events"] if one["kind"] == "retroactive" and one["about"] == "rate"]
    assert (event["known"], event["effect"], event["by"]["id"]) == ("2025-09-16", "2025-08-07", "fr-2025-japan")
    assert event["origins"] == ["JP"]
    assert event["filed_before"] == [
        {"from": "2025-08-07", "until": "2025-09-16", "state": {"effect": "adds 15%", "rate": "15%", "heading": "9903.02.30"}}
    ]
    assert "9903.02.30 adds 15% for entries of 2025-08-07 to 2025-09-15" in event["says"]


def test_the_floor_of_korea_reaches_back_by_three_weeks() -> None:
    for name in ("9903.02.80", "9903.02.79"):  # the heading, and its twin where the base rate reaches it
        (event,) = [one for one in history(the_book(), name)["events"] if one["kind"] == "retroactive"]
        assert (event["known"], event["effect"], event["filed_before"][0]["state"]["heading"]) == ("2025-12-04", "2025-11-14", "9903.02.56")


def test_what_reaches_back_as_a_provision_of_its_own_names_the_duties_that_were_filed_in_its_place() -> None:
    (floor,) = [one for one in history(the_book(), "9903.94.51")["events"] if one["kind"] == "retroactive" and one["about"] == "rate"]
    assert {"provision": "9903.94.01", "effect": "adds 25%"} in floor["filed_in_place"]
    (relief,) = [one for one in history(the_book(), "9903.02.74")["events"] if one["kind"] == "retroactive" and one["about"] == "rate"]
    assert FAMILY in [one["provision"] for one in relief["filed_in_place"]]
    assert "until then was filed in its place, where it applied: reciprocal country rate" in relief["says"]


def test_list_4b_was_suspended_before_it_began() -> None:
    assert told("9903.88.16") == [
        ("2019-08-30", "2019-12-15", "announced", "called_off", None, "15%", "fr-84-45821"),
        ("2019-12-13", "2019-12-15", "withdrawn", "called_off", "15%", None, "ustr-2019-12-13"),
    ]
    assert history(the_book(), "9903.88.16")["provisions"][0]["status"] == "never_in_force"


def test_the_china_reciprocal_rate_was_replaced_raised_ended_and_never_came_back() -> None:
    found = told("9903.01.63")
    assert found[:3] == [
        ("2025-04-02", "2025-04-09", "announced", "called_off", None, "34%", "eo-14257"),
        ("2025-04-08", "2025-04-09", "replaced", "called_off", "34%", "84%", "eo-14259"),
        ("2025-04-08", "2025-04-09", "took_effect", "came", None, "84%", "eo-14259"),
    ]
    assert found[3] == ("2025-04-09", "2025-04-10", "amended", "came", "84%", "125%", "eo-14266")
    assert found[4] == ("2025-05-12", "2025-05-14", "ended", "came", "125%", None, "eo-14298")
    assert [one[2] for one in found[5:]] == ["announced", "paused", "announced", "paused", "announced", "withdrawn"]
    assert found[-1] == ("2026-02-20", "2026-11-10", "withdrawn", "called_off", "34%", None, "eo-14389")
    (lane,) = history(the_book(), "9903.01.63")["lanes"]
    assert (lane["origins"], [span["rate"] for span in lane["segments"]]) == (["CN", "HK", "MO"], ["84%", "125%"])


def test_goods_on_the_way_keep_the_baseline_for_so_long() -> None:
    (first, second, third) = [one for one in history(the_book(), "9903.01.63")["events"] if one["about"] == "in_transit"]
    assert (first["effect"], first["until"], first["now"]["heading"], first["now"]["rate"]) == (
        "2025-04-09",
        "2025-06-16",
        "9903.01.25",
        "10%",
    )
    assert (second["effect"], second["until"], second["kind"]) == ("2025-04-10", "2025-06-16", "amended")
    assert (third["effect"], third["known"], third["kind"]) == ("2025-05-14", "2025-05-12", "ended")


def test_a_heading_that_is_only_a_twin_at_the_floor_has_a_history_with_its_origins() -> None:
    first = history(the_book(), "9903.02.19")["events"][0]
    assert first["now"]["heading"] == "9903.02.20"
    assert len(first["origins"]) == 27
    assert "DE" in first["origins"]


def test_the_baseline_goes_on_where_the_rate_that_was_to_replace_it_is_put_off() -> None:
    found = [one for one in told("9903.01.25") if one[0] == "2025-08-11"]
    assert [(one[2], one[1]) for one in found] == [("extended", "2025-08-12"), ("announced", "2025-11-10")]


def test_exclusions_that_were_prolonged_go_on_and_one_that_was_late_reaches_back() -> None:
    assert [one[2] for one in told("9903.88.69")] == ["took_effect", "ended", "retroactive", "extended", "extended"]


def test_the_order_towards_the_metals_is_reversed() -> None:
    found = [one for one in history(the_book(), "9903.01.10")["events"] if one["about"] == "order" and one["kind"] == "amended"]
    (event,) = found
    assert (event["known"], event["effect"], event["refs"]) == ("2025-06-03", "2025-06-04", ["set:s232-metal-2025"])
    assert event["was"]["effect"].startswith("takes precedence over")
    assert event["now"]["effect"].startswith("gives way to")


def test_the_variants_of_a_heading_stand_together_or_alone() -> None:
    assert [one["provision"] for one in history(the_book(), "99030133")["provisions"]] == [
        "9903.01.33/article",
        "9903.01.33/content",
        "9903.01.33/other-232",
        "9903.01.33/parts-before-their-duty",
    ]
    assert told("9903.01.33/content")[0][:3] == ("2025-06-03", "2025-06-04", "took_effect")


def test_lists_are_told_by_act_and_number_by_number_on_demand() -> None:
    changes = [one for one in history(the_book(), "ieepa-reciprocal")["events"] if one["about"] == "list"]
    (joined,) = [one for one in changes if one["by"]["id"] == "eo-14360"]
    assert (joined["joins"], joined["leaves"], joined["kind"]) == (237, 0, "retroactive")
    assert "numbers" not in joined
    every = history(the_book(), "ieepa-reciprocal", every=True)["events"]
    (whole,) = [one for one in every if one["about"] == "list" and one["by"]["id"] == "eo-14360"]
    assert len(whole["numbers"]["joins"]) == 237


def test_a_program_tells_rows_of_tables_together() -> None:
    short = history(the_book(), "ieepa-reciprocal")["events"]
    every = history(the_book(), "ieepa-reciprocal", every=True)["events"]
    assert len(short) < 60 < len(every)
    (rates,) = [one for one in short if (one["known"], one["effect"], one["kind"]) == ("2025-04-02", "2025-04-09", "amended")]
    assert len(rates["origins"]) == 82
    assert "11% to 50%" in rates["says"]
    back = [one for one in short if one["by"] and one["by"]["id"] == "fr-2025-23316" and one["origins"]]
    assert sorted(one["origins"] for one in back) == [["CH"], ["LI"]], "what was filed before differs"


# ---------------------------------------------------------------- the whole book
def every_name(book: Book) -> list[str]:
    rows = {
        row[column]
        for node in book.nodes.values()
        for ref in node.provision.table or ()
        for row in book.tables[ref].rows
        for column in ("heading", "at_floor", "transit_heading")
    }
    return sorted({*book.nodes, *(one.program for one in book.programs)} | {name for name in rows if name})


def test_every_provision_every_program_and_every_heading_of_a_table_has_a_history() -> None:
    book = the_book()
    for name in every_name(book):
        found = history(book, name)
        encode(found)
        assert found["provisions"], name
        assert found["events"], name
        for one in found["events"]:
            assert one["says"].strip(" ;,:"), (name, one)
            assert "{}" not in one["says"], (name, one)
            assert one["by"] or one["known"] is None, (name, one)
            assert one["by"] is None or one["by"]["published"] <= one["known"], (name, one)
            assert (one["kind"] == "retroactive") == (one["known"] is not None and one["known"] > one["effect"]), (name, one)


def test_events_stand_in_the_order_that_was_asked_for() -> None:
    for name in ("ieepa-canada", "9903.01.25", "s301-china"):
        known = [one["known"] or one["effect"] for one in history(the_book(), name)["events"]]
        assert known == sorted(known)
        effect = [one["effect"] for one in history(the_book(), name, order="effect")["events"]]
        assert effect == sorted(effect)
        assert len(known) == len(effect)


def painted(events: Iterable[Data], day: date, known_on: date) -> str | None:
    """Lay the events about the rate one over the other, in the order in which they became known; return what they say of a day."""
    found = None
    for one in events:
        known = one["known"] is None or one["known"] <= known_on.isoformat()
        if known and one["effect"] <= day.isoformat() and (one["until"] is None or day.isoformat() < one["until"]):
            found = one["now"]["effect"] if one["now"] else None
    return found


def days_of(node: Node, found: Iterable[Any]) -> list[date]:
    dated = [*found, *([node.program.ended] if node.program.ended else [])]
    edges = {day for one in dated for day in (one.from_, one.until) if day and day not in {date.min, date.max}}
    return sorted({day + step for day in edges for step in (-DAY, timedelta(0))})


def acts_of(book: Book, found: Iterable[Any]) -> list[date]:
    days = {book.published(name) for one in found for name in (one.by, one.withdrawn_by) if name}
    return sorted({day + step for day in days for step in (-DAY, timedelta(0))})


def test_the_events_known_on_a_day_explain_the_step_that_the_law_applies() -> None:
    book, looked = the_book(), 0
    for node in book.nodes.values():
        if node.provision.table:
            continue
        events = [one for one in history(book, node.id)["events"] if one["about"] == "rate" and node.id in one["provisions"]]
        steps: Sequence[Any] = [*node.provision.steps, *([node.program.ended] if node.program.ended else [])]
        for known_on in acts_of(book, steps):
            for day in days_of(node, node.provision.steps):
                step = law_reading.step_in_force(book, node, day, known_on)
                assert painted(events, day, known_on) == (effect_words(step) if step else None), (node.id, day, known_on)
                looked += 1
    assert looked > 2000


def test_the_events_of_a_table_explain_the_row_that_the_law_takes_for_every_origin() -> None:
    book = the_book()
    node = book.nodes[FAMILY]
    rows = book.tables[(node.provision.table or [])[0]].rows
    events = [one for one in history(book, FAMILY, every=True)["events"] if one["about"] == "rate"]
    for origin in dict.fromkeys(row["origin"] for row in rows):
        mine = [one for one in events if origin in one["origins"]]
        named = [row for row in rows if row["origin"] == origin]
        for known_on in acts_of(book, [*named, *([node.program.ended] if node.program.ended else [])]):
            for day in days_of(node, named):
                step = law_reading.step_in_force(book, node, day, known_on)
                choice = [row for wanted in (origin, "*") for row in rows if row["origin"] == wanted]
                row = next((one for one in choice if step and one.holds(day) and book.row_known(one, known_on)), None)
                found = painted(mine, day, known_on)
                if row is None:
                    assert found is None, (origin, day, known_on)
                else:
                    assert found is not None, (origin, day, known_on)
                    assert row["rate"] in found, (origin, day, known_on)


@pytest.mark.parametrize("known_on", [None, date(2025, 9, 10)])
def test_the_lanes_say_what_the_engine_files(known_on: date | None) -> None:
    book, knowledge = the_book(), the_engine().at(known_on)
    node = book.nodes[FAMILY]
    for lane in lanes(book, node, date.min):
        if lane.about != "rate" or lane.origin not in {"CN", "JP", "KR", "AO", "DE"}:
            continue
        found = course(book, lane, known_on or date.max)
        for one, after in pairwise(found[1:]):
            for day in (one.start, after.start - DAY):
                line = {"hts": "6403996000", "origin": lane.origin, "value": 1000, "entry_date": day.isoformat()}
                line["loaded_date"] = day.isoformat()
                answer = knowledge.answer(knowledge.read(line), "", "none")
                filed = {row["heading"] for row in answer["headings"] if row["program"] == "ieepa-reciprocal"}
                said = {one.state.heading, *one.state.also} if one.state else set()
                assert filed <= said, (lane.origin, day)
                assert bool(filed) == bool(said), (lane.origin, day)


# ---------------------------------------------------------------- what does not exist
@pytest.mark.parametrize(
    ("name", "code", "guess"),
    [
        ("ieepa-canad", "unknown_heading", "ieepa-canada"),
        ("9903.01.99", "unknown_heading", "9903.01.90"),
        ("9903.01.33/contents", "unknown_heading", "9903.01.33"),
        ("", "unknown_heading", "tariff rules list"),
    ],
)
def test_a_name_that_does_not_exist_is_a_problem_with_the_nearest_names(name: str, code: str, guess: str) -> None:
    with pytest.raises(ProblemError) as caught:
        history(the_book(), name)
    assert caught.value.problem.code == code
    assert guess in caught.value.problem.fix


def test_a_heading_that_exists_and_is_not_modelled_is_told_so() -> None:
    book = copy.copy(the_book())
    book.relations = book.relations.model_copy(update={"unmodelled": ["9903.53.01"]})
    with pytest.raises(ProblemError) as caught:
        history(book, "99035301")
    assert caught.value.problem.code == "heading_not_modelled"


def test_a_program_without_provisions_has_no_history() -> None:
    book = copy.copy(the_book())
    empty = book.programs[0].model_copy(update={"provisions": []})
    book.programs = [empty]
    found = history(book, empty.program)
    assert (found["provisions"], found["lanes"], found["events"]) == ([], [], [])
