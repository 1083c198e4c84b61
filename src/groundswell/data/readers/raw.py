"""From a file of unknown make to rows of text: compression, encoding, delimiter, header.

Row numbers are those of a spreadsheet program: the header is row 1, the first row of data row 2. A
file without a header, and the objects of a JSON file, are counted from 1.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from groundswell.data.files import BROKEN_ARCHIVE
from groundswell.data.readers.headerless import names_for
from groundswell.data.readers.json_rows import json_rows
from groundswell.data.readers.workbook import is_workbook, workbook_rows
from groundswell.errors import DataError

DELIMITERS = (",", "\t", ";", "|")
EMPTY = "the row is empty"
"""Why a row without any cell is left out."""

_OTHER_KINDS = (
    (b"PK\x03\x04", "a zip archive of several files or a damaged Excel workbook; save the sheet as CSV first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV first"),
    (b"%PDF", "a PDF; copy its table into a CSV file first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format", "an SQLite database; export the table as CSV first"),
)


@dataclass(frozen=True, eq=False)
class Raw:
    """A table as it stands in a file, every cell a stripped text.

    rows : (row number, cells), as many cells as there are columns. broken : rows whose cells do not
    fit the header, with the reason. notes : what had to be done to read it. header : whether row 1 is the
    header; without one it is the first row of data.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    broken: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    header: bool = True

    def __len__(self) -> int:
        return len(self.rows) + len(self.broken)

    def dictionaries(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(row number, column -> text) for every row that fits the header."""
        for number, cells in self.rows:
            yield number, dict(zip(self.columns, cells, strict=True))

    def column(self, name: str) -> list[str]:
        """All texts of a column."""
        i = self.columns.index(name)
        return [cells[i] for _, cells in self.rows]


def read_raw(source: Any) -> Raw:
    """A CSV, TSV, JSON, Parquet or Excel file (also gzip, or alone in a zip), or a pandas, polars or arrow table.

    Every cell becomes text. Files may be UTF-8 with or without a byte order mark, UTF-16 with one, or UTF-8 with
    stray lines in Windows-1252, which are read as such and listed. DataError for anything that is no table.
    """
    if not isinstance(source, str | Path):
        return _from_frame(source, type(source).__name__)
    path = Path(source)
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a file.")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; check the path (the working folder is {Path.cwd()}).") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name} is a damaged gzip file ({error}); fetch it again.") from error
    if content[:4] == b"PK\x03\x04":
        content = _only_member(content)
    if content[:4] == b"PK\x03\x04" and is_workbook(content):
        return _from_workbook(content, path.name)
    if content[:4] == b"PAR1":
        return _from_parquet(content, path.name)
    text, notes = _decoded(content, path.name)
    if text.lstrip()[:1] in ("{", "[") and (found := json_rows(text, path.name)) is not None:
        columns, renamed = _header([name.strip() for name in found.columns])
        rows = tuple((number, tuple(map(_text, cells))) for number, cells in found.rows())
        return Raw(path.name, columns, rows, tuple(found.broken()), (*notes, *found.notes, *renamed), header=False)
    return _from_text(text, path.name, notes)


def _only_member(content: bytes) -> bytes:
    """What a zip archive with a single file in it holds; any other archive as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [name for name in archive.namelist() if not name.endswith("/")]
            return archive.read(inside[0]) if len(inside) == 1 else content
    except BROKEN_ARCHIVE:
        return content


def _decoded(content: bytes, name: str) -> tuple[str, list[str]]:
    if not content.strip():
        raise DataError(f"{name} is empty; expected a table with a header line and a row for each event or claim.")
    for magic, what in _OTHER_KINDS:
        if content.startswith(magic):
            raise DataError(f"{name} is {what}. Tables are read from CSV, TSV and Parquet, plain or gzip.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), ["encoding: UTF-16"]
        except UnicodeDecodeError as error:
            raise DataError(f"{name} begins like UTF-16 text but is not; save it as UTF-8.") from error
    if b"\0" in content:
        raise DataError(f"{name} is a binary file, not a table. Tables are read from CSV, TSV and Parquet.")
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    lines, strays = [], []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            strays.append(number)
            lines.append(line.decode("cp1252", errors="replace"))
    shown = ", ".join(map(str, strays[:20])) + (" ..." if len(strays) > 20 else "")
    return "\n".join(lines), [f"encoding: {len(strays)} lines are not UTF-8, read as Windows-1252: lines {shown}"]


def _from_text(text: str, name: str, notes: list[str]) -> Raw:
    delimiter = _delimiter(text)
    known = names_for(_first_records(text, delimiter))
    records = list(_unquoted(text, delimiter)) if known else _records(text, delimiter, name)
    filled = [(number, cells) for number, cells in enumerate(records, 1) if cells]
    if blank := len(records) - len(filled):
        notes = [*notes, f"{blank} blank lines, which are no rows"]
    if not filled:
        raise DataError(f"{name} has no line with text; expected a header line.")
    if known:
        columns, renamed = known, [f"no header line: {len(known)} columns, named by position; the first line is row 1"]
    else:
        columns, renamed = _header([cell.strip() for cell in filled.pop(0)[1]])
    width = len(columns)
    rows: list[tuple[int, tuple[str, ...]]] = []
    broken: list[tuple[int, str]] = []
    short = 0
    for number, cells in filled:
        cells = [cell.strip() for cell in cells]
        if len(cells) > width and any(cells[width:]):
            broken.append((number, f"has {len(cells)} cells where the header has {width}"))
            continue
        short += len(cells) < width
        rows.append((number, tuple(cells[:width]) + ("",) * (width - len(cells))))
    if short:
        notes = [*notes, f"{short} rows end early; the missing cells count as empty"]
    named = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}[delimiter]
    return Raw(name, columns, tuple(rows), tuple(broken), (f"delimiter: {named}", *notes, *renamed), not known)


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into the most columns of one width."""

    def score(sign: str) -> tuple[float, int]:
        start = io.StringIO(text[:200_000], newline="")
        widths = [len(cells) for cells, _ in zip(_lenient(start, sign), range(30), strict=False) if cells]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    # a sign that leaves one column has score 0; a single-column file falls to the comma
    return max(DELIMITERS, key=lambda sign: (score(sign)[0] > 0.6, score(sign)[1], score(sign)[0]))


def _first_records(text: str, delimiter: str) -> list[list[str]]:
    """Some records of the top, without quotation marks of their own, to see whether they name columns."""
    return [cells for cells, _ in zip(_unquoted(text[:200_000], delimiter), range(30), strict=False) if cells]


def _unquoted(text: str, delimiter: str) -> Iterator[list[str]]:
    """Records of a text in which a quotation mark is a letter like any other."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _lenient(lines: Any, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return


def _records(text: str, delimiter: str, name: str) -> list[list[str]]:
    """All records; an opening quotation mark without a closing one would swallow the rest, so it is refused."""
    csv.field_size_limit(2**31 - 1)
    records: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            records.append(cells)
        return records
    except csv.Error as error:
        unclosed = "unexpected end of data" in str(error)
        last = len(records) + 1
    if unclosed and delimiter == "\t":  # tab-separated exports often do not quote at all
        return list(_unquoted(text, delimiter))
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if unclosed or text.count('"') % 2:
        raise DataError(
            f"{name} row {last}: a quotation mark is opened and never closed, so the rest of the file would be "
            "one cell. Close it, or double it if it belongs to the text."
        )
    return records


def _header(cells: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Column names, unique and none empty."""
    names: list[str] = []
    notes: list[str] = []
    for i, cell in enumerate(cells, 1):
        base = name = cell or f"column {i}"
        copy = 1
        while name in names:
            copy += 1
            name = f"{base} ({copy})"
        if copy > 1:
            notes.append(f'the header has "{base}" more than once; a later one is called "{name}"')
        names.append(name)
    return tuple(names), notes


def _from_parquet(content: bytes, name: str) -> Raw:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} begins like a Parquet file but cannot be read ({error}); fetch it again.") from error
    return _from_frame(table, name)


def _from_workbook(content: bytes, name: str) -> Raw:
    rows, notes = workbook_rows(content, name)
    used = max(i for _, cells in rows for i, value in enumerate(cells, 1) if value not in (None, ""))
    columns, renamed = _header([_text(cell) for cell in rows[0][1][:used]])
    cells = tuple((number, tuple(map(_text, row[:used]))) for number, row in rows[1:])
    return Raw(name, columns, cells, (), (*notes, *renamed))


def _from_frame(frame: Any, name: str) -> Raw:
    import narwhals as nw

    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise DataError(
            f"{name} is no table; expected a path to a CSV, TSV or Parquet file, or a pandas, polars or arrow table."
        ) from error
    columns, notes = _header([str(column).strip() for column in table.columns])
    rows = tuple((number, tuple(map(_text, cells))) for number, cells in enumerate(table.iter_rows(), 2))
    return Raw(name, columns, rows, (), tuple(notes))


def _text(value: Any) -> str:
    """A cell as a CSV file would hold it."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, float) and value != value:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
