"""From the strict types that read a rule file to the plain ones that the engine applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tariff_engine.problems import RulebookError

_Model = TypeVar("_Model", bound=BaseModel)


def parse_model(kind: type[_Model], tree: object, file: str) -> _Model:
    """Return a rule file as its strict type. Raises RulebookError: one line per defect, `file: path: what is wrong`."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        lines = (f"{file}: {'.'.join(str(step) for step in one['loc']) or 'file'}: {one['msg']}" for one in error.errors())
        raise RulebookError("\n".join(lines)) from None


def plain(value: Any, forms: Mapping[str, Any]) -> Any:
    """Return the plain form of what a strict type holds: of a model the class that `forms` has under its name, of a list a tuple.

    Raises TypeError where a model and its plain form do not have the same fields, KeyError where a model has no form: a field that was
    added to one of the two only is never lost in silence. The plain forms therefore give no field a default.
    """
    if isinstance(value, BaseModel):
        fields = {name: plain(getattr(value, name), forms) for name in type(value).model_fields}
        return forms[type(value).__name__](**fields)
    if isinstance(value, list | tuple):
        return tuple(plain(item, forms) for item in value)
    if isinstance(value, dict):
        return {key: plain(item, forms) for key, item in value.items()}
    return value
