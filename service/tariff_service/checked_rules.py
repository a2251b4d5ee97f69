"""Check a folder of rules in a process of its own, of low priority, so that whoever serves goes on serving.

The process also puts the compiled law into the cache, from which it is then loaded in a fraction of the time.
Run as `python -m tariff_service.checked_rules FOLDER`, it writes one JSON object.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

MOST: Final = 200  # defects that are passed on; who has more mends these first
_NICE: Final = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the defects, one line each. `ran` is False where the check itself did not end as it should."""

    problems: tuple[str, ...]
    ran: bool = True

    @property
    def ok(self) -> bool:
        """Whether the rules can be used."""
        return self.ran and not self.problems


def command(folder: Path) -> list[str]:
    """Return the command that checks a folder."""
    return [sys.executable, "-P", "-m", "tariff_service.checked_rules", str(folder)]


def read_checked(output: bytes) -> Checked:
    """Read what the command wrote."""
    try:
        return Checked(tuple(orjson.loads(output)["problems"]))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Checked(("the check of the rules did not end as it should",), ran=False)


def check_folder(folder: Path) -> tuple[str, ...]:
    """Check a folder of rules, and compile its law. Return the defects, with paths relative to the folder."""
    from tariff_engine.notation.check import check  # noqa: PLC0415  the parent needs none of it
    from tariff_engine.problems import LawConflictError, ProblemError, RulebookError  # noqa: PLC0415
    from tariff_service.rulebook import open_engine, rules_root  # noqa: PLC0415

    problems: tuple[str, ...]
    try:
        problems = check(rules_root(folder)).problems
        if not problems:
            open_engine(folder).at()
    except (RulebookError, ProblemError, LawConflictError) as error:
        problems = tuple(str(error).splitlines())
    return tuple(problem.replace(f"{folder}{os.sep}", "") for problem in problems[:MOST])


def main() -> int:
    """Check the folder that the command names."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    problems = check_folder(Path(sys.argv[1]))
    sys.stdout.buffer.write(orjson.dumps({"problems": list(problems)}))
    sys.stdout.buffer.flush()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
