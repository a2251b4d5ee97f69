"""`tariff prove`: do the engines agree? On how many lines, from which seed, and if not, on which line they differ."""

from __future__ import annotations

import sys
import time
from concurrent.futures.process import BrokenProcessPool
from typing import Annotated, Any

import typer

from tariff_engine.problems import refuse
from tariff_service.guard import FAILED, OK, Json, KnownOn, Rules, examples, guarded

_EVERY = 2.0  # seconds between two words on progress, on a terminal
_SELDOM = 60.0  # and where nobody watches


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "tariff prove",
            "tariff prove --engines compiled,naive --lines 1000000 --jobs 2",
            "tariff prove --engines compiled,durable --lines 100000 --seed 7",
        )
    )(prove)


@guarded
def prove(
    lines: Annotated[
        int, typer.Option("--lines", metavar="N", min=1, help="How many generated lines to hold the engines against.")
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Where the lines follow from: the same seed, the same lines.")] = 1,
    engines: Annotated[
        str | None, typer.Option("--engines", metavar="LIST", help="Of compiled, naive, durable; by default all that are installed.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="How many processes.")] = 2,
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Hold the engines against one another on generated lines: the same headings, duties, verdicts and refusals, or the line on which they differ.

    Exit code 1 where they differ; the line printed then is the smallest found, and can be given to `tariff assess`.
    """
    from tariff_service.proving import Task  # noqa: PLC0415  `--help` needs no engine

    names = _engines(engines)
    task = Task(rules, known_on, names, seed)
    _say(f"{lines:,} lines, engines {', '.join(names)}, seed {seed}, {jobs} {'process' if jobs == 1 else 'processes'}")
    began = time.monotonic()
    try:
        result = _run(task, lines, jobs)
    except BrokenProcessPool:
        result = {"lines": 0, "refused": 0, "conflicts": 0, "difference": "a process of an engine ended before its time", "line": None}
    result = {
        "engines": list(names), "seed": seed, "known_on": known_on.isoformat() if known_on else None, **result,
        "disagreements": int(bool(result["difference"])), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    _tell(result, as_json)
    return FAILED if result["difference"] else OK


def _engines(asked: str | None) -> tuple[str, ...]:
    from tariff_engine.durable.worker import missing, require  # noqa: PLC0415
    from tariff_service.proving import ENGINES  # noqa: PLC0415

    if asked is None:
        if missing():
            _say("durable-rules is not installed: the lines are proved without it")
            return ENGINES[:2]
        return ENGINES
    names = tuple(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    unknown = next((name for name in names if name not in ENGINES), None)
    if unknown is not None or len(names) < 2:  # noqa: PLR2004
        message = f"{unknown} is no engine" if unknown else "one engine alone agrees with itself"
        raise refuse("unknown_value", "--engines", message, f"name two or more of {', '.join(ENGINES)}")
    if "durable" in names:
        require()
    return names


def _run(task: Any, lines: int, jobs: int) -> dict[str, Any]:
    """Run chunk after chunk, say how far it is, and stop at the first difference."""
    from tariff_service.proving import prove as chunks  # noqa: PLC0415

    done = refused = conflicts = 0
    began = spoken = time.monotonic()
    every = _EVERY if sys.stderr.isatty() else _SELDOM
    for found in chunks(task, lines, jobs):
        done, refused, conflicts = done + found.lines, refused + found.refused, conflicts + found.conflicts
        if found.difference:
            return {"lines": done, "refused": refused, "conflicts": conflicts, "difference": found.difference, "line": found.line}
        now = time.monotonic()
        if now - spoken >= every and done < lines:
            spoken = now
            left = (now - began) * (lines - done) / done
            _say(f"{done:,} of {lines:,} lines, no disagreement, about {_span(left)} left")
    return {"lines": done, "refused": refused, "conflicts": conflicts, "difference": "", "line": None}


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004


def _tell(result: dict[str, Any], as_json: bool | None) -> None:
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.paper import Paper  # noqa: PLC0415

    if wants_json(as_json):
        write_json(result)
        return
    paper = Paper(console())
    alike = f"{result['refused']:,} refused alike, {result['conflicts']:,} with the same conflict of law"
    paper.line(
        f"{result['lines']:,} lines ({alike}), engines {', '.join(result['engines'])}, seed {result['seed']}: "
        f"{result['disagreements']} disagreements in {result['seconds']} s"
    )
    if result["difference"]:
        import json  # noqa: PLC0415

        paper.line(result["difference"])
        paper.line(json.dumps(result["line"]))


def _say(text: str) -> None:
    from tariff_service.output import say  # noqa: PLC0415

    say(text)
