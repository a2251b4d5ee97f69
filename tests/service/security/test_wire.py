"""What arrives at a real server that is no decent HTTP: too much, too slow, ambiguous."""

from __future__ import annotations

import socket
import time

import pytest
from tests.service.security.raw import LINE, Raw, body, status

GET = b"GET /problems/not_found HTTP/1.1\r\nHost: localhost\r\n"
LATE = 15.0  # seconds; the server under test has one or two, a client here twenty: between them, so that a busy machine is no failure
POST = b"POST /v1/assessments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def _alive(raw: Raw) -> None:
    """The server answers others at once."""
    began = raw.worked
    assert status(raw.send("GET", b"/problems/not_found")) == 200
    assert raw.worked - began < 2


# ---------------------------------------------------------------- too much
@pytest.mark.parametrize(
    "head",
    [
        GET + b"A: " + b"a" * 70_000 + b"\r\n\r\n",
        GET + b"".join(b"h%d: v\r\n" % number for number in range(101)) + b"\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["one large header", "many headers", "a long address"],
)
def test_a_head_that_is_too_large_is_refused(raw: Raw, head: bytes) -> None:
    answer = raw.talk(head)
    assert status(answer) == 431
    assert body(answer)["code"] == "headers_too_large"
    assert b"nosniff" in answer


@pytest.mark.parametrize("part", [b"a" * 1_000_000, b"b: c\r\n" * 150_000], ids=["one header", "many headers"])
def test_headers_without_end_take_no_memory_and_end_the_connection(raw: Raw, part: bytes) -> None:
    """Uvicorn with httptools alone keeps them all, and takes ever longer to join them."""
    before = raw.memory
    began = raw.worked
    answer = raw.talk(GET + b"A: ", *[part] * 50)
    assert raw.worked - began < 5
    assert answer == b"" or status(answer) == 431
    assert raw.memory - before < 20
    _alive(raw)


def test_a_long_address_within_the_limit_is_answered(raw: Raw) -> None:
    assert status(raw.send("GET", b"/v1/assessments?" + b"a" * 30_000)) == 422
    assert status(raw.send("GET", b"/" + b"a" * 30_000)) == 404
    assert status(raw.send("GET", b"/" + b"%2e%2e%2f" * 3_000)) == 404
    assert status(raw.send("GET", b"/v1/assessments?" + b"&".join(b"a%d=1" % number for number in range(5_000)))) == 422


def test_a_body_of_a_stated_size_beyond_the_limit_is_refused_before_it_is_sent(raw: Raw) -> None:
    answer = raw.talk(POST + b"Content-Length: 99999999999\r\n\r\n")
    assert status(answer) == 413


def test_a_body_of_no_stated_size_is_cut_off_at_the_limit(raw: Raw) -> None:
    before = raw.memory
    chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
    answer = raw.talk(POST + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 40)
    assert answer == b"" or status(answer) == 413
    assert raw.memory - before < 60
    _alive(raw)


# ---------------------------------------------------------------- too slow
def test_a_head_that_does_not_end_holds_no_connection(raw: Raw) -> None:
    began = time.monotonic()
    answer = raw.talk(GET)
    assert time.monotonic() - began < LATE
    assert status(answer) == 408
    assert body(answer)["code"] == "headers_too_slow"


def test_a_connection_that_says_nothing_is_closed(raw: Raw) -> None:
    began = time.monotonic()
    assert raw.talk() == b""
    assert time.monotonic() - began < LATE


def test_a_head_sent_letter_by_letter_holds_no_connection(raw: Raw) -> None:
    """Each letter comes in time; the head does not."""
    began = time.monotonic()
    raw.talk(*[GET[place : place + 1] for place in range(20)], pause=0.1)
    assert time.monotonic() - began < LATE


def test_a_second_request_on_a_connection_has_the_same_time(raw: Raw) -> None:
    answer = raw.talk(GET + b"\r\n" + GET)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"headers_too_slow" in answer


def test_a_body_that_stops_is_given_up(raw: Raw) -> None:
    began = time.monotonic()
    answer = raw.talk(POST + b"Content-Length: 100\r\n\r\n{")
    assert time.monotonic() - began < LATE
    assert (status(answer), body(answer)["code"]) == (408, "body_too_slow")


def test_two_hundred_slow_connections_leave_the_server_to_others(raw: Raw) -> None:
    connections = [socket.create_connection(("127.0.0.1", raw.port), timeout=20) for _ in range(200)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall(GET if number % 2 else POST + b"Content-Length: 100\r\n\r\n{")
        _alive(raw)
        time.sleep(2.5)
        for connection in connections:
            assert connection.recv(9) == b"HTTP/1.1 ", "each was told, none is held"
    finally:
        for connection in connections:
            connection.close()


def test_requests_sent_ahead_of_their_answers_are_bounded(raw: Raw) -> None:
    """Each waits in memory, and a quarter of a megabyte of requests would make fifty of them."""
    assert raw.talk((GET + b"\r\n") * 20 + GET + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 200") == 21
    before = raw.memory
    assert raw.talk((GET + b"\r\n") * 5_000).count(b"HTTP/1.1 200") < 100
    assert raw.memory - before < 20
    _alive(raw)


def test_a_client_that_does_not_read_is_left(raw: Raw) -> None:
    before = raw.memory
    with socket.create_connection(("127.0.0.1", raw.port), timeout=10) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(15)
        with pytest.raises(ConnectionError):
            connection.sendall((GET + b"\r\n") * 200_000)
    assert raw.memory - before < 30
    _alive(raw)


# ---------------------------------------------------------------- ambiguous
@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: 0, 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: +4\r\n\r\nabcd",
        POST + b"Content-Length: 0x4\r\n\r\nabcd",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n4\nabcd\n0\n\n",
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_request_whose_end_is_ambiguous_is_refused_and_nothing_behind_it_is_answered(raw: Raw, request_bytes: bytes) -> None:
    answer = raw.talk(request_bytes)
    assert answer == b"" or status(answer) in {400, 408, 431}
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"smuggled" not in answer
    _alive(raw)


def test_a_request_without_host_or_with_two_addresses_is_refused(raw: Raw) -> None:
    assert status(raw.talk(b"GET /problems/not_found HTTP/1.1\r\nConnection: close\r\n\r\n")) == 421
    assert (
        status(raw.talk(b"GET http://evil.example/problems/not_found HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")) == 421
    )


def test_requests_one_behind_the_other_are_answered_in_order(raw: Raw) -> None:
    content = b'{"hts":"%(hts)s","origin":"%(origin)s","value":"%(value)s","entry_date":"%(entry_date)s"}'
    content %= {name.encode(): value.encode() for name, value in LINE.items()}
    one = POST + b"Content-Length: %d\r\n\r\n" % len(content) + content
    last = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = raw.talk(one + GET + b"\r\n" + last)
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [201, 200, 404]
