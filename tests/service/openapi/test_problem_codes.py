"""The catalogue of problems: every code of the source is in it, each has a page, and no two titles are the same."""

from __future__ import annotations

from collections import Counter

import pytest
from starlette.testclient import TestClient
from tests.service.openapi.problem_codes import collect

from tariff_service.api.problems import catalogue


def test_every_code_that_the_source_names_is_in_the_catalogue() -> None:
    found = collect()
    assert len(found.exact) > 80  # the search itself works
    assert {code: sorted(places) for code, places in found.exact.items() if code not in catalogue()} == {}
    for begin, end in found.patterns:
        assert any(code.startswith(begin) and code.endswith(end) for code in catalogue()), f"{begin}...{end}"


def test_every_code_of_the_catalogue_stands_in_the_source() -> None:
    found = collect()
    made = {code for code in catalogue() for begin, end in found.patterns if begin and code.startswith(begin) and code.endswith(end)}
    assert set(catalogue()) - set(found.exact) - made == set()


def test_no_two_kinds_of_problem_have_the_same_title() -> None:
    assert [title for title, times in Counter(kind.title for kind in catalogue().values()).items() if times > 1] == []


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_the_type_of_a_problem_is_a_page_that_says_what_it_means(client: TestClient, code: str) -> None:
    page = client.get(f"/problems/{code}")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert catalogue()[code].title.replace("'", "&#x27;") in page.text


def test_a_problem_that_does_not_exist_has_no_page(client: TestClient) -> None:
    assert client.get("/problems/no_such_code").status_code == 404
