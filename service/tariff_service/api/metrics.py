"""Counters of one process, and the sum of all workers for Prometheus.

Counting is adding to a dictionary; the work is left to the scrape. Where several workers serve, each writes what it counted into a file of
the run folder every second, and whichever worker is scraped answers for all.
"""

from __future__ import annotations

import contextlib
import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tariff_engine.explain import Verdicts

if TYPE_CHECKING:
    from tariff_engine.explain import Tally
    from tariff_service.api.state import Service

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
_EDGES: Final = tuple(str(bound) for bound in BOUNDS)


class Family(NamedTuple):
    """A metric: what it is, its labels, and how the values of several workers become one."""

    help: str
    labels: tuple[str, ...] = ()
    kind: Literal["counter", "gauge"] = "counter"
    together: Literal["sum", "max"] = "sum"


FAMILIES: Final[dict[str, Family]] = {
    "tariff_http_requests_total": Family("Requests answered; status 499 is a sender who went away.", ("endpoint", "method", "status")),
    "tariff_requests_in_work": Family("Requests being answered.", (), "gauge"),
    "tariff_assessments_total": Family("Entries and rows assessed."),
    "tariff_verdicts_total": Family("Verdicts on programs, of assessments that explain.", ("program", "verdict")),
    "tariff_questions_total": Family("Questions asked, by the fact that was missing.", ("fact",)),
    "tariff_problems_total": Family("Refusals, and problems of lines inside answers.", ("code",)),
    "tariff_known_day_hits_total": Family("Answers by an earlier knowledge day whose law was in memory."),
    "tariff_known_day_loads_total": Family("Loads of the law of an earlier knowledge day."),
    "tariff_store_commits_total": Family("Commits of the audit store."),
    "tariff_store_records_total": Family("Records written to the audit store."),
    "tariff_store_failed_commits_total": Family("Commits that failed."),
    "tariff_store_errors_total": Family("Requests refused for the audit store.", ("code",)),
    "tariff_store_queue_length": Family("Records that wait for the audit store.", (), "gauge"),
    "tariff_store_lag_seconds": Family("How long the oldest waiting record has waited.", (), "gauge", "max"),
    "tariff_rulebook_info": Family("The rulebook in use.", ("id", "edition"), "gauge", "max"),
    "tariff_rulebook_loaded_timestamp_seconds": Family("When the rulebook in use was taken into use.", (), "gauge", "max"),
    "tariff_reloads_total": Family("Reloads of the rulebook.", ("result",)),
    "tariff_process_cpu_seconds_total": Family("Processor time used by a serving process.", ("worker",), "gauge", "max"),
    "tariff_process_resident_memory_bytes": Family("Memory held by a serving process.", ("worker",), "gauge", "max"),
    "tariff_process_open_files": Family("Open files and connections of a serving process.", ("worker",), "gauge", "max"),
    "tariff_process_start_time_seconds": Family("When a serving process began.", ("worker",), "gauge", "max"),
}
_SECONDS: Final = "tariff_http_request_seconds"
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_MAX_TALLIES: Final = 1_000
Samples = dict[str, dict[tuple[str, ...], float]]
Buckets = dict[str, list[float]]  # by endpoint: requests within each bound and beyond the last, and the sum of seconds


class Metrics:
    """Counters of one process. The loop's thread alone calls it."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.in_work = 0
        self._requests: dict[tuple[str, str, int], int] = {}
        self._seconds: Buckets = {}
        self._assessments = 0
        self._verdicts: dict[tuple[str, str], int] = {}
        self._tallies: dict[Tally, int] = {}  # lines whose verdicts are those of their plan; added to the verdicts when somebody asks
        self._questions: dict[str, int] = {}
        self._problems: dict[str, int] = {}
        self._reloads: dict[str, int] = {}
        self._began = time.time()
        self._service: Service | None = None
        self._shared: Shared | None = None
        self._before: tuple[Samples, Buckets] = ({}, {})  # what the worker counted in whose place this one stepped
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_AllWorkers(self))

    # ------------------------------------------------------------ counting
    def observed(self, endpoint: str, method: str, status: int, seconds: float, code: str = "") -> None:
        """Count a request that was answered, by the template of its route; `code` is that of a refusal."""
        key = (endpoint, method, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        row = self._seconds.get(endpoint)
        if row is None:
            row = self._seconds[endpoint] = [0.0] * (len(BOUNDS) + 2)
        row[bisect_left(BOUNDS, seconds)] += 1
        row[-1] += seconds
        if code:
            self._problems[code] = self._problems.get(code, 0) + 1

    def assessed(self, answer: Mapping[str, Any]) -> None:
        """Count an assessment: its programs by verdict, its questions, the problems of its lines."""
        self._assessments += 1
        tallies, questions = self._tallies, self._questions
        for line in answer["lines"]:
            programs = line.get("programs")
            if programs.__class__ is Verdicts and not programs.open:
                tally = programs.tally
                tallies[tally] = tallies.get(tally, 0) + 1
            elif programs:
                self._count(((one["program"], one["verdict"]) for one in programs), 1)
            for question in line.get("questions", ()):
                fact = question["fact"]
                questions[fact] = questions.get(fact, 0) + 1
        for problem in answer["problems"]:
            self._problems[problem["code"]] = self._problems.get(problem["code"], 0) + 1

        if len(tallies) > _MAX_TALLIES:
            self._add_up()

    def _add_up(self) -> None:
        """Count the verdicts of lines that were counted by plan."""
        for tally, number in self._tallies.items():
            self._count(tally.verdicts, number)
        self._tallies.clear()

    def _count(self, verdicts: Iterable[tuple[str, str]], number: int) -> None:
        for key in verdicts:
            self._verdicts[key] = self._verdicts.get(key, 0) + number

    def reloaded(self, result: str) -> None:
        """Count a reload: loaded, unchanged, refused or failed."""
        self._reloads[result] = self._reloads.get(result, 0) + 1

    # ------------------------------------------------------------ telling
    def watch(self, service: Service) -> None:
        """Take the service whose rulebook and store are told of."""
        self._service = service

    def share(self, shared: Shared) -> None:
        """Count for one worker of several, going on from where the worker ended that had the place before."""
        self._shared = shared
        self._before = shared.read_own()

    def publish(self) -> None:
        """Write what was counted for the other workers to tell."""
        if self._shared is not None:
            self._shared.write(*self.own())

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return what all workers counted, in the form that a scraper accepts, and its media type."""
        encoder, media = choose_encoder(accept)
        return encoder(self.registry), media

    def whole(self) -> tuple[Samples, Buckets]:
        """Return what all workers counted."""
        others = self._shared.read_others() if self._shared else ()
        return merged([self.own(), *others])

    def own(self) -> tuple[Samples, Buckets]:
        """Return what this process counted, and what its place had counted before."""
        self._add_up()
        worker = str(self._shared.slot if self._shared else 0)
        found: Samples = {
            "tariff_http_requests_total": {(e, m, str(s)): float(n) for (e, m, s), n in self._requests.items()},
            "tariff_requests_in_work": {(): float(self.in_work)},
            "tariff_assessments_total": {(): float(self._assessments)},
            "tariff_verdicts_total": {key: float(n) for key, n in self._verdicts.items()},
            "tariff_questions_total": {(fact,): float(n) for fact, n in self._questions.items()},
            "tariff_problems_total": {(code,): float(n) for code, n in self._problems.items()},
            "tariff_store_errors_total": {(code,): float(n) for code, n in self._problems.items() if code.startswith("store_")},
            "tariff_reloads_total": {(result,): float(n) for result, n in self._reloads.items()},
            **_of_process(worker, self._began),
        }
        if self._service is not None:
            found |= _of_service(self._service)
        counters = {name: rows for name, rows in self._before[0].items() if FAMILIES[name].kind == "counter"}
        return merged([(found, self._seconds), (counters, self._before[1])])


def _of_service(service: Service) -> Samples:
    counters, lag = service.writer.counters, service.writer.lag()
    served, rulebooks = service.rulebooks.current, service.rulebooks
    return {
        "tariff_known_day_hits_total": {(): float(rulebooks.hits)},
        "tariff_known_day_loads_total": {(): float(rulebooks.loads)},
        "tariff_store_commits_total": {(): float(counters.commits)},
        "tariff_store_records_total": {(): float(counters.records)},
        "tariff_store_failed_commits_total": {(): float(counters.failures)},
        "tariff_store_queue_length": {(): float(lag.queued)},
        "tariff_store_lag_seconds": {(): lag.oldest},
        "tariff_rulebook_info": {(served.id, served.latest.law.edition): 1.0},
        "tariff_rulebook_loaded_timestamp_seconds": {(): served.since},
    }


def _of_process(worker: str, began: float) -> Samples:
    found: Samples = {
        "tariff_process_cpu_seconds_total": {(worker,): time.process_time()},
        "tariff_process_start_time_seconds": {(worker,): began},
    }
    with contextlib.suppress(OSError, ValueError, IndexError):  # systems without /proc
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        found["tariff_process_resident_memory_bytes"] = {(worker,): float(pages * _PAGE)}
        found["tariff_process_open_files"] = {(worker,): float(sum(1 for _ in Path("/proc/self/fd").iterdir()))}
    return found


def merged(parts: Iterable[tuple[Samples, Buckets]]) -> tuple[Samples, Buckets]:
    """Return what several workers counted, as one."""
    samples: Samples = {name: {} for name in FAMILIES}
    buckets: Buckets = {}
    for counted, seconds in parts:
        for name, rows in counted.items():
            whole, most = samples[name], FAMILIES[name].together == "max"
            for labels, value in rows.items():
                whole[labels] = max(whole.get(labels, 0.0), value) if most else whole.get(labels, 0.0) + value
        for endpoint, row in seconds.items():
            buckets[endpoint] = [a + b for a, b in zip(buckets.get(endpoint, [0.0] * len(row)), row, strict=True)]
    return samples, buckets


class _AllWorkers(Collector):
    """What all workers counted, as families of Prometheus."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        samples, buckets = self._metrics.whole()
        for name, family in FAMILIES.items():
            made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = made(name, family.help, labels=family.labels)
            for labels, value in sorted(samples[name].items()):
                metric.add_metric(labels, value)
            yield metric
        seconds = HistogramMetricFamily(_SECONDS, "From the head of a request to the end of its answer.", labels=("endpoint",))
        for endpoint, row in sorted(buckets.items()):
            reached, rising = 0.0, []
            for edge, value in zip((*_EDGES, "+Inf"), row, strict=False):
                reached += value
                rising.append((edge, reached))
            seconds.add_metric((endpoint,), rising, row[-1])
        yield seconds


class Shared:
    """The files in which the workers of one server tell each other what they counted."""

    def __init__(self, folder: Path, slot: int) -> None:
        """Take the run folder, which only this user may enter, and the place of the worker."""
        self.folder = folder
        self.slot = slot

    @property
    def _file(self) -> Path:
        return self.folder / f"metrics-{self.slot}.json"

    def write(self, samples: Samples, buckets: Buckets) -> None:
        """Write what this worker counted, in one step. A full disk costs the figures of a second, not the service."""
        rows = {name: [[list(labels), value] for labels, value in found.items()] for name, found in samples.items()}
        with contextlib.suppress(OSError):
            draft = self._file.with_suffix(".new")
            draft.write_bytes(orjson.dumps({"samples": rows, "seconds": buckets}))
            draft.replace(self._file)

    def read_own(self) -> tuple[Samples, Buckets]:
        """Return what the worker counted that had this place before."""
        return _read(self._file) or ({}, {})

    def read_others(self) -> list[tuple[Samples, Buckets]]:
        """Return what the other workers counted until a second ago."""
        paths = sorted(self.folder.glob("metrics-*.json"))
        return [found for path in paths if path != self._file and (found := _read(path)) is not None]


def _read(path: Path) -> tuple[Samples, Buckets] | None:
    try:
        raw = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return {name: {tuple(labels): value for labels, value in rows} for name, rows in raw["samples"].items()}, raw["seconds"]
