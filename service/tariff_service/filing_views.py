"""`tariff assess --format`: the views of an entry summary, made from the same answer as every other view."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tariff_engine.entry_number import read_entry_number
from tariff_engine.problems import ProblemError


class View(StrEnum):
    """A view of the entry summary."""

    form_7501 = "7501"
    es003 = "es003"


def write_view(view: View, answer: Mapping[str, Any], raw: object, entry_number: str | None) -> None:
    """Write a view to standard output. Raises ProblemError: a wrong entry number, or an answer of which no entry summary can be made."""
    from tariff_service.entry_summary import entry_summary  # noqa: PLC0415  other ways to ask need none of it

    stated = raw if isinstance(raw, Mapping) and "lines" not in raw else {}
    entry_facts = {name: stated[name] for name in ("mode", "export_country", "export_date") if name in stated}
    number = read_entry_number(entry_number) if entry_number else _number_of(answer["entry"]["id"])
    summary = entry_summary(answer, entry_number=number, stated=entry_facts)
    if view is View.form_7501:
        from tariff_service.form_7501 import form_7501  # noqa: PLC0415

        text = form_7501(summary)
    else:
        from tariff_service.es003 import es003  # noqa: PLC0415

        text = es003(summary)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _number_of(identity: str) -> str:
    """Return the entry's own id where it is an entry number, else nothing."""
    try:
        return read_entry_number(identity)
    except ProblemError:
        return ""
