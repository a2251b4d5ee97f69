"""The schema files: equal to what the types say, accepted by every file of law, and refusing what the types refuse."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tariff_engine.notation.schema import DIALECT, KINDS, schemas, write
from tariff_engine.notation.yaml_reader import Document

RULES = Path(__file__).parents[2] / "rules" / "tariff_rules"
GOOD = Path(__file__).parent / "good"
FILES = {"editions": "schedule/editions.yaml", "program": "programs/**/*.yaml"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, Decimal),
}
_IGNORED = {"$schema", "$defs", "title", "description", "default", "format"}


def files(kind: str, root: Path) -> list[Path]:
    return sorted(root.glob(FILES.get(kind, f"{kind}.yaml")))


def as_json(value: Any) -> Any:
    """A value as an editor sees it: days are text."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def faults(schema: dict[str, Any], node: dict[str, Any], value: Any, trail: str = "") -> list[str]:  # noqa: C901, PLR0912  one branch a keyword
    """Validate by the keywords that our schemas use; a keyword that is not known here fails the test."""
    if "$ref" in node:
        target = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return faults(schema, target, value, trail) + faults(schema, {k: v for k, v in node.items() if k != "$ref"}, value, trail)
    found: list[str] = []
    for word, rule in node.items():
        match word:
            case "type":
                if not isinstance(value, TYPES[rule]) or (isinstance(value, bool) and rule in {"integer", "number"}):
                    found.append(f"{trail}: no {rule}")
            case "properties" if isinstance(value, dict):
                for key, inner in rule.items():
                    found += faults(schema, inner, value[key], f"{trail}.{key}") if key in value else []
            case "additionalProperties" if isinstance(value, dict):
                for key in value.keys() - node.get("properties", {}).keys():
                    if any(re.search(pattern, key) for pattern in node.get("patternProperties", {})):
                        continue
                    found += (
                        [f"{trail}.{key}: unknown"]
                        if rule is False
                        else faults(schema, rule, value[key], f"{trail}.{key}")
                        if isinstance(rule, dict)
                        else []
                    )
            case "patternProperties" if isinstance(value, dict):
                for pattern, inner in rule.items():
                    for key in value:
                        found += faults(schema, inner, value[key], f"{trail}.{key}") if re.search(pattern, key) else []
            case "propertyNames" if isinstance(value, dict):
                for key in value:
                    found += faults(schema, rule, key, f"{trail}.{key}")
            case "required" if isinstance(value, dict):
                found += [f"{trail}.{key}: missing" for key in rule if key not in value]
            case "anyOf":
                if all(faults(schema, branch, value, trail) for branch in rule):
                    found.append(f"{trail}: none of the forms")
            case "oneOf":
                if sum(not faults(schema, branch, value, trail) for branch in rule) != 1:
                    found.append(f"{trail}: not exactly one of the forms")
            case "items" if isinstance(value, list):
                for place, item in enumerate(value):
                    found += faults(schema, rule, item, f"{trail}[{place}]")
            case "minItems" | "maxItems" if isinstance(value, list):
                found += [f"{trail}: {word}"] if (len(value) < rule) == (word == "minItems") and len(value) != rule else []
            case "minLength" | "maxLength" if isinstance(value, str):
                found += [f"{trail}: {word}"] if (len(value) < rule) == (word == "minLength") and len(value) != rule else []
            case "minProperties" if isinstance(value, dict):
                found += [f"{trail}: {word}"] if len(value) < rule else []
            case "minimum" | "maximum" if isinstance(value, int) and not isinstance(value, bool):
                found += [f"{trail}: {word}"] if (value < rule) == (word == "minimum") and value != rule else []
            case "pattern" if isinstance(value, str):
                found += [] if re.search(rule, value) else [f"{trail}: {value!r} has not the form {rule}"]
            case "enum":
                found += [] if value in rule else [f"{trail}: {value!r} is none of {rule}"]
            case "const":
                found += [] if value == rule and type(value) is type(rule) else [f"{trail}: not {rule!r}"]
            case _:
                known = {"properties", "additionalProperties", "patternProperties", "propertyNames", "required", "items", "pattern"}
                known |= {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "minimum", "maximum"}
                assert word in _IGNORED | known, f"a keyword that no test reads: {word}"
    return found


def test_the_schema_files_are_what_the_types_say(tmp_path: Path) -> None:
    """After a change of the types: python -m tariff_engine.notation.schema rules/tariff_rules/schema."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in (RULES / "schema").iterdir()}
    assert committed == schemas()
    write(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == committed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("root", [RULES, GOOD], ids=["rules", "good"])
def test_every_file_of_law_is_accepted_by_its_schema_and_its_type(kind: str, root: Path) -> None:
    schema = json.loads(schemas()[f"{kind}.schema.json"])
    assert schema["$schema"] == DIALECT
    assert files(kind, root)
    for path in files(kind, root):
        value = Document(path.read_text(encoding="utf-8")).value
        KINDS[kind].model_validate(value)
        assert faults(schema, schema, as_json(value), path.name) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cite: 1 TEST 1 s.2}", "ciet: 1 TEST 1 s.2}"),
        ("add: 10%", "add: 10"),
        ("add: 10%", "add: ten"),
        ("add: 10%", "add: 10%, exempt: true"),
        (", cite: 1 TEST 1 s.2}", "}"),
        ("origin: group:north", "origin: north"),
        ("one_of: true", "one_of: false"),
        ("hts: {in: list:widgets kind=plain}}\n  steps: [", "hts: {in: []}}\n  steps: ["),
        ("says: Widgets pay an additional duty.", "says: Duty."),
        ("- heading: 9903.01.04", "- heading: 9903.01.04\n  family: four"),
    ],
)
def test_the_schema_refuses_what_the_type_refuses(old: str, new: str) -> None:
    text = (GOOD / "programs" / "widgets.yaml").read_text(encoding="utf-8")
    assert old in text
    value = Document(text.replace(old, new, 1)).value
    with pytest.raises(ValueError, match="validation error"):
        KINDS["program"].model_validate(value)
    schema = json.loads(schemas()["program.schema.json"])
    assert faults(schema, schema, as_json(value))


def test_every_key_of_a_type_is_described_in_its_schema_and_no_title_repeats_it() -> None:
    for text in schemas().values():
        schema = json.loads(text)
        for node in schema.get("$defs", {}).values():
            assert node.get("description") or node.get("enum")
            assert not any("title" in inner for inner in node.get("properties", {}).values())
