"""The totals of a run from a table: what `simulate` writes is read back, and what is no whole run is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.series import read_series
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError

START = date(2000, 1, 1)


def written(folder: Path, text: str) -> Path:
    path = folder / "run.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("step", [1, 7])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_history_is_read_back(step: int, ending: str, tmp_path: Path) -> None:
    values = {"active": np.array([[0.0, 3.0, 1200.0]]), "jailed": np.array([[1.0, 0.5, 2.0]])}
    window = Window(date(2017, 12, 28), 3, step)
    path = tmp_path / f"history.{ending}"
    History(Places.single(10), window, values).table().write(path)
    found = read_series(path, ["jailed"], START)
    assert found.window == window
    assert found.values["jailed"].tolist() == [1.0, 0.5, 2.0]
    assert found.unused == ("active",)
    assert read_series(path, ["active", "jailed"], START).values["active"].tolist() == [0.0, 3.0, 1200.0]


def test_steps_do_for_dates(tmp_path: Path) -> None:
    path = tmp_path / "record.parquet"
    Table({"step": [1, 2], "active": [4, 5], "quiet": [6, 5]}).write(path)
    found = read_series(path, ["active"], START)
    assert (found.window, found.values["active"].tolist()) == (Window(START, 2), [4.0, 5.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("step,actives\n1,2\n", 'no column "active". Nearest name: "actives"'),
        ("step,row,column,state\n0,1,2,1\n", "--record totals"),
        ("active\n3\n", "which step it is"),
        ("date,active\n", "no rows"),
        ("place,date,active\nA,2000-01-01,1\nB,2000-01-01,1\n", "2 places: A, B; expected one"),
        ("step,active\n121,4\n122,5\n", "row 2 is step 121; expected step 1: what happened before is not known"),
        ("step,active\n1,4\n3,5\n", "row 3 is step 3; expected step 2"),
        ("step,active\n1,4\n1,5\n", "row 3 is step 1; expected step 2"),
        ("step,active\nfirst,4\n", 'row 2: step is "first"'),
        ("date,active\n2000-01-01,4\n2000-01-02,5\n2000-01-04,5\n", "row 4 is of 2000-01-04; expected 2000-01-03"),
        ("date,active\n2000-01-02,4\n2000-01-01,5\n", "row 3 is of 2000-01-01; expected 2000-01-03"),
        ("date,active\n2000-01-02,4\n2000-01-02,5\n", "row 3 is of 2000-01-02; expected 2000-01-03"),
        ("date,active\nsoon,4\n", 'row 2: "soon"'),
        ("date,active\n2000-01-01,\n", 'row 2: active is ""; expected a number'),
        ("date,active\n2000-01-01,many\n", 'row 2: active is "many"'),
        ("date,active\n2000-01-01,inf\n", 'active is "inf"'),
        ("date,active\n2000-01-01,1,2\n", "row 2 has 3 cells"),
    ],
)
def test_what_is_no_whole_run_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        read_series(written(tmp_path, text), ["active"], START)
    assert words in str(refused.value)
