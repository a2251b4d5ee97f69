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
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tariff_engine.problems import RulebookError

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DEPTH = 60
_MAX_VALUES = 1_000_000
_MAX_DIGITS = 40
_TAB = "a tab or another character that YAML keeps for itself; indent with spaces and put such text in quotes"
_HINTS = {
    "cannot start any token": _TAB,
    "violates indentation": _TAB,
    "mapping values are not allowed": 'a colon and a space inside text make a new key; put such text in quotes: "..."',
    "expected ',' or '}'": 'a bracket {...} is not closed, or a text in it needs quotes: "..."',
    "expected ',' or ']'": 'a bracket [...] is not closed, or a text in it needs quotes: "..."',
    "expected <block end>": "the indentation does not line up with the lines above, or a text in quotes is followed by more text",
    "could not find expected ':'": "a key is not followed by a colon and a space, or a text in quotes is not closed",
    "found unexpected end of stream": "a text in quotes or a bracket is not closed",
    "found undefined alias": "an alias (*) names an anchor that this file does not define; anchors do not reach across files",
    "special characters are not allowed": "there is a character that is no text; save the file again as plain UTF-8 text",
    "surrogates not allowed": "there is a character that is no text; save the file again as plain UTF-8 text",
    "but found another document": "a second document (---) begins; write one document a file",
    "control characters are not allowed": "there is a character that is no text; save the file again as plain UTF-8 text",
}


class _Plain:
    """Leaves an untagged value untagged, so that a tag that someone wrote is seen; nothing of YAML 1.1 is resolved."""

    def resolve(self, *_: Any) -> str:
        return ""

    def descend_resolver(self, *_: Any) -> None:
        """Track nothing: no value is resolved by its path."""

    def ascend_resolver(self) -> None:
        """Track nothing."""


class _Loader(_Plain, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser where there is one
    """PyYAML's parser without its opinions on words and numbers."""


class YamlError(RulebookError):
    """A text is no YAML that we accept; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line apart from the words."""
        super().__init__(message)
        self.line = line
        self.message = message

    def __reduce__(self) -> tuple[type[YamlError], tuple[int, str]]:
        """Pickle by line and words, so that the error crosses process borders."""
        return type(self), (self.line, self.message)


class Document:
    """One YAML text: its value in plain Python types, and where in the text each value stands."""

    __slots__ = ("_root", "value")

    def __init__(self, text: str, *, anchors: bool = True) -> None:
        """Parse a text. `anchors=False` refuses anchors and aliases, as is right for text from strangers.

        Raises YamlError with the line at fault.
        """
        try:
            _scan(text, anchors=anchors)
            self._root: Node | None = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise YamlError(getattr(mark, "line", 0) + 1, _taught(error.problem or error.context or "not YAML")) from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise YamlError(1, _taught(str(error).splitlines()[0] if str(error) else type(error).__name__)) from None
        self.value: Any = None if self._root is None else _Values().read(self._root, 0)

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


def _taught(problem: str) -> str:
    """Say what to write instead, in the same words whichever parser found the fault; else in the parser's own."""
    return f"not YAML: {next((hint for words, hint in _HINTS.items() if words in problem), problem)}"


def _scan(text: str, *, anchors: bool) -> None:
    """Look at the events of a text before its tree is built: the parser in C that builds it would die of a very deep one."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if not anchors and getattr(event, "anchor", None) is not None:
            raise YamlError(getattr(event.start_mark, "line", 0) + 1, "anchors and aliases (& and *) are not accepted here")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise YamlError(getattr(event.start_mark, "line", 0) + 1, f"nested more than {_MAX_DEPTH} levels deep")


class _Values:
    """Builds plain values, and gives up on a text whose aliases would make it grow without end."""

    def __init__(self) -> None:
        self._left = _MAX_VALUES

    def read(self, node: Node, depth: int) -> Any:
        line = node.start_mark.line + 1
        self._left -= 1
        if depth > _MAX_DEPTH:
            raise YamlError(line, f"nested more than {_MAX_DEPTH} levels deep")
        if self._left < 0:
            raise YamlError(line, f"more than {_MAX_VALUES} values, counting those that aliases repeat")
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if node.tag:
            raise _tagged(node)
        if isinstance(node, SequenceNode):
            return [self.read(item, depth + 1) for item in node.value]
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _key(key_node)
            if key in found:
                raise YamlError(key_node.start_mark.line + 1, f"the key {key} stands twice in one block; keep one of them")
            found[key] = self.read(value_node, depth + 1)
        return found


def _tagged(node: Node) -> YamlError:
    shown = str(node.tag).replace("tag:yaml.org,2002:", "!!")
    return YamlError(node.start_mark.line + 1, f"the tag {shown} is not part of the notation; leave it out")


def _key(node: Node) -> str:
    """Return a key as it is written: a day or a number that serves as a key is a name."""
    if not isinstance(node, ScalarNode):
        raise YamlError(node.start_mark.line + 1, 'a key must be a word; if this was meant as text, put it in quotes: "..."')
    if node.tag:
        raise _tagged(node)
    return str(node.value)


def _scalar(node: ScalarNode) -> str | int | Decimal | date | bool | None:
    text: str = node.value
    if node.tag:
        raise _tagged(node)
    if node.style in {"'", '"', "|", ">"}:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text) if len(text) <= _MAX_DIGITS else text  # longer ones are no count of anything
    if _DECIMAL.match(text):
        return Decimal(text)
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise YamlError(node.start_mark.line + 1, f"{text} is no day of the calendar") from None
    return text
