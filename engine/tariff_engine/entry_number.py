"""Entry numbers: the filer's three characters, seven digits, and the check digit over both (ACE CATAIR, entry summary, table 1)."""

from __future__ import annotations

import re
from typing import Any

from tariff_engine.problems import refuse

_FORM = re.compile(r"([0-9A-Z]{3})-?([0-9]{7})-?([0-9])\Z")
_BASE = 10
_SECOND_ROUND = "S"  # letters count 1 to 9 in three rounds; the third begins at 2
_LIKE = "such as ABC-1234567-6, with its leading zeros"


def check_digit(base: str) -> int:
    """Return the check digit of filer code and sequence, ten characters without dashes: every second one counts double, modulo ten.

    >>> check_digit("ABC1234567")
    6
    """
    total = 0
    for place, char in enumerate(base):
        digit = int(char) if char.isdigit() else _letter(char)
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004  the sum of the digits of a number below twenty
    return -total % _BASE


def _letter(char: str) -> int:
    return (ord(char) - ord("A")) % 9 + 1 if char < _SECOND_ROUND else ord(char) - ord(_SECOND_ROUND) + 2


def read_entry_number(value: Any, field: str = "entry_number") -> str:
    """Return an entry number as it is printed, with dashes. Raises ProblemError: another form, or a check digit that does not fit.

    >>> read_entry_number("abc12345676")
    'ABC-1234567-6'
    """
    text = value.strip().upper() if isinstance(value, str) and len(value) <= 40 else ""  # noqa: PLR2004
    found = _FORM.match(text) if text.isascii() else None
    if found is None:
        shown = repr(value)[:60]
        message = f"{shown} is no entry number: three characters of the filer, seven digits, and a check digit"
        raise refuse("entry_number_form", field, message, f"send it as text {_LIKE}")
    filer, sequence, digit = found.groups()
    right = check_digit(filer + sequence)
    if int(digit) != right:
        message = f"the check digit of {filer}-{sequence}-{digit} does not fit: of {filer}-{sequence} it is {right}"
        raise refuse("entry_number_check_digit", field, message, "compare it with the entry summary")
    return f"{filer}-{sequence}-{digit}"
