"""Take a new rulebook into use without a pause: check it apart, load it beside the old one, exchange them in one step.

Answers that have begun keep the rulebook that they began with. A rulebook with defects is refused, and the old one goes on.
"""

from __future__ import annotations

import asyncio
import shutil
import time
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from tariff_engine.problems import LawConflictError, ProblemError, RulebookError
from tariff_service.api.logs import event, stamp
from tariff_service.api.problems import Refusal
from tariff_service.api.state import Served, Service
from tariff_service.checked_rules import Checked, command, read_checked
from tariff_service.collector import settle
from tariff_service.rulebook import snapshot
from tariff_service.store.records import StoreError

CHECK_LIMIT: Final = 600.0  # seconds for the check of a rulebook
WORKER: Final = "reload.worker"  # the run folder, where a supervisor holds several workers: it alone reloads
RESULT_FILE: Final = "reload.json"  # in the run folder: how a reload ended that came to nothing
_LAST: Final = "reload.last"
_RUNNING: Final = "reload.running"
_WAIT: Final = 5.0  # seconds in which a check that is given up must end


@dataclass(frozen=True, slots=True)
class Reloaded:
    """How a reload ended: loaded, unchanged, refused (the rules have defects) or failed (something else went wrong)."""

    result: str
    at: str
    seconds: float
    rulebook: str = ""
    edition: str = ""
    previous: str = ""
    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as the service answers it."""
        return {**asdict(self), "problems": list(self.problems), "seconds": round(self.seconds, 3)}


async def reload_rules(service: Service, *, checked: Path | None = None) -> Reloaded:
    """Take the rules of the settings into use as they stand now. `checked` is a folder of rules that were checked already.

    Never raises but Refusal (reload_running): what went wrong stands in the result, in the log and in the metrics.
    """
    if service.extra.get(_RUNNING):
        raise Refusal("reload_running", "another reload has not finished", headers={"Retry-After": "5"})
    service.extra[_RUNNING] = True
    began = time.monotonic()
    try:
        found = await _reload(service, checked, began)
    finally:
        service.extra[_RUNNING] = False
    if found.result == "loaded":
        settle()
    remember(service, found)
    return found


def last_reload(service: Service) -> dict[str, Any] | None:
    """Return how the last reload ended, be it here or in the main process of several workers."""
    own: Reloaded | None = service.extra.get(_LAST)
    found = [own.as_dict()] if own else []
    folder: Path | None = service.extra.get(WORKER)
    if folder is not None:
        with suppress(OSError, orjson.JSONDecodeError):
            current = service.rulebooks.current
            names = {"rulebook": current.id, "edition": current.latest.law.edition, "previous": current.id}
            found.append(orjson.loads((folder / RESULT_FILE).read_bytes()) | names)
    return max(found, key=lambda one: str(one["at"]), default=None)


def remember(service: Service, found: Reloaded) -> None:
    """Note how a reload ended."""
    service.extra[_LAST] = found
    service.metrics.reloaded(found.result)
    event("reload", "info" if found.result in {"loaded", "unchanged"} else "error", **found.as_dict())


async def _reload(service: Service, checked: Path | None, began: float) -> Reloaded:
    old = service.rulebooks.current
    copy = checked

    def ended(result: str, *problems: str, served: Served = old) -> Reloaded:
        edition = served.latest.law.edition
        return Reloaded(result, stamp(time.time()), time.monotonic() - began, served.id, edition, old.id, problems)

    try:
        if copy is None:
            copy = await asyncio.to_thread(snapshot, service.settings.rules)
            report = await check_apart(copy)
            if not report.ok:
                return ended("refused" if report.ran else "failed", *report.problems)
        new = await asyncio.to_thread(_open, service, copy)
    except (RulebookError, ProblemError, LawConflictError) as error:
        return ended("refused", *str(error).splitlines())
    except StoreError as error:
        return ended("failed", f"{error.code}: {error.message}")
    except (OSError, TimeoutError) as error:
        event("reload", "error", error=error)
        return ended("failed", f"the rules cannot be read: {type(error).__name__}")
    finally:
        if copy is not None and checked is None:
            shutil.rmtree(copy, ignore_errors=True)
    if new.id == old.id:
        new.close()
        return ended("unchanged")
    weakref.finalize(old, shutil.rmtree, old.folder, ignore_errors=True)  # when the last answer that holds it is given
    service.rulebooks.current = new
    return ended("loaded", served=new)


def _open(service: Service, folder: Path) -> Served:
    """Load a rulebook and keep it in the audit store, before any answer refers to it."""
    served = Served.open(folder, service.settings.known_days)
    try:
        served.keep(service.store)
    except BaseException:
        served.close()
        raise
    return served


async def check_apart(folder: Path) -> Checked:
    """Check a folder of rules in a process of its own. Raises OSError and TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        *command(folder), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(CHECK_LIMIT):
            output, _ = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await asyncio.wait_for(process.wait(), _WAIT)
        raise
    return read_checked(output)
