"""Put a picture into a file: SVG only, and never over a file that is there."""

from __future__ import annotations

import os
from pathlib import Path

from tariff_engine.engine import Engine
from tariff_engine.problems import ProblemError, refuse

_FIELD = "--picture"


def check_picture(path: Path | None) -> None:
    """Say before the work what could not be written after it. Raises ProblemError: no SVG, or a file is there already."""
    if path is None:
        return
    if path.suffix.lower() != ".svg":
        raise refuse(
            "picture_format", _FIELD, f"{path.name[:80]} is no SVG", "name a file .svg; a browser or an editor of pictures makes PNG of it"
        )
    if os.path.lexists(path):
        raise _there_is(path)


def keep_picture(path: Path, picture: str) -> None:
    """Write a picture. Raises ProblemError: a file is there already, or it cannot be written."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(picture)
    except FileExistsError:
        raise _there_is(path) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{path} cannot be written: {reason}"
        raise refuse("file_unwritable", _FIELD, message, "name a file in a folder that you may write to") from None


def names(engine: Engine) -> tuple[dict[str, str], dict[str, str]]:
    """Return the titles of programs by their names, and of countries by their codes, as a picture writes them."""
    law = engine.at().law
    return {program.name: program.title for program in law.compiled.programs}, law.countries


def _there_is(path: Path) -> ProblemError:
    return refuse("file_exists", _FIELD, f"there is already a file {path}", "name another, or move it away")
