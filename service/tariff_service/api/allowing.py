"""The methods that an address takes. Starlette's own Allow header names those of the first route alone, where several share an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def allowed_methods(paths: Mapping[str, Mapping[str, Any]], path: str) -> str:
    """Return the methods that the paths of an OpenAPI document have for an address, as an Allow header; empty where it is none of them.

    >>> allowed_methods({"/a/{id}": {"get": {}}, "/a": {"post": {}, "get": {}}}, "/a"), allowed_methods({"/a/{id}": {"get": {}}}, "/a/b/c")
    ('GET, POST', '')
    """
    methods = {method.upper() for template, item in paths.items() if _pattern(template).fullmatch(path) for method in item}
    return ", ".join(sorted(methods))


@lru_cache(maxsize=200)
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", template)))
