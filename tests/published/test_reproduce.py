"""The list behind `groundswell reproduce`: names, sources, and that no row reads what it should compute."""

from __future__ import annotations

import inspect
import pkgutil
from pathlib import Path

from groundswell.cli.reproduce import all_rows
from groundswell.studies import published


def test_every_row_has_its_own_name_and_a_source() -> None:
    rows = all_rows()
    assert rows
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        level, slash, rest = row.name.partition("/")
        assert slash, row.name
        assert level in ("agents", "cities", "events", "claims", "forecasts"), row.name
        assert rest
        assert row.source, row.name
        assert row.tolerance >= 0, row.name
        assert row.expected == row.expected, row.name


def test_no_row_computes_from_its_expected_value() -> None:
    """`compute` takes the data folder alone; a closure over `expected` or over a Published would show here."""
    for row in all_rows():
        assert len(inspect.signature(row.compute).parameters) == 1, row.name
        closure = inspect.getclosurevars(row.compute) if inspect.isfunction(row.compute) else None
        if closure is not None:
            assert "expected" not in closure.nonlocals, row.name
            assert not any(value is row for value in closure.nonlocals.values()), row.name


def test_every_module_of_rows_is_asserted_by_a_test_of_its_own() -> None:
    folder = Path(__file__).parent
    modules = [module.name for module in pkgutil.iter_modules(published.__path__) if module.name != "base"]
    assert modules
    for name in modules:
        assert (folder / f"test_{name}.py").exists(), f"tests/published/test_{name}.py is missing"
