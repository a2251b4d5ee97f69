"""Inputs made to break, blind or slow down the service, sent to the whole application over a real socket."""

from __future__ import annotations

import gzip
import importlib
import inspect
import itertools
import json
import pkgutil
import re
import sqlite3
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.service.security.raw import LINE, Raw, body, status

import tariff_engine
import tariff_service

# Errors of the caller; a 5xx would be a fault of ours, a 2xx would be taking nonsense.
REFUSED = range(400, 500)


def _line(**more: Any) -> bytes:
    return json.dumps({**LINE, **more}).encode()


def _with(name: bytes, value: bytes) -> bytes:
    """Return a line with a member as it was written, whether or not it is JSON."""
    return _line()[:-1] + b"," + b'"%b":%b}' % (name, value)


# ---------------------------------------------------------------- bodies
BODIES = {
    "nested lists": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested without an end": b"[" * 1_000_000,
    "nested within the size of a fact": _with(b"claims", b"[" * 61 + b"]" * 61),
    "a million digits": _with(b"quantity", b"9" * 1_000_000),
    "a million digits after the point": _with(b"quantity", b"0." + b"9" * 1_000_000),
    "a huge exponent": _with(b"quantity", b"1e999999999"),
    "a huge exponent as text": _line(value="1e999999999"),
    "a tiny exponent": _line(value="1e-999999999"),
    "an exponent as value": json.dumps(LINE).replace('"1000"', "1e999999").encode(),
    "a million digits as text": _line(value="9" * 1_000_000),
    "not a number": _with(b"quantity", b"NaN"),
    "infinity": _with(b"quantity", b"-Infinity"),
    "another alphabet of digits": _line(value="\u0661\u0662"),
    "a NUL": _line(origin="V\0N"),
    "a bare NUL": _line() + b"\0",
    "half a character": _with(b"description", b'"\\ud800"'),
    "half a character as key": _with(b"\\udfff", b"1"),
    "no UTF-8": _with(b"description", b'"\xff\xfe"'),
    "an overlong form": _with(b"description", b'"\xc0\xaf"'),
    "UTF-16": json.dumps(LINE).encode("utf-16"),
    "ten thousand unknown facts": json.dumps({**LINE, **{f"fact{number}": 1 for number in range(10_000)}}).encode(),
    "a hundred thousand keys of one hash": b"{" + b",".join(b'"%d":1' % (number * (2**61 - 1)) for number in range(100_000)) + b"}",
    "one key ten thousand times": b"{" + b",".join([b'"hts":"1"'] * 10_000) + b"}",
    "a hundred thousand lines": json.dumps({"lines": [{}] * 100_000}).encode(),
    "lines in lines": json.dumps({**LINE, "lines": [{"lines": [{"lines": []}]}]}).encode(),
    "two values": _line() + _line(),
    "a prototype": _with(b"__proto__", b'{"admin":true}'),
    "a class": _with(b"__class__", b'"x"'),
    "a YAML tag": b"!!python/object/apply:os.system ['true']",
    "a pickle": b"cos\nsystem\n(S'true'\ntR.",
    "an XML entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "only spaces": b" " * 9_000_000,
    "a long heading": _line(hts="9" * 100_000),
    "a long origin": _line(origin="V" * 1_000_000),
    "a list as heading": _line(hts=[["6109"]]),
    "a long fact name": _with(b"f" * 1_000_000, b"1"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_at_once(raw: Raw, name: str) -> None:
    began = raw.worked
    answer = raw.post(BODIES[name])
    assert raw.worked - began < 5
    assert status(answer) in REFUSED, body(answer)
    assert body(answer)["code"] != "unprocessable" or body(answer)["detail"]
    assert len(answer) < 3_000_000


def test_what_is_told_of_a_hostile_body_is_short(raw: Raw) -> None:
    """An answer many times as long as the question would serve an attacker."""
    for name in ("a long fact name", "a long heading", "a long origin", "a million digits as text", "one key ten thousand times"):
        assert len(raw.post(BODIES[name])) < 5_000, name


def test_a_compressed_body_is_never_unpacked(raw: Raw) -> None:
    """A kilobyte of it would be a megabyte: nothing here unpacks what a client packed."""
    bomb = gzip.compress(gzip.compress(b" " * 100_000_000))
    before = raw.memory
    for coding in (b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip"):
        answer = raw.post(bomb, b"Content-Encoding: " + coding)
        assert status(answer) in {400, 415}
    assert raw.memory - before < 20


@pytest.mark.parametrize(
    "kind", [b"", b"text/plain", b"application/xml", b"application/json; charset=utf-16", b"multipart/form-data; boundary=x", b"\xff"]
)
def test_a_body_of_another_type_is_refused(raw: Raw, kind: bytes) -> None:
    """Also those that a form of another site could send without being asked for leave."""
    answer = raw.send("POST", b"/v1/assessments", (b"Content-Type: " + kind,) if kind else (), _line())
    assert status(answer) == 415


def test_the_server_is_well_after_all_of_this(raw: Raw) -> None:
    for content in BODIES.values():
        raw.post(content)
    before = raw.memory
    for content in BODIES.values():
        raw.post(content)
    assert raw.memory - before < 40
    began = raw.worked
    assert status(raw.post(_line())) == 201
    assert raw.worked - began < 2


# ---------------------------------------------------------------- addresses, parameters, headers
INJECTIONS = [
    "' OR '1'='1",
    "1; DROP TABLE records; --",
    "' UNION SELECT secret_sha256 FROM api_keys --",
    '"; SELECT pg_sleep(10); --',
    "%' ESCAPE '",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "....//....//etc/passwd",
    "file:///etc/passwd",
    "{{7*7}}",
    "${7*7}",
    "<script>alert(1)</script>",
    "%{7*7}#{7*7}",
    "{0.__class__}",
    "\0",
    "a\0.json",
    "a\r\nSet-Cookie: x=1",
    "\ud7ff\u202e\U0001f4a9",
    "-1",
    "9" * 400,
    "a" * 5_000,
    "*",
    "%",
    "_",
    ".",
    "CON",
]
BYTES = [
    b"%FF%FE",
    b"%C0%AE%C0%AE/",
    b"%ED%A0%80",
    b"%00",
    b"%0d%0aSet-Cookie:%20x=1",
    b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    b"%252e%252e%252f",
    b"%",
]
SPOKEN = re.compile(rb"root:x:|\b49\b|Traceback|sqlite|psycopg|SELECT|site-packages|<class", re.IGNORECASE)


def _routes(client: TestClient) -> list[tuple[str, str]]:
    app: Any = client.app
    found = [
        (route.path, method)
        for route in app.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]
    nested = [(path, method.upper()) for path, methods in client.get("/openapi.json").json()["paths"].items() for method in methods]
    return sorted({*found, *nested})


def _checked(answer: bytes, sent: bytes) -> None:
    """See that an answer is a refusal that tells nothing of the inside, or a plain yes."""
    head, _, content = answer.partition(b"\r\n\r\n")
    assert status(answer) < 500 or body(answer)["code"] in {"store_busy", "overloaded"}, (sent, answer[:600])
    assert b"set-cookie" not in head.lower(), sent
    told = content.replace(sent, b"")
    assert status(answer) == 200 or not SPOKEN.search(told.replace(b'"detail"', b"")) or SPOKEN.search(sent), (sent, content[:600])
    assert status(answer) == 200 or b"text/html" not in head, "what was sent is never shown as a page"


def test_no_path_parameter_reaches_a_file_a_query_or_a_template(raw: Raw, whole: TestClient) -> None:
    tried = 0
    for path, method in _routes(whole):
        names = re.findall(r"\{(\w+)(?::\w+)?\}", path)
        for name in names:
            for value in [*(quote(one, safe="").encode() for one in INJECTIONS), *(quote(one).encode() for one in INJECTIONS[5:9]), *BYTES]:
                target = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found, name=name: "\x01" if found[1] == name else "x", path).encode()  # type: ignore[misc]
                answer = raw.send(
                    method, target.replace(b"\x01", value), (b"Content-Type: application/json",), b"{}" if method == "POST" else None
                )
                assert status(answer) in REFUSED, (method, target, value, answer[:300])
                _checked(answer, value)
                tried += 1
    assert tried > 150


def test_no_query_parameter_reaches_a_query_or_a_template(raw: Raw, whole: TestClient) -> None:
    paths = whole.get("/openapi.json").json()["paths"]
    tried = 0
    for path, methods in paths.items():
        for method, operation in methods.items():
            names = [one["name"] for one in operation.get("parameters", ()) if one.get("in") == "query"]
            target = re.sub(r"\{\w+\}", "x", path).encode()
            for name in [*names, "unknown"]:
                for value in [*(quote(one, safe="").encode() for one in INJECTIONS), *BYTES]:
                    sent = target + b"?" + name.encode() + b"=" + value
                    content = _line() if method == "post" else None
                    _checked(raw.send(method.upper(), sent, (b"Content-Type: application/json",), content), value)
                    tried += 1
    assert tried > 300


def test_filters_are_values_and_never_a_query(raw: Raw) -> None:
    assert status(raw.post(_line())) == 201
    for value in INJECTIONS:
        for name in ("entry_id", "rulebook", "caller"):
            answer = raw.send("GET", f"/v1/assessments?{name}={quote(value, safe='')}".encode())
            assert status(answer) in REFUSED or body(answer)["items"] == [], (name, value)


def test_a_problem_page_shows_what_is_in_the_catalogue_and_nothing_else(raw: Raw) -> None:
    for value in INJECTIONS:
        answer = raw.send("GET", b"/problems/" + quote(value, safe="").encode())
        assert status(answer) == 404
        assert b"application/problem+json" in answer
        assert b"<script" not in answer
    assert b"default-src 'none'" in raw.send("GET", b"/problems/not_found")


@pytest.mark.parametrize(
    "name", [b"X-Request-Id", b"Idempotency-Key", b"If-None-Match", b"Accept", b"Content-Type", b"User-Agent", b"X-Forwarded-Host"]
)
@pytest.mark.parametrize(
    "value",
    [
        b"a\tb",
        b"\xff\xfe",
        b"a%0d%0aSet-Cookie:%20x=1",
        b"x" * 5_000,
        b"'; DROP TABLE records; --",
        b"{{7*7}}",
        b"<script>",
        b"a, b",
        b"",
        b"*",
        b"\xe2\x80\xa8",
    ],
)
def test_a_header_never_becomes_two(raw: Raw, name: bytes, value: bytes) -> None:
    """Nor a query, nor a header of the answer, unless it is sane."""
    headers = [name + b": " + value]
    if name != b"Content-Type":
        headers.append(b"Content-Type: application/json")
    answer = raw.send("POST", b"/v1/assessments", headers, _line())
    assert status(answer) < 500
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"set-cookie" not in head
    assert head.count(b"x-request-id:") <= 1
    assert value == b"" or len(value) < 3 or value.lower() not in head


def test_line_ends_in_a_header_are_no_header(raw: Raw) -> None:
    for end in (b"\r", b"\n", b"\x00", b"\x0b"):
        answer = raw.post(_line(), b"Idempotency-Key: a" + end + b"b")
        assert status(answer) == 400, end


def test_the_place_of_a_new_record_is_ours(raw: Raw) -> None:
    """No header that a client sends moves a link to another host."""
    answer = raw.talk(
        b"POST /v1/assessments HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: evil\r\nForwarded: host=evil.example"
        b"\r\nX-Original-URL: /evil\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (len(_line()), _line())
    )
    assert status(answer) == 201
    assert b"\r\nlocation: /v1/assessments/asm_" in answer.lower()
    assert b"evil" not in answer


# ---------------------------------------------------------------- expressions
def _patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Yield every expression of the packages, with its name and whether it is looked for anywhere in a text."""
    for package in (tariff_engine, tariff_service):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations" in module.name or module.name.endswith("__main__"):
                continue
            loaded = importlib.import_module(module.name)
            source = inspect.getsource(loaded)
            for name, value in vars(loaded).items():
                for one in value if isinstance(value, (tuple, list)) else (value,):
                    for pattern in one if isinstance(one, tuple) else (one,):
                        if isinstance(pattern, re.Pattern):
                            single = isinstance(value, re.Pattern)
                            anywhere = not single or re.search(rf"\b{name}\.(?:search|sub|subn|split|findall|finditer)\b", source)
                            yield f"{module.name}.{name}", pattern, bool(anywhere)


def test_no_expression_takes_long_on_any_text() -> None:
    """Each is tried on long runs of what it is made of; time that grows with the square of the length would be seconds here."""
    pieces = [
        "a",
        "1",
        " ",
        "\t",
        '"',
        "\\",
        "[",
        "-",
        ".",
        "/",
        "%",
        "{",
        '"id"',
        '"id" ',
        '"id":"',
        '"id":"\\',
        '"id":1',
        "1 1",
        "1.",
        "99",
        "\\u",
        "tk_",
        "A ",
        "a.",
        "$1",
        "over",
    ]
    slow: list[str] = []
    tried = set()
    for name, pattern, anywhere in _patterns():
        if (pattern, anywhere) in tried:
            continue
        tried.add((pattern, anywhere))
        for piece, length in itertools.product(pieces, (26, 2_000, 20_000)):  # a short one first: what explodes there would never end
            text: Any = piece * (length // len(piece)) + "\n!"
            text = text.encode() if isinstance(pattern.pattern, bytes) else text
            began = time.process_time()
            pattern.fullmatch(text)
            pattern.match(text)
            if anywhere:
                pattern.search(text)
            if time.process_time() - began > 0.3:
                slow.append(f"{name} on {piece!r}: {pattern.pattern!r}")
                break
    assert len(tried) > 20
    assert slow == []


# ---------------------------------------------------------------- the store
def test_the_store_is_whole_after_every_test_of_this_file(whole: TestClient) -> None:
    app: Any = whole.app
    for value in INJECTIONS:
        whole.get("/v1/assessments", params={"entry_id": value})
        whole.post("/v1/assessments", json=LINE, headers={"Idempotency-Key": quote(value)[:200]})
    connection = sqlite3.connect(app.state.service.store.name)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM records").fetchone()[0] > 0
    finally:
        connection.close()
