"""Mistakes in the engine: one operator, constant, condition or statement of a function changed, and set in place of the right one while it runs.

A function keeps its identity and gets other code, so whoever imported it before runs the mistake. What stands outside functions is not changed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake: the module, the function, the line, what becomes of what; `node` and `change` find it in the tree of the module."""

    module: str
    function: str
    line: int
    what: str
    node: int
    change: int

    @property
    def where(self) -> str:
        """Where it is and what it does, in one line."""
        return f"{self.module.removeprefix('tariff_engine.')}:{self.line} {self.function}: {self.what}"

    def make(self) -> None:
        """Put it in place, in this process. Raises ValueError where the function cannot take the code."""
        module = import_module(self.module)
        tree = _tree(module)
        target = next(one for at, one in enumerate(ast.walk(tree)) if at == self.node)
        _changes(target)[self.change][1]()
        code = _code(compile(ast.fix_missing_locations(tree), str(module.__file__), "exec"), self.function.split("."))
        found: Any = module
        for name in self.function.split("."):
            found = vars(found)[name]
        for inside in ("__func__", "fget", "func", "__wrapped__"):
            found = getattr(found, inside, None) or found
        if code is None or not isinstance(found, FunctionType):
            message = f"{self.function} is no plain function"
            raise ValueError(message)
        found.__code__ = code


def slips(name: str) -> Iterator[Slip]:
    """Yield every mistake of these kinds that can be made in the functions of a module."""
    tree = _tree(import_module(name))
    owner = dict(_owners(tree))
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in owner:
            for number, (what, _) in enumerate(_changes(node)):
                yield Slip(name, owner[id(node)], getattr(node, "lineno", 0), what, place, number)


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _owners(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every node in the body of a function or method, with its name and that of its class; annotations are not run, so they are left out."""
    for first in tree.body:
        for function in first.body if isinstance(first, ast.ClassDef) else [first]:
            if isinstance(function, ast.FunctionDef):
                name = f"{first.name}.{function.name}" if isinstance(first, ast.ClassDef) else function.name
                said = {
                    id(inner)
                    for node in ast.walk(function)
                    for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
                    if isinstance(note, ast.AST)
                    for inner in ast.walk(note)
                }
                yield from ((id(node), name) for part in function.body for node in ast.walk(part) if id(node) not in said)


def _code(code: CodeType, names: list[str]) -> CodeType | None:
    for name in names:
        found = [one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == name]
        if len(found) != 1:
            return None
        code = found[0]
    return code


def _changes(node: ast.AST) -> list[tuple[str, Any]]:
    """What can be changed at a node: the words, and what changes it in place."""
    found: list[tuple[str, Any]] = []
    text = ast.unparse(node) if isinstance(node, ast.expr) else ""
    if isinstance(node, ast.Compare):
        for place, one in enumerate(node.ops):
            other = _COMPARED.get(type(one))
            if other:
                found.append((f"{text}: {type(one).__name__} becomes {other.__name__}", _set(node.ops, place, other())))
    if isinstance(node, ast.BoolOp):
        other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        found.append((f"{text}: {type(node.op).__name__} becomes {type(other_op).__name__}", _put(node, "op", other_op)))
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COUNTED:
        new = _COUNTED[type(node.op)]
        words = text or ast.unparse(node)
        found.append((f"{words}: {type(node.op).__name__} becomes {new.__name__}", _put(node, "op", new())))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        found.append((f"{text}: without not", _put(node, "operand", ast.UnaryOp(ast.Not(), node.operand))))
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        found.append((f"if {ast.unparse(node.test)}: the other way", _put(node, "test", ast.UnaryOp(ast.Not(), node.test))))
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            found.append((f"{text} becomes {not node.value}", _put(node, "value", not node.value)))
        elif isinstance(node.value, int):
            found.append((f"{text} becomes {node.value + 1}", _put(node, "value", node.value + 1)))
    if isinstance(node, ast.Return) and node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        found.append((f"return {ast.unparse(node.value)}: returns None", _put(node, "value", ast.Constant(None))))
    return found


def _set(where: list[Any], place: int, new: Any) -> Any:
    def change() -> None:
        where[place] = new

    return change


def _put(node: ast.AST, name: str, new: Any) -> Any:
    return lambda: setattr(node, name, new)
