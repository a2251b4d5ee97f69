"""Schemathesis on the whole document: data that it allows and data that it forbids, every check, and chains of requests along its links."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tariff_service.api import rulebooks, schemas_records
from tariff_service.api.app import create_app
from tariff_service.api.document import operations, shipments
from tariff_service.api.reload import Reloaded
from tariff_service.api.schemas import TEXT
from tariff_service.api.settings import Settings
from tariff_service.api.state import Service

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
FUZZED, CHAINS, STEPS = {"default": (6, 8, 6), "ci": (60, 25, 12), "long": (1500, 300, 20)}[PROFILE]
DOUBTS = ["2xx", "401", "403", "404", "409", "422"]
LINE = {"hts": "8712.00.15.10", "origin": "CN", "value": 9000, "entry_date": "2025-09-02"}

# Rows are no JSON document, which is all that Schemathesis can make: rows that are good, good but for a value, and no JSON at all.
ROWS = st.lists(
    st.one_of(
        st.just(json.dumps(LINE)),
        st.text(max_size=30).map(lambda text: f"?{text}"),
        st.integers().map(lambda value: json.dumps({**LINE, "value": value})),
    ),
    min_size=1,
    max_size=5,
).map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))


def arrow(rows: bytes) -> bytes:
    """Return an Arrow stream of as many lines as there are rows."""
    table = pa.Table.from_pylist([LINE] * len(rows.splitlines()))
    target = io.BytesIO()
    with pa.ipc.new_stream(target, table.schema) as stream:
        stream.write_table(table)
    return target.getvalue()


def config(**phases: int) -> SchemathesisConfig:
    """Return a configuration with some phases, each with its number of examples; every check is on."""
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"deterministic": PROFILE != "long", "database": "none"},
            "request-timeout": 60,  # seconds; the first timeline makes the law of many days of knowledge
            "checks": {
                # A number that is written as an HTS number need not be in the tariff schedule, and true facts can contradict each other: no
                # schema says that, and 422 is the right answer. tests/service/openapi/test_requests.py holds what can be held: no request
                # that the schema allows is refused for its form.
                "positive_data_acceptance": {"expected-statuses": DOUBTS},
            },
            # The boundaries of an entry are ten thousand requests, and each of a timeline is worth a hundred assessments: they are tried where
            # there is time. Fuzzing, the examples and test_requests.py go there always.
            "operations": [
                {"include-operation-id": name, "phases": {"coverage": {"enabled": PROFILE != "default"}}} for name in ("assess", "timeline")
            ],
            "phases": {
                "examples": {"enabled": "examples" in phases},
                "coverage": {"enabled": "coverage" in phases},
                "fuzzing": {"enabled": "fuzzing" in phases, "generation": {"max-examples": phases.get("fuzzing", 1)}},
                "stateful": {
                    "enabled": "stateful" in phases,
                    "max-steps": STEPS,
                    "generation": {"max-examples": phases.get("stateful", 1)},
                },
            },
        }
    )


@dataclass
class Found:
    """What a run found: failures and errors, how many requests went to each operation, and how they were answered."""

    wrong: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


def run(schema: Any) -> Found:
    """Run every phase of a schema's configuration."""
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for case in event.recorder.cases.values():
                found.requests[case.value.operation.label] += 1
            found.statuses.update(one.response.status_code for one in event.recorder.interactions.values() if one.response is not None)
            for checks in event.recorder.checks.values():
                failed = [(check.name, check.failure_info) for check in checks if check.status is Status.FAILURE]
                found.wrong += [f"{event.recorder.label}: {name}: {info.failure.message if info else ''}" for name, info in failed]
            if event.status in {Status.FAILURE, Status.ERROR} and not found.wrong:
                found.wrong.append(f"{event.recorder.label}: {event.status}")
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.wrong.append(str(getattr(event, "value", None) or getattr(event, "exception", None)))
    return found


Open = Callable[..., Any]


@pytest.fixture(scope="module")  # no longer: it exchanges the reload for a stand-in
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Return what opens an application of its own and reads its document, for some phases."""

    async def unchanged(service: Service) -> Reloaded:
        """The check of a rulebook takes seconds and has tests of its own; here the route counts."""
        return Reloaded("unchanged", "2026-01-01T00:00:00.000Z", 0.0, service.rulebooks.current.id)

    def open_(**phases: int) -> Any:
        store = f"sqlite:///{tmp_path_factory.mktemp('schemathesis') / 'audit.sqlite'}"
        settings = Settings(store=store, allowed_hosts=("testserver",), rate_per_minute=10_000_000, known_days=2, log_level="error")
        app = create_app(settings)
        return schemathesis.openapi.from_asgi("/openapi.json", app, config=config(**phases))

    schemathesis.openapi.media_type("application/x-ndjson", ROWS, aliases=["application/jsonl"])
    schemathesis.openapi.media_type("application/vnd.apache.arrow.stream", ROWS.map(arrow))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rulebooks, "reload_rules", unchanged)
        yield open_


def labels(schema: Any) -> set[str]:
    return {f"{method.upper()} {path}" for path, method, _ in operations(schema.raw_schema["paths"])}


def test_the_examples_of_the_document_keep_what_it_promises(opened: Open) -> None:
    found = run(opened(examples=1))
    assert found.wrong == []
    assert found.statuses[201] == len(shipments())


def test_every_boundary_that_the_schemas_draw_is_kept(opened: Open) -> None:
    schema = opened(coverage=1)
    found = run(schema)
    assert found.wrong == []
    assert labels(schema) - set(found.requests) <= {"POST /v1/assessments", "GET /v1/timeline"}
    assert {200, 404, 405, 422} <= set(found.statuses)


def test_data_by_chance_allowed_and_forbidden_is_answered_as_the_document_says(opened: Open) -> None:
    schema = opened(examples=1, fuzzing=FUZZED)
    found = run(schema)
    assert found.wrong == []
    assert labels(schema) - set(found.requests) == set()


def test_chains_of_requests_along_the_links_keep_what_the_document_promises(opened: Open) -> None:
    schema = opened(stateful=CHAINS)
    stored = schema["/v1/assessments"]["POST"].Case(body=LINE, media_type="application/json").call()
    assert stored.status_code == 201
    found = run(schema)
    assert found.wrong == []
    assert len([label for label in found.requests if label.startswith("GET /v1/assessments/{record_id}")]) >= 2


def test_a_document_that_promises_what_is_not_kept_is_found_out(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search itself works: with one wrong type in the schema of a record it finds the record."""
    true = schemas_records.components

    def false() -> dict[str, Any]:
        found = true()
        found["Problem"] = {**found["Problem"], "properties": {**found["Problem"]["properties"], "status": TEXT}}
        return found

    monkeypatch.setattr(schemas_records, "components", false)
    schema = opened(coverage=1).include(path="/v1/countries")
    assert any("status" in one or "string" in one for one in run(schema).wrong)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports and caches of Schemathesis go to a folder that is thrown away."""
    monkeypatch.chdir(tmp_path)
