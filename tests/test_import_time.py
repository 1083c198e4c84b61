"""`import groundswell` and `groundswell --help` are quick, and stay clear of heavy packages."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

HEAVY = ("numba", "scipy", "pandas", "polars", "pyarrow", "matplotlib", "pydantic", "joblib", "jinja2")
DOOR = "import groundswell; groundswell.History; groundswell.Record; groundswell.fit"
HELP = "import sys; from groundswell.cli.main import main; assert main(['--help']) == 0"


def best_seconds(code: str, runs: int = 7) -> float:
    """Processor seconds of the fastest of several fresh interpreters.

    On a quiet machine this is the time that a person waits; the machine's other work does not count.
    """
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(times)


def loaded(code: str) -> set[str]:
    """Top-level packages in sys.modules after the code."""
    report = "; print('\\n' + ' '.join({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}{report}"], check=True, capture_output=True, text=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "limit"), [("import groundswell", 0.3), (DOOR, 0.3), (HELP, 0.4)], ids=["import", "door", "help"]
)
def test_quick(code: str, limit: float) -> None:
    assert best_seconds(code) < limit


@pytest.mark.parametrize("code", ["import groundswell", DOOR, HELP], ids=["import", "door", "help"])
def test_no_heavy_package_is_loaded(code: str) -> None:
    assert loaded(code) & set(HEAVY) == set()


def test_help_does_not_load_numpy() -> None:
    assert "numpy" not in loaded(HELP)
