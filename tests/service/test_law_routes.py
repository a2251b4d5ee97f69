"""The law book, comparisons and timelines over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tests.law.rulebook import the_book
from tests.service.law import the_engine

from tariff_service import law_reading
from tariff_service.api import compare_routes, history_routes, law_routes
from tariff_service.api.callers import KEY, LOCAL, Caller
from tariff_service.api.problems import Refusal
from tariff_service.api.settings import Settings
from tariff_service.api.state import Rulebooks, Served
from tariff_service.comparing import compare
from tariff_service.history import history
from tariff_service.output import encode
from tariff_service.stepping import Steps, ask
from tariff_service.timeline import timeline
from tariff_service.what_if import what_if

SHOES = {"hts": "6403.99.60.15", "origin": "CA", "entry_date": "2025-02-05", "value": 10000, "mode": "truck"}
LISTINGS = {
    "/v1/programs": "program",
    "/v1/provisions": "provision",
    "/v1/lists": "list",
    "/v1/lists/s301_china?prefix=8703": "row",
    "/v1/facts": "fact",
    "/v1/countries": "country",
}


class Desk:
    """The routes in an application of their own. `caller` is who asks."""

    def __init__(self) -> None:
        """Make the application; the law book and its engine are shared by all tests."""
        self.caller: Caller | None = LOCAL
        self.settings = Settings()
        self.served = Served(the_engine(), Path(), 0.0)
        self.served.__dict__["book"] = the_book()
        app = FastAPI()
        app.include_router(law_routes.router)
        app.include_router(compare_routes.router)
        app.include_router(history_routes.router)
        app.add_exception_handler(Refusal, self._refused)
        self._app = app

    @staticmethod
    async def _refused(_request: Request, error: Any) -> Response:
        response: Response = error.response()
        return response

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.caller is not None:
            scope[KEY] = self.caller
        await self._app(scope, receive, send)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request."""

        async def send() -> httpx.Response:
            self._app.state.service = SimpleNamespace(settings=self.settings, rulebooks=Rulebooks(self.served))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._called), base_url="http://desk") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET."""
        return self.ask("GET", path, **options)


@pytest.fixture
def desk() -> Desk:
    """Return the routes, asked by a caller who may do everything."""
    return Desk()


def pages(desk: Desk, path: str, limit: int) -> Iterator[dict[str, Any]]:
    """Follow `next` to the end; the Link says the same."""
    base = f"{path}{'&' if '?' in path else '?'}limit={limit}"
    following = base
    while True:
        answer = desk.get(following)
        assert answer.status_code == 200
        found = answer.json()
        yield found
        if found["next"] is None:
            assert "link" not in answer.headers
            return
        assert len(found["items"]) == limit
        link = answer.links["next"]["url"]
        following = f"{base}&cursor={found['next']}"
        assert desk.get(link).json() == desk.get(following).json()


@pytest.mark.parametrize(("path", "name"), LISTINGS.items())
def test_a_list_is_read_page_by_page_to_its_end_without_loss_or_repetition(desk: Desk, path: str, name: str) -> None:
    whole = [item for page in pages(desk, path, 500) for item in page["items"]]
    size = max(1, len(whole) // 3)
    in_parts = [item for page in pages(desk, path, size) for item in page["items"]]
    assert in_parts == whole
    names = [item[name] for item in whole]
    assert len(set(names)) == len(names) > 0


@pytest.mark.parametrize(
    "path",
    [
        *LISTINGS,
        "/v1/programs/s301-china",
        "/v1/provisions/9903.01.10",
        "/v1/history/9903.01.10",
        "/v1/timeline?hts=64039960&origin=CA&value=1&until=2025-02-01&from=2025-01-01",
    ],
)
def test_every_answer_has_an_etag_and_is_not_sent_again_to_who_has_it(desk: Desk, path: str) -> None:
    first = desk.get(path)
    assert first.status_code == 200
    tag = first.headers["etag"]
    again = desk.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert desk.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    other = desk.get(path + ("&" if "?" in path else "?") + "known_on=2026-01-01")
    assert other.headers.get("etag") != tag


def test_another_rulebook_makes_another_etag(desk: Desk) -> None:
    first = desk.get("/v1/facts").headers["etag"]
    desk.served.__dict__["id"] = "sha256:other"
    assert desk.get("/v1/facts").headers["etag"] != first


def test_the_order_of_the_query_does_not_matter(desk: Desk) -> None:
    one = desk.get("/v1/provisions?program=s122&on=2026-03-01")
    assert one.headers["etag"] == desk.get("/v1/provisions?on=2026-03-01&program=s122").headers["etag"]


def test_the_answers_are_those_of_the_plain_functions(desk: Desk) -> None:
    book = the_book()
    assert desk.get("/v1/programs/s122").content == encode(law_reading.program(book, "s122"))
    assert desk.get("/v1/provisions/9903.82.06?variant=us-95").content == encode(law_reading.provision(book, "9903.82.06/us-95"))
    assert desk.get("/v1/provisions/99030110").content == desk.get("/v1/provisions/9903.01.10").content
    assert desk.get("/v1/provisions?program=s122").json()["items"] == law_reading.provisions(book, program="s122")
    assert desk.get("/v1/provisions/family:in-transit-announced").status_code == 200


def test_a_history_is_that_of_the_plain_function(desk: Desk) -> None:
    book = the_book()
    assert desk.get("/v1/history/s122").content == encode(history(book, "s122"))
    assert desk.get("/v1/history/9903.01.33?variant=content").content == encode(history(book, "9903.01.33/content"))
    whole = history(book, "ieepa-reciprocal", order="effect", every=True)
    assert desk.get("/v1/history/ieepa-reciprocal?by=effect&all=true").content == encode(whole)
    known = history(book, "9903.01.10", known_on=date(2025, 2, 2))
    assert desk.get("/v1/history/99030110?known_on=2025-02-02").content == encode(known)
    for path, status in (
        ("9903.01.99", 404),
        ("zzz", 404),
        ("s122?by=day", 422),
        ("s122?all=perhaps", 422),
        ("s122?known_on=then", 422),
        ("s122?x=1", 422),
    ):
        assert desk.get(f"/v1/history/{path}").status_code == status, path
    guess = desk.get("/v1/history/ieepa-canad").json()
    assert (guess["code"], guess["errors"][0]["fix"]) == ("unknown_heading", "did you mean ieepa-canada, ieepa-iran-trade or ieepa-india?")


def test_a_heading_says_what_is_in_force_on_a_day_as_known(desk: Desk) -> None:
    now = desk.get("/v1/provisions/9903.01.10?on=2025-02-05").json()["provisions"][0]
    then = desk.get("/v1/provisions/9903.01.10?on=2025-02-05&known_on=2025-02-02").json()["provisions"][0]
    assert now["in_force"] is None
    assert then["in_force"]["rate"] == "25%"


def test_a_list_is_csv_for_who_asks_for_it_with_the_columns_of_the_book(desk: Desk) -> None:
    path = "/v1/lists/s301_china?prefix=7318&limit=5"
    answer = desk.get(path, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["vary"] == "Accept"
    header, *rows = csv.reader(io.StringIO(answer.text))
    as_json = desk.get(path).json()
    assert header == as_json["columns"]
    assert [row[header.index("hts")] for row in rows] == [row["hts"] for row in as_json["items"]]
    assert answer.links["next"]
    assert answer.headers["etag"] != desk.get(path).headers["etag"]
    assert desk.get(path, headers={"Accept": "text/csv;q=0.5, application/json"}).headers["content-type"] == "application/json"
    assert desk.get(path, headers={"Accept": "image/png"}).json()["code"] == "not_acceptable"


def test_the_rows_of_a_list_name_their_acts(desk: Desk) -> None:
    found = desk.get("/v1/lists/reciprocal_country_rates?limit=5&on=2025-09-10").json()
    assert found["list"] == "reciprocal_country_rates"
    assert {row["by"] for row in found["items"]} <= set(found["instruments"])


# ---------------------------------------------------------------- compare, timeline
def test_a_comparison_is_that_of_the_plain_function(desk: Desk) -> None:
    vary = {"origin": ["CA", "MX"], "known_on": [None, "2025-02-02"]}
    answer = desk.ask("POST", "/v1/compare", json={"entry": SHOES, "vary": vary})
    assert answer.status_code == 200
    assert answer.content == encode(compare(the_engine(), SHOES, vary))
    assert answer.headers["etag"]


def test_who_somebody_is_stands_in_no_answer_and_in_no_etag(desk: Desk) -> None:
    body = {"entry": SHOES, "vary": {"origin": ["CA", "MX"]}}
    plain = desk.ask("POST", "/v1/compare", json=body)
    named = desk.ask("POST", "/v1/compare", json={**body, "entry": {**SHOES, "consignee": "Somebody"}})
    assert named.content == plain.content
    assert named.headers["etag"] == plain.headers["etag"]
    assert desk.ask("POST", "/v1/compare", json={**body, "vary": {"origin": ["CA"]}}).headers["etag"] != plain.headers["etag"]


def test_a_timeline_is_that_of_the_plain_function_whatever_facts_the_query_states(desk: Desk) -> None:
    facts = {"hts": "2204.21.50.40", "origin": "FR", "value": "10000", "usmca": "false", "quantity": '{"liter": 500}'}
    answer = desk.get("/v1/timeline", params={**facts, "from": "2025-03-01", "until": "2025-04-20"})
    assert answer.status_code == 200
    read = {**facts, "usmca": False, "quantity": {"liter": 500}}
    steps = timeline(the_engine(), the_book(), read, first=date(2025, 3, 1), until=date(2025, 4, 20))
    assert answer.content == encode(steps)
    assert answer.json()["steps"][0]["duty"] is not None


def test_others_get_their_turn_while_long_work_is_done_and_the_law_of_another_day_is_loaded_for_it(desk: Desk) -> None:
    """Ten steps of a few milliseconds: whoever waits is let in between, and what is asked for is sent."""
    turns = 0

    def work() -> Steps[str]:
        earlier = yield from ask(date(2025, 2, 2))
        for _ in range(10):
            time.sleep(0.006)
            yield None
        return str(earlier.law.known_on)

    async def both() -> str:
        nonlocal turns
        service: Any = SimpleNamespace(settings=desk.settings, rulebooks=Rulebooks(desk.served))
        long = asyncio.create_task(compare_routes.drive(service, desk.served, work()))
        while not long.done():
            await asyncio.sleep(0)
            turns += 1
        return long.result()

    assert asyncio.run(both()) == str(the_engine().day(date(2025, 2, 2)))
    assert turns >= 10


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("path", "status", "code", "words"),
    [
        ("/v1/programs/s301-chin", 404, "unknown_program", "s301-china"),
        ("/v1/provisions?program=nothing", 404, "unknown_program", "/v1/programs"),
        ("/v1/provisions/9903.99.99", 404, "unknown_heading", "did you mean"),
        ("/v1/provisions/hello", 404, "unknown_heading", "/v1/provisions"),
        ("/v1/provisions/9903.01.10?variant=none", 404, "unknown_heading", ""),
        ("/v1/provisions/9903.01.10?on=2025-02-30", 422, "bad_parameter", ""),
        ("/v1/provisions/9903.01.10?on=20250203", 422, "bad_parameter", ""),
        ("/v1/programs?known_on=today", 422, "bad_parameter", ""),
        ("/v1/programs?limit=0", 422, "bad_parameter", ""),
        ("/v1/programs?limit=501", 422, "bad_parameter", ""),
        ("/v1/programs?cursor=abc", 422, "bad_cursor", "unchanged"),
        ("/v1/programs?as_of=2025-01-01", 422, "unknown_parameter", "known_on"),
        ("/v1/programs?on=2025-01-01&on=2025-01-02", 422, "bad_parameter", "once"),
        ("/v1/lists/s301_chin", 404, "unknown_list", "s301_china"),
        ("/v1/lists/s301_china?prefix=87x", 422, "bad_parameter", ""),
        ("/v1/lists/s301_china?hts=870", 422, "bad_parameter", ""),
        ("/v1/lists/s301_china?prefix=%D9%A1", 422, "bad_parameter", ""),
        ("/v1/lists/reciprocal_country_rates?prefix=87", 422, "bad_parameter", "leave prefix out"),
        ("/v1/timeline?hts=64039960&origin=CA", 422, "fact_missing", "value"),
        ("/v1/timeline?hts=64039960&origin=CA&value=1&colour=red", 422, "unknown_parameter", "usmca"),
        ("/v1/timeline?hts=64039960&origin=CA&value=1&consignee=Somebody", 422, "unknown_parameter", ""),
        ("/v1/timeline?hts=64039960&origin=CA&value=1&entry_date=2025-01-01", 422, "contradictory_facts", "leave entry_date out"),
        ("/v1/timeline?hts=64039960&origin=CA&value=1&quantity=5kg", 422, "bad_parameter", "JSON"),
        ("/v1/timeline?hts=64039960&origin=CA&value=1&usmca=yes", 422, "wrong_type", "true or false"),
        ("/v1/timeline?hts=64039960&origin=CA&value=1&from=2025-01-02&until=2025-01-02", 422, "out_of_range", ""),
        ("/v1/timeline?hts=64039960&origin=ZZ&value=1&from=2025-01-01&until=2025-01-02", 422, "unknown_country", ""),
    ],
)
def test_what_cannot_be_answered_is_a_problem_with_its_fix(desk: Desk, path: str, status: int, code: str, words: str) -> None:
    answer = desk.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.text
    assert "etag" not in answer.headers


ENTRY = {"entry_date": "2025-09-10", "lines": [{"hts": "7318.15.20.61", "origin": "CN", "value": 10}]}


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"{", 400, "malformed_json", ""),
        (b"[]", 422, "wrong_type", ""),
        ({"entry": SHOES}, 422, "wrong_type", "/vary"),
        ({"vary": {"origin": ["CA"]}}, 422, "wrong_type", "/entry"),
        ({"entry": [], "vary": {"origin": ["CA"]}}, 422, "wrong_type", "/entry"),
        ({"entry": SHOES, "vary": {"origin": ["CA"]}, "colour": 1}, 422, "wrong_type", "/colour"),
        ({"entry": SHOES, "vary": {"orgin": ["CA"]}}, 422, "unknown_fact", "/vary/orgin"),
        ({"entry": SHOES, "vary": {"claims": [{}, {"spii": 1}]}}, 422, "unknown_fact", "/vary/claims/1/spii"),
        ({"entry": SHOES, "vary": {"origin": ["CA"]}, "known_on": "soon"}, 422, "bad_parameter", None),
        ({"entry": SHOES, "vary": {"origin": ["CA"]}, "known_on": 5}, 422, "wrong_type", "/known_on"),
        ({"entry": {**SHOES, "lines": []}, "vary": {"origin": ["CA"]}}, 422, "wrong_type", "/entry/lines"),
        ({"entry": {**ENTRY, "origin": "CN"}, "vary": {"value": [1]}}, 422, "fact_of_the_line", "/entry/origin"),
        ({"entry": {**ENTRY, "lines": [5]}, "vary": {"mode": ["air"]}}, 422, "wrong_type", "/entry/lines/0"),
    ],
)
def test_what_cannot_be_compared_is_a_problem_with_a_pointer(desk: Desk, body: Any, status: int, code: str, pointer: str | None) -> None:
    options = {"content": body, "headers": {"content-type": "application/json"}} if isinstance(body, bytes) else {"json": body}
    answer = desk.ask("POST", "/v1/compare", **options)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_what_if_is_that_of_the_plain_function(desk: Desk) -> None:
    answer = desk.ask("POST", "/v1/what-if", json={"entry": SHOES, "days": 60, "known_on": "2025-02-02"})
    assert answer.status_code == 200
    assert answer.content == encode(what_if(the_engine(), SHOES, days=60, known_on=date(2025, 2, 2)))
    named = desk.ask("POST", "/v1/what-if", json={"entry": {**SHOES, "consignee": "Somebody"}, "days": 60, "known_on": "2025-02-02"})
    assert (named.content, named.headers["etag"]) == (answer.content, answer.headers["etag"])


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ([], "wrong_type", ""),
        ({}, "wrong_type", "/entry"),
        ({"entry": SHOES, "vary": {}}, "wrong_type", "/vary"),
        ({"entry": SHOES, "days": "60"}, "wrong_type", "/days"),
        ({"entry": SHOES, "days": 401}, "out_of_range", "/days"),
        ({"entry": {**SHOES, "colour": 1}}, "unknown_fact", "/entry/colour"),
    ],
)
def test_what_no_what_if_can_be_made_of_is_a_problem_with_a_pointer(desk: Desk, body: Any, code: str, pointer: str) -> None:
    answer = desk.ask("POST", "/v1/what-if", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_too_many_cells_and_unknown_rulebooks_are_typed(desk: Desk) -> None:
    for vary, code in (({"value": list(range(201))}, "too_many_cells"), ({"rulebook": ["sha256:none"]}, "unknown_rulebook")):
        answer = desk.ask("POST", "/v1/compare", json={"entry": SHOES, "vary": vary})
        assert answer.status_code in {404, 422}
        assert answer.json()["errors"][0]["code"] == code


def test_work_beyond_the_time_limit_is_given_up(desk: Desk) -> None:
    desk.settings = Settings(time_limit=0.0)
    answer = desk.get("/v1/timeline?hts=64039960&origin=CA&value=1&from=2025-01-01&until=2025-02-01")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "too_slow", "5")


@pytest.mark.parametrize(
    ("ask", "scope"),
    [
        (lambda desk: desk.get("/v1/programs"), "read"),
        (lambda desk: desk.get("/v1/lists/s301_china"), "read"),
        (lambda desk: desk.get("/v1/timeline?hts=64039960&origin=CA&value=1"), "assess"),
        (lambda desk: desk.ask("POST", "/v1/compare", json={"entry": SHOES, "vary": {"origin": ["CA"]}}), "assess"),
        (lambda desk: desk.ask("POST", "/v1/what-if", json={"entry": SHOES}), "assess"),
    ],
)
def test_each_route_asks_for_its_scope(desk: Desk, ask: Callable[[Desk], httpx.Response], scope: str) -> None:
    desk.caller = None
    assert ask(desk).status_code == 401
    desk.caller = Caller("somebody", frozenset({"read", "assess"} - {scope}))
    refused = ask(desk)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
