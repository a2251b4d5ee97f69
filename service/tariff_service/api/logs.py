"""The log: lines of JSON, or of words, on standard error. No body, no query value, no key and no value of a variable ever stands in it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
FORMATS: Final = ("json", "text")
FIELDS: Final = "tariff_fields"  # where a record of `logging` carries what belongs to its event
_LOGGER: Final = logging.getLogger("tariff")
_GATHER: Final = 0.02  # seconds; one write for what happens within them costs a tenth of a write each
_FRAMES: Final = 40
_CAUSES: Final = 5


def event(name: str, level: str = "info", *, error: BaseException | None = None, **fields: Any) -> None:
    """Log what happened outside requests, or went wrong in one. An error is logged by its kind and where it arose, never by its message."""
    if error is not None:
        fields |= {"error": type(error).__name__, "traceback": trace(error)}
    _LOGGER.log(LEVELS[level], name, extra={FIELDS: fields})


def trace(error: BaseException) -> list[str]:
    """Return where an error arose and what caused it: files, lines and kinds. A message could quote what somebody sent."""
    found: list[str] = []
    one: BaseException | None = error
    for _ in range(_CAUSES):
        if one is None:
            break
        found.append(f"{type(one).__module__}.{type(one).__qualname__}")
        frames = traceback.extract_tb(one.__traceback__)[-_FRAMES:]
        found += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in reversed(frames)]
        one = one.__cause__ or one.__context__
    return found


# ---------------------------------------------------------------- form
def written(form: str, level: str, name: str, fields: Mapping[str, Any], moment: float | None = None) -> str:
    """Return a line of log with its end."""
    at = stamp(time.time() if moment is None else moment)
    if form == "json":
        return orjson.dumps({"time": at, "level": level, "event": name, **fields}, default=str).decode() + "\n"
    rows = fields.get("traceback") or ()
    words = " ".join(f"{key}={_word(value)}" for key, value in fields.items() if key != "traceback" and value is not None)
    return "\n".join([f"{at} {level:<7} {name} {words}".rstrip(), *(f"    {row}" for row in rows)]) + "\n"


def _word(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and '"' not in text and text else orjson.dumps(text).decode()


def stamp(moment: float) -> str:
    """Return a moment as UTC to the millisecond.

    >>> stamp(0.0)
    '1970-01-01T00:00:00.000Z'
    """
    milliseconds = int(moment * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(8)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


# ---------------------------------------------------------------- way out
class Lines:
    """Lines on their way out. Within a loop they are gathered for a moment; a reader of the log that is gone stops nobody."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        """Take what writes text; without it standard error, whatever that is at the time."""
        self._write = write or _to_standard_error
        self._waiting: deque[str] = deque()
        self._planned: asyncio.AbstractEventLoop | None = None  # the loop in which they will be written

    def add(self, line: str) -> None:
        """Write a line soon. To be called in the thread of a running loop."""
        self._waiting.append(line)
        loop = asyncio.get_running_loop()
        if self._planned is not loop:  # a loop may have ended before it came to write
            self._planned = loop
            loop.call_later(_GATHER, self._later)

    def _later(self) -> None:
        self._planned = None
        self.flush()

    def flush(self) -> None:
        """Write what waits, now. Any thread may ask for it."""
        found = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._waiting.popleft())
        if found:
            with contextlib.suppress(OSError, ValueError):
                self._write("".join(found))

    def urgent(self, line: str) -> None:
        """Write a line now, after what waits. Any thread may ask for it."""
        self._waiting.append(line)
        self.flush()


def _to_standard_error(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


LINES: Final = Lines()
atexit.register(LINES.flush)


class Handler(logging.Handler):
    """Takes records of `logging`, ours and those of libraries, to the log."""

    def __init__(self, form: str = "json", lines: Lines = LINES) -> None:
        """Take the form of lines and where they go."""
        super().__init__()
        self.form = form
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        fields: dict[str, Any] = dict(getattr(record, FIELDS, {}))
        name = record.msg if record.name == _LOGGER.name else "library"
        if name == "library":
            fields = {"logger": record.name, "message": record.getMessage().strip()[:500]}
            if record.exc_info and record.exc_info[1] is not None:
                fields |= {"error": type(record.exc_info[1]).__name__, "traceback": trace(record.exc_info[1])}
        level = record.levelname.lower()
        self.lines.urgent(written(self.form, "error" if level == "critical" else level, str(name), fields, record.created))


def uvicorn_logging(level: str, form: str) -> dict[str, Any]:
    """Return the configuration of `logging` for a serving process: one handler for everything; libraries speak from warnings on."""
    libraries = "DEBUG" if level == "debug" else "ERROR" if level == "error" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"tariff": {"()": "tariff_service.api.logs.Handler", "form": form}},
        "root": {"level": libraries, "handlers": ["tariff"]},
        "loggers": {
            "tariff": {"level": level.upper(), "handlers": ["tariff"], "propagate": False},
            "uvicorn": {"level": libraries, "handlers": ["tariff"], "propagate": False},
            "uvicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }


# ---------------------------------------------------------------- requests
class AccessLog:
    """One line for each request."""

    def __init__(self, level: str = "info", form: str = "json", lines: Lines = LINES) -> None:
        """Take the level from which to log, the form of lines, and where they go."""
        self._from = LEVELS[level]
        self._form = form
        self._lines = lines

    def write(
        self,
        *,
        request_id: str,
        method: str,
        endpoint: str,
        status: int,
        seconds: float,
        size: int,
        caller: str | None,
        rulebook: str,
        assessment: str = "",
        problem: str = "",
        quiet: bool = False,
    ) -> None:
        """Write the line of a request that was answered. `quiet` is for questions that machines ask all day long."""
        level = "error" if status == 500 else "warning" if status > 500 else "debug" if quiet and status < 400 else "info"  # noqa: PLR2004
        if LEVELS[level] < self._from:
            return
        if self._form == "json":  # by hand: everything but the caller is of characters that JSON takes as they are
            more = (f',"assessment":"{assessment}"' if assessment else "") + (f',"problem":"{problem}"' if problem else "")
            line = (
                f'{{"time":"{stamp(time.time())}","level":"{level}","event":"request","request_id":"{request_id}","method":"{method}",'
                f'"endpoint":"{endpoint}","status":{status},"ms":{seconds * 1000:.3f},"bytes":{size},"caller":{_quoted(caller)},'
                f'"rulebook":"{rulebook}"{more}}}\n'
            )
        else:
            fields = {"request_id": request_id, "method": method, "endpoint": endpoint, "status": status, "ms": f"{seconds * 1000:.3f}"}
            rest = {"bytes": size, "caller": caller, "rulebook": rulebook, "assessment": assessment or None, "problem": problem or None}
            line = written("text", level, "request", {**fields, **rest})
        self._lines.add(line)


@lru_cache(1024)
def _quoted(text: str | None) -> str:
    return orjson.dumps(text).decode()
