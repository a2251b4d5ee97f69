"""Run, test or check the project on a machine that has only Python >= 3.11: `python3 run.py --help`.

Standard library only. The first run makes an environment and installs into it what requirements/*.txt lock, by hash; later runs start at
once. Kept readable to older Pythons (3.7 and up), so that these get a sentence and no traceback.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NoReturn

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
LOCKS = ROOT / "requirements"
WINDOWS = os.name == "nt"
USAGE = """\
usage: python3 run.py COMMAND [ARGUMENT ...]

  tariff ...    the command line tool, in your current folder (python3 run.py tariff --help)
  test ...      the tests, in the project's folder, two at a time; arguments go to pytest (python3 run.py test -k canada)
                first builds what some proofs need and only comes as source: durable-rules, the second engine, where there is a C compiler,
                and PySpark, half a gigabyte, where there is Java; says so where it cannot
  python ...    the environment's Python (python3 run.py python benchmarks/scalar.py)
  docs ...      the documentation as a site in site/, strictly: a dead link is an error (arguments go to mkdocs build)
  check         ruff (rules and format), mypy --strict, the import contracts, and the law book's own checks

The first run installs the locked requirements into {home} (tariff: a few packages; test and check: the tools too).
TARIFF_VENV=FOLDER puts the environment elsewhere. Nothing else is changed, but for a lock file beside the environment.
TARIFF_REQUIRE_DURABLE=1 makes it an error if durable-rules cannot be built, TARIFF_REQUIRE_SPARK=1 if PySpark cannot.
"""
DURABLE_FLAG = "-DPyEval_CallObject=PyObject_CallObject"  # Python 3.13 has the second only; the first did the same


class SetupError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def tell(text: str) -> None:
    """Say it on stderr: stdout belongs to the command that is run."""
    print(text, file=sys.stderr, flush=True)


class Environment:
    """One virtual environment in two stages, `run` and `dev`; dev is run plus the tools.

    A stage counts as installed when the stamp holds its key: a hash of everything that the installation depends on. The stamp is removed
    before a change and written after it, so a killed installation is begun again from nothing.
    """

    def __init__(self, home: Path, *, chosen: bool) -> None:
        """Describe the environment in `home`; `chosen` says that the caller named the folder, so it may hold things of theirs."""
        self.home = home
        self.chosen = chosen
        self.bin = home / ("Scripts" if WINDOWS else "bin")
        self.stamp = home / "tariff-installed"
        python = f"{sys.version} {sys.base_prefix}"
        run = [python, str(ROOT), str(home), project_tables(), lock_text("runtime"), lock_text("build")]
        self.keys = {"run": key("run", *run), "dev": key("dev", *run, lock_text("dev"))}

    def program(self, name: str) -> str:
        """Return the path of an installed program."""
        return str(self.bin / (name + ".exe" if WINDOWS else name))

    def installed(self) -> list[str]:
        """Return the keys of the stages that are complete."""
        try:
            return self.stamp.read_text(encoding="utf-8").split()
        except OSError:
            return []

    def has(self, stage: str) -> bool:
        """Whether the stage is installed, as locked now."""
        return self.keys[stage] in self.installed()

    def ready(self, stage: str) -> None:
        """Install the stage if it is not there. Of several processes one installs, the others wait."""
        if self.has(stage):
            return
        self.home.parent.mkdir(parents=True, exist_ok=True)
        with alone(self.home.with_name(self.home.name + ".lock")) as lock:
            if self.has(stage):  # another process was quicker
                return
            began = time.monotonic()
            grow = stage == "dev" and self.installed() == [self.keys["run"]]  # exactly: nothing older is left over in it
            tell(f"Installing what {stage} needs into {self.home} (once; under a minute) ...")
            with contextlib.suppress(FileNotFoundError):
                self.stamp.unlink()
            if not grow:
                self.create(lock)
            self.install(stage, lock, project=not grow)
            fresh = self.stamp.with_suffix(".new")
            fresh.write_text("\n".join(dict.fromkeys([self.keys["run"], self.keys[stage]])), encoding="utf-8")
            fresh.replace(self.stamp)
            tell(f"Installed in {time.monotonic() - began:.0f} s.")

    def create(self, lock: IO[str]) -> None:
        """Make the environment from nothing."""
        if self.chosen and self.home.is_dir() and any(self.home.iterdir()) and not (self.home / "pyvenv.cfg").is_file():
            raise SetupError(f"TARIFF_VENV names {self.home}, which holds something else. Name an empty or a new folder.")
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            raise SetupError(
                f"This Python ({sys.executable}) cannot make environments: ensurepip is missing.\n"
                f"On Debian or Ubuntu: apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv. "
                "Elsewhere: use a Python from python.org, pyenv or uv."
            )
        made = attempt([sys.executable, "-I", "-m", "venv", "--clear", str(self.home)], lock)
        if made.returncode:
            raise SetupError(f"{made.stdout.strip()}\nPython could not make an environment in {self.home} (see above).")

    def install(self, stage: str, lock: IO[str], *, project: bool) -> None:
        """Install the locked requirements of the stage, each checked by its hash, then the project itself (no download)."""
        pip = [self.program("python"), "-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        files = ["dev"] if stage == "dev" else ["runtime", "build"]
        steps = [[*pip, "--require-hashes", *(f"--requirement={LOCKS / name}.txt" for name in files)]]
        if project:
            steps.append([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
        for step in steps:
            done = attempt(step, lock)
            if done.returncode:
                raise SetupError(f"{done.stdout.strip()}\npip could not install (see above). The next run begins again.")

    def build(self, source: Source) -> None:
        """Build a package from source into the environment where it is not there; where that cannot be, say that its proofs do not run, and why.

        Raises SetupError instead where the proofs are required.
        """
        stamp = self.home / ("tariff-" + source.lock)
        wanted = key(source.lock, sys.version, sys.base_prefix, str(self.home), lock_text(source.lock), lock_text("source-build"))
        with contextlib.suppress(OSError):
            if stamp.read_text(encoding="utf-8") == wanted:
                return
        with alone(self.home.with_name(self.home.name + ".lock")) as lock:
            reason = source.missing() or self.compile(source, lock)
        if not reason:
            stamp.write_text(wanted, encoding="utf-8")
            return
        message = f"The proofs by {source.name} do NOT run: {reason}"
        if os.environ.get(source.required, "") not in ("", "0"):
            raise SetupError(f"{message}\n{source.required}=1 asks for them.")
        tell(message)

    def compile(self, source: Source, lock: IO[str]) -> str:
        """Build it from its locked source, with the locked setuptools; return why that failed, or nothing."""
        tell(f"Building {source.name} into {self.home} (once) ...")
        pip = [self.program("python"), "-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", "--require-hashes"]
        steps = [
            [*pip, f"--requirement={LOCKS / 'source-build.txt'}"],
            [*pip, "--no-deps", "--no-cache-dir", "--no-build-isolation", f"--requirement={LOCKS / (source.lock + '.txt')}"],
            [self.program("python"), "-I", "-W", "ignore", "-c", f"import {source.module}"],
        ]
        for step in steps:
            done = attempt(step, lock, flags=DURABLE_FLAG if sys.version_info >= (3, 13) else "")
            if done.returncode:
                told = [line.strip() for line in done.stdout.splitlines() if line.strip()]
                return "it does not build here.\n" + "\n".join(f"  {line}" for line in told[-5:])
        return ""


class Source:
    """A package for proofs that comes as source only: its name, lock and module, what it needs, and the variable that requires its proofs."""

    def __init__(self, name: str, lock: str, module: str, missing: Callable[[], str]) -> None:
        """Describe it; `missing` tells in words what this machine lacks for it, or nothing."""
        self.name = name
        self.lock = lock
        self.module = module
        self.missing = missing
        self.required = "TARIFF_REQUIRE_" + lock.upper()


def no_compiler() -> str:
    """Return that there is no C compiler, in words; nothing where there may be one. Windows finds its own, or the build says so."""
    if WINDOWS:
        return ""
    import shutil
    import sysconfig

    wanted = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    command = wanted.split()[0] if wanted.split() else "cc"
    return "" if shutil.which(command) else f"it is built from source, and there is no C compiler here ({command} is not found)."


def no_java() -> str:
    """Return that there is no Java, in words; nothing where there is one."""
    import shutil

    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    return "" if found else "it runs on Java, and there is none here (java is not found)."


SOURCES = (
    Source("durable-rules", "durable", "durable.engine", no_compiler),
    Source("PySpark", "spark", "pyspark.sql, pandas", no_java),
)


def attempt(command: list[str], lock: IO[str], *, flags: str = "") -> subprocess.CompletedProcess[str]:
    """Run a step of the installation and keep what it prints; `flags` are added to those of the C preprocessor.

    On POSIX the step inherits the lock: if this process is killed, others go on waiting until the orphaned step has ended.
    """
    inherited = () if WINDOWS else (lock.fileno(),)
    environment = {**os.environ, "CPPFLAGS": f"{os.environ.get('CPPFLAGS', '')} {flags}".strip()} if flags else None
    return subprocess.run(
        command, cwd=str(ROOT), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        encoding="utf-8", errors="replace", pass_fds=inherited, check=False,
    )  # fmt: skip


@contextlib.contextmanager
def alone(path: Path) -> Iterator[IO[str]]:
    """Hold the lock file, and say so when that means waiting. The system lets go of it when its holders end, however they end."""
    with path.open("a", encoding="utf-8") as lock:
        if not try_lock(lock):
            tell("Waiting for another run.py that is installing ...")
            while not try_lock(lock):
                time.sleep(0.2)
        yield lock


def try_lock(lock: IO[str]) -> bool:
    """Take the lock if it is free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def project_tables() -> str:
    """Return the parts of pyproject.toml that an installation depends on; a changed lint rule is no reason to install again."""
    import tomllib

    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return json.dumps([tables["build-system"], tables["project"], tables["tool"]["hatch"]], sort_keys=True)


def lock_text(name: str) -> str:
    """Return the text of a lock."""
    return (LOCKS / (name + ".txt")).read_text(encoding="utf-8")


def key(*parts: str) -> str:
    """Return one hash for several texts, whose borders count."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def default_home() -> tuple[Path, bool]:
    """Return the environment's folder, and whether the caller chose it. One per minor version, so that several live side by side."""
    chosen = os.environ.get("TARIFF_VENV")
    return (Path(chosen).absolute(), True) if chosen else (ROOT / ".venv-{}.{}".format(*sys.version_info[:2]), False)


def become(command: list[str], folder: Path | None = None) -> NoReturn:
    """Go on as the command, so that signals and the exit code are its own; Windows has no such thing and waits for it."""
    if folder:
        os.chdir(str(folder))
    if WINDOWS:
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)  # noqa: S606  no shell is wanted


def parallel(arguments: list[str]) -> list[str]:
    """Return pytest's options for the whole suite: two processes, a folder's tests in one of them (tests/conftest.py), in the order found there.

    A caller who chooses tests gets one process.

    Not more than two, however many cores there are: tests of limits, crashes and floods start servers of several workers themselves.
    """
    most = 2
    chosen = any(not argument.startswith("-") or argument.startswith(("-k", "-m", "-n", "-x", "--pdb", "--lf")) for argument in arguments)
    return [] if chosen or (os.cpu_count() or 1) < most else ["-n", str(most), "--dist", "loadfile", "--no-loadscope-reorder"]


def check(env: Environment) -> int:
    """Run every check, also after one failed, and return how many failed."""
    python = [env.program("python"), "-P", "-m"]
    checks = {
        "ruff check": [*python, "ruff", "check", "."],
        "ruff format --check": [*python, "ruff", "format", "--check", "."],
        "mypy --strict": [*python, "mypy"],
        "lint-imports": [env.program("lint-imports")],
        "tariff rules check": [env.program("tariff"), "rules", "check"],
    }
    failed = []
    for name, command in checks.items():
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=str(ROOT), check=False).returncode:
            failed.append(name)
    for name in failed:
        print(f"failed: {name}")
    print(f"checks: {len(checks) - len(failed)} passed, {len(failed)} failed", flush=True)
    return len(failed)


def main(argv: list[str]) -> int:
    """Run the command of the arguments."""
    if sys.version_info[:2] < OLDEST:
        tell(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
        return 2
    home, chosen = default_home()
    command, *rest = argv or ["--help"]
    if command in ("--help", "-h", "help"):
        print(USAGE.format(home=home), end="")
        return 0
    if command not in ("tariff", "test", "check", "docs", "python") or (command == "check" and rest):
        tell(f"run.py does not know {' '.join(argv)!r}.\n\n{USAGE.format(home=home)}")
        return 2
    env = Environment(home, chosen=chosen)
    env.ready("run" if command in ("tariff", "python") else "dev")
    if command in ("tariff", "python"):
        become([env.program(command), *rest])
    if command == "test":
        for source in SOURCES:
            env.build(source)
        become([env.program("python"), "-P", "-m", "pytest", *parallel(rest), *rest], ROOT)
    if command == "docs":
        os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # the same documents make the same bytes
        os.environ["NO_MKDOCS_2_WARNING"] = "1"
        become([env.program("python"), "-P", "-m", "mkdocs", "build", "--strict", "--quiet", *rest], ROOT)
    return 1 if check(env) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        tell(str(error))
    except KeyboardInterrupt:
        tell("Stopped.")
        sys.exit(130)
    except OSError as error:
        tell(f"{error}\nIs the disk full or read-only? TARIFF_VENV=FOLDER puts the environment elsewhere.")
    sys.exit(1)
