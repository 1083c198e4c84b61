"""A sheet of an Excel workbook as rows of text; needs the extra `excel`.

Dates come as real dates and numbers as numbers, whatever they look like on the screen. A merged cell stands for all
the cells that it covers. A title over the header is passed over, and row numbers are those of the sheet.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from groundswell.data.files import BROKEN_ARCHIVE
from groundswell.errors import DataError, UsageError

SHEET = "claims"
"""The sheet of this name is read; without one, the first that is not empty."""


def is_workbook(content: bytes) -> bool:
    """Whether a file's bytes are those of an .xlsx or .xlsm workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except BROKEN_ARCHIVE:
        return False


def workbook_rows(content: bytes, name: str) -> tuple[list[tuple[int, list[Any]]], list[str]]:
    """(row number, cells) from the header on, blank rows left out, and what was done to read them.

    UsageError where openpyxl is missing. DataError for a damaged workbook or one without a filled sheet. Of a formula
    the value last computed counts; a cell that was never computed is empty, and told.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise UsageError(
            f'{name} is an Excel workbook, which needs openpyxl. Install it with: pip install "groundswell[excel]", or '
            "save the sheet as CSV."
        ) from error
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(content))
    except (*BROKEN_ARCHIVE, KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{name} begins like an Excel workbook but cannot be read ({error}); save the sheet as CSV."
        ) from error
    filled = [sheet for sheet in book.worksheets if any(any(v is not None for v in row) for row in sheet.values)]
    if not filled:
        raise DataError(f"{name} has no sheet with a cell in it; expected a header and a row for each event or claim.")
    sheet = next((sheet for sheet in filled if sheet.title.strip().lower() == SHEET), filled[0])
    notes = [f'sheet "{sheet.title}"']
    if others := [one.title for one in filled if one is not sheet]:
        notes.append(f"sheets not read: {', '.join(others)}")
    merged = _merged(sheet)
    if merged:
        notes.append(f"{len(sheet.merged_cells.ranges)} merged cells, each taken for all the cells that it covers")
    rows = [
        (number, [_value(merged.get((number, column), cell)) for column, cell in enumerate(cells, 1)])
        for number, cells in enumerate(sheet.iter_rows(), 1)
    ]
    uncomputed = [
        cell.coordinate
        for cells in formulas[sheet.title].iter_rows()
        for cell in cells
        if cell.data_type == "f" and sheet[cell.coordinate].value is None
    ]
    if uncomputed:
        notes.append(f"formulas without a computed value count as empty: {', '.join(uncomputed[:10])}")
    return _from_header(rows, notes), notes


def _merged(sheet: Any) -> dict[tuple[int, int], Any]:
    """The cell that each cell of a merged range shows, by row and column."""
    return {
        at: sheet.cell(block.min_row, block.min_col) for block in sheet.merged_cells.ranges for at in _inside(block)
    }


def _inside(block: Any) -> Iterator[tuple[int, int]]:
    for row in range(block.min_row, block.max_row + 1):
        for column in range(block.min_col, block.max_col + 1):
            yield row, column


def _value(cell: Any) -> Any:
    """What a cell holds. A share is written as one, so that 60 % is not taken for .6 of a person."""
    value = cell.value
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    if isinstance(value, int | float) and not isinstance(value, bool) and "%" in (cell.number_format or ""):
        return f"{100 * value:.10g}%"
    return value


def _from_header(rows: list[tuple[int, list[Any]]], notes: list[str]) -> list[tuple[int, list[Any]]]:
    """Rows with something in them, from the first with as many different texts as half of the widest row."""
    filled = [(number, cells) for number, cells in rows if any(value not in (None, "") for value in cells)]
    different = [len({str(value) for value in cells if value not in (None, "")}) for _, cells in filled]
    start = next(i for i, count in enumerate(different) if 2 * count >= max(different))
    if start:
        notes.append(f"{start} rows above the header are passed over: row {filled[0][0]} to row {filled[start][0] - 1}")
    blank = filled[-1][0] - filled[start][0] + 1 - (len(filled) - start)
    if blank:
        notes.append(f"{blank} blank lines, which are no rows")
    return filled[start:]
