"""Rows of a batch: each answered as a single request would be, with a status of its own, in order."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from tests.service.batch.talking import GOOD, NDJSON, SINGLE, Talk, answer_bytes, lines, send, single

from tariff_service.api.row_stream import Splitter
from tariff_service.api.state import Service

_ENTRIES = st.fixed_dictionaries(
    {
        "hts": st.sampled_from(["7326.90.86.88", "8703.23.01.90", "9999.99.99.99", "6109.10.00.12"]),
        "origin": st.sampled_from(["CN", "DE", "QQ"]),
    },
    optional={
        "value": st.integers(-1, 20_000) | st.decimals("0", "99999", places=2).map(str),
        "entry_date": st.sampled_from(["2025-03-15", "2025-11-15", "1999-01-01", "soon"]),
        "id": st.text(max_size=8) | st.integers(0, 99) | st.none() | st.booleans(),
        "consignee": st.text(max_size=8),
        "valeu": st.just("1"),
    },
)
_ROWS = st.one_of(
    _ENTRIES.map(lambda facts: json.dumps(facts).encode()),
    st.lists(_ENTRIES, max_size=3).map(lambda found: json.dumps({"id": "entry", "lines": found}, ensure_ascii=False).encode()),
    st.sampled_from(
        [b"{", b"[]", b"7", b'"id"', b'{"id": "x", "id": "y"}', b"\xff\xfe", b'{"a": NaN}', b"[" * 90, b"\0", b'{"id":"\xc3"}']
    ),
)


@given(rows=st.lists(_ROWS, min_size=1, max_size=6), explain=st.sampled_from(["none", "summary", "full"]))
def test_a_batch_answers_each_row_with_the_bytes_of_a_single_request(app: FastAPI, rows: list[bytes], explain: str) -> None:
    async def run() -> None:
        batch = await send(app, b"\n".join(rows), explain=explain, store="false")
        found = bytes(batch.content).splitlines()
        assert len(found) == len(rows)
        for number, (row, sent) in enumerate(zip(found, rows, strict=True), 1):
            alone = await single(app, sent, explain=explain, store="false")
            read = json.loads(row)
            assert (read["row"], read["status"]) == (number, alone.status)
            expected = bytes(alone.content).rstrip(b"\n")
            if alone.status >= 400:
                problem = json.loads(expected)
                problem.pop("instance", None)
                assert read["problem"] == problem
            else:
                assert answer_bytes(row) == expected

    asyncio.run(run())


def test_stored_rows_can_be_read_again_by_their_ids(app: FastAPI, service: Service) -> None:
    async def run() -> None:
        batch = await send(app, lines({**GOOD, "id": f"r{n}", "value": str(100 + n)} for n in range(300)))
        assert batch.status == 200
        assert batch.answered["content-type"] == NDJSON
        for number, row in enumerate(batch.rows(), 1):
            assert (row["row"], row["id"], row["status"]) == (number, f"r{number - 1}", 201)
        for content in bytes(batch.content).splitlines()[::50]:
            record = service.store.get(json.loads(content)["assessment"])
            assert record is not None
            assert record.answer is not None
            assert answer_bytes(content) == record.answer.rstrip(b"\n")
            assert record.request is not None
            assert json.loads(record.request)["id"] == json.loads(content)["id"]

    asyncio.run(run())


def test_bad_rows_stop_nobody_and_blank_lines_count(app: FastAPI) -> None:
    async def run() -> None:
        rows = [
            b"\xef\xbb\xbf" + json.dumps({**GOOD, "id": "first"}).encode() + b"\r",
            b"",
            b"   \r",
            b'{"id": "broken", "hts":',
            json.dumps({**GOOD, "id": "big", "consignee": "x" * 30_000}).encode(),
            json.dumps({**GOOD, "id": 7}).encode().replace(b"CN", b"\xff\xff"),
            json.dumps({"id": "poor"}).encode(),
            json.dumps({**GOOD, "id": 12}).encode(),
        ]
        batch = await send(app, b"\n".join(rows), store="false")
        told = [(row["row"], row["id"], row["status"], row.get("problem", {}).get("code")) for row in batch.rows()]
        assert told == [
            (1, "first", 200, None),
            (4, "broken", 400, "malformed_json"),
            (5, None, 413, "row_too_large"),
            (6, "7", 400, "not_utf8"),
            (7, "poor", 422, "fact_missing"),
            (8, "12", 200, None),
        ]

    asyncio.run(run())


@given(rows=st.lists(st.binary(max_size=40).filter(lambda row: b"\n" not in row), max_size=20), data=st.data())
def test_rows_are_the_same_however_the_body_is_cut_into_parts(rows: list[bytes], data: st.DataObject) -> None:
    body = b"\n".join(rows)
    whole = Splitter(30)
    expected = [(row.number, row.content, row.refusal is None) for row in [*whole.feed(body), *whole.end()]]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=10)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    split = Splitter(30)
    found = [row for piece in pieces for row in split.feed(piece)] + list(split.end())
    assert [(row.number, row.content, row.refusal is None) for row in found] == expected
    stripped = [row.removeprefix(b"\xef\xbb\xbf") if number == 1 else row for number, row in enumerate(body.split(b"\n"), 1)]
    cleaned = [row.removesuffix(b"\r") for row in stripped]
    assert [number for number, row in enumerate(cleaned, 1) if row.strip(b" \t\n\r\x0b\f")] == [number for number, _, _ in expected]
    assert all(ok == (len(cleaned[number - 1]) <= 30) for number, _, ok in expected)


def test_an_overlong_row_takes_no_memory_while_it_passes() -> None:
    splitter = Splitter(1_000)
    for _ in range(1_000):
        assert list(splitter.feed(b"x" * 10_000)) == []
        assert len(splitter._begun) <= 11_000  # noqa: SLF001  the bound is the point
    found = [*splitter.feed(b"\n{}"), *splitter.end()]
    assert [(row.number, row.content, row.refusal is not None) for row in found] == [(1, b"", True), (2, b"{}", False)]


def test_a_row_is_answered_before_the_next_is_sent(app: FastAPI) -> None:
    async def run() -> None:
        talk = Talk(app)
        for number in range(1, 4):
            talk.say(lines([{**GOOD, "id": str(number)}]))
            found = await talk.until(number)
            assert found[-1]["id"] == str(number)
        talk.say(b"", last=True)
        await talk.end()
        assert len(talk.rows()) == 3

    asyncio.run(run())


def test_the_same_key_sent_again_goes_on_where_the_batch_broke_off(app: FastAPI, service: Service) -> None:
    async def run() -> None:
        rows = [{**GOOD, "value": str(500 + n)} for n in range(150)]
        headers = {"idempotency-key": "night run"}
        first = await send(app, lines(rows[:100]), headers=headers)
        before = service.store.head().seq
        rows[30] = {**rows[30], "value": "1"}
        again = await send(app, lines(rows), headers=headers)
        was, now = bytes(first.content).splitlines(), bytes(again.content).splitlines()
        for number, (one, two) in enumerate(zip(was, now, strict=False)):
            old, new = json.loads(one), json.loads(two)
            if number == 30:
                assert (new["status"], new["problem"]["code"]) == (422, "key_conflict")
            else:
                assert (old["status"], new["status"], old["assessment"]) == (201, 200, new["assessment"])
                assert answer_bytes(one) == answer_bytes(two)
        assert [json.loads(row)["status"] for row in now[100:]] == [201] * 50
        assert service.store.head().seq == before + 50
        alone = await send(app, lines(rows[:1])[:-1], SINGLE, {"content-type": "application/json", "idempotency-key": "night run#1"})
        assert alone.status == 200
        assert alone.answered["idempotent-replayed"] == "true"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ({"content-type": "text/csv"}, {}, 415, "unsupported_media"),
        ({"content-type": "application/json"}, {}, 415, "unsupported_media"),
        ({"content-type": f"{NDJSON}; charset=latin-1"}, {}, 415, "unsupported_media"),
        ({"content-encoding": "gzip"}, {}, 415, "unsupported_media"),
        ({"accept": "text/html"}, {}, 406, "not_acceptable"),
        ({"accept": f"{NDJSON};q=0, application/json"}, {}, 406, "not_acceptable"),
        ({"idempotency-key": "k" * 241}, {}, 400, "bad_header"),
        ({}, {"explain": "all"}, 422, "bad_parameter"),
        ({}, {"row": "1"}, 422, "unknown_parameter"),
        ({}, {"known_on": "tomorrow"}, 422, "bad_parameter"),
    ],
)
def test_a_batch_that_cannot_begin_is_refused_as_a_whole(
    app: FastAPI, headers: dict[str, str], query: dict[str, str], status: int, code: str
) -> None:
    async def run() -> Talk:
        return await send(app, lines([GOOD]), headers=headers, **query)

    talk = asyncio.run(run())
    assert (talk.status, json.loads(talk.content)["code"]) == (status, code)


def test_an_empty_body_is_refused_and_one_of_blank_lines_has_no_answers(app: FastAPI) -> None:
    async def run() -> tuple[Talk, Talk]:
        return await send(app, b""), await send(app, b"\n \n\r\n")

    empty, blank = asyncio.run(run())
    assert (empty.status, json.loads(empty.content)["code"]) == (400, "file_empty")
    assert (blank.status, bytes(blank.content)) == (200, b"")


def test_rows_are_answered_as_known_on_a_day(app: FastAPI) -> None:
    async def run() -> list[dict[str, Any]]:
        talk = await send(
            app, lines([GOOD]), headers={"content-type": "application/jsonl", "accept": "*/*"}, known_on="2025-10-01", store="false"
        )
        assert talk.answered["content-type"] == "application/jsonl"
        return talk.rows()

    (row,) = asyncio.run(run())
    assert (row["status"], row["answer"]["known_on"]) == (200, "2025-10-01")
