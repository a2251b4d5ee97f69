"""Refusals as `application/problem+json` (RFC 9457): a stable type with a page of its own, JSON pointers, and the fix for each error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import yaml
from starlette.datastructures import QueryParams
from starlette.responses import Response

from tariff_engine.problems import Problem
from tariff_service.output import encode

MEDIA = "application/problem+json"
UNREADABLE = 400
_PLACE = re.compile(r"([^\[\].]+)|\[(\d+)\]")
_WHOLE = frozenset({"body", "entry", "line", "row", "file"})  # words for the whole of what was sent


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its title, the status it is answered with, and what it means."""

    code: str
    title: str
    status: int
    means: str


@cache
def catalogue() -> dict[str, Kind]:
    """Return every kind of problem that the service can answer."""
    text = files("tariff_service.api").joinpath("problems.yaml").read_text(encoding="utf-8")
    return {code: Kind(code, **fields) for code, fields in yaml.safe_load(text).items()}


class Refusal(Exception):  # noqa: N818  it is an answer, not a fault
    """A request that is answered with a problem."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        fix: str = "",
        pointer: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        """Take the code of the catalogue, what is wrong here, and the fix; `pointer` says where in the body."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status or catalogue()[code].status
        self.headers = dict(headers or {})
        first = {"pointer": pointer, "code": code, "detail": detail, "fix": fix}
        self.errors = list(errors) or ([first] if pointer is not None or fix else [])

    def body(self, instance: str = "") -> dict[str, Any]:
        """Return the members of the problem."""
        found: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": catalogue()[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if instance:
            found["instance"] = instance
        if self.errors:
            found["errors"] = [{key: value for key, value in error.items() if value is not None} for error in self.errors]
        return found

    def response(self, instance: str = "") -> Response:
        """Return the response."""
        return Response(encode(self.body(instance)), self.status, self.headers, MEDIA)


def pointer_of(field: str, *, line: int | None = None, raw: Any = None, aliases: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return where a field stands in what was sent, as a JSON pointer.

    `line` is the place of the line that the field belongs to, `raw` what was sent: a fact is looked for under its other names, and in the
    entry where the line does not state it.

    >>> pointer_of("lines[3].hts")
    '/lines/3/hts'
    >>> pointer_of("origin", line=0, raw={"lines": [{"hts": "1"}], "origin": "XX"})
    '/origin'
    >>> pointer_of("hts", line=0, raw={"lines": [{}]})
    '/lines/0/hts'
    """
    if field in _WHOLE:
        parts = []
    elif field in (aliases or {}) or not any(mark in field for mark in "[."):
        parts = [field]
    else:
        parts = [name or number for name, number in _PLACE.findall(field)]
    names = (field, *(aliases or {}).get(field, ()))
    if isinstance(raw, Mapping) and isinstance(raw.get("lines"), list):
        if line is not None and parts[:1] != ["lines"]:
            own = raw["lines"][line] if line < len(raw["lines"]) else None
            inside = next((name for name in names if isinstance(own, Mapping) and name in own), None)
            above = next((name for name in names if name in raw), None)
            parts = [above] if inside is None and above is not None else ["lines", str(line), *([inside or field] if parts else [])]
    elif isinstance(raw, Mapping) and parts == [field]:
        parts = [next((name for name in names if name in raw), field)]
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)


def errors_of(problem: Problem, **where: Any) -> list[dict[str, Any]]:
    """Return a problem, and those told with it, as the errors of a refusal."""
    return [
        {"pointer": pointer_of(one.field, **where), "code": one.code, "detail": one.message, "fix": one.fix}
        for one in (problem, *problem.also)
    ]


def refusal_of(problem: Problem, *, status: int | None = None, **where: Any) -> Refusal:
    """Return a problem of the engine as a refusal."""
    errors = errors_of(problem, **where)
    code = problem.code if problem.code in catalogue() else "unprocessable"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal(code, f"{problem.message}{more}", errors=errors, status=status)


def allowed_parameters(sent: Iterable[str], known: Iterable[str]) -> None:
    """Refuse query parameters that the endpoint does not have, or that stand twice. Raises Refusal."""
    if isinstance(sent, QueryParams):
        names = [name for name, _ in sent.multi_items()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise Refusal("bad_parameter", f"the query parameter {twice[:60]!r} stands twice", fix="send it once")
    allowed = set(known)
    for name in sent:
        if name not in allowed:
            shown = ", ".join(sorted(allowed)) or "none"
            raise Refusal("unknown_parameter", f"there is no query parameter {name[:60]!r} here", fix=f"known here: {shown}")


def page(code: str) -> Response:
    """Return the page of a kind of problem, for people who follow its type."""
    kind = catalogue().get(code)
    if kind is None:
        return Refusal("not_found", "there is no such kind of problem").response()
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(kind.title)}</title>"
        f"<h1>{escape(kind.title)}</h1><p><code>{escape(kind.code)}</code>, HTTP status {kind.status}</p><p>{escape(kind.means)}</p>"
    )
    return Response(text, media_type="text/html")
