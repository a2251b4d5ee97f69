"""The error of a broken invariant: what was promised, the line, and the rows of its answer, so that a reader sees it at a glance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_MOST = 2000  # characters of a line that are shown


class InvariantError(AssertionError):
    """An answer breaks a published invariant. `invariant` is its name, `line` what was sent, `rows` the headings of the answer."""

    def __init__(self, invariant: str, what: str, line: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()) -> None:
        """Make the message: the invariant in words, what is wrong, the line and the rows."""
        self.invariant, self.what, self.line, self.rows = invariant, what, dict(line), list(rows)
        sent = json.dumps(self.line, default=str, ensure_ascii=False)[:_MOST]
        shown = [f"  row:  {_row(row)}" for row in self.rows]
        super().__init__("\n".join([f"{invariant.replace('_', ' ')}: {what}", f"  line: {sent}", *shown]))


def _row(row: Mapping[str, Any]) -> str:
    parts = (row.get("heading") or "(no heading)", row.get("program"), row.get("kind"), row.get("rate"))
    return f"{' '.join(str(part) for part in parts)} of {row.get('base_value')} = {row.get('duty')}"
