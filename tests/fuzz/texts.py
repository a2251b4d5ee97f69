"""Texts that no honest file holds: good ones spoilt, and junk. A reader answers each with its own kind of error, in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

SECONDS = 5.0  # of the processor; a reader that runs away takes minutes
MEGABYTES = 200
SCRAPS = (
    *(
        "",
        "\x00",
        "\ufeff",
        "\ud7ff",
        "\u2028",
        "٣",
        "²",
        "\t",
        "\r",
        "\n\n",
        '"',
        "'",
        "''",
        ",",
        ",,,,",
        ";",
        "|",
        ":",
        ": ",
        "- ",
        "{",
        "}",
    ),
    *(
        "[",
        "]",
        "&a",
        "*a",
        "!!python/object:x",
        "!!binary",
        "<<: *a",
        "%YAML 1.1",
        "---",
        "...",
        "#",
        "?",
        "null",
        "~",
        "NaN",
        "-Infinity",
    ),
    *("1e999999999", "9" * 400, "-1", "0x7f", "0o17", "1_000", "25%", "2500000%", "1/0", "99999-99-99", "2025-02-30", "0000-01-01", "true"),
    *("0101", "99999999999", "[" * 60, "{" * 60, "(" * 60, "a" * 5000, "$1.5/kg", "the rate", "Free (", ")", "%%", "¢/kg", "+ + +"),
)


@st.composite
def spoilt(draw: st.DrawFn, good: str) -> str:
    """A text with up to four places lost, doubled, or replaced by something odd."""
    text = good
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(text)))
        width = draw(st.sampled_from((0, 0, 1, 1, 2, 8, 64)))
        scrap = draw(st.sampled_from(SCRAPS) | st.text(max_size=6))
        text = text[:place] + scrap + text[place + width :]
    return text


def junk() -> st.SearchStrategy[str]:
    """A text of scraps alone."""
    return st.lists(st.sampled_from(SCRAPS) | st.text(max_size=12), max_size=12).map("".join)


def bounded(read: Callable[[], Any], *expected: type[Exception]) -> Any:
    """Run a reader: it answers, or raises one of the errors that it promises, within the bounds. Returns what it raised or answered."""
    began, words = time.process_time(), "said"
    try:
        found = read()
    except expected as error:
        found, words = error, str(error)
    assert words.strip(), "an error without a word"
    assert len(words) < 100_000, "an error as long as what was sent"
    assert time.process_time() - began < SECONDS
    return found


def within_memory(read: Callable[[], Any], *expected: type[Exception]) -> Any:
    """The same, with the memory that it takes bounded too."""
    tracemalloc.start()
    try:
        found = bounded(read, *expected)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 1_000_000
    finally:
        tracemalloc.stop()
    return found
