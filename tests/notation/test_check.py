"""The check of a whole rulebook: what it must find, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tariff_rules
from tariff_engine.notation.check import check

Spoil = Callable[..., Path]
WIDGETS, GADGETS, RELATIONS = "programs/widgets.yaml", "programs/gadgets.yaml", "relations.yaml"
ORDER = """by: widget-order, cite: TEST 201}}
  - {{from: {}, over: family:gadget-rate, excludes: set:widget-duty, {}, cite: TEST 202}}"""


def test_the_rulebook_of_the_project_has_no_problem() -> None:
    report = check(tariff_rules.ROOT)
    assert "\n".join(report.problems) == ""
    assert report.counts["programs"] >= 20
    assert report.counts["examples"] >= 60


def test_a_circle_that_only_an_earlier_day_of_knowledge_sees_is_found_and_names_that_day(spoil: Spoil) -> None:
    """Two orders that never held together as known today, but did before the act that called one of them off."""
    book = spoil(
        (
            RELATIONS,
            "by: widget-order, cite: TEST 201}",
            ORDER.format("2022-06-01", "by: widget-order, withdrawn_by: gadget-pause"),
        ),
    )
    problems = check(book).problems
    assert len(problems) == 1
    assert "on 2022-06-01, as known on 2022-05-30 these ask one another in a circle: 9903.01.01 -> family:gadget-rate" in problems[0]


def test_two_orders_of_different_times_are_no_circle(spoil: Spoil) -> None:
    book = spoil(
        (
            RELATIONS,
            "by: widget-order, cite: TEST 201}",
            ORDER.format("2021-04-01, until: 2022-06-01", "by: gadget-act"),
        ),
        (GADGETS, "subject_to: {any: program:widgets, test: owed}", "facts: {certified: true}"),
    )
    assert check(book).problems == ()


def test_goods_from_a_zone_keep_a_step_alive_in_the_order_after_it_ended(spoil: Spoil) -> None:
    """The day of admission picks the step, while exceptions and relations go by the entry date: the circle is real for such goods."""
    book = spoil(
        (WIDGETS, "one_of: true", "one_of: true\nftz: {rate_of: admission, cite: 1 TEST 1}"),
        (WIDGETS, "  when: {facts: {certified: true}}", "  when: {facts: {certified: true}, subject_to: {any: 9903.02.10}}"),
        (WIDGETS, "{from: 2020-02-01, exempt: true, by", "{from: 2020-02-01, until: 2020-03-01, exempt: true, by"),
        (GADGETS, "{entered: {until: 2022-06-01}, subject_to: {any: program:widgets, test: owed}}", "{subject_to: {any: 9903.01.01}}"),
        ("facts.yaml", "  certified:", "  ftz_pf_admission_date: {type: date, question: When was it admitted?}\n  certified:"),
    )
    told = [line for line in check(book).problems if "circle" in line]
    assert len(told) == 1
    assert "9903.01.01 -> 9903.01.03 -> 9903.02.10 -> 9903.01.01" in told[0]


def test_a_step_called_off_may_stand_beside_the_step_that_replaced_it(spoil: Spoil) -> None:
    book = spoil(
        (
            WIDGETS,
            "    - {from: 2022-06-01, add: 25%",
            "    - {from: 2022-06-01, add: 20%, by: widget-act, withdrawn_by: widget-order, cite: 1 TEST 1 s.9}\n    - {from: 2022-06-01, add: 25%",
        ),
    )
    assert check(book).problems == ()


def test_a_row_called_off_may_stand_beside_the_row_that_replaced_it(spoil: Spoil) -> None:
    book = spoil(
        (
            "lists/widgets.csv",
            "85001090,,spare,,,,,1 TEST 1 Annex",
            "85001090,,spare,,,,gadget-pause,1 TEST 1 Annex\n85001090,,spare,,2023-07-01,,,1 TEST 1 Annex",
        ),
    )
    assert check(book).problems == ()


def test_a_number_may_take_the_place_of_another_without_an_act(spoil: Spoil) -> None:
    book = spoil(
        (
            "lists/widgets.csv",
            "85001090,,spare,,,,,1 TEST 1 Annex",
            "85001090,,spare,,2022-01-27,,,1 TEST 1 Annex; renumbered\n85001091,,spare,2022-01-27,,,,1 TEST 1 Annex; renumbered",
        ),
    )
    assert check(book).problems == ()


def test_a_list_may_call_off_what_its_own_act_put_on_it(spoil: Spoil) -> None:
    book = spoil(("lists/widgets.csv", "85001090,,spare,,,,,", "85001090,,spare,,,,gadget-pause,"))
    assert check(book).problems == ()


def test_a_failing_example_is_told_even_where_an_act_is_unused(spoil: Spoil) -> None:
    book = spoil(
        (
            "instruments.yaml",
            "instruments:\n",
            "instruments:\n  old-act: {title: Old act, signed: 2019-01-01, published: 2019-01-01, cite: 0 TEST 0}\n",
        ),
        (WIDGETS, 'duty: "120.00"', 'duty: "121.00"'),
    )
    words = "\n".join(check(book).problems)
    assert "no rule names old-act" in words
    assert "the example owes 121.00, the rules say 120.00" in words


def test_a_windows_file_is_read_like_any_other(spoil: Spoil) -> None:
    book = spoil()
    for path in book.rglob("*.*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(book).problems == ()
