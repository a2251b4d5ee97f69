"""What an author has left to write: every TODO that still stands in a rule file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tariff_engine.notation.check_places import Places

_MARK = re.compile(r"\bTODO\b:?\s*([^\"#]*)")


def check_unfinished(places: Places) -> Iterator[str]:
    """Yield each TODO with its line: a rule that says so is not finished, however well it reads."""
    for path, text in places.book.files.items():
        if "TODO" in text:
            for number, line in enumerate(text.splitlines(), 1):
                for found in _MARK.finditer(line):
                    task = found[1].strip().rstrip(".") or "somebody was to write this"
                    yield f"{path}:{number}: TODO: not yet written ({task[:120]}); write it from the text of the act, and take the word TODO out"
