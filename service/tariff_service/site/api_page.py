"""The reference of the HTTP API as a page, written from the OpenAPI document: operations, parameters, bodies, answers and examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tariff_engine.engine import Engine
from tariff_service.api.app import create_app
from tariff_service.api.document import document, operations
from tariff_service.api.settings import Settings
from tariff_service.site.markdown import page, plain, slug, table

Data = Mapping[str, Any]
_LONGEST = 60  # lines of an example; what is longer is cut, and said to be


def openapi(engine: Engine) -> dict[str, Any]:
    """Return the OpenAPI document of a server that answers by this engine; no server is started."""
    return document(create_app(Settings(store="sqlite://")), engine.at(), authenticated=True)


def api_page(found: Data) -> str:
    """Return the reference."""
    parts = [
        "# HTTP reference",
        (
            f"Made from the OpenAPI {found['openapi']} document, which a running server hands out at `/openapi.json` and this site as "
            "[openapi.json](openapi.json). How the parts work together is told in [The HTTP API](http.md)."
        ),
        plain(found["info"]["description"]),
    ]
    for tag in found["tags"]:
        parts += [f"## {plain(tag['name'].capitalize())}", plain(tag["description"])]
        for method, path, one in ((method, path, one) for path, method, one in operations(found["paths"])):
            if tag["name"] in one["tags"]:
                parts += _operation(found, method, path, one)
    parts += ["## Schemas", *(part for name, schema in found["components"]["schemas"].items() for part in _schema(name, schema))]
    return page(*parts)


def _operation(found: Data, method: str, path: str, one: Data) -> Iterator[str]:
    yield f"### {plain(one['summary'])} {{ #{slug(one['operationId'])} }}"
    yield f"`{method.upper()} {path}`"
    if one.get("description"):
        yield plain(one["description"])
    rows: list[tuple[str, ...]] = []
    for item in one.get("parameters", ()):
        known = _resolved(found, item)
        where = f"{known['in']}{', required' if known.get('required') else ''}"
        rows.append((f"`{known['name']}`", where, _kind(known.get("schema", {})), plain(known.get("description", ""))))
    yield table(("Parameter", "Where", "Type", "Meaning"), rows)
    body = one.get("requestBody")
    if body:
        for media, content in body["content"].items():
            yield f"Body `{media}`: {_kind(content.get('schema', {}))}"
            yield _example(found, content)
    rows = []
    for status, answer in one["responses"].items():
        known = _resolved(found, answer)
        kinds = "; ".join(f"`{media}` {_kind(content.get('schema', {}))}".strip() for media, content in known.get("content", {}).items())
        rows.append((status, plain(known["description"]), kinds))
    yield table(("Status", "Meaning", "Body"), rows)


def _resolved(found: Data, item: Data) -> Data:
    if "$ref" not in item:
        return item
    place: Any = found
    for part in item["$ref"].removeprefix("#/").split("/"):
        place = place[part.replace("~1", "/").replace("~0", "~")]
    return place  # type: ignore[no-any-return]  # it is a part of the document


def _kind(schema: Data) -> str:
    """Return what a schema takes, in a word or two; one with a name as a link to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{plain(name)}](#schema-{slug(name)})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_kind(one) for one in schema[several]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _schema(name: str, schema: Data) -> Iterator[str]:
    yield f"### {plain(name)} {{ #schema-{slug(name)} }}"
    yield plain(schema.get("description", ""))
    required = set(schema.get("required", ()))
    members = schema.get("properties", {})
    if not members:
        yield f"It is {_kind(schema)}."
    rows = [
        (f"`{member}`", _kind(one), "yes" if member in required else "", plain(one.get("description", "")))
        for member, one in members.items()
    ]
    yield table(("Member", "Type", "Always", "Meaning"), rows)


def _example(found: Data, content: Data) -> str:
    shown = [_resolved(found, one) for one in content.get("examples", {}).values()]
    value = shown[0].get("value") if shown else content.get("example")
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    lines = text.rstrip().splitlines()
    cut = [*lines[:_LONGEST], "..."] if len(lines) > _LONGEST else lines
    return "\n".join(["```text" if cut is not lines or isinstance(value, str) else "```json", *cut, "```"])
