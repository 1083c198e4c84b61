"""Files that come without a header line: how they are known, and the names of their columns.

GDELT's event files are tab-separated and begin with the first event. 61 columns are GDELT 2.0; 58 are
GDELT 1.0, without the ADM2Code of each place; 57 its files of before April 2013, without SOURCEURL too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def _actor(n: int) -> list[str]:
    parts = ("Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code", "Religion2Code")
    return [f"Actor{n}{part}" for part in (*parts, "Type1Code", "Type2Code", "Type3Code")]


def _place(of: str) -> list[str]:
    parts = ("Type", "FullName", "CountryCode", "ADM1Code", "ADM2Code", "Lat", "Long", "FeatureID")
    return [f"{of}Geo_{part}" for part in parts]


GDELT_2 = (
    "GlobalEventID", "Day", "MonthYear", "Year", "FractionDate", *_actor(1), *_actor(2), "IsRootEvent", "EventCode",
    "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale", "NumMentions", "NumSources", "NumArticles",
    "AvgTone", *_place("Actor1"), *_place("Actor2"), *_place("Action"), "DATEADDED", "SOURCEURL",
)  # fmt: skip
GDELT_1 = tuple(name for name in GDELT_2 if not name.endswith("ADM2Code"))

NAMES = {len(names): names for names in (GDELT_2, GDELT_1, GDELT_1[:-1])}


def names_for(records: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """The columns' names if these first records of a file are events without a header, else None.

    Half of them decide, so that one damaged line at the top does not hide the rest: as many cells as a
    known format has, a number first and a day as yyyymmdd second.
    """
    widths = Counter(
        len(cells) for cells in records if len(cells) in NAMES and cells[0].isdigit() and _is_day(cells[1])
    )
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    return NAMES[width] if count and 2 * count >= len(records) else None


def _is_day(text: str) -> bool:
    return len(text) == 8 and text.isdigit()
