"""Read what users send: one entry as JSON or YAML, or one line a row. Exact numbers, no duplicate keys, bounded size; else a typed problem."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from tariff_engine.problems import ProblemError, refuse

MAX_ENTRY = 10_000_000  # bytes of one entry; 999 lines, the most that ACE takes, need about a tenth of it
MAX_YAML = 2_000_000  # bytes of one entry as YAML, which takes about ten times as long to read
_MAX_DEPTH = 60
_MAX_DIGITS = 60
_BOM = b"\xef\xbb\xbf"
_FOREIGN_BOMS = (b"\xff\xfe", b"\xfe\xff")
_JSON_START = re.compile(r"\s*(?:\[|\{\s*[\"}])")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of an input, and the name under which messages speak of it."""

    name: str
    data: bytes


def read_source(name: str, limit: int = MAX_ENTRY) -> Source:
    """Read a file, or standard input for `-`. Raises ProblemError: missing, a folder, not readable, empty, larger than `limit` bytes."""
    data = sys.stdin.buffer.read(limit + 1) if name == "-" else _read_file(name, limit + 1)
    source = Source("standard input" if name == "-" else name, data)
    if len(source.data) > limit:
        raise refuse(
            "file_too_large", "file", f"{source.name} is larger than {limit:,} bytes", "send one entry, or one line a row with --jsonl"
        )
    if not source.data.strip(b" \t\r\n").removeprefix(_BOM):
        raise refuse(
            "file_empty",
            "file",
            f"{source.name} is empty",
            'send an entry such as {"hts": ..., "origin": ..., "value": ..., "entry_date": ...}',
        )
    return source


def open_file(name: str) -> BinaryIO:
    """Open a file for reading. Raises ProblemError: missing, a folder, not readable."""
    try:
        return Path(name).open("rb")
    except (FileNotFoundError, ValueError):  # ValueError: a name with a NUL in it
        raise refuse("file_missing", "file", f"there is no file {name[:200]}", "name a file, or - for standard input") from None
    except OSError as error:
        if os.path.isdir(name):  # noqa: PTH112  Path.is_dir raises where this says no; Windows answers "permission denied" for a folder
            raise refuse("file_is_folder", "file", f"{name} is a folder", "name a file in it") from None
        message = f"{name[:200]} cannot be read: {error.strerror or error}"
        raise refuse("file_unreadable", "file", message, "check the name and the permissions") from None


def _read_file(name: str, limit: int) -> bytes:
    with open_file(name) as file:
        try:
            return file.read(limit)
        except OSError as error:
            raise refuse("file_unreadable", "file", f"{name} cannot be read: {error.strerror or error}", "check the file") from None


def decode(data: bytes, name: str) -> str:
    """Decode UTF-8, with or without a byte order mark. Raises ProblemError: another encoding, or no text at all."""
    if data.startswith(_FOREIGN_BOMS):
        raise refuse("not_utf8", "file", f"{name} is UTF-16 text", "save it as UTF-8")
    if b"\0" in data:
        raise refuse("not_text", "file", f"{name} is a binary file", "send JSON or YAML text")
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refuse("not_utf8", "file", f"line {line} of {name} is not UTF-8 text", "save it as UTF-8") from None


def read_entry(name: str) -> Any:
    """Read one entry from a file or from standard input (`-`), as JSON or as YAML. Raises ProblemError."""
    source = read_source(name)
    text = decode(source.data, source.name)
    suffix = Path(name).suffix.lower()
    if suffix == ".json" or (suffix not in {".yaml", ".yml"} and _JSON_START.match(text)):
        return parse_json(text, source.name)
    if len(source.data) > MAX_YAML:
        raise refuse("file_too_large", "file", f"{source.name} is larger than {MAX_YAML:,} bytes", "send it as JSON")
    return parse_yaml(text, source.name)


# ---------------------------------------------------------------- JSON
def parse_json(text: str, name: str, field: str = "file") -> Any:
    """Parse JSON exactly: decimals as Decimal, no NaN, no duplicate key. Raises ProblemError with the place at fault."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if field in {"file", "body"} else f"column {error.colno}"
        raise refuse("malformed_json", field, f"{name} is not JSON at {place}: {_lower(error.msg)}", "mend the text there") from None
    except RecursionError:
        raise _too_deep(name) from None
    return _checked(value, name, surrogates=bool(_ESCAPED_SURROGATE.search(text)))


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add returns None
        raise refuse("duplicate_key", twice[:60], f"the key {twice[:60]} stands twice in one object", "state it once")
    return found


def _constant(text: str) -> NoReturn:
    raise refuse("not_a_number", "file", f"{text} is no number", "send a decimal number, or leave the fact out")


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise refuse("not_a_number", "file", f"a number of {len(text)} digits", f"send numbers of at most {_MAX_DIGITS} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_DIGITS:
        raise refuse("not_a_number", "file", f"a number of {len(text)} characters", f"send numbers of at most {_MAX_DIGITS} characters")
    return Decimal(text)


_DECODER = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_pairs)


# ---------------------------------------------------------------- YAML
def parse_yaml(text: str, name: str) -> Any:
    """Parse YAML 1.2 without anchors. Raises ProblemError with the line at fault."""
    from tariff_engine.notation.yaml_reader import Document, YamlError  # noqa: PLC0415  JSON needs no YAML parser

    try:
        if _yaml_depth(text) > _MAX_DEPTH:
            raise _too_deep(name)
        value = Document(text, anchors=False).value
    except YamlError as error:
        raise refuse("malformed_yaml", "file", f"line {error.line} of {name}: {error.message}", "mend the text there") from None
    except (RecursionError, ValueError, OverflowError):
        raise refuse("malformed_yaml", "file", f"{name} is not YAML that can be read", "send plain JSON or YAML") from None
    return _text_keys(_checked(value, name, surrogates=True))


def _yaml_depth(text: str) -> int:
    """Return how deep a text nests, as far as it is YAML: the parser in C that builds the tree would die of a very deep one."""
    import yaml  # noqa: PLC0415

    depth = deepest = 0
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            deepest = max(deepest, depth)
            if deepest > _MAX_DEPTH:
                break
    except yaml.YAMLError:
        pass  # the reader proper words what is wrong
    return deepest


def _text_keys(value: Any) -> Any:
    """Make every key text: YAML can write a day as a key, JSON cannot."""
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- both
def _too_deep(name: str) -> ProblemError:
    return refuse("too_deep", "file", f"{name} is nested more than {_MAX_DEPTH} levels deep", "send an entry: {facts, lines: [{facts}]}")


def _checked(value: Any, name: str, *, surrogates: bool) -> Any:
    """Refuse nesting that no entry has, and (where there may be any) half characters, which no output could write."""
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                if surrogates:
                    below.extend(item)
            elif isinstance(item, list):
                below.extend(item)
            elif surrogates and isinstance(item, str) and _SURROGATE.search(item):
                raise refuse("not_text", "file", f"{name} has half a character (a lone surrogate)", "send whole Unicode characters")
        if not below:
            return value
        level = below
    raise _too_deep(name)
