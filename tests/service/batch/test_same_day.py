"""`aggregate=true`: rows of a batch know what earlier rows of the same consignee and day are worth, and say so in their own request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import FastAPI
from tests.service.batch.talking import SINGLE, send, single

PARCEL = {"hts": "6109.10.00.12", "origin": "DE", "entry_date": "2024-06-03", "mode": "express", "de_minimis_claimed": True}
ROWS: list[dict[str, Any]] = [
    {**PARCEL, "id": "ann-1", "value": 500, "consignee": "Ann"},
    {**PARCEL, "id": "ben", "value": 500, "consignee": "Ben"},
    {**PARCEL, "id": "ann-2", "value": "300", "consignee": "ANN"},
    {
        "id": "ann-3",
        "entry_date": "2024-06-03",
        "consignee": "Ann",
        "de_minimis_claimed": True,
        "lines": [{"hts": "6109.10.00.12", "origin": "DE", "value": 1}],
    },
]
BODY = b"\n".join(json.dumps(row).encode() for row in ROWS)


def results(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["answer"]["de_minimis"]["result"], row["answer"]["de_minimis"].get("other_goods_same_day_value")) for row in rows]


def test_a_row_counts_the_rows_before_it(app: FastAPI) -> None:
    batch = asyncio.run(send(app, BODY, aggregate="true", explain="none", store="false"))
    assert results(batch.rows()) == [("exempt", None), ("exempt", None), ("exempt", "500.00"), ("entry_required", "800.00")]


def test_without_the_parameter_rows_speak_for_themselves(app: FastAPI) -> None:
    batch = asyncio.run(send(app, BODY, explain="none", store="false"))
    assert results(batch.rows()) == [("exempt", None)] * 4


def test_what_a_row_was_told_is_in_its_request_and_the_same_batch_again_is_the_same(app: FastAPI) -> None:
    async def run() -> None:
        headers = {"idempotency-key": "same-day"}
        first = (await send(app, BODY, headers=headers, aggregate="true", explain="none")).rows()
        again = (await send(app, BODY, headers=headers, aggregate="true", explain="none")).rows()
        assert [row["status"] for row in first] == [201] * 4
        assert [row["status"] for row in again] == [200] * 4
        assert [row["assessment"] for row in first] == [row["assessment"] for row in again]
        alone = await single(app, json.dumps({**ROWS[2], "other_goods_same_day_value": "500"}).encode(), explain="none", store="false")
        assert json.loads(bytes(alone.content)) == first[2]["answer"]

    asyncio.run(run())


def test_a_single_request_has_no_other_rows_to_count(app: FastAPI) -> None:
    found = asyncio.run(
        send(app, json.dumps(ROWS[0]).encode(), path=SINGLE, headers={"content-type": "application/json"}, aggregate="true")
    )
    assert found.status == 422


def test_a_row_that_cannot_be_read_is_refused_in_its_place(app: FastAPI) -> None:
    batch = asyncio.run(send(app, b"{\n" + BODY, aggregate="true", explain="none", store="false"))
    rows = batch.rows()
    assert [row["status"] for row in rows] == [400, 200, 200, 200, 200]
    assert results(rows[1:])[2] == ("exempt", "500.00")
