"""Arrow in and out: columns named as facts, exact types only, and streams that nobody should trust."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import struct
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from tests.service.batch.talking import ARROW, GOOD, NDJSON, Talk, answer_bytes, lines, send, single

from tariff_engine import arrow_columns
from tariff_service.api import arrow_batch
from tariff_service.api.state import Service

HEADERS = {"content-type": ARROW}
MONEY = pa.decimal128(18, 2)


def stream(table: pa.Table | pa.RecordBatch, rows: int = 1_000, **options: Any) -> bytes:
    """Return a table as an IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, **options) as writer:
        if isinstance(table, pa.RecordBatch):
            writer.write_batch(table)
        else:
            writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def good(count: int = 3) -> pa.Table:
    """Return lines that can be assessed, each column of a type that a broker's table has."""
    return pa.table(
        {
            "id": pa.array(range(count), pa.int32()),
            "hts": pa.array(["7326.90.86.88"] * count, pa.string()).dictionary_encode(),
            "origin": pa.array(["CN"] * count, pa.large_string()),
            "value": pa.array([Decimal("1000.50") + n for n in range(count)], MONEY),
            "entry_date": pa.array([date(2025, 11, 15)] * count, pa.date32()),
            "usmca": pa.array([None, False, None] * count, pa.bool_()).slice(0, count),
            "quantity": pa.array([[("kg", Decimal("12.5"))]] * count, pa.map_(pa.string(), MONEY)),
            "exclusion_claims": pa.array([["9903.88.69"], [], None] * count, pa.list_(pa.string())).slice(0, count),
            "mode": pa.nulls(count),
        }
    )


def talk(app: FastAPI, body: bytes | Sequence[bytes], accept: str = NDJSON, **query: str) -> Talk:
    """Send an Arrow stream."""
    return asyncio.run(send(app, body, headers={**HEADERS, "accept": accept}, **{"explain": "none", "store": "false", **query}))


def refusal(found: Talk) -> tuple[int, str]:
    """Return how a batch was refused as a whole."""
    return found.status, json.loads(found.content)["code"]


def last(found: Talk) -> tuple[int | None, str]:
    """Return how a batch ended that had begun."""
    row = found.rows()[-1]
    return row["row"], row["problem"]["code"]


def test_rows_of_columns_are_answered_as_the_json_that_they_stand_for(app: FastAPI, service: Service) -> None:
    found = talk(app, stream(good(), rows=2), store="true")
    rows = bytes(found.content).splitlines()
    assert [(json.loads(row)["row"], json.loads(row)["id"], json.loads(row)["status"]) for row in rows] == [
        (1, "0", 201),
        (2, "1", 201),
        (3, "2", 201),
    ]
    sent = []
    for row in rows:
        record = service.store.get(json.loads(row)["assessment"])
        assert record is not None
        assert record.request is not None
        alone = asyncio.run(single(app, record.request, explain="none", store="false"))
        assert answer_bytes(row) == bytes(alone.content).rstrip(b"\n")
        sent.append(json.loads(record.request))
    assert sent[2] == {
        "id": 2,
        "hts": "7326.90.86.88",
        "origin": "CN",
        "value": "1002.50",
        "entry_date": "2025-11-15",
        "quantity": {"kg": "12.50"},
    }


def test_answers_come_as_columns_of_exact_figures(app: FastAPI) -> None:
    body = lines([{**GOOD, "id": "a"}, {"id": "poor"}, {**GOOD, "mode": "air"}, {"lines": [GOOD, {**GOOD, "hts": "1"}]}]) + b"{"
    found = asyncio.run(send(app, body, headers={"accept": f"text/html, {ARROW}"}))
    assert (found.status, found.answered["content-type"]) == (200, ARROW)
    with pa.ipc.open_stream(bytes(found.content)) as reader:
        table = reader.read_all()
    table.validate(full=True)
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("row", "int64"),
        ("id", "string"),
        ("status", "int16"),
        ("assessment", "string"),
        ("duty", "decimal128(38, 2)"),
        ("fees", "decimal128(38, 2)"),
        ("total", "decimal128(38, 2)"),
        ("headings", "list<item: string>"),
        ("problem_code", "string"),
        ("problem_pointer", "string"),
        ("problem_detail", "string"),
        ("answer", "large_string"),
    ]
    rows = table.to_pylist()
    assert [(row["row"], row["id"], row["status"], row["problem_code"], row["problem_pointer"]) for row in rows] == [
        (1, "a", 201, None, None),
        (2, "poor", 422, "fact_missing", "/hts"),
        (3, None, 201, None, None),
        (4, None, 201, "wrong_type", "/lines/1"),
        (5, None, 400, "malformed_json", ""),
    ]
    answer = json.loads(rows[0]["answer"])
    assert {name: str(rows[0][name]) for name in ("duty", "fees", "total")} == answer["totals"]
    assert rows[0]["headings"] == [one["heading"] for one in answer["lines"][0]["headings"]]
    assert "programs" not in answer["lines"][0], "explain is none unless asked for"
    assert (rows[3]["duty"], rows[3]["total"], rows[1]["answer"]) == (None, None, None)


def test_arrow_is_answered_with_arrow_and_batches_stay_small(app: FastAPI) -> None:
    found = talk(app, stream(good(1_100)), accept="*/*")
    with pa.ipc.open_stream(bytes(found.content)) as reader:
        batches = list(reader)
    assert sum(batch.num_rows for batch in batches) == 1_100
    assert max(batch.num_rows for batch in batches) <= arrow_batch.BATCH_ROWS
    assert pa.Table.from_batches(batches).column("row").to_pylist() == list(range(1, 1_101))


def test_a_stream_without_rows_has_no_answers(app: FastAPI) -> None:
    found = talk(app, stream(good(0)), accept=ARROW)
    with pa.ipc.open_stream(bytes(found.content)) as reader:
        assert reader.read_all().num_rows == 0


@pytest.mark.parametrize(
    ("name", "column", "code"),
    [
        ("value", pa.array([1000.5]), "inexact_number"),
        ("value", pa.array([1000.5], pa.float32()).dictionary_encode(), "inexact_number"),
        ("quantity", pa.array([[("kg", 1.5)]], pa.map_(pa.string(), pa.float64())), "inexact_number"),
        ("quantity", pa.array([{"kg": 1.5}]), "inexact_number"),
        ("entry_date", pa.array([0], pa.timestamp("s")), "wrong_type"),
        ("mode", pa.array([b"ocean"]), "wrong_type"),
        ("exclusion_claims", pa.array([[None]], pa.list_(pa.null())), "wrong_type"),
        ("adcvd", pa.array([[{}]], pa.list_(pa.struct([]))), "wrong_type"),
        ("exclusion_claims", pa.array([["a"]], pa.list_(pa.string(), 1)), "wrong_type"),
        ("value", pa.nulls(1, pa.decimal128(18, -1_000_000_000)), "wrong_type"),
        ("mode", pa.RunEndEncodedArray.from_arrays([1], ["ocean"]), "wrong_type"),
        ("valeu", pa.array(["1"]), "unknown_fact"),
        ("lines", pa.array([["1"]]), "unknown_fact"),
    ],
)
def test_columns_that_state_no_fact_exactly_are_refused_before_the_first_row(app: FastAPI, name: str, column: pa.Array, code: str) -> None:
    table = good(1)
    table = table.drop_columns([name]) if name in table.column_names else table
    found = talk(app, stream(table.append_column(name, column)))
    assert refusal(found) == (422, code)
    errors = json.loads(found.content)["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(f"/{name}", code)]


def test_all_defects_of_a_schema_are_told_at_once(app: FastAPI) -> None:
    table = pa.table({"hts": ["1"], "value": [1.5], "orgin": ["CN"], "entry_date": [date(2025, 1, 1)]})
    found = talk(app, stream(table))
    errors = {(error["pointer"], error["code"]) for error in json.loads(found.content)["errors"]}
    assert errors == {("/orgin", "unknown_fact"), ("/origin", "fact_missing"), ("/value", "inexact_number")}
    twice = pa.RecordBatch.from_arrays([*good(1).to_batches()[0].columns, pa.array(["CN"])], names=[*good(1).column_names, "origin"])
    assert refusal(talk(app, stream(twice))) == (400, "duplicate_key")


def test_a_value_that_no_fact_can_have_is_its_rows_problem(app: FastAPI) -> None:
    table = pa.table(
        {
            "id": ["far", "long", "twice", "fine"],
            "hts": ["7326.90.86.88"] * 4,
            "origin": ["CN"] * 4,
            "value": pa.array([1, 2, 3, 4], pa.uint16()),
            "entry_date": pa.array([2**30, 20_407, 20_407, 20_407], pa.int32()).cast(pa.date32()),
            "mode": ["ocean", "x" * 30_000, "ocean", "ocean"],
            "quantity": pa.array([[], [], [("kg", 1), ("kg", 2)], [("kg", 1)]], pa.map_(pa.string(), pa.int8())),
        }
    )
    told = [(row["id"], row["status"], row.get("problem", {}).get("code")) for row in talk(app, stream(table)).rows()]
    assert told == [("far", 422, "out_of_range"), ("long", 413, "row_too_large"), ("twice", 400, "duplicate_key"), ("fine", 200, None)]


def test_dictionaries_may_grow_and_change_between_batches(app: FastAPI) -> None:
    table = good(1).drop_columns(["id"])
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for words in (["7326.90.86.88"], ["7326.90.86.88", "6109.10.00.12"], ["8703.23.01.90"]):
            indices = pa.array([len(words) - 1], pa.int32())
            writer.write_table(table.set_column(0, "hts", pa.DictionaryArray.from_arrays(indices, words)))
    rows = talk(app, sink.getvalue(), explain="none").rows()
    assert [row["answer"]["lines"][0]["headings"][-1]["heading"][:4] for row in rows] == ["7326", "6109", "8703"]


def test_streams_that_are_cut_off_or_no_streams_are_told_apart(app: FastAPI) -> None:
    body = stream(good(40), rows=10)
    assert refusal(talk(app, body[:50])) == (400, "malformed_arrow")
    assert refusal(talk(app, b"PAR1" + body)) == (400, "malformed_arrow")
    assert refusal(talk(app, b"\xff\xff\xff\xff\0\0\0\0")) == (400, "malformed_arrow")
    cut = talk(app, body[:-200])
    assert [row["status"] for row in cut.rows()] == [200] * 30 + [400]
    assert last(cut) == (None, "malformed_arrow")
    assert last(talk(app, body + b"more")) == (None, "malformed_arrow")
    assert len(talk(app, body[:-8]).rows()) == 40, "a stream may end without its end mark"


def test_another_schema_in_the_middle_ends_the_batch(app: FastAPI) -> None:
    first, second = stream(good(5)), stream(pa.table({"x": [1]}))
    assert last(talk(app, first[:-8] + second)) == (None, "malformed_arrow")
    schema_length = len(good(1).schema.serialize())
    records = second[len(pa.schema([("x", pa.int64())]).serialize()) :]
    found = talk(app, stream(good(5))[:schema_length] + records)
    assert last(found) == (None, "malformed_arrow")


def test_compressed_buffers_are_refused(app: FastAPI) -> None:
    table = pa.table({**{name: [value] * 10_000 for name, value in GOOD.items()}})
    found = talk(app, stream(table, 10_000, options=pa.ipc.IpcWriteOptions(compression="zstd")))
    assert last(found) == (None, "malformed_arrow")


def test_what_a_stream_claims_to_be_long_takes_no_memory(app: FastAPI) -> None:
    schema = bytes(good(1).schema.serialize())
    body = stream(good(1))
    assert refusal(talk(app, b"\xff\xff\xff\xff" + struct.pack("<i", 2**31 - 1) + b"x" * 100)) == (400, "malformed_arrow")
    assert refusal(talk(app, b"\xff\xff\xff\xff" + struct.pack("<i", -8) + b"x" * 100)) == (400, "malformed_arrow")
    plain = good(1).drop_columns(["hts"]).append_column("hts", pa.array(["7326.90.86.88"]))
    body, schema = stream(plain), bytes(plain.schema.serialize())
    message = pa.ipc.read_message(pa.py_buffer(body[len(schema) :]))
    size = struct.pack("<q", len(message.body))
    head = body[len(schema) : len(schema) + 8 + len(message.metadata)]
    for claim, code in ((2**60, "row_too_large"), (-1, "malformed_arrow")):
        forged = head.replace(size, struct.pack("<q", claim), 1)
        assert forged != head
        assert last(talk(app, schema + forged + bytes(message.body))) == (None, code)


def test_rows_that_no_byte_stands_for_are_refused(app: FastAPI) -> None:
    names = ["hts", "origin", "value", "entry_date"]
    empty = pa.RecordBatch.from_arrays([pa.nulls(1_000_000)] * 4, names=names)
    assert last(talk(app, stream(empty))) == (None, "malformed_arrow")


def test_a_few_bytes_that_stand_for_many_are_not_unfolded() -> None:
    word = "x" * 1_000_000
    many = pa.array([[word] * 1], pa.list_(pa.string()))
    offsets = pa.array([0, 5_000_000], pa.int32())
    bits = pa.ListArray.from_arrays(offsets, pa.array([True] * 5_000_000))
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int8()), [word])
    for array in (many, bits, codes):
        (column,) = arrow_columns.columns_of(pa.schema([("a", array.type)]))
        assert arrow_columns.row_of(0, [column], [array], 20_000) is None


@given(seed=st.integers(0, 2**32), flips=st.integers(1, 4))
def test_a_damaged_stream_is_never_more_than_a_problem(app: FastAPI, seed: int, flips: int) -> None:
    chance = random.Random(seed)
    body = bytearray(stream(good(4), rows=2))
    for _ in range(flips):
        body[chance.randrange(len(body))] = chance.randrange(256)
    if chance.random() < 0.3:
        del body[chance.randrange(len(body)) :]
    found = talk(app, bytes(body) or b"\0")
    assert found.status in {200, 400, 413, 422}
    if found.status == 200:
        assert len(found.rows()) <= 5
        assert all(row["status"] in {200, 400, 413, 422} for row in found.rows())
    else:
        assert json.loads(found.content)["status"] == found.status


def test_pyarrow_is_not_loaded_before_somebody_sends_arrow() -> None:
    code = "import sys, tariff_service.api.app; sys.exit('pyarrow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}).returncode
        == 0
    )


def test_without_pyarrow_arrow_is_refused_with_how_to_install_it(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_batch, "find_spec", lambda _: None)
    found = talk(app, stream(good()))
    assert refusal(found) == (415, "unsupported_media")
    assert "tariff-engine[arrow]" in found.content.decode()
    wanted = asyncio.run(send(app, lines([GOOD]), headers={"accept": ARROW}))
    assert refusal(wanted) == (406, "not_acceptable")
    assert asyncio.run(send(app, lines([GOOD]), store="false")).status == 200
