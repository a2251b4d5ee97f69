"""Every way in which the engine says "I cannot answer that as asked": typed, with the field at fault and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect of an input. `code` is stable and machine-readable; `field` is the fact at fault; `fix` says what to send instead.

    `also` are further defects of the same line, so that a sender can mend all of them at once.
    """

    code: str
    field: str
    message: str
    fix: str = ""
    also: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        """Return the problem in one line: field, message, fix."""
        return f"{self.field}: {self.message}" + (f" ({self.fix})" if self.fix else "")

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as it stands in an answer."""
        found: dict[str, Any] = {"code": self.code, "field": self.field, "message": self.message, "fix": self.fix}
        if self.also:
            found["also"] = [problem.as_dict() for problem in self.also]
        return found


class TariffError(Exception):
    """Base of every error that this project raises on purpose.

    >>> try:
    ...     raise ProblemError(Problem("unknown_fact", "orgin", "no fact has this name", "did you mean origin?"))
    ... except TariffError as error:
    ...     print(error)
    orgin: no fact has this name (did you mean origin?)
    """


class ProblemError(TariffError):
    """The input cannot be assessed as stated; `problem` says which field and how to mend it."""

    def __init__(self, problem: Problem) -> None:
        """Carry the problem; the message is its one-line form."""
        super().__init__(str(problem))
        self.problem = problem

    def __reduce__(self) -> tuple[type[ProblemError], tuple[Problem]]:
        """Pickle by the problem, so that the error crosses process borders."""
        return type(self), (self.problem,)


class RulebookError(TariffError):
    """A rule file is wrong. The text holds one line per defect: `file:line: path: what to write instead`."""


class LawConflictError(TariffError):
    """The law book does not order two live duties of a one-of program: never silently added, never silently dropped."""


def refuse(code: str, field: str, message: str, fix: str = "") -> ProblemError:
    """Return the error for a defect of the input, to be raised by the caller."""
    return ProblemError(Problem(code, field, message, fix))
