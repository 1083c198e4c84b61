"""Figures and hedges as people write them in a cell: "1 200", "over 1.2 million", "up to 50", "20-40".

Only what can be meant in one way is read. Figures that may be two numbers (1.200) are refused, and so are words
without a figure ("dozens"): what they stand for is a judgement, which is offered and never made in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from groundswell.data.sizes import read_size

HEDGES: Mapping[str, str] = {
    word: qualifier
    for qualifier, words in {
        "exactly": ("exactly", "precisely", "exact", "="),
        "about": (
            "about", "around", "approximately", "approx", "roughly", "some", "circa", "ca", "c", "nearly", "almost",
            "close to", "estimated", "an estimated", "~",
        ),
        "at_least": ("at least", "no fewer than", "no less than", "not less than", "minimum", "a minimum of",
                     "upwards of", "upward of", "or more", "and more", "plus", "+", ">=", "≥"),
        "more_than": ("more than", "over", "above", "in excess of", "exceeding", "upwards from", "greater than", ">"),
        "at_most": ("at most", "up to", "no more than", "not more than", "maximum", "a maximum of", "or fewer",
                    "or less", "<=", "≤"),
        "less_than": ("less than", "fewer than", "under", "below", "<"),
        "between": ("between", "from", "range", "ranging from"),
    }.items()
    for word in words
}  # fmt: skip
"""Words of speakers -> qualifier. "Nearly" and "almost" are `about`: nobody says "nearly 700" of 400."""

TIMES: Mapping[str, int] = {
    "hundred": 100, "thousand": 1000, "k": 1000, "million": 1_000_000, "m": 1_000_000, "mn": 1_000_000,
}  # fmt: skip

GROUPING = " '’ \u00a0\u2009\u202f"
"""Signs that part thousands and never decimals, beside the comma and the point, which may do both."""

_BEFORE = sorted((word for word in HEDGES if not word.startswith(("or ", "and ", "plus", "+"))), key=len, reverse=True)
_AFTER = ("or more", "and more", "plus", "+", "or fewer", "or less")
DIGITS = "write the number alone, in digits, and the words in the qualifier"
_DASH = re.compile(r"\s*(?:-|–|—|\bto\b|\band\b)\s*")


class NoFigure(ValueError):
    """Why a text is no figure; `remedy` says what to write."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class Figure:
    """One figure as it stands in a cell. qualifier : "" where the cell has no hedge. high : of a range."""

    value: float
    high: float | None = None
    qualifier: str = ""


def qualifier_of(text: str) -> str | None:
    """The qualifier that a hedge stands for: "over" is more_than; None where the words are not known."""
    plain = re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", text)).strip(" .").lower()
    return HEDGES.get(plain)


def read_figure(text: str, ratio: bool = False) -> Figure:
    """The figure in a cell; NoFigure says why there is none.

    Read: 1200, 1,200, 1 200, 1'200, 1.200.000, 1.2 million, 12k, each alone or with a hedge before or after it, and
    ranges ("20-40", "20 to 40"). ratio : the figure is a ratio, in which 1.200 is one and a fifth.
    """
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().lower()
    if not re.search(r"\d", plain):
        raise NoFigure(f'"{text}" is no number', suggestion(text))
    if "%" in plain or re.search(r"per ?cent", plain):
        raise NoFigure(f'"{text}" is a share', "give the number itself; what it is a share of is another claim")
    qualifier, rest = _hedged(plain)
    parts = [part for part in _DASH.split(rest) if part] if not re.match(r"[+-]?[\d.]+e[+-]", rest) else [rest]
    if len(parts) == 2 and qualifier in ("", "about", "between") and not rest.startswith(("-", "–")):
        low, high = (_number(part, text, ratio) for part in _shared_unit(parts))
        return Figure(low, high, "between")
    return Figure(_number(rest, text, ratio), None, qualifier)


def suggestion(text: str) -> str:
    """What could be written in the place of words: ranges as the field's conventions have them. A judgement."""
    wide, ccc = read_size(text), read_size(text, "ccc")
    if not wide.known:
        return DIGITS
    low, high = wide.low or 0.0, wide.high
    if high is None or low == high or low <= 1:
        bound, figure = ("at_least", low) if high is None else ("about", low) if low == high else ("at_most", high)
        return f"write digits; the words could be {bound} {figure:.0f}: it is a judgement"
    offers = [f"between {low:.0f} and {high:.0f} (all that they allow)"]
    if text.strip().lower().endswith("s"):
        offers.append(f"at_least {2 * low:.0f}")
    if ccc.low is not None and ccc.low == ccc.high:
        offers.append(f"about {ccc.low:.0f} (Crowd Counting Consortium)")
    return f"write digits; the words could be {', or '.join(offers)}: it is a judgement"


def _hedged(plain: str) -> tuple[str, str]:
    """The qualifier of the words around a figure, and the rest."""
    found = ""
    for word in _BEFORE:
        if plain.startswith(word) and not plain[len(word) : len(word) + 1].isalpha():
            found, plain = HEDGES[word], plain[len(word) :].strip(" .")
            break
    for word in _AFTER:
        if plain.endswith(word) and not found:
            return HEDGES[word], plain.removesuffix(word).strip()
    return found, plain


def _shared_unit(parts: list[str]) -> list[str]:
    """ "1.5 to 2 million" : the unit of the second is the first's too."""
    unit = re.search(r"[a-z]+$", parts[1])
    return [f"{parts[0]} {unit[0]}", parts[1]] if unit and not re.search(r"[a-z]$", parts[0]) else parts


def _number(part: str, text: str, ratio: bool) -> float:
    found = re.fullmatch(r"([+-]?[\d.,'’ ]*\d(?:e[+-]?\d+)?)\s*([a-z]*)", part)
    times = TIMES.get(found[2].removesuffix("s") or "-", 1 if not found[2] else 0) if found else 0
    if not found or not times:
        raise NoFigure(f'"{text}" is no number', DIGITS)
    digits = found[1].strip()
    bare = re.sub(rf"(?<=\d)[{GROUPING}](?=\d{{3}}(?!\d))", "", digits)
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", bare):
        bare = bare.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?", bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", bare) and not ratio and times == 1:
        whole = bare.replace(".", "")
        raise NoFigure(f'"{text}" may be {whole} or {float(bare):g}', f"write {whole}, without a sign between")
    elif re.fullmatch(r"[+-]?\d+,\d+", bare):
        if times == 1:
            raise NoFigure(f'"{text}" may have a decimal comma or a slip', "write digits, and decimals with a point")
        bare = bare.replace(",", ".")
    try:
        value = float(bare)
    except ValueError:
        raise NoFigure(f'"{text}" is no number', DIGITS) from None
    return round(value * times, 6) if times > 1 else value
