"""The commands of an author of law: `tariff rules copy`, `new`, `preview`, `merge`."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from tariff_engine.problems import ProblemError, RulebookError, refuse
from tariff_service.guard import BAD_INPUT, FAILED, OK, Json, Rules, examples, guarded, read_day

Paths = Annotated[list[Path], typer.Argument(metavar="DRAFT...", help="The folder of a draft, or its files.", show_default=False)]
Many = list[str] | None
_PROMPTS = {
    "title": "Title of the program (authority, goods, first day)",
    "files_as": "Class under which it is filed (a word of filing.yaml)",
    "heading": "Heading of chapter 99",
    "rate": "Rate, such as 25%",
    "act_title": "What the act does, in a few words",
    "act_cite": "Where the act stands",
}


def register(app: typer.Typer) -> None:
    """Add the commands to `tariff rules`."""
    app.command(epilog=examples("tariff rules copy my-rules", "tariff rules copy less --without s201-quartz"))(copy)
    app.command(
        epilog=examples(
            "tariff rules new s201-quartz --into draft --files-as s201 --heading HEADING --rate 25% --from YYYY-MM-DD --code 6810990020",
            "tariff rules new s232-toys --into draft",
            "tariff rules check my-rules --draft draft",
        )
    )(new)
    app.command(
        epilog=examples(
            "tariff rules preview draft",
            "tariff rules preview draft --lines lines.csv --rules my-rules",
            "tariff rules preview quartz.yaml s201_quartz.csv instruments.yaml --json",
        )
    )(preview)
    app.command(epilog=examples("tariff rules merge draft my-rules"))(merge)


@guarded
def copy(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="PROGRAM", help="Leave a program out, with what it alone names. May be repeated."),
    ] = None,
    rules: Rules = None,
    as_json: Json = None,
) -> int:
    """Copy the law book into a new folder, to read, to change, or to see what would be without a program."""
    from tariff_service.audit_options import tell  # noqa: PLC0415  `--help` needs none of it
    from tariff_service.lacking import take_out  # noqa: PLC0415
    from tariff_service.law_cache import rule_files  # noqa: PLC0415
    from tariff_service.rulebook import open_book, rules_root  # noqa: PLC0415

    root = rules_root(rules)
    try:
        folder.mkdir(parents=True)
        for name, file in rule_files(root):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read_bytes())
    except FileExistsError:
        raise refuse("file_exists", "DIR", f"there is already {folder}", "name a new folder") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refuse("file_unwritable", "DIR", f"{str(folder)[:200]} cannot be written: {reason}", "name another folder") from None
    try:
        changed = {name: take_out(folder, open_book(folder), name) for name in without or ()}
        if changed:
            open_book(folder)
    except (ProblemError, RulebookError):
        shutil.rmtree(folder, ignore_errors=True)  # ours: it was made above
        raise
    lines = [f"copied the law book into {folder}"]
    lines += [f"without {name}: {', '.join(files)}" for name, files in changed.items()]
    tell({"folder": str(folder), "without": changed}, lines, as_json)
    return OK


@guarded
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the program, such as s201-quartz.", show_default=False)],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The folder of the draft.", show_default=False)],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The authority, the goods, the first day.")] = "",
    files_as: Annotated[str, typer.Option("--files-as", metavar="CLASS", help="The class of filing.yaml under which it is filed.")] = "",
    heading: Annotated[Many, typer.Option("--heading", metavar="HEADING", help="A heading of chapter 99. May be repeated.")] = None,
    rate: Annotated[str, typer.Option("--rate", metavar="RATE", help="The additional duty, such as 25%.")] = "",
    start: Annotated[date | None, typer.Option("--from", metavar="DATE", parser=read_day, help="The first day of entry.")] = None,
    until: Annotated[
        date | None, typer.Option("--until", metavar="DATE", parser=read_day, help="The first day on which it is over.")
    ] = None,
    origin: Annotated[Many, typer.Option("--origin", metavar="XX", help="An origin that pays. May be repeated.")] = None,
    but: Annotated[Many, typer.Option("--not-origin", metavar="XX", help="An origin that does not pay. May be repeated.")] = None,
    code: Annotated[Many, typer.Option("--code", metavar="DIGITS", help="A number of the list of products. May be repeated.")] = None,
    cite: Annotated[str, typer.Option("--cite", metavar="TEXT", help="Where the rate and the list are told.")] = "",
    act: Annotated[str, typer.Option("--act", metavar="NAME", help="The name of the act, such as proc-11051.")] = "",
    act_title: Annotated[str, typer.Option("--act-title", metavar="TEXT", help="What the act does.")] = "",
    act_cite: Annotated[str, typer.Option("--act-cite", metavar="TEXT", help="Where the act stands.")] = "",
    signed: Annotated[
        date | None, typer.Option("--signed", metavar="DATE", parser=read_day, help="The day on which it was signed.")
    ] = None,
    published: Annotated[
        date | None,
        typer.Option(
            "--published", metavar="DATE", parser=read_day, help="The day on which it became known; else that on which it was signed."
        ),
    ] = None,
    printed_in: Annotated[str, typer.Option("--printed-in", metavar="EDITION", help="The edition that prints the headings.")] = "",
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask for what no option says, where a person sits at the terminal.")] = True,
    rules: Rules = None,
    as_json: Json = None,
) -> int:
    """Write the draft of a program: its rules, its list, its act, its headings. What nobody said is marked TODO, and `rules check` asks for it."""
    from tariff_service.audit_options import tell  # noqa: PLC0415  `--help` needs none of it
    from tariff_service.rulebook import open_book  # noqa: PLC0415
    from tariff_service.scaffold import Wanted, scaffold, stand_ins, write_draft  # noqa: PLC0415

    said = {
        "title": title,
        "files_as": files_as,
        "heading": (heading or [""])[0],
        "rate": rate,
        "act_title": act_title,
        "act_cite": act_cite,
    }
    if ask and sys.stdin.isatty() and sys.stdout.isatty():
        said = {key: value or typer.prompt(_PROMPTS[key], default="", show_default=False).strip() for key, value in said.items()}
    wanted = Wanted(
        name,
        title=said["title"],
        files_as=said["files_as"],
        headings=tuple(heading or filter(None, [said["heading"]])),
        rate=said["rate"],
        start=start,
        until=until,
        origins=tuple(origin or ()),
        but=tuple(but or ()),
        codes=tuple(code or ()),
        cite=cite,
        act=act,
        act_title=said["act_title"],
        act_cite=said["act_cite"],
        signed=signed,
        published=published,
        printed_in=printed_in,
    )
    paths = write_draft(into, scaffold(wanted, stand_ins(open_book(rules))))
    assumed = {} if signed is None or published is not None else {"published": signed.isoformat()}
    lines = [f"wrote {path}" for path in paths]
    if signed is not None and assumed:
        lines.append(f"taken for granted: the act became known on {signed}, when it was signed; else name the day with --published")
    lines.append(f"next: tariff rules check --draft {into}")
    tell({"files": [str(path) for path in paths], "assumed": assumed}, lines, as_json)
    return OK


@guarded
def preview(
    draft: Paths,
    lines: Annotated[str | None, typer.Option("--lines", metavar="FILE", help="Lines of your own: CSV, JSONL, Excel, or - .")] = None,
    out: Annotated[list[Path] | None, typer.Option("--out", metavar="FILE", help="Write your lines that change into a new file.")] = None,
    largest: Annotated[int, typer.Option("--largest", metavar="N", min=0, max=10_000, help="So many of the largest differences.")] = 20,
    rules: Rules = None,
    as_json: Json = None,
) -> int:
    """Show what a draft would do before it is merged: its examples by both laws, the examples of the book that it changes, and your lines."""
    from tariff_engine.notation.check import check  # noqa: PLC0415  `--help` needs none of it
    from tariff_service.drafts import drafted, read_draft  # noqa: PLC0415
    from tariff_service.impact import Impact, report  # noqa: PLC0415
    from tariff_service.impact_cli import lines_of, run_impact  # noqa: PLC0415
    from tariff_service.law_diff import diff_data  # noqa: PLC0415
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.preview import book_examples, drafted_programs, own_examples  # noqa: PLC0415
    from tariff_service.rulebook import open_book, open_engine, rules_root  # noqa: PLC0415

    with drafted(rules_root(rules), read_draft(draft)) as folder:
        old, new_ = open_book(rules), open_book(folder)
        problems = check(folder).problems
        laws = open_engine(rules).at(), open_engine(folder).at()
        programs = drafted_programs(old, new_)
        names = ("the book", "the book with the draft")
        work = Impact(*laws, largest=largest)
        for _ in work.run(book_examples(old, programs)):
            pass
        found: dict[str, Any] = {
            "programs": sorted(programs),
            "problems": list(problems),
            "diff": diff_data(old, new_),
            "examples": own_examples(new_, programs, *laws),
            "book_examples": report(work, names, None),
            "lines": None,
        }
        failed = False
        if lines is not None:
            with lines_of(lines, *laws) as sent:
                found["lines"], failed = run_impact(laws, names, sent, out or (), every=False, largest=largest, known_on=None)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_preview import show_preview  # noqa: PLC0415

        show_preview(Paper(console()), found)
    if failed:
        return FAILED
    return BAD_INPUT if problems or any(one["differs"] for one in found["examples"]) else OK


@guarded
def merge(
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="The folder of a draft.", show_default=False)],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of rules of your own.", show_default=False)],
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Merge although the check finds problems.")] = False,
    as_json: Json = None,
) -> int:
    """Write a draft into a folder of rules, once the book with it is in order."""
    from tariff_engine.notation.check import check  # noqa: PLC0415  `--help` needs none of it
    from tariff_service.audit_options import tell  # noqa: PLC0415
    from tariff_service.drafts import drafted, read_draft  # noqa: PLC0415
    from tariff_service.drafts import merge as merge_files  # noqa: PLC0415
    from tariff_service.rulebook import rules_root  # noqa: PLC0415

    texts = read_draft([draft])
    root = rules_root(folder)
    problems: tuple[str, ...] = ()
    if not unfinished:
        with drafted(root, texts) as whole:
            problems = check(whole).problems
    if problems:
        message = f"the book with the draft has {len(problems):,} problems, the first: {problems[0][:300]}"
        raise refuse("draft_unfinished", "DRAFT", message, f"tariff rules check {folder} --draft {draft}")
    written = merge_files(folder, texts)
    tell({"written": written}, [f"wrote {folder / name}" for name in written], as_json)
    return OK
