"""Several serving processes on one socket: started, watched, replaced when they die, reloaded and stopped together.

The main process answers nothing. On SIGHUP it copies and checks the rules, once for all; what passed goes into the run folder, from where
the workers, and those that take the place of a dead one, load it. So all of them serve the same rulebook, whatever happens to the folder.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import Server
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from tariff_engine.problems import LawConflictError, ProblemError, RulebookError
from tariff_service.api.app import create_app, open_service
from tariff_service.api.logs import event, stamp
from tariff_service.api.metrics import Metrics, Shared
from tariff_service.api.reload import CHECK_LIMIT, RESULT_FILE, WORKER, Reloaded, reload_rules
from tariff_service.api.settings import Settings
from tariff_service.api.state import Service
from tariff_service.checked_rules import command, read_checked
from tariff_service.rulebook import snapshot
from tariff_service.serving import Conduct, GracefulServer, Ready, config_of, remove_socket
from tariff_service.store.records import StoreError

_TURN: Final = 0.1  # seconds between two looks at signals and workers
_SPARE: Final = 15.0  # seconds beyond the drain in which a worker must end
_MAIN: Final = -1  # the slot of the main process, which counts the reloads that it refused
_PAUSE: Final = 1.0  # seconds between two attempts to bring a dead worker back


@dataclass(frozen=True, slots=True)
class Run:
    """The folder of one run: the rules in use, what the workers counted, and their temporary files. Only this user may enter it."""

    folder: Path

    def take(self, rules: Path) -> None:
        """Put checked rules into use: the pointer moves in one step. The rules before the last ones are removed."""
        old = self.rules()
        (self.folder / "rules.new").write_text(rules.name, encoding="utf-8")
        (self.folder / "rules.new").replace(self.folder / "rules")
        for path in self.folder.glob("checked-*"):
            if path not in {rules, old}:
                shutil.rmtree(path, ignore_errors=True)

    def rules(self) -> Path | None:
        """Return the folder of the rules in use."""
        with suppress(OSError):
            return self.folder / (self.folder / "rules").read_text(encoding="utf-8")
        return None

    def copy(self, rules: Path | None) -> Path:
        """Copy rules into the folder. Raises ProblemError and OSError."""
        taken = snapshot(rules)
        target = self.folder / f"checked-{time.time_ns()}"
        shutil.move(taken, target)
        return target


class Worker(Process):
    """A serving process."""

    def __init__(self, settings: Settings, run: Run, slot: int, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        """Take the settings, the run, and the place among the workers."""
        self.settings = settings
        self.run = run
        self.slot = slot
        self.parent = os.getpid()
        super().__init__(config, sockets)

    @property
    def server(self) -> Server:
        """The server, which the thread that answers the supervisor asks whether it has started."""
        return self._server or Server(self.config)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; this is where the new process begins."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the main process passes on what it means
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it is served
        tempfile.tempdir = str(self.run.folder)
        threading.Thread(target=self.always_pong, daemon=True).start()
        loaded = self.run.rules()
        try:
            service = open_service(replace(self.settings, rules=loaded))
        except (ProblemError, RulebookError, LawConflictError, StoreError) as error:
            event("worker_failed", "error", worker=self.slot, problem=getattr(error, "code", type(error).__name__))
            sys.exit(STARTUP_FAILURE)
        service.extra[WORKER] = self.run.folder
        service.metrics.share(Shared(self.run.folder, self.slot))
        service.metrics.watch(service)
        self.config.app = create_app(self.settings, service)
        conduct = Conduct(service, reload=self._follower(service, loaded), worker=True, parent=self.parent)

        def each_second() -> None:
            service.metrics.publish()
            conduct.begin_reload()

        conduct.each_second = each_second
        self._server = GracefulServer(self.config, conduct)
        self._server.run(sockets)

    def _follower(self, service: Service, loaded: Path | None) -> Callable[[], Coroutine[Any, Any, object] | None]:
        """Return what loads the rules that the main process put into use, where they are others than those in use here."""
        seen = loaded

        def follow() -> Coroutine[Any, Any, object] | None:
            nonlocal seen
            wanted = self.run.rules()
            if service.stopping or wanted is None or wanted == seen:
                return None
            seen = wanted
            return reload_rules(service, checked=wanted)

        return follow


class Workers(Multiprocess):
    """The main process of several workers."""

    def __init__(self, settings: Settings, run: Run, sockets: list[socket.socket], told: Callable[[], None]) -> None:
        """Take the settings, the run, the sockets, and what is called once every worker serves."""
        super().__init__(config_of(settings, "tariff_service.api.app:create_app"), sockets)
        self.settings = settings
        self.folder = run
        self.told = told
        self.workers: list[Worker] = []
        self.failed = False
        self.metrics = Metrics()
        self.metrics.share(Shared(run.folder, _MAIN))
        self._check: tuple[subprocess.Popen[bytes], Path, float] | None = None
        self._again = False
        self._tried = 0.0

    def _worker(self, slot: int) -> Worker:
        worker = Worker(self.settings, self.folder, slot, self.config, self.sockets)
        worker.start()
        return worker

    def init_processes(self) -> None:
        """Start the workers."""
        self.workers = [self._worker(slot) for slot in range(self.processes_num)]

    def run(self) -> None:
        """Serve until a signal ends it."""
        self.init_processes()
        waiting = set(self.workers)
        while not self.should_exit.wait(_TURN):
            self.handle_signals()
            self._watch_check()
            self.keep_subprocess_alive()
            if waiting and all(worker.is_ready(timeout=1) for worker in self.workers):
                waiting.clear()
                self.told()
        self._end()

    def keep_subprocess_alive(self) -> None:
        """Put a new worker in the place of a dead one. One that cannot even begin ends the server: the next could not either."""
        for slot, worker in enumerate(self.workers):
            if worker.process.is_alive() or self.should_exit.is_set() or time.monotonic() - self._tried < _PAUSE:
                continue
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                self.failed = True
                self.should_exit.set()
                return
            event("worker_died", "error", worker=slot, pid=worker.pid, exit_code=worker.exitcode)
            self._tried = time.monotonic()
            self.workers[slot] = self._worker(slot)

    def _end(self) -> None:
        """Let the workers finish what they began. A second signal ends them at once."""
        if self._check is not None:
            self._check[0].kill()
            self._check[0].wait()
        self.signal_queue.clear()
        for worker in self.workers:
            if worker.process.is_alive():
                worker.process.terminate()
        end = time.monotonic() + self.settings.drain + _SPARE
        while any(worker.process.is_alive() for worker in self.workers):
            again = {signal.SIGTERM, signal.SIGINT} & set(self.signal_queue)
            if again or time.monotonic() > end:
                self.failed = True
                for worker in self.workers:
                    worker.process.kill()
            for worker in self.workers:
                worker.process.join(_TURN / len(self.workers))
        fine = {0, -signal.SIGTERM}  # a worker that was still beginning ends by the signal itself
        self.failed = self.failed or any(worker.exitcode not in fine for worker in self.workers)

    # ------------------------------------------------------------ reload
    def handle_hup(self) -> None:
        """Begin to check the rules as they stand now; a signal that comes meanwhile has them checked once more."""
        if self._check is not None:
            self._again = True
            return
        began = time.monotonic()
        try:
            copy = self.folder.copy(self.settings.rules)
        except (ProblemError, OSError) as error:
            self._tell("refused", began, *str(error).splitlines())
            return
        process = subprocess.Popen(  # noqa: S603  this program's own check of a folder of its own
            command(copy), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._check = process, copy, began

    def handle_ttin(self) -> None:
        """Leave the number of workers as it was asked for."""

    handle_ttou = handle_ttin

    def _watch_check(self) -> None:
        """Where the check has ended: have the workers load the rules, or tell why not."""
        if self._check is None:
            return
        process, copy, began = self._check
        if process.poll() is None:
            if time.monotonic() - began > CHECK_LIMIT:
                process.kill()
            return
        self._check = None
        assert process.stdout is not None  # noqa: S101  it was opened as a pipe
        with process.stdout as output:
            report = read_checked(output.read())
        if report.ok:
            self.folder.take(copy)
            for worker in self.workers:
                if worker.process.is_alive() and worker.pid is not None:
                    os.kill(worker.pid, signal.SIGHUP)
        else:
            shutil.rmtree(copy, ignore_errors=True)
            self._tell("refused" if report.ran else "failed", began, *report.problems)
        if self._again:
            self._again = False
            self.handle_hup()

    def _tell(self, result: str, began: float, *problems: str) -> None:
        """Tell of a reload that came to nothing: in the log, in the metrics, and to the workers, who are asked for it."""
        found = Reloaded(result, stamp(time.time()), time.monotonic() - began, problems=problems)
        event("reload", "error", **found.as_dict())
        with suppress(OSError):
            draft = self.folder.folder / f"{RESULT_FILE}.new"
            draft.write_bytes(orjson.dumps(found.as_dict()))
            draft.replace(self.folder.folder / RESULT_FILE)
        self.metrics.reloaded(result)
        self.metrics.publish()


def serve_many(settings: Settings, sock: socket.socket, ready: Ready, uds: str | None = None) -> bool:
    """Serve with several workers until a signal ends it. False if a worker could not begin or did not end as it should.

    Raises ProblemError, RulebookError and StoreError before anything listens.
    """
    run = Run(Path(tempfile.mkdtemp(prefix="tariff-run-")))
    temporary, tempfile.tempdir = tempfile.tempdir, str(run.folder)
    try:
        run.take(run.copy(settings.rules))
        service = open_service(replace(settings, rules=run.rules()))
        workers = Workers(settings, run, [sock], ready(service))
        _let_go(service)
        gc.collect()
        workers.run()
        return not workers.failed
    finally:
        tempfile.tempdir = temporary
        remove_socket(uds)
        shutil.rmtree(run.folder, ignore_errors=True)


def _let_go(service: Service) -> None:
    """Close what only the workers need."""
    service.writer.close()
    service.replays.close()
    service.store.close()
    service.rulebooks.current.close()
