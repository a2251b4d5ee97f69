"""The audit of filed entries as one HTML page that needs nothing beside itself: for a mail, a file, or paper. Every value is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tariff_service.paper import money, plural
from tariff_service.show_filed import amount_words, cited, refund_words, window_words, words

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  other forms of the report need none

    found = Environment(
        loader=PackageLoader("tariff_service", "reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters.update(money=money, words=words, cited=cited, amount=amount_words, refund=refund_words, window=window_words)
    found.globals.update(plural=plural)
    return found


def html(report: Mapping[str, Any]) -> str:
    """Return the audit as a page."""
    found = [line for line in report["lines"] if line["findings"]]
    actions = {one["action"]: one for line in found for one in line["findings"] if one["cause"] == "refund_action"}
    return _templates().get_template("audit_filed.html").render(report=report, found=found, actions=actions)
