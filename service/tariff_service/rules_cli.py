"""The commands `tariff rules ...`: list the law book, tell the life of a provision, check a folder of rules, look up a fact."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from tariff_service import rules_author_cli, rules_diff_cli
from tariff_service.guard import FAILED, OK, Json, KnownOn, Rules, examples, guarded, read_day

rules_app = typer.Typer(
    help="Read the law book: its programs, the life of a provision, the dictionary of facts.",
    epilog=examples(
        "tariff rules list --program ieepa-canada",
        "tariff rules show HEADING --on YYYY-MM-DD",
        "tariff rules facts",
        "tariff rules coverage --missing",
        "tariff rules boundaries --program NAME",
        "tariff rules check DIR",
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@rules_app.command("list", epilog=examples("tariff rules list", "tariff rules list --program s301-china", "tariff rules list --json"))
@guarded
def list_(
    program: Annotated[str | None, typer.Option("--program", metavar="NAME", help="Only this program.")] = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """List the provisions of the law book, program by program."""
    from tariff_service.lives import list_provisions  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415

    found = list_provisions(open_book(rules), program)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_rules import show_list  # noqa: PLC0415

        show_list(Paper(console()), found)
    return OK


@rules_app.command(
    epilog=examples(
        "tariff rules show HEADING", "tariff rules show HEADING --on YYYY-MM-DD", "tariff rules show HEADING --known-on YYYY-MM-DD --json"
    )
)
@guarded
def show(
    heading: Annotated[str, typer.Argument(metavar="HEADING", help="A heading of chapter 99, with or without dots, or family:NAME.")],
    on: Annotated[date | None, typer.Option("--on", metavar="DATE", parser=read_day, help="Also say what is in force on this day.")] = None,
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Tell the life of a provision: its conditions, every dated step with its act, exceptions, relations, lists."""
    from tariff_service.lives import life  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415

    found = life(open_book(rules), heading, on, known_on)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_rules import show_life  # noqa: PLC0415

        show_life(Paper(console()), found)
    return OK


@rules_app.command(epilog=examples("tariff rules facts", "tariff rules facts melt_pour_country", "tariff rules facts --json"))
@guarded
def facts(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this fact, by its name or another name of it.")] = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Show the dictionary: every fact that a line or an entry can state, what it means and what is taken when it is left out."""
    from tariff_service.explaining import not_found  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_engine  # noqa: PLC0415

    specs = open_engine(rules).at().law.facts
    chosen = [spec for spec in specs.values() if name is None or name in {spec.name, *spec.aliases}]
    if not chosen:
        names = [word for spec in specs.values() for word in (spec.name, *spec.aliases)]
        raise not_found("unknown_fact", "NAME", name or "", names, "`tariff rules facts` lists every name")
    found: list[dict[str, Any]] = [asdict(spec) for spec in chosen]
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_rules import show_facts  # noqa: PLC0415

        show_facts(Paper(console()), found, one=name is not None)
    return OK


@rules_app.command(
    "coverage",
    epilog=examples(
        "tariff rules coverage",
        "tariff rules coverage --missing",
        "tariff rules coverage chapter99.txt",
        "tariff rules coverage hts-export.csv --exit-code --json",
    ),
)
@guarded
def coverage_(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT", help="An official text of chapter 99, or an export (CSV, JSON); - is standard input.", show_default=False
        ),
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only the headings that no program holds, each with its reason.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 3 where the text says what the book does not.")] = False,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Account for every heading 9903 of the official chapter 99: in which program it is, or why it is in none.

    With a text: which headings it prints that are new to the book, which are gone, and whose rates or days the book does not say.
    """
    from tariff_service.covering import coverage_map  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415

    if text is not None:
        return _beside(text, rules, exit_code=exit_code, as_json=as_json)
    found = coverage_map(open_book(rules))
    if missing:
        found = {**found, **{name: [one for one in found[name] if not one["programs"]] for name in ("spans", "headings")}}
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_coverage import show_coverage  # noqa: PLC0415

        show_coverage(Paper(console()), found)
    return FAILED if found["counts"]["unaccounted"] else OK


def _beside(text: str, rules: Path | None, *, exit_code: bool, as_json: bool | None) -> int:
    from tariff_engine.printed_text import MAX_TEXT, read_printed  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.covering_text import beside_text  # noqa: PLC0415
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.reading import read_source  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415

    found = beside_text(open_book(rules), read_printed(read_source(text, MAX_TEXT).data))
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_coverage import show_text  # noqa: PLC0415

        show_text(Paper(console()), found)
    return rules_diff_cli.DIFFERENT if exit_code and any(found[name] for name in ("new", "gone", "changed")) else OK


@rules_app.command(
    epilog=examples(
        "tariff rules boundaries --program s232-wood", "tariff rules boundaries --kind threshold", "tariff rules boundaries --json"
    )
)
@guarded
def boundaries(
    program: Annotated[str | None, typer.Option("--program", metavar="NAME", help="Only what this program draws.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="Only this kind; may be given several times.")] = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Tell every date, threshold, list edge and fact at which an answer can change."""
    from tariff_service.bounding import boundary_map, show_boundaries  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_book, open_engine  # noqa: PLC0415

    found = boundary_map(open_book(rules), open_engine(rules).at().law, program, kind or ())
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415

        show_boundaries(Paper(console()), found)
    return OK


@rules_app.command(
    epilog=examples(
        "tariff rules check",
        "tariff rules check my-rules",
        "tariff rules check my-rules --draft draft",
        "tariff rules check my-rules --short --json",
    )
)
@guarded
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A folder of rules; without it the installed one.")] = None,
    draft: Annotated[Path | None, typer.Option("--draft", metavar="DRAFT", help="Check the book with this draft merged into it.")] = None,
    short: Annotated[bool, typer.Option("--short", help="One line a problem, without the line at fault, the why and an example.")] = False,
    as_json: Json = None,
) -> int:
    """Check a folder of rules, and explain each problem: what, where, why it matters, how to mend it, an example.

    Grammar, names, dates, sources, lists, order, what is still marked TODO, and the examples that the rule files hold.
    """
    from contextlib import nullcontext  # noqa: PLC0415  `--help` needs no engine

    from tariff_engine.notation.check import check as check_rules  # noqa: PLC0415
    from tariff_service.drafts import drafted, read_draft  # noqa: PLC0415
    from tariff_service.law_cache import rule_files  # noqa: PLC0415
    from tariff_service.output import clean, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import rules_root  # noqa: PLC0415
    from tariff_service.teaching import explained, in_draft, lines_of  # noqa: PLC0415

    root = rules_root(folder)
    own = {} if draft is None else read_draft([draft])
    with nullcontext(root) if draft is None else drafted(root, own) as whole:
        report = check_rules(whole)
        named = {problem.partition(":")[0] for problem in report.problems}
        texts = {name: file.read_bytes().decode("utf-8", "replace") for name, file in rule_files(whole) if name in named}
    problems = [in_draft(problem, texts, own) for problem in report.problems]
    told = [explained(problem, {**texts, **own}) for problem in problems]
    if wants_json(as_json):
        found: dict[str, Any] = {"ok": not report.problems, "counts": dict(report.counts), "problems": problems}
        write_json(found if short or not told else {**found, "explained": [one.as_dict() for one in told]})
    else:
        taught: set[str] = set()
        for one in told:
            for line in [one.problem] if short else lines_of(one, taught=taught):
                typer.echo(clean(line))
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.counts.items())
        typer.echo(f"{len(report.problems):,} problems in {counts}." if report.problems else f"No problem found in {counts}.")
    return FAILED if report.problems else OK


rules_author_cli.register(rules_app)
rules_diff_cli.register(rules_app)
