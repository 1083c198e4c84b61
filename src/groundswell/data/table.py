"""The one table that results, checks and reports pass around."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundswell.data.files import replacing_file
from groundswell.errors import UsageError


@dataclass(frozen=True)
class Table:
    """Named columns of equal length, in order; `None` is a missing value.

    Deliberately thin: no index, no arithmetic. `to_arrow()` hands it to pyarrow, polars or
    pandas without loss; `str(table)` is what the command line prints.
    """

    columns: Mapping[str, Sequence[Any]]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise UsageError(f"Table columns have lengths {lengths}; expected one length for all.")

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], names: Sequence[str] | None = None) -> Table:
        """Columns from dictionaries; a key that a row lacks becomes None."""
        order = list(names) if names is not None else list(dict.fromkeys(k for row in rows for k in row))
        return cls({name: [row.get(name) for row in rows] for name in order})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Sequence[Any]:
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dictionary a row."""
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def to_arrow(self) -> Any:
        """The table as `pyarrow.Table`."""
        import pyarrow

        return pyarrow.table({name: _arrow_column(values) for name, values in self.columns.items()})

    def to_csv(self) -> str:
        """Comma-separated text with a header line; missing values are empty."""
        lines = _Lines()
        writer = csv.writer(lines, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return "".join(lines)

    def write(self, path: Path) -> None:
        """Write as .csv or .parquet, by the ending, through a temporary name."""
        if path.suffix == ".parquet":
            import pyarrow.parquet

            with replacing_file(path) as temporary:
                pyarrow.parquet.write_table(self.to_arrow(), temporary)
        elif path.suffix == ".csv":
            with replacing_file(path) as temporary:
                temporary.write_text(self.to_csv(), encoding="utf-8", newline="")
        else:
            raise UsageError(f"{path.name}: a table is written as .csv or .parquet.")

    def __str__(self) -> str:
        return aligned(self)


class _Lines(list[str]):
    """Ends lines with "\\n", for a csv writer that is told "\\r\\n": so told it quotes a lone "\\r" as well."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def aligned(table: Table, digits: int = 4) -> str:
    """The table as plain text: numbers to the right, words to the left, a blank for None."""
    cells = {name: [show(value, digits) for value in values] for name, values in table.columns.items()}
    widths = {name: max([len(name), *map(len, column)]) for name, column in cells.items()}
    right = {
        name: any(isinstance(v, int | float) for v in values)
        and all(v is None or isinstance(v, int | float) for v in values)
        for name, values in table.columns.items()
    }

    def line(texts: Mapping[str, str]) -> str:
        parts = (text.rjust(widths[name]) if right[name] else text.ljust(widths[name]) for name, text in texts.items())
        return "  ".join(parts).rstrip()

    body = [line({name: cells[name][i] for name in cells}) for i in range(len(table))]
    return "\n".join([line({name: name for name in cells}), *body])


def show(value: Any, digits: int = 4) -> str:
    """One value as people read it: floats to `digits` significant figures, an exponent from 1e12 on, None as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if 10**digits <= abs(value) < 1e12 else f"{value:.{digits}g}"
    return str(value)


def _arrow_column(values: Sequence[Any]) -> Any:
    if hasattr(values, "dtype"):  # an array goes over whole: a table of draws has millions of rows
        return values
    return [value.item() if hasattr(value, "item") else value for value in values]
