"""Numbers as tables write them: thousands in groups, decimals with a point or a comma."""

from __future__ import annotations

import re
from collections.abc import Sequence

from groundswell.data.readers.raw import Raw

_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")
_COMMA = re.compile(r"-?\d+,\d+")
_POSITION = re.compile(r"(?i)(^|[^a-z])(lat|lon|long|lng)(itude)?$")


def number_in(text: str) -> float:
    """A number; ValueError where it is none. 1,500 is fifteen hundred, 12,5 twelve and a half."""
    text = text.strip()
    if _GROUPED.fullmatch(text):
        return float(text.replace(",", ""))
    return float(text.replace(",", ".") if _COMMA.fullmatch(text) else text)


def number_or_nan(text: str, of: str = "") -> float:
    """A number, NaN where the text is none or may be two; of "latitude" and "longitude" as degrees."""
    try:
        if of in ("latitude", "longitude"):
            return degrees_in(text)
        return float("nan") if may_be_thousands(text) else number_in(text)
    except ValueError:
        return float("nan")


def degrees_in(text: str) -> float:
    """Degrees of a position, where no comma stands for thousands: 35,690 is 35.69; ValueError where it is none."""
    return float(text.replace(",", ".") if _COMMA.fullmatch(text.strip()) else text)


def has_decimal_comma(text: str) -> bool:
    """Whether the comma of a number can only be its decimal sign: 12,5 but not 1,500."""
    return bool(_COMMA.fullmatch(text)) and not _GROUPED.fullmatch(text)


def may_be_thousands(text: str) -> bool:
    """Whether a point may part thousands or decimals, as in 1.500."""
    return bool(re.fullmatch(r"[1-9]\d{0,2}(\.\d{3})+", text.strip()))


def decimal_commas(names: Sequence[str], raw: Raw) -> list[str]:
    """A note on the numbers of these columns that are read with a decimal comma, if there are any."""
    found = [
        text
        for name in names
        for text in raw.column(name)
        if "," in text and (_COMMA.fullmatch(text) if _POSITION.search(name) else has_decimal_comma(text))
    ]
    if not found:
        return []
    first = found[0]
    return [f"{len(found)} numbers have a decimal comma: {first} is read as {first.replace(',', '.')}"]
