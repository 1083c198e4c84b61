"""The table in a JSON file: a list of objects, alone or under the name that an export gives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from groundswell.errors import DataError

LISTS = ("events", "data")
"""Where an export puts its list: Count Love's in "events", ACLED's interface in "data"."""


@dataclass(frozen=True)
class JsonRows:
    """The objects of a list, numbered from 1; `columns` are all their names, in the order of appearance."""

    objects: tuple[Any, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """(number, cells) of every object; lists and objects inside are JSON again."""
        for number, item in enumerate(self.objects, 1):
            if isinstance(item, dict):
                yield number, [_cell(item.get(name)) for name in self.columns]

    def broken(self) -> Iterator[tuple[int, str]]:
        """(number, reason) of every entry that is no object."""
        for number, item in enumerate(self.objects, 1):
            if not isinstance(item, dict):
                yield number, "is no object with names and values"


def json_rows(text: str, name: str) -> JsonRows | None:
    """The rows of a JSON text; None where it is none, unless its name says that it is, which is a DataError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if ".json" in name.lower():
            raise DataError(f"{name} is no JSON ({error}); fetch or export it again.") from error
        return None
    found, where = document, ""
    if isinstance(document, dict):
        where = next((key for key in LISTS if isinstance(document.get(key), list)), "")
        found = document.get(where)
    named = " or ".join(f'"{key}"' for key in LISTS)
    if not isinstance(found, list) or not any(isinstance(item, dict) and item for item in found):
        raise DataError(
            f"{name} is JSON without a table; expected a list of objects, alone or as "
            f"{named}, one object for each event."
        )
    columns = tuple(dict.fromkeys(key for item in found if isinstance(item, dict) for key in item))
    listed = f' in its list "{where}"' if where else ""
    return JsonRows(tuple(found), columns, (f"JSON: rows are the objects{listed}, counted from 1",))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
