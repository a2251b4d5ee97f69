"""Lines that no honest filer sends: every one must come back as a typed problem, or be answered, and never fail otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from tariff_engine.testing.rulebook import Rulebook

try:
    from hypothesis import strategies as st
except ImportError as error:
    message = 'the strategies of tariff_engine.testing need Hypothesis: pip install "tariff-engine[testing]"'
    raise ImportError(message) from error

from tariff_engine.testing.strategies import lines

_LONG: Final = 100_000  # characters; more than any fact may have
_JUNK: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.binary(max_size=8) | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_ODD: Final[tuple[Any, ...]] = (
    "",
    " ",
    "\x00",
    "\ud800",
    "NaN",
    "-Infinity",
    "1e999999999",
    "0" * 50,
    "9" * _LONG,
    "٣",
    "31.02.2025",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "2025-01-01T00:00:00",
    "'; DROP TABLE lines; --",
    -1,
    0,
    10**40,
    -(10**40),
    1.5,
    float("nan"),
    float("inf"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("1E+999999"),
    Decimal("1E-999999"),
    True,
    [],
    {},
    [[[]]],
    ["x"] * 1000,
    {"kg": "1"},
)


def hostile_lines(rulebook: Rulebook | None = None) -> st.SearchStrategy[dict[Any, Any]]:
    """Lines with facts of a wrong type, out of range, unknown, missing, too long, twice under two names, or of no shape at all."""
    return _hostile(rulebook or Rulebook.installed())


@st.composite
def _hostile(draw: st.DrawFn, rulebook: Rulebook) -> dict[Any, Any]:
    line: dict[Any, Any] = dict(draw(lines(rulebook)))
    facts = sorted(rulebook.book.facts)
    aliases = sorted(rulebook.book.aliases)
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from((*facts, *aliases)))
        odd = draw(st.sampled_from(_ODD) | _JUNK)
        match draw(st.integers(0, 5)):
            case 0 | 1:
                line[name] = odd
            case 2:
                line[draw(st.sampled_from(sorted(line, key=str)))] = odd
            case 3:
                line.pop(draw(st.sampled_from(sorted(line, key=str))), None)
                line = line or {"hts": odd}
            case 4:
                line[draw(st.text(max_size=20) | st.integers() | st.just("x" * _LONG))] = odd
            case _:
                line |= {f"fact_{number}": odd for number in range(draw(st.sampled_from((1, 400))))}
    return line
