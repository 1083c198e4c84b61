"""Models outside the library: made by `models new`, kept to the contract, and usable by the commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import groundswell
from groundswell.cli import main as cli
from groundswell.errors import DataError, UsageError
from groundswell.models import starter
from groundswell.models.library import LIBRARY, level, load
from groundswell.models.outside import load_outside
from groundswell.models.starter import Starter

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _modules_of_a_test_end_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


@pytest.fixture
def made(run: Run, tmp_path: Path) -> Path:
    assert run("models", "new", "my-waves", "--out", str(tmp_path))[0] == 0
    return tmp_path / "my_waves.py"


def test_a_new_model_keeps_the_contract_at_once(made: Path) -> None:
    """As its maker would: pytest in that folder, with no settings of this project."""
    source = Path(groundswell.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_my_waves.py"],
        cwd=made.parent, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "15 passed" in done.stdout
    assert sorted(path.name for path in made.parent.glob("*.py")) == ["my_waves.py", "test_my_waves.py"]


def test_a_new_model_speaks_of_itself(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    assert "tarter" not in text
    assert "models new" not in text
    assert "class MyWaves(Model)" in text
    kind = load(str(made))
    assert (kind.__name__, kind.title.split(":")[0], level(str(made))) == ("MyWaves", "my waves", "outside")


def test_the_commands_take_it(made: Path, run: Run, tmp_path: Path) -> None:
    model, out = str(made), tmp_path / "run"
    code, said, _ = run("models", "show", model)
    assert code == 0
    assert "expected events set off by one event" in said
    arguments = ["--set", "offspring=.3", "--days", "200", "--seed", "3", "--show", "--out", str(out)]
    code, said, _ = run("simulate", model, *arguments)
    assert code == 0
    assert (out / "replay.html").exists()
    assert run("simulate", f"{model}:MyWaves", "--config", str(out / "configuration.toml"))[0] == 0
    code, said, err = run("fit", model, str(out / "history.csv"))
    assert code == 0, err
    assert "offspring" in said


def test_nothing_is_overwritten_and_names_are_checked(made: Path, run: Run, tmp_path: Path) -> None:
    made.write_text("mine", encoding="utf-8")
    for name, words in {
        "my_waves": "exists already", "Waves": "small letters", "two words": "small letters", "class": "cannot be",
        "json": "Python has a module", "thresholds": "the library has a model", "": "small letters", "_x": "small",
    }.items():  # fmt: skip
        code, _, err = run("models", "new", name, "--out", str(tmp_path))
        assert code == 2, name
        assert words in err
    assert made.read_text(encoding="utf-8") == "mine"
    made.unlink()
    assert run("models", "new", "my_waves", "--out", str(tmp_path))[0] == 2, "its test is there still"
    assert not made.exists()


def test_a_file_or_module_that_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    head = "from groundswell.models.starter import Starter\n"
    files = {
        "nothing.py": "", "broken.py": "1 / 0", "borrowed.py": head,
        "several.py": head + "class A(Starter): pass\nclass B(Starter): pass\n", "no-name.py": head, "json.py": head,
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    wrong = {
        "absent.py": (DataError, "does not exist"),
        "nothing.py": (UsageError, "defines 0 models"),
        "borrowed.py": (UsageError, "defines 0 models"),
        "several.py": (UsageError, "It holds: A, B"),
        "several.py:C": (UsageError, 'no model "C"'),
        "broken.py": (DataError, "ZeroDivisionError"),
        "no-name.py": (UsageError, "no name that Python can import"),
        "json.py": (UsageError, 'the name "json" is taken'),
    }
    for name, (error, words) in wrong.items():
        with pytest.raises(error, match=words):
            load_outside(str(tmp_path / name))
    assert load_outside(str(tmp_path / "several.py:B")).__name__ == "B"
    assert load_outside(str(tmp_path / "borrowed.py:Starter")) is Starter
    assert load("groundswell.models.starter:Starter") is Starter
    with pytest.raises(DataError, match="No module named"):
        load("no.such.module:Model")
    with pytest.raises(UsageError, match=r"a file with a model of your own"):
        load("starter")


def test_the_starter_agrees_with_a_sum_by_hand() -> None:
    from groundswell.data.history import History
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window

    model = Starter(0.5, 0.25)
    setting = Setting(Places.single(10), Window(Starter.example()[1].window.start, 3))
    history = History(setting.places, setting.window, {"events": np.array([[1.0, 2.0, 0.0]])})
    means = [0.5, 0.75, 1.0]
    by_hand = np.log(means[0]) - means[0] + 2 * np.log(means[1]) - means[1] - np.log(2) - means[2]
    assert model.log_density(setting, history) == pytest.approx(by_hand, rel=1e-14)
    assert model.intensity(setting, history).tolist() == [means]


def test_the_starter_is_no_model_of_the_library() -> None:
    assert starter.__name__.rpartition(".")[2] not in LIBRARY
    assert replace(Starter(), offspring=0.2).offspring == 0.2
