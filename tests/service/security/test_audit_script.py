"""`.ci/audit` tells three outcomes apart: nothing known, vulnerable, and not audited at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.service.security.raw import ROOT

CLEAN = {"name": "starlette", "version": "1.0", "vulns": []}
FLAWED = {"name": "flawed", "version": "2.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "starlette", "skip_reason": "not found"}


def _audit(folder: Path, answers: dict[str, Any], *, required: bool = False) -> tuple[int, str]:
    """Run the script with a pip-audit that answers as the test says; None is a service that cannot be reached."""
    package = folder / "pip_audit"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import json, sys\n"
        f"answer = json.loads({json.dumps(json.dumps(answers))})[sys.argv[sys.argv.index('--vulnerability-service') + 1]]\n"
        "if answer is None:\n    sys.exit('ConnectionError: no way to the host')\n"
        "print(json.dumps({'dependencies': answer, 'fixes': []}))\n"
        "sys.exit(any(one.get('vulns') for one in answer))\n",
        encoding="utf-8",
    )
    env = {**os.environ, "PYTHONPATH": str(folder), "TARIFF_REQUIRE_AUDIT": "1" if required else "0"}
    lock = ROOT / "requirements" / "runtime.txt"
    done = subprocess.run([sys.executable, str(ROOT / ".ci" / "audit"), str(lock)], capture_output=True, text=True, env=env, check=False)
    return done.returncode, done.stdout + done.stderr


def test_nothing_known_of_any_package_passes(tmp_path: Path) -> None:
    code, said = _audit(tmp_path, {"pypi": [CLEAN], "osv": None}, required=True)
    assert (code, "no known vulnerability in 1 packages" in said) == (0, True), said


def test_a_known_vulnerability_fails_and_is_named(tmp_path: Path) -> None:
    code, said = _audit(tmp_path, {"pypi": [SKIPPED], "osv": [CLEAN, FLAWED]})
    assert code == 1
    assert "VULNERABLE" in said
    assert "flawed 2.0: PYSEC-1, CVE-1, mended in 2.1" in said


@pytest.mark.parametrize("first", [[SKIPPED, SKIPPED], [CLEAN, SKIPPED], [], None], ids=["knows none", "knows some", "names none", "away"])
@pytest.mark.parametrize("required", [False, True])
def test_an_audit_that_did_not_take_place_never_passes_as_one(tmp_path: Path, first: Any, required: bool) -> None:
    """pip-audit itself ends with 0 where a service knows none of the packages."""
    code, said = _audit(tmp_path, {"pypi": first, "osv": None}, required=required)
    assert code == int(required)
    assert "NOT AUDITED" in said
    assert "proves nothing" in said
    assert "no known vulnerability" not in said


def test_what_one_service_does_not_know_another_may(tmp_path: Path) -> None:
    code, said = _audit(tmp_path, {"pypi": [SKIPPED], "osv": [CLEAN]}, required=True)
    assert (code, "(osv)" in said) == (0, True), said
