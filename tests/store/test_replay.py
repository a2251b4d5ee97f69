"""Stored answers are made again from what was stored, and exports prove themselves."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.conftest import Opener
from tests.store.drafts import PERSONAL, draft, keep_small_book

from tariff_engine import __version__
from tariff_engine.entry import ENGINE, assess_entry
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT
from tariff_service.output import encode
from tariff_service.reading import parse_json
from tariff_service.rulebook import open_engine
from tariff_service.store.export import NoExportError, export, verify_export
from tariff_service.store.records import Draft, Filter
from tariff_service.store.replay import ReplayEngines, differences, replay
from tariff_service.store.rulebooks import archive
from tariff_service.store.store import AuditStore

ENTRY: dict[str, Any] = {
    "id": "E-1",
    "entry_date": "2025-09-10",
    "mode": "ocean",
    "lines": [
        {"id": "screws", "hts": "7318.15.20.61", "origin": "CN", "value": 10000},
        {"id": "shoes", "hts": "6403.99.60.15", "origin": "VN", "value": "2500.50"},
        {"id": "wrong", "hts": "1", "origin": "VN", "value": 1},
    ],
}


@cache
def assessed(known_on: str | None, explain: str, consignee: str) -> Draft:
    """Return the draft of a real assessment."""
    engine = open_engine(None)
    day = None if known_on is None else date.fromisoformat(known_on)
    request = json.dumps({**ENTRY, "consignee": consignee}, ensure_ascii=False).encode()
    raw = parse_json(request.decode(), "test")
    law = engine.at().law
    answer = encode(assess_entry(engine.at(day), raw, explain, asked_on=day))  # type: ignore[arg-type]
    return draft(
        1, rulebook=law.id, engine=__version__, known_on=known_on, explain=explain, request=request, answer=answer, personal=PERSONAL
    )


def keep_the_book(store: AuditStore) -> None:
    """Keep the rulebook of this project."""
    law = open_engine(None).at().law
    store.keep_rulebook(law.id, law.edition, law.horizon.isoformat(), archive(ROOT))


def test_stored_answers_are_made_again_byte_for_byte_from_the_rulebook_that_was_kept(lite: AuditStore) -> None:
    keep_the_book(lite)
    lite.append(
        [
            replace(assessed(known_on, explain, "Jane"), id=f"{known_on}{explain}")
            for known_on in (None, "2025-05-01")
            for explain in ("full", "none")
        ]
    )
    with ReplayEngines(lite) as engines:
        for listed in lite.find(Filter()):
            record = lite.get(listed.id)
            assert record is not None
            found = engines.replay(record)
            assert (found.equal, found.engine_then, found.engine_now) == (True, __version__, ENGINE), found.differences


def test_an_answer_that_differs_is_told_by_place(lite: AuditStore) -> None:
    keep_the_book(lite)
    one = assessed(None, "none", "Jane")
    forged = one.answer.replace(b'"origin":"VN"', b'"origin":"TH"', 1)
    assert forged != one.answer
    lite.append([replace(one, answer=forged)])
    record = lite.get(one.id)
    assert record is not None
    found = replay(record, open_engine(None))
    assert not found.equal
    assert [(d.pointer, d.then, d.now, d.kind) for d in found.differences] == [("/lines/1/origin", "TH", "VN", "changed")]


def test_what_cannot_be_replayed_says_so(lite: AuditStore) -> None:
    lite.append([draft(1, rulebook="none"), draft(2)])
    first, second = (lite.get(record.id) for record in reversed(lite.find(Filter())))
    assert first is not None
    assert second is not None
    with ReplayEngines(lite) as engines, pytest.raises(ProblemError, match="does not keep the rulebook"):
        engines.replay(first)
    with ReplayEngines(lite) as engines:
        found = engines.replay(second)
    assert not found.equal
    assert found.differences[0].pointer == "/duty"
    lite.prune(datetime.now(UTC) + timedelta(days=1), "me", "old")
    pruned = lite.get(second.id)
    assert pruned is not None
    with ReplayEngines(lite) as engines, pytest.raises(ProblemError, match="holds no request"):
        engines.replay(pruned)


def test_a_rulebook_that_is_not_what_it_is_kept_as_answers_nothing(lite: AuditStore) -> None:
    lite.keep_rulebook("sha256:other", "x", "x", archive(Path(__file__).parents[1] / "notation" / "good"))
    lite.keep_rulebook("sha256:none", "x", "x", b"no archive")
    with ReplayEngines(lite) as engines:
        for name in ("sha256:other", "sha256:none"):
            with pytest.raises(ProblemError, match="rulebook"):
                engines.engine(name)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b/c", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b/c", "~", ""]), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
def test_differences_are_none_exactly_where_two_answers_are_equal(then: Any, now: Any) -> None:
    found = list(differences(then, now))
    assert (not found) == (json.dumps(then, sort_keys=True) == json.dumps(now, sort_keys=True))
    assert len({one.pointer for one in found}) == len(found)


# ---------------------------------------------------------------- exports
def exported(store: AuditStore, **options: Any) -> bytes:
    """Return an export."""
    target = io.BytesIO()
    export(store, target, **options)
    return target.getvalue()


def fill(store: AuditStore) -> None:
    """Store a bit of everything."""
    text = '{"a": "é", "consignee": {"name": "J"}, "lines": [{"consignee": "K"}]}'.encode()
    store.append([draft(1, request=text), draft(2), draft(3, answer=b"\xff\x00" * 900), draft(4, caller="old"), draft(5, request=b"{}")])
    store.redact("me", "asked", entry_id="entry-2")
    store.prune(datetime.now(UTC) + timedelta(days=1), "me", "old", caller="old")
    store.append([draft(6)])


def test_an_export_proves_itself_without_the_database(store: AuditStore) -> None:
    fill(store)
    content = exported(store)
    report = verify_export(io.BytesIO(content), noted=store.head().hash)
    assert (report.ok, report.records, report.notes, report.noted) == (True, 8, 0, True)
    lines = [json.loads(line) for line in content.splitlines()]
    one = next(line for line in lines if line.get("record", {}).get("seq") == 1)
    assert one["request"] == '{"a": "é", "consignee": {"name": "J"}, "lines": [{"consignee": "K"}]}'
    redacted = next(line for line in lines if line.get("record", {}).get("seq") == 2)
    assert redacted["request"] == '{"consignee": "[redacted]", "lines": [{"hts": "1"}]}'


def test_an_export_of_a_time_holds_the_records_of_that_time(tmp_path: Path, opener: Opener) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    store = opener(str(tmp_path / "audit.db"), clock=lambda: moment)
    keep_small_book(store)
    for number in range(6):
        store.append([draft(number)])
        moment += timedelta(days=1)
    store.redact("me", "asked", entry_id="entry-2")
    start = datetime(2026, 1, 2, tzinfo=UTC)
    report = verify_export(io.BytesIO(exported(store, since=start, until=start + timedelta(days=3))))
    assert (report.ok, report.first, report.records) == (True, 2, 3)
    assert [finding.code for finding in report.findings] == ["notice_apart"]
    empty = verify_export(io.BytesIO(exported(store, since=start + timedelta(days=99))))
    assert (empty.ok, empty.records) == (True, 0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return an export of a bit of everything."""
    store = AuditStore.open(str(tmp_path_factory.mktemp("export") / "audit.db"))
    keep_small_book(store)
    fill(store)
    content = exported(store)
    store.close()
    return content


def spoilt(content: bytes, number: int, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change one line of an export."""
    lines = [json.loads(line) for line in content.splitlines()]
    change(lines[number])
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


@given(data=st.data())
def test_any_change_of_any_record_of_an_export_is_found(whole: bytes, data: st.DataObject) -> None:
    count = whole.count(b"\n")
    number = data.draw(st.integers(2, count - 1))

    def change(line: dict[str, Any]) -> None:
        about = line.get("record") or line["notice"]
        place = data.draw(st.sampled_from(sorted({*about, *(set(line) - {"record", "notice"})})))
        holder = about if place in about else line
        new = data.draw(json_values)
        if new == holder[place]:
            new = "changed"
        holder[place] = new

    try:
        report = verify_export(io.BytesIO(spoilt(whole, number, change)))
    except NoExportError:
        return
    assert not report.ok


@given(data=st.data(), remove=st.booleans())
def test_a_line_that_is_missing_or_a_record_that_stands_elsewhere_is_found(whole: bytes, data: st.DataObject, remove: bool) -> None:
    lines = whole.splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if line.startswith(b'{"record"'))
    number = data.draw(st.integers(0 if remove else first, len(lines) - 1))
    line = lines.pop(number)
    if not remove:
        lines.insert(data.draw(st.integers(first, len(lines)).filter(lambda place: place != number)), line)
    try:
        report = verify_export(io.BytesIO(b"".join(lines)))
    except NoExportError:
        return
    assert not report.ok


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}", b"[1]\n", b"\xff\n", b'{"export":"other"}\n', b'{"export":"tariff-audit-export-1"}\n']
)
def test_a_file_that_is_no_export_is_told_so(content: bytes) -> None:
    with pytest.raises(NoExportError):
        verify_export(io.BytesIO(content))
