"""The JSON Schemas of the API (draft 2020-12, as OpenAPI 3.1 has it): the words that they are made of, and all of them by name.

They describe; the engine reads and writes. Tests hold real answers against them, and them against mutated answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WORDS: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
DAY: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
CODE: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
COUNTRY: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
RECORD_ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
RULEBOOK_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
ENTRY_ID: Schema = {"type": "string", "maxLength": 200}
DOLLARS: Schema = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "description": "US dollars and cents"}
WHOLE_DOLLARS: Schema = {"type": "string", "pattern": "^[0-9]+$", "description": "whole US dollars"}


def ref(name: str, kind: str = "schemas") -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def one_of(*values: str, what: str = "") -> Schema:
    """Return the schema of a text with a closed list of values."""
    return {"type": "string", "enum": list(values), **({"description": what} if what else {})}


def listed(item: Schema | str, what: str = "", **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": ref(item) if isinstance(item, str) else item, **({"description": what} if what else {}), **more}


def maybe(schema: Schema | str) -> Schema:
    """Return the schema of something that may be null."""
    return {"anyOf": [ref(schema) if isinstance(schema, str) else schema, {"type": "null"}]}


def record(members: Mapping[str, Schema | str], optional: Mapping[str, Schema | str] | None = None, what: str = "") -> Schema:
    """Return the schema of an object with these members and no others; a text names a component."""
    every = {**members, **(optional or {})}
    found: Schema = {
        "type": "object",
        **({"description": what} if what else {}),
        "properties": {name: ref(one) if isinstance(one, str) else one for name, one in every.items()},
        "additionalProperties": False,
    }
    if members:
        found["required"] = list(members)
    return found
