"""Crowd sizes as texts say them, turned into intervals by a named rule; the text is always kept.

"hundreds" is not a number, and data projects disagree on what to write for it. So the reading is a
choice with a name, and its result is an interval: `low` alone means "at least", `high` alone "at
most", neither "no size", with the reason.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from groundswell.errors import UsageError, nearest

ABOUT = 0.25
"""Half-width of "about N" as a share of N, a judgement: round figures are seldom nearer than that."""

_UNITS = {"ten": 10, "dozen": 12, "score": 20, "hundred": 100, "thousand": 1000, "k": 1000, "million": 1_000_000}
_PLURAL_END = {10: 99, 12: 99, 20: 199, 100: 999, 1000: 9999, 1_000_000: 9_999_999}
_WORDS: dict[str, float] = {
    "half": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip

_PHRASES = (
    (r"\b(one|two|three|four|five) and a half\b", lambda m: f"{_WORDS[m[1]]}.5"),
    (r"\bno (?=arrest)", "0 "),
    (r"(no more than|not more than|at most|up to|less than|fewer than|under|below|maximum of|≤|<=|<)", " < "),
    (r"(more than|over|at least|no less than|no fewer than|upwards? of|in excess of|exceeding|above|minimum of|≥|>=|>)",
     " > "),
    (r"(nearly|almost|close to|just short of|approaching)", " ^ "),
    (r"(about|around|approximately|approx\.?|roughly|some|an estimated|estimated|circa|\bca?\.|~)", " ~ "),
    (r"\b(between|btw\.?)\s(.*?)\s?(?:\band\b|&)", r" \2 - "),
    (r"\b(or more|and more|plus)\b|\+", " + "),
    (r"(?<=[\w+])\s*(?:-|–|—|\bto\b)\s*(?=[~<>^\w])", " - "),
)  # fmt: skip

_ARREST = re.compile(r"arrest|detain|detention|custody|jail")
_HARM = re.compile(_ARREST.pattern + "|charg|kill|dead|died|death|injur|wound|hurt|missing")
_OTHER_THINGS = re.compile(
    r"^(cities|towns|villages|provinces|states|regions|districts|jurisdictions|prisons|universities|days?|hours?|weeks?|"
    r"months?|years?|percent|pct|%|vehicles|cars|buses|miles|km|kilometers|kilometres|blocks|officers|am|pm)$"
)
_BEFORE_THINGS = {"different", "other", "main", "major", "more", "of"}
_NOTHING = {"", "na", "n/a", "nan", "none", "null", ".", "-", "?", "..", "unknown", "unclear", "no report", "-1"}
_WORLD = 1e10


@dataclass(frozen=True)
class Size:
    """Persons in [low, high]; None is "not stated" at that end. `reason` says why there is no size."""

    low: float | None
    high: float | None
    text: str
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether at least one end is stated."""
        return self.low is not None or self.high is not None


@dataclass(frozen=True)
class SizeRule:
    """A convention: what it writes for a form of words, else the reading of "wide".

    words : (form, unit) -> persons, where form is "plural" (hundreds), "several" (several hundred)
    or "one" (a dozen). lowest : only the lowest figure is kept, as low and high.
    """

    name: str
    doc: str
    words: Mapping[tuple[str, int], int]
    lowest: bool = False


RULES: Mapping[str, SizeRule] = {
    rule.name: rule
    for rule in (
        SizeRule(
            "wide",
            "words as the whole range that they allow: hundreds 100-999, several hundred 200-999, dozens 12-99, "
            f"about N within {ABOUT:.0%}",
            {},
        ),
        SizeRule(
            "ccc",
            "Crowd Counting Consortium: hundreds 200, thousands 2,000; all else as wide",
            {("plural", 100): 200, ("plural", 1000): 2000},
        ),
        SizeRule(
            "count_love",
            "Count Love: hundreds 100, several hundred 200, a dozen 10, dozens and several dozen 20; the lowest figure "
            "counts",
            {("plural", 100): 100, ("several", 100): 200, ("one", 12): 10, ("plural", 12): 20, ("several", 12): 20},
            lowest=True,
        ),
    )
}


def size_rule(name: str) -> SizeRule:
    """The rule by name; UsageError lists them."""
    if name not in RULES:
        raise UsageError(f'no size rule is called "{name}".' + nearest(name, RULES) + f" Known: {', '.join(RULES)}.")
    return RULES[name]


def read_size(text: str, rule: str = "wide", arrests: bool = False) -> Size:
    """The interval that a size text stands for under a rule.

    Several figures in one text give the interval that holds them all, except a lower and an upper
    bound (">50 <100"), which bound one figure. Figures about other things (persons arrested, cities,
    days) are no sizes; with `arrests` the persons arrested are what is counted. 0 and -1 stand for
    "not known" in the files that use them: a protest has at least one participant.
    """
    return _read(text, size_rule(rule).name, arrests)


@lru_cache(maxsize=65536)
def _read(text: str, rule: str, arrests: bool) -> Size:
    convention = RULES[rule]
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain in _NOTHING:
        return Size(None, None, text, "no figure" if plain not in ("", "-1") else f"{text.strip() or 'empty'}: missing")
    if re.fullmatch(r"-\d+(\.\d+)?", plain):
        return Size(None, None, text, "a negative number is no size")
    found, refused = _figures(_tokens(plain), convention, arrests)
    if not found:
        return Size(None, None, text, refused or "no figure in the text")
    low, high = _hull(found)
    if convention.lowest:
        low = high = low if low is not None else high
    if max(low or 0, high or 0) > _WORLD:
        return Size(None, None, text, "more than mankind")
    if high == 0 and not arrests:
        return Size(None, None, text, '0 stands for "not known"')
    return Size(None if low is None else float(math.floor(low)), None if high is None else float(math.ceil(high)), text)


Interval = tuple[float | None, float | None]


def _tokens(plain: str) -> list[str]:
    """Words, plain numbers ("10000"), numbers with s ("1000s"), and the signs < > ^ ~ - + ;"""
    if re.fullmatch(r"\d+(\.\d+)?e\+?\d{1,2}", plain):  # as R writes 100000
        plain = f"{float(plain):.0f}"
    plain = re.sub(r"(?<![\d.,])(\d{1,3})((?:[,.   ]\d{3})+)(?![\d])", lambda m: re.sub(r"\D", "", m[0]), plain)
    plain = re.sub(r"(?<![\d.,])(\d+),(\d{1,2})(?![\d.,])", r"\1.\2", plain)  # 12,5 is twelve and a half
    for pattern, sign in _PHRASES:
        plain = re.sub(pattern, sign, plain)
    return re.findall(r"\d+(?:\.\d+)?s?|[^\W\d_]+|[<>^~+;%-]", plain)


def _figures(tokens: list[str], rule: SizeRule, arrests: bool) -> tuple[list[Interval], str]:
    """The intervals of all figures about participants (or about persons arrests), and what else was counted."""
    found: list[tuple[Interval, bool]] = []
    refused = ""
    i = 0
    while i < len(tokens):
        sign, j = _sign(tokens, i)
        amount, j = _amount(tokens, j, rule)
        if amount is None:
            i += 1
            continue
        plus = tokens[j : j + 1] == ["+"]
        j += plus
        after_dash, k = _sign(tokens, j + 1)
        second, k = _amount(tokens, k, rule) if tokens[j : j + 1] == ["-"] else (None, k)
        if second is not None:
            plus = tokens[k : k + 1] == ["+"]
            low, high = amount[0], None if plus or after_dash == ">" else second[1]
            if low is not None and high is not None and high < low:
                low, high = high, low
            j = k + plus
        else:
            low, high = _bounded(">" if plus else sign, amount, rule)
        thing, harm = _thing(tokens, i, j)
        if thing or (harm and not (arrests and _ARREST.match(harm))):
            refused = f'counts "{thing or harm}", not participants'
        else:
            found.append(((low, high), bool(harm)))
        i = j
    # "30, with nine ultimately arrested": only the figure beside the word counts persons arrested
    decisive = arrests and any(harm for _, harm in found)
    return [interval for interval, harm in found if harm or not decisive], refused


def _sign(tokens: list[str], i: int) -> tuple[str, int]:
    """The last of the signs before a figure ("over about 100" is about), and where the figure starts."""
    bound = ""
    while i < len(tokens) and tokens[i] in ("<", ">", "^", "~", "a", "an", "the"):
        bound = tokens[i] if tokens[i] in "<>^~" else bound
        i += 1
    return bound, i


def _amount(tokens: list[str], i: int, rule: SizeRule) -> tuple[Interval | None, int]:
    """One figure without its bound: 500, 300s, two million, several hundred, tens of thousands."""
    start, number, several = i, None, ""
    if i < len(tokens) and tokens[i] in _WORDS:
        number, i = float(_WORDS[tokens[i]]), i + 1
        ones = _WORDS.get("".join(tokens[i + 1 : i + 2]), 10)
        if number >= 20 and number % 10 == 0 and tokens[i : i + 1] == ["-"] and ones < 10:  # twenty-five
            number, i = number + ones, i + 2
    if number is None and i < len(tokens):
        if re.fullmatch(r"\d+s", tokens[i]):
            return _numbered(int(tokens[i][:-1]), rule), i + 1
        if re.fullmatch(r"\d+(\.\d+)?", tokens[i]):
            number, i = float(tokens[i]), i + 1
        elif tokens[i] in ("several", "few", "couple", "multiple"):
            several, i = tokens[i], i + 1
            if tokens[i : i + 1] == ["of"]:
                i += 1
            if re.fullmatch(r"10+s", "".join(tokens[i : i + 1])):
                return _worded("several", int(tokens[i][:-1]), 1, rule), i + 1
        elif tokens[i] == "handful":
            return (2, 10), i + 1
    units, plural = [], False
    while i < len(tokens):
        j = i + (tokens[i] in ("of", "a") and bool(units or number))
        word = tokens[j] if j < len(tokens) else ""
        unit = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
        if unit is None or (word in ("ten", "tens") and not (word == "tens" and start == i)):
            break
        units.append(unit)
        plural, i = plural or word.endswith("s"), j + 1
    rest = 1
    for unit in units[1:]:
        rest *= unit
    if number is not None:
        value = number * (units[0] * rest if units else 1)
        if rule.words.get(("one", int(value))) and units:
            value = rule.words["one", int(value)]
        return (value, value), i
    if not units:
        return None, start
    if several == "couple":
        return (1.5 * units[0] * rest, 2.5 * units[0] * rest), i
    if several or plural:
        return _worded("several" if several else "plural", units[0], rest, rule), i
    value = rule.words.get(("one", units[0] * rest), units[0] * rest)
    return (value, value), i


def _numbered(value: int, rule: SizeRule) -> Interval:
    """300s are 300-399; 100s are hundreds, 10000s tens of thousands."""
    power = 10 ** (len(str(value)) - 1)
    if value == power >= 10:
        fixed = rule.words.get(("plural", value))
        return (fixed, fixed) if fixed else (value, 10 * value - 1)
    return value, value + power - 1


def _worded(form: str, unit: int, rest: int, rule: SizeRule) -> Interval:
    if (form, unit * rest) in rule.words:
        value = rule.words[form, unit * rest]
        return value, value
    end = _PLURAL_END.get(unit, 10 * unit - 1)
    return (2 if form == "several" else 1) * unit * rest, (end + 1) * rest - 1


def _bounded(sign: str, amount: Interval, rule: SizeRule) -> Interval:
    low, high = amount
    if sign == ">":
        return low, None
    if sign == "<":
        return (high if rule.lowest else 1), high
    if sign in ("~", "^") and low == high and low is not None and not rule.lowest:
        return (1 - ABOUT) * low, low if sign == "^" else (1 + ABOUT) * low
    return low, high


def _thing(tokens: list[str], first: int, i: int) -> tuple[str, str]:
    """What the figure counts, if that is not participants: a thing (cities, days), or a harm (arrested)."""
    after = []
    for word in tokens[i : i + 5]:
        if word in _WORDS or not (word.isalpha() or word == "%"):
            break
        after.append(word)
    noun = after[1:2] if after and after[0] in _BEFORE_THINGS else after[:1]
    thing = "".join(word for word in noun if _OTHER_THINGS.match(word))
    harms = [word for word in [*after, *tokens[max(first - 1, 0) : first]] if _HARM.match(word)]
    return thing, harms[0] if harms else ""


def _hull(found: list[Interval]) -> Interval:
    lows, highs = [low for low, _ in found], [high for _, high in found]
    if len(found) == 2:  # "> 50 < 100" bounds one figure from both sides
        (a, b), (c, d) = found
        if b is None and a is not None and c == 1 and d is not None and a <= d:
            return a, d
    low = None if None in lows else min(x for x in lows if x is not None)
    high = None if None in highs else max(x for x in highs if x is not None)
    return low, high
