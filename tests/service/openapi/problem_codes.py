"""Every code of a problem or a warning that stands in the source of the engine and of the service, found in its syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_SOURCES = ("engine/tariff_engine", "service/tariff_service")
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NO_PROBLEM = frozenset({"page", "kind"})  # functions that look a code up


@dataclass
class Codes:
    """`exact` codes and the files that they stand in; `patterns` of those that are put together, each as (beginning, end)."""

    exact: dict[str, set[str]] = field(default_factory=dict)
    patterns: set[tuple[str, str]] = field(default_factory=set)


@cache
def collect() -> Codes:
    """Return the codes of the repository: first arguments of whatever takes a `code` first, members named code, and closed lists of codes."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for source in _SOURCES for path in sorted((ROOT / source).rglob("*.py"))}
    takers = {name for tree in trees.values() for name in _takers(tree)} - _NO_PROBLEM
    found = Codes()
    for path, tree in trees.items():
        for node in _coded(tree, takers):
            _note(node, found, path.relative_to(ROOT).as_posix())
    return found


def _takers(tree: ast.Module) -> Iterator[str]:
    """Yield the names of functions and classes whose first parameter, or member, is a text named `code`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            members = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            if members and isinstance(members[0].target, ast.Name) and members[0].target.id == "code":
                yield node.name
            starts = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
            if starts and len(starts[0].args.args) > 1 and starts[0].args.args[1].arg == "code":
                yield node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.args.args and node.args.args[0].arg == "code":
            yield node.name


def _coded(tree: ast.Module, takers: set[str]) -> Iterator[ast.expr]:
    """Yield the expressions that give a code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in takers and node.args:
                yield node.args[0]
            yield from (one.value for one in node.keywords if one.arg == "code" and name in takers)
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from (
                value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "code" and not isinstance(value, ast.Call)
            )
        elif isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id.strip("_").lower() in {"code", "codes"} for one in node.targets
        ):
            yield from node.value.values if isinstance(node.value, ast.Dict) else [node.value]


def _note(node: ast.expr, found: Codes, place: str) -> None:
    if isinstance(node, ast.JoinedStr):
        ends = [one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else "" for one in node.values]
        found.patterns.add((ends[0], ends[-1]))
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and _CODE.fullmatch(node.value):
            found.exact.setdefault(node.value, set()).add(place)
    else:
        for child in _choices(node):
            _note(child, found, place)


def _choices(node: ast.expr) -> list[ast.expr]:
    """Return the expressions that one may come out as."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
        return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return list(node.args[1:]) if isinstance(node, ast.Call) else []  # a table that is asked: its default
