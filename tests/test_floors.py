"""Imports point down the floors only, and typer stays on the top one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "groundswell"
FLOORS = (
    *("errors", "fields", "params", "statement", "rng", "data", "models", "infer", "testing"),
    *("evaluate", "sweeps", "studies", "report", "web", "cli", "__main__"),
)
MODULES = sorted(SOURCE.rglob("*.py"))


def package_of(path: Path) -> list[str]:
    return ["groundswell", *path.relative_to(SOURCE).parent.parts]


def imported(code: str, package: list[str]) -> set[str]:
    """Every module that the code imports, at its top or inside a function, relative ones made absolute."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def floor(module: str) -> int | None:
    """Height of a module of the package; None for the door itself and for other packages."""
    parts = module.split(".")
    if parts[0] != "groundswell" or len(parts) < 2 or parts[1] == "__version__":
        return None
    return FLOORS.index(parts[1]) if parts[1] in FLOORS else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    if path == SOURCE / "__init__.py":
        return
    own = floor("groundswell." + path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", "."))
    assert own is not None, f"{path.name} stands on no floor; add its package to FLOORS"
    upward = sorted(
        m for m in imported(read(path), package_of(path)) if (height := floor(m)) is not None and height > own
    )
    assert upward == [], "imports that point up"


@pytest.mark.parametrize("path", [p for p in MODULES if "cli" not in p.parts], ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_the_command_line_knows_typer(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(read(path), package_of(path))} & {"typer", "rich", "click"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_tells_one_story(path: Path) -> None:
    assert len(read(path).splitlines()) <= 400


def test_an_upward_import_inside_a_function_is_seen() -> None:
    code = "def late():\n    from ..cli import main\n    import groundswell.report.figures\n"
    found = imported(code, ["groundswell", "data"])
    assert {"groundswell.cli", "groundswell.cli.main", "groundswell.report.figures"} <= found
    assert all((floor(name) or 0) > FLOORS.index("data") for name in found)
