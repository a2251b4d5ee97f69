"""The schema of the request is strict enough to make requests from: whatever it allows is read, whatever it forbids is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry
from tariff_engine.law import FactSpec
from tariff_engine.problems import ProblemError
from tariff_service.api import schemas_request

Errors = Callable[[str], Callable[[Any], list[str]]]

# What a schema cannot say: facts that exclude each other, numbers of the schedule, what a law demands of several facts together.
OF_THE_LAW = frozenset(
    {
        "contradictory_facts",
        "contents_above_value",
        "parts_above_value",
        "fact_stated_twice",
        "unknown_hts",
        "hts_not_in_force",
        "ten_digits_needed",
        "unknown_spi",
        "unknown_entry_type",
        "date_before_book",
        "quantity_conflict",
        "rate_by_reference",
        "rate_not_understood",
        "unknown_value",
        "fee_not_known",
        "before_de_minimis_table",
        "items_not_positive",
        "no_bracket",
        "law_conflict",
    }
)


def values(schema: dict[str, Any], components: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a schema, as far as the schemas of a request use JSON Schema."""
    if "$ref" in schema:
        return values(components[schema["$ref"].rpartition("/")[2]], components)
    if "anyOf" in schema and "properties" not in schema:
        return st.one_of([values(one, components) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == "string" and schema.get("format") == "date":
        return st.dates(date(2025, 1, 1), date(2026, 8, 1)).map(date.isoformat)
    if kind == "string":
        return (
            st.from_regex(schema["pattern"].replace("$", r"\Z"), fullmatch=True)
            if "pattern" in schema
            else st.text(max_size=schema["maxLength"])
        )
    if kind == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if kind == "number":  # JSON numbers with more decimals than money has are refused; the description says so
        return st.decimals(schema["minimum"], schema["maximum"], places=6)
    if kind == "array":
        return st.lists(values(schema["items"], components), min_size=schema.get("minItems", 0), max_size=3)
    if kind == "object" and "properties" in schema and not schema["additionalProperties"]:
        members = {name: values(one, components) for name, one in schema["properties"].items()}
        required = schema.get("required", [])
        return st.fixed_dictionaries(
            {name: members[name] for name in required}, optional={name: one for name, one in members.items() if name not in required}
        )
    if kind == "object":
        return st.dictionaries(st.text(max_size=10), values(schema["additionalProperties"], components), max_size=3)
    return {"null": st.none(), "boolean": st.booleans()}[kind]


def problems_of(knowledge: Knowledge, request: Any) -> list[dict[str, Any]]:
    """Return every problem of a request, those told with another one too."""
    try:
        found = assess_entry(knowledge, request, "none")["problems"]
    except ProblemError as error:
        found = [error.problem.as_dict()]
    return [one for problem in found for one in (problem, *problem.get("also", ()))]


@pytest.fixture(scope="session")
def members(knowledge: Knowledge) -> dict[str, st.SearchStrategy[Any]]:
    """Return a strategy for each member of a line."""
    components = schemas_request.components(knowledge.law)
    return {name: values(one, components) for name, one in components["Line"]["properties"].items()}


@pytest.fixture(scope="session")
def entries(knowledge: Knowledge) -> st.SearchStrategy[Any]:
    """Return a strategy for whole entries."""
    components = schemas_request.components(knowledge.law)
    return values(components["Entry"], components)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_the_schema_allows_is_read(data: st.DataObject, knowledge: Knowledge, members: dict[str, st.SearchStrategy[Any]]) -> None:
    """Facts drawn onto a line that is good: none is of a wrong type, out of range, or unknown."""
    line = {"hts": "8712.00.15.10", "origin": "CN", "value": "9000.00", "entry_date": "2025-09-02"}
    for name in data.draw(st.lists(st.sampled_from(sorted(members)), unique=True, max_size=12)):
        line[name] = data.draw(members[name], label=name)
    assert [one for one in problems_of(knowledge, line) if one["code"] not in OF_THE_LAW] == []


@settings(max_examples=max(15, settings().max_examples // 8), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_entry_that_the_schema_allows_is_read(data: st.DataObject, knowledge: Knowledge, entries: st.SearchStrategy[Any]) -> None:
    entry = {"entry_date": "2025-09-02", **data.draw(entries)}
    for number, line in enumerate(entry["lines"]):
        line["id"] = f"{number}"
    assert [one for one in problems_of(knowledge, entry) if one["code"] not in OF_THE_LAW] == []


def wrong_values(spec: FactSpec) -> list[Any]:
    """Return values that no fact of a type can have."""
    of_all: list[Any] = [{"x": {}}, [1], [[]], 10**31, -(10**31)]
    text = [] if spec.type in {"text", "code"} and not spec.values and not spec.starts else ["\x00no", "no such value", ""]
    return [*of_all, *text] if spec.type != "bool" else [*of_all, *text, 0, 1, "true"]


def test_what_is_of_a_wrong_type_is_refused_by_the_schema_and_by_the_reader(knowledge: Knowledge, errors: Errors) -> None:
    line = {"hts": "8712.00.15.10", "origin": "CN", "value": "9000.00", "entry_date": "2025-09-02"}
    for name, spec in knowledge.law.facts.items():
        for value in wrong_values(spec):
            wrong = {**line, name: value}
            assert errors("Line")(wrong) != [], (name, value)
            assert problems_of(knowledge, wrong) != [], (name, value)
