"""Read YAML strictly and exactly: YAML 1.2 words, exact decimals, no duplicate keys, and the line of every value for error messages.

PyYAML follows YAML 1.1, where `NO` is false and `1:30` is a number. Only its parser is used; what a scalar means is decided here.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tariff_engine.problems import RulebookError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DEPTH = 60


class YamlError(RulebookError):
    """A text is no YAML that we accept; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line apart from the words."""
        super().__init__(message)
        self.line = line
        self.message = message


class Document:
    """One YAML text: its value in plain Python types, and where in the text each value stands."""

    __slots__ = ("_root", "value")

    def __init__(self, text: str, *, anchors: bool = True) -> None:
        """Parse a text. `anchors=False` refuses anchors and aliases, as is right for text from strangers.

        Raises YamlError with the line at fault.
        """
        try:
            if not anchors:
                _refuse_anchors(text)
            self._root: Node | None = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise YamlError(mark.line + 1 if mark else 1, error.problem or "not YAML") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise YamlError(1, f"not YAML: {type(error).__name__}") from None
        self.value: Any = _construct(self._root, 0) if self._root is not None else None

    def locate(self, path: tuple[int | str, ...]) -> tuple[int, str]:
        """Return the line of the value at a path and the path in words; keys that have no place in the text are skipped."""
        node, line, trail = self._root, 1, ""
        for key in path:
            if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
                node, trail = node.value[key], f"{trail}[{key}]"
            elif isinstance(node, MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == str(key)), None)
                if pair is None:
                    continue
                line, node, trail = pair[0].start_mark.line + 1, pair[1], f"{trail}.{key}".lstrip(".")
                continue
            else:
                continue
            line = node.start_mark.line + 1
        return line, trail or "file"


def read_document(path: PurePath | Any, text: str) -> Document:
    """Parse the text of a file; an error names the file and the line."""
    try:
        return Document(text)
    except YamlError as error:
        raise RulebookError(f"{path}:{error.line}: {error.message}") from None


def _refuse_anchors(text: str) -> None:
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "anchor", None) is not None:
            raise YamlError(event.start_mark.line + 1, "anchors and aliases (& and *) are not accepted here")


def _construct(node: Node, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise YamlError(node.start_mark.line + 1, f"nested more than {_MAX_DEPTH} levels deep")
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        return [_construct(item, depth + 1) for item in node.value]
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = _scalar(key_node) if isinstance(key_node, ScalarNode) else None
        if not isinstance(key, str | date):
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else key
        if key is None:
            raise YamlError(key_node.start_mark.line + 1, "a key must be a word")
        if key in found:
            raise YamlError(key_node.start_mark.line + 1, f"the key {key} stands twice in one block")
        found[key] = _construct(value_node, depth + 1)
    return found


def _scalar(node: ScalarNode) -> str | int | Decimal | date | bool | None:
    text: str = node.value
    if node.style in {"'", '"', "|", ">"}:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text) if len(text) <= 40 else text  # noqa: PLR2004  longer ones are no count of anything
    if _DECIMAL.match(text):
        return Decimal(text)
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise YamlError(node.start_mark.line + 1, f"{text} is no day of the calendar") from None
    return text
