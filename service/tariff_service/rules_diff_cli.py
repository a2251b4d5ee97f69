"""The command `tariff rules diff`: what changed from one law book to another, in words."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tariff_service.guard import OK, Json, examples, guarded

DIFFERENT = 3  # the two differ, where --exit-code asks to be told


class DiffForm(StrEnum):
    """How a difference is written."""

    text = "text"
    markdown = "markdown"
    json = "json"


_BOOK = "A folder of rules, a tar archive of one, an id in the audit store, or `installed`."


def register(app: typer.Typer) -> None:
    """Add the command to `tariff rules`."""
    app.command(
        "diff",
        epilog=examples(
            "tariff rules diff installed my-rules",
            "tariff rules diff old-rules.tar.gz installed --format markdown > memo.md",
            "tariff rules diff sha256:4f0c21 sha256:9be77a --store audit.db --json",
        ),
    )(diff)


@guarded
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_BOOK, show_default=False)],
    after: Annotated[str, typer.Argument(metavar="B", help=_BOOK, show_default=False)],
    form: Annotated[DiffForm | None, typer.Option("--format", help="Plain text, Markdown for a memo, or JSON.")] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="The audit store that keeps the rulebooks; without it the user's own.")
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 3 where the two differ.")] = False,
    as_json: Json = None,
) -> int:
    """Tell what changed in the law: programs, provisions, steps, lists, relations and questions, with the acts and the citations."""
    from tariff_service.law_diff import diff_data  # noqa: PLC0415  `--help` needs no reader of rules
    from tariff_service.output import clean, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415
    from tariff_service.rulebook_source import rulebook_folder  # noqa: PLC0415
    from tariff_service.show_law_diff import diff_markdown, diff_text  # noqa: PLC0415

    with rulebook_folder(before, "A", store) as one, rulebook_folder(after, "B", store) as two:
        found = diff_data(open_book(one), open_book(two))
    if form is DiffForm.json or (form is None and wants_json(as_json)):
        write_json(found)
    else:
        text = diff_markdown(found) if form is DiffForm.markdown else diff_text(found)
        typer.echo("\n".join(clean(line) for line in text.splitlines()))
    return DIFFERENT if exit_code and found["changes"] else OK
