"""Files are written whole or not at all; tables keep what they are given."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.files import (
    contents,
    files_of_run,
    replacing_contents,
    replacing_file,
    writable_folder,
    write_json,
    write_text,
)
from groundswell.data.table import Table, aligned, show
from groundswell.errors import GroundswellError, UsageError

CELL = (
    st.none() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)


def test_a_file_appears_whole_with_the_usual_rights(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "whole\n")
    assert (tmp_path / "new" / "a.txt").read_text() == "whole\n"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new" / "a.txt").stat().st_mode) == 0o666 & ~mask
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail_half_way() -> None:
        with replacing_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GroundswellError, match="Name another place, or make this one writable"):
        writable_folder(tmp_path / "file" / "inside")
    assert writable_folder(tmp_path / "made") == tmp_path / "made"
    assert list((tmp_path / "made").iterdir()) == []


def test_a_disk_that_is_full_or_a_name_that_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(GroundswellError, match=r"table\.csv cannot be written: Is a directory"):
        write_text(tmp_path / "table.csv", "a")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(GroundswellError, match="No space left on device"):
        write_text(tmp_path / "a.txt", "a")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_is_replaced_file_by_file_once_all_is_there(tmp_path: Path) -> None:
    write_text(tmp_path / "tables/mine.csv", "mine")
    with replacing_contents(tmp_path) as new:
        write_text(new / "tables/a.csv", "first")
        write_text(new / "old.txt", "old")
        assert contents(tmp_path / "tables") == ["mine.csv"]
    before = ["tables/a.csv", "old.txt"]

    def interrupted() -> None:
        with replacing_contents(tmp_path, before) as new:
            write_text(new / "tables/a.csv", "never")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "tables/a.csv").read_text() == "first"
    with replacing_contents(tmp_path, before) as new:
        write_text(new / "tables/a.csv", "second")
    assert contents(tmp_path) == ["tables/a.csv", "tables/mine.csv"]
    assert (tmp_path / "tables/a.csv").read_text() == "second"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"files": ["a.csv", "tables/b.csv", "../up.csv", "/etc/c", 3]}', ["a.csv", "tables/b.csv"]),
        ('{"seconds": 3}', []),
        ("[1]", []),
        ("{", []),
        (None, []),
    ],
)
def test_the_files_of_a_run_are_those_it_lists_in_its_folder(tmp_path: Path, text: str | None, expected: list) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    assert files_of_run(tmp_path) == expected


def test_equal_results_are_equal_files_and_nan_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"a": "é", "b": 1}
    write_json(tmp_path / "a.json", {"sum": (0.1 + 0.2, 1e-300, [-1.0])})
    write_json(tmp_path / "b.json", {"sum": [0.3, 1e-300, [-1.0]]})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "c.json", {"x": float("nan")})
    assert not (tmp_path / "c.json").exists()


@given(st.lists(st.fixed_dictionaries({"a": CELL, "b": CELL}), max_size=8))
def test_rows_come_back(rows: list[dict]) -> None:
    table = Table.from_rows(rows, ["a", "b"])
    assert list(table.rows()) == rows
    assert len(table) == len(rows)


@given(st.lists(st.fixed_dictionaries({"a": st.integers() | st.none(), "b": st.text(max_size=8)}), max_size=8))
def test_csv_keeps_text_with_commas_quotes_and_line_ends(rows: list[dict]) -> None:
    text = Table.from_rows(rows, ["a", "b"]).to_csv()
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["a"], row["b"]) for row in read] == [("" if r["a"] is None else str(r["a"]), r["b"]) for r in rows]


def test_parquet_keeps_types_and_missing_values(tmp_path: Path) -> None:
    import pyarrow.parquet

    table = Table({"n": [1, None], "x": [0.5, 2.0], "s": ["a", ""], "yes": [True, False]})
    table.write(tmp_path / "t.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "t.parquet").to_pydict() == {
        k: list(v) for k, v in table.columns.items()
    }


def test_a_table_says_what_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one length for all"):
        Table({"a": [1], "b": []})
    with pytest.raises(UsageError, match=r"as \.csv or \.parquet"):
        Table({"a": [1]}).write(tmp_path / "t.xlsx")


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    table = Table({"name": ["a", "long"], "value": [1.0, 12345.678], "known": [None, True]})
    assert aligned(table).splitlines() == ["name   value  known", "a          1", "long  12,346    yes"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "yes"), (3, "3"), (0.123456, "0.1235"), (9999.4, "9999"), (123456.7, "123,457"), ("x", "x")],
)
def test_a_value_as_people_read_it(value: object, text: str) -> None:
    assert show(value) == text
