"""Claims and events from Excel workbooks, with what people do to them."""

import builtins
from datetime import date, datetime

import pytest

from groundswell.data.check import check
from groundswell.data.claims_table import read_claims
from groundswell.data.readers.raw import read_raw
from groundswell.errors import DataError, UsageError

HEADER = ["id", "quantity", "place", "start", "end", "qualifier", "value", "stance", "speaker"]


def book(path, *rows, title="Sheet1", change=None):
    """A workbook with one sheet of rows, changed by hand."""
    openpyxl = pytest.importorskip("openpyxl")
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if change is not None:
        change(made, sheet)
    made.save(path)
    return path


def claim(name, value, when=date(2018, 1, 1)):
    return [
        name,
        "participants",
        "Hub",
        datetime(when.year, when.month, when.day),
        when,
        "about",
        value,
        "state",
        "office",
    ]


def test_dates_are_dates_and_numbers_numbers_whatever_they_look_like(tmp_path):
    def formats(_, sheet):
        sheet["D2"].number_format, sheet["G2"].number_format = "DD/MM/YY", '#,##0" persons"'

    path = book(tmp_path / "c.xlsx", HEADER, claim("a", 1200), claim("b", "1 300"), claim("c", 1e6), change=formats)
    record = read_claims(path)
    assert [c.value for c in record] == [1200, 1300, 1_000_000]
    assert record["a"].start == record["a"].end == date(2018, 1, 1)


def test_a_title_above_blank_rows_between_and_empty_columns_are_passed_over_with_the_rows_numbers_kept(tmp_path):
    path = book(
        tmp_path / "c.xlsx", ["Our figures, as of May"], [], [*HEADER, None, None], claim("a", 10), [], claim("b", -1)
    )
    found = check(path)
    assert (found.rows, found.read) == (2, 1)
    assert list(found.left_out["row"]) == [6]
    notes = " ".join(found.notes)
    assert "1 blank lines" in notes
    assert "rows above the header are passed over" in notes


def test_a_merged_cell_stands_for_all_that_it_covers(tmp_path):
    rows = [claim("a", 10), claim("b", 20)]
    rows[1][2] = None
    path = book(tmp_path / "c.xlsx", HEADER, *rows, change=lambda _, sheet: sheet.merge_cells("C2:C3"))
    assert [c.place for c in read_claims(path)] == ["Hub", "Hub"]
    assert any("1 merged cells" in note for note in check(path).notes)


def test_a_share_stays_a_share(tmp_path):
    def percent(_, sheet):
        sheet["G2"].number_format = "0%"

    with pytest.raises(DataError, match='value "60%" is a share'):
        read_claims(book(tmp_path / "c.xlsx", HEADER, claim("a", 0.6), change=percent))


def test_the_sheet_of_claims_is_read_and_the_others_are_told(tmp_path):
    def sheets(made, sheet):
        made.create_sheet("Claims").append(HEADER)
        made["Claims"].append(claim("z", 7))

    path = book(tmp_path / "c.xlsx", ["notes"], ["and", "more"], title="Notes", change=sheets)
    assert [c.id for c in read_claims(path)] == ["z"]
    assert any(note == "sheets not read: Notes" for note in check(path).notes)


def test_a_formula_that_was_never_computed_is_told(tmp_path):
    path = book(tmp_path / "c.xlsx", HEADER, claim("a", "=1+1"))
    found = check(path)
    assert "formulas without a computed value count as empty: G2" in " ".join(found.notes)
    assert "the claim has no value" in found.left_out["reason"]


def test_events_come_from_workbooks_too(tmp_path):
    path = book(tmp_path / "e.xlsx", ["date", "city", "participants"], [datetime(2018, 1, 1), "Qom", "hundreds"])
    found = check(path)
    assert (found.kind, found.read, found.facts["first day"]) == ("events", 1, "2018-01-01")


def test_without_openpyxl_it_says_how_to_install_it(tmp_path, monkeypatch):
    path = book(tmp_path / "c.xlsx", HEADER, claim("a", 1))
    real = builtins.__import__

    def without(name, *rest, **named):
        if name == "openpyxl":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r'pip install "groundswell\[excel\]"'):
        read_raw(path)


def test_an_empty_or_damaged_workbook_is_refused(tmp_path):
    with pytest.raises(DataError, match="no sheet with a cell"):
        read_raw(book(tmp_path / "empty.xlsx"))
    import zipfile

    with zipfile.ZipFile(tmp_path / "broken.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<no")
        archive.writestr("xl/other.xml", "")
    with pytest.raises(DataError, match="cannot be read"):
        read_raw(tmp_path / "broken.xlsx")
