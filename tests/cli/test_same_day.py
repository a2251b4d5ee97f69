"""`tariff assess --jsonl --aggregate`: the de minimis test adds up what one consignee imports on one day, however the rows are ordered."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.problems import ProblemError
from tariff_service.rows import added_up
from tariff_service.same_day import FACT, SameDay, told, worth

Tariff = Callable[..., Any]
Facts = dict[str, Any]
PARCEL: Facts = {"hts": "6109.10.00.12", "origin": "DE", "entry_date": "2024-06-03", "mode": "express", "de_minimis_claimed": True}


def jsonl(*rows: Facts | bytes) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def parcel(identity: str, value: str, consignee: str | None = "Ann Example", **more: Any) -> Facts:
    found = {**PARCEL, "id": identity, "value": value, **more}
    return found if consignee is None else {**found, "consignee": consignee}


def results(text: str) -> dict[str, str]:
    return {
        row["id"]: row["problem"]["code"] if "problem" in row else row["de_minimis"]["result"] for row in map(json.loads, text.splitlines())
    }


ROWS = jsonl(
    parcel("ann-1", "500"),
    parcel("ben-1", "800", "Ben"),
    parcel("ann-2", "300.01", "  ann   EXAMPLE "),
    parcel("ann-next-day", "500", entry_date="2024-06-04"),
    parcel("nobody-1", "700", None),
    b"no json",
    parcel("nobody-2", "700", None),
    parcel("cid-1", "400", "Cid"),
    parcel("cid-2", "400", "Cid"),
    parcel("own-word", "500", "Ann Example", other_goods_same_day_value="0"),
)
EXPECTED = {
    "ann-1": "entry_required",
    "ben-1": "exempt",
    "ann-2": "entry_required",
    "ann-next-day": "exempt",
    "nobody-1": "exempt",
    "nobody-2": "exempt",
    "cid-1": "exempt",
    "cid-2": "exempt",
    "own-word": "exempt",
}


@pytest.mark.parametrize("source", ["pipe", "file"])
def test_every_row_knows_every_other_whatever_their_order(tariff: Tariff, tmp_path: Path, source: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(ROWS)
    arguments = ("assess", str(file)) if source == "file" else ("assess",)
    result = tariff(*arguments, "--jsonl", "--aggregate", "--explain", "none", stdin=ROWS)
    found = results(result.out)
    assert found.pop("None", found.pop(cast("str", None), None)) == "malformed_json"
    assert found == EXPECTED
    backwards = b"\n".join(reversed(ROWS.splitlines())) + b"\n"
    again = results(tariff("assess", "--jsonl", "--aggregate", "--explain", "none", stdin=backwards).out)
    assert {name: again[name] for name in EXPECTED} == EXPECTED


def test_without_the_option_rows_speak_for_themselves(tariff: Tariff) -> None:
    found = results(tariff("assess", "--jsonl", "--explain", "none", stdin=ROWS).out)
    assert {found[name] for name in EXPECTED} == {"exempt"}


def test_an_answer_says_what_was_counted_and_names_nobody(tariff: Tariff) -> None:
    out = tariff("assess", "--jsonl", "--aggregate", "--explain", "none", stdin=ROWS).out
    first = json.loads(out.splitlines()[0])
    assert first["de_minimis"]["other_goods_same_day_value"] == "800.01"
    assert "Example" not in out
    alone = tariff("assess", "--jsonl", "--explain", "none", stdin=jsonl(parcel("ann-1", "500", other_goods_same_day_value="800.01"))).out
    assert json.loads(alone) == first


# ---------------------------------------------------------------- the sums
class _Pipe(io.RawIOBase):
    """A source that cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_a_pipe_is_kept_on_disk_and_read_again() -> None:
    with added_up(cast("BinaryIO", io.BufferedReader(_Pipe(ROWS)))) as (source, found):
        assert source.read() == ROWS
        assert len(found) == 4


def test_more_persons_than_are_kept_apart_are_refused_by_name() -> None:
    sums = SameDay(most=2)
    for number, name in enumerate(("a", "b", "a")):
        sums.add(parcel("x", "1", name), number)
    with pytest.raises(ProblemError) as caught:
        sums.add(parcel("x", "1", "c"), 4)
    assert caught.value.problem.code == "too_many_persons"
    assert len(sums) == 2


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"value": "10.50"}, "10.50"),
        ({"value": 10}, "10"),
        ({"value": "10", "fair_retail_value": "25"}, "25"),
        ({"lines": [{"value": 1}, {"value": "2.25"}]}, "3.25"),
        ({"fair_retail_value": 9, "lines": [{"value": 1}]}, "9"),
        ({"lines": [{"value": 1}, {}]}, None),
        ({"value": "ten"}, None),
        ({"value": -1}, None),
        ({"lines": 7}, None),
        ([], None),
    ],
)
def test_what_a_row_is_worth(row: Any, value: str | None) -> None:
    assert worth(row) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    "row", [None, [], {}, {"consignee": 7, "entry_date": "2024-06-03"}, {"consignee": " ", "entry_date": "2024-06-03"}, {"consignee": "A"}]
)
def test_a_row_that_names_nobody_stands_alone(row: Any) -> None:
    assert SameDay().key(row) is None


@given(values=st.lists(st.decimals(0, 2000, places=2), min_size=1, max_size=12), order=st.randoms(use_true_random=False))
def test_each_row_is_told_the_rest_of_the_sum_in_any_order(values: list[Decimal], order: Any) -> None:
    rows = [parcel(str(place), str(value)) for place, value in enumerate(values)]
    order.shuffle(rows)
    sums = SameDay()
    for number, row in enumerate(rows):
        sums.add(row, number)
    for row in rows:
        others = sums.others(row, counted=True)
        assert others is not None
        assert others.value + Decimal(row["value"]) == sum(values)
        assert others.rows == len(values) - 1
        assert told(row, others)[FACT] == f"{others.value:f}"
