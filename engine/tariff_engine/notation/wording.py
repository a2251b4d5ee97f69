"""Words for what is wrong in a rule file: `file:line: path: what is wrong and what to write instead`, never the validator's own jargon."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tariff_engine.notation.yaml_reader import Document

_TYPES = {
    "string_type": 'text (numbers and codes in quotes: "0106")',
    "bool_type": "true or false",
    "date_type": "a day such as 2025-03-04, without quotes",
    "int_type": "a whole number",
    "list_type": "a list: [..., ...]",
    "dict_type": "a block of keys: {key: value}",
    "model_type": "a block of keys: {key: value}",
    "model_attributes_type": "a block of keys: {key: value}",
    "none_required": "nothing",
}
_FORMS = (  # the first that begins or is the pattern of a text tells its form
    (r"^([A-Z]{2}|group:", "an origin: two capital letters such as CN, or group:NAME"),
    (r"^[A-Z]{2}$", "the two capital letters of a country, such as CN"),
    (
        r"^(99\d{2}",
        "a reference: a heading such as 9903.01.25, a variant HEADING/NAME, a range HEADING..HEADING, program:NAME, set:NAME or family:NAME",
    ),
    (r"^99\d{2}", "a heading such as 9903.01.25"),
    (r"list:", "a list: list:NAME, or list:NAME column=value|value to select rows"),
    (r"^\d{2,10}$", 'digits in quotes, without dots, such as "8703" or "870323"'),
    (r"^\d+\.\d{2}$", 'dollars and cents in quotes, such as "850.00"'),
    (r"^\d+(\.\d+)?$", 'a number in quotes, such as "85" or "12.5"'),
    (r"^[a-z0-9]", "a name in small letters, digits, - and _"),
)
_MISSING = {
    "cite": 'say where the law says so, such as cite: "EO 14257 s.2"',
    "from": "say from which day on, such as 2025-03-04",
    "says": "say in one sentence what the rule does",
    "steps": "say from which day the rule does what: steps: [{from: ..., add: ..., by: ..., cite: ...}]",
    "because": "say why the law takes this",
    "files_as": "name the class of filing.yaml under which the headings are filed",
    "published": "say on which day the public knew the act",
    "take": "say what the law takes for the fact: take: true, false, a text, or null where nothing is granted",
}


def near(word: str, known: Iterable[str]) -> str:
    """Return a guess at what was meant, as the end of a sentence; nothing where nothing is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def defects(path: str, document: Document, kind: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """Word everything that a validation found. Of the branches of a union only the one that was meant is told."""
    found = [(*document.locate(tuple(item["loc"])), item) for item in error.errors(include_url=False)]
    told: set[str] = set()
    misspelt = {(item["loc"][:-1], _guess(kind, item)) for _, _, item in found if item["type"] == "extra_forbidden"}
    for line, trail, item in found:
        if item["type"] == "missing" and (item["loc"][:-1], str(item["loc"][-1])) in misspelt:
            continue
        same = [other for _, where, other in found if where == trail]
        deeper = any(where.startswith(trail + mark) for _, where, _ in found for mark in ".[") if trail != "file" else False
        if item["type"] in _TYPES:
            if deeper or any(other["type"] not in _TYPES for other in same):
                continue
            wanted = " or ".join(dict.fromkeys(_TYPES[other["type"]] for other in same))
            words = f"write {wanted}, not {shown(item['input'])}"
        else:
            words = _words(kind, item)
        text = f"{path}:{line}: {trail}: {words}"
        if text not in told:
            told.add(text)
            yield text


def shown(value: object) -> str:
    """Return a value as it stands in the file, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a block of keys"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  the width of a message


def _words(kind: type[BaseModel], item: ErrorDetails) -> str:
    code, context = item["type"], item.get("ctx", {})
    key = str(item["loc"][-1]) if item["loc"] else ""
    if code == "extra_forbidden":
        keys = _keys_at(kind, item["loc"][:-1])
        known = f"; the keys here are {', '.join(keys)}" if keys else ""
        return f"{key} is no key of the notation here{near(key, keys) or known}"
    if code == "missing":
        return f"{key} is missing" + (f": {_MISSING[key]}" if key in _MISSING else "")
    if code == "value_error":
        return item["msg"].removeprefix("Value error, ")
    if code == "string_pattern_mismatch":
        form = next(
            (words for start, words in _FORMS if str(context["pattern"]).startswith(start)), f"text of the form {context['pattern']}"
        )
        return f"write {form}, not {shown(item['input'])}"
    if code == "literal_error":
        return f"write {str(context['expected']).replace(chr(39), '')}, not {shown(item['input'])}"
    if code in {"string_too_short", "string_too_long"}:
        bound = f"at least {context['min_length']}" if code == "string_too_short" else f"at most {context['max_length']}"
        return f"write {bound} characters; there are {len(str(item['input']))}"
    if code == "too_short":
        return (
            f"write at least {context['min_length']} item{'s' if context['min_length'] != 1 else ''}; there are {context['actual_length']}"
        )
    if code == "too_long":
        return f"write at most {context['max_length']} items; there are {context['actual_length']}"
    return f"{item['msg'].replace('Input should be', 'should be')}, not {shown(item['input'])}"


def _guess(kind: type[BaseModel], item: ErrorDetails) -> str:
    """Return the key that a key unknown to the notation was meant to be; nothing where none is near."""
    return next(iter(difflib.get_close_matches(str(item["loc"][-1]), _keys_at(kind, item["loc"][:-1]), n=1, cutoff=0.6)), "")


def _keys_at(kind: type[BaseModel], trail: tuple[int | str, ...]) -> list[str]:
    return sorted({name for model in _models_at(kind, trail) for name in _keys(model)})


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _models_at(kind: type[BaseModel], trail: tuple[int | str, ...]) -> set[type[BaseModel]]:
    """Return the types that may stand at a place of a file of some kind."""
    current: set[type[BaseModel]] = {kind}
    for key in trail:
        branch = {model for model in current if model.__name__ == key}
        fields = [info for model in current for name, info in model.model_fields.items() if (info.alias or name) == key]
        inner = {model for info in fields for model in _inside(info.annotation)}
        current = branch or inner or current
    return current


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)
