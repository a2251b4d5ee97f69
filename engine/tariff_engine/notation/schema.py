"""JSON Schema (2020-12) of every kind of rule file, made from the types that read them, so that an editor checks while one writes.

A rule file names its schema in its first line: `# yaml-language-server: $schema=../../schema/program.schema.json`. The schema knows the form
only; names, lists, order and examples are for `check`. Run `python -m tariff_engine.notation.schema FOLDER` to write the files anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from tariff_engine.deminimis_rules import DeMinimis
from tariff_engine.fee_rules import FeeRules
from tariff_engine.notation.model import (
    BookFile,
    Chapter98File,
    CoverageFile,
    EditionsFile,
    Facts,
    Filing,
    Instruments,
    OriginGroups,
    Relations,
)
from tariff_engine.notation.program import EFFECTS, Program
from tariff_engine.refund_rules import Refunds

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS: dict[str, type[BaseModel]] = {
    "book": BookFile,
    "chapter98": Chapter98File,
    "coverage": CoverageFile,
    "de_minimis": DeMinimis,
    "editions": EditionsFile,
    "facts": Facts,
    "fees": FeeRules,
    "filing": Filing,
    "instruments": Instruments,
    "origins": OriginGroups,
    "program": Program,
    "refunds": Refunds,
    "relations": Relations,
}
_EXACTLY_ONE = {  # what the types check with a sentence of their own
    "Step": EFFECTS,
    "Piece": ("part", "less"),
    "Provision": ("heading", "family"),
}


class _Plain(GenerateJsonSchema):
    """Leaves out titles made from field names: they only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  the signature of pydantic
        return False

    def get_title_from_name(self, name: str) -> str:  # noqa: ARG002  the signature of pydantic
        return ""


def schemas() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    return {f"{name}.schema.json": _text(name, kind) for name, kind in KINDS.items()}


def write(folder: Path) -> None:
    """Write the schema files into a folder. Raises OSError where it cannot be written."""
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _text(name: str, kind: type[BaseModel]) -> str:
    body = _tidy(kind.model_json_schema(by_alias=True, mode="validation", schema_generator=_Plain))
    for owner, keys in _EXACTLY_ONE.items():
        if owner in body.get("$defs", {}):
            body["$defs"][owner]["oneOf"] = [{"required": [key]} for key in keys]
    head = {"$schema": DIALECT, "title": f"{name.replace('_', ' ')} of a tariff rulebook"}
    return json.dumps({**head, **{key: value for key, value in body.items() if key != "title"}}, indent=1, ensure_ascii=False) + "\n"


def _tidy(node: Any, *, named: bool = False) -> Any:
    """Drop titles and the `null` that stands for a key left out. `named`: the keys of the node are names that the file chooses."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _tidy(value, named=key in {"properties", "$defs"}) for key, value in node.items() if named or key != "title"}
    if not named and isinstance(found.get("default"), dict):
        del found["default"]  # an object with every key left out
    branches = found.get("anyOf")
    if not named and isinstance(branches, list) and found.get("default", "") is None:
        kept = [branch for branch in branches if branch != {"type": "null"}]
        del found["default"]
        if len(kept) == 1:
            del found["anyOf"]
            return {**kept[0], **found}
        found["anyOf"] = kept
    return found


if __name__ == "__main__":
    write(Path(sys.argv[1]))
