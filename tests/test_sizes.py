import csv
import gzip
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.sizes import RULES, read_size
from groundswell.errors import UsageError

WIDE = [
    ("500", 500, 500),
    ("10,000", 10_000, 10_000),
    ("10.000", 10_000, 10_000),
    ("1e+05", 100_000, 100_000),
    ("500.0", 500, 500),
    ("۵۰۰", 500, 500),
    ("5k", 5000, 5000),
    ("1 million", 1_000_000, 1_000_000),
    ("one and a half million", 1_500_000, 1_500_000),
    ("half a million", 500_000, 500_000),
    ("twenty-five people", 25, 25),
    ("a hundred", 100, 100),
    ("30 thousands of protesters", 30_000, 30_000),
    ("tens", 10, 99),
    ("10s", 10, 99),
    ("dozens", 12, 99),
    ("a few dozen", 24, 99),
    ("scores", 20, 199),
    ("hundreds ", 100, 999),
    ("100s", 100, 999),
    ("100S", 100, 999),
    ("300s", 300, 399),
    ("several hundred", 200, 999),
    ("several 1000s", 2000, 9999),
    ("Thousands ", 1000, 9999),
    ("tens of thousands", 10_000, 99_999),
    ("10000s", 10_000, 99_999),
    ("20000s", 20_000, 29_999),
    ("hundreds of thousands ", 100_000, 999_999),
    ("several hundred thousands", 200_000, 999_999),
    ("millions", 1_000_000, 9_999_999),
    ("couple thousands", 1500, 2500),
    ("a handful", 2, 10),
    ("100+", 100, None),
    ("100s+", 100, None),
    (">2000", 2000, None),
    ("> 50 ", 50, None),
    ("more than a thousand", 1000, None),
    ("at least 200 people", 200, None),
    ("100 or more protesters", 100, None),
    ("<50", 1, 50),
    ("up to two million", 1, 2_000_000),
    ("no more than 20", 1, 20),
    ("about 500", 375, 625),
    ("nearly 1,000 people", 750, 1000),
    ("100-200", 100, 200),
    ("200-100", 100, 200),
    ("100s-1000s", 100, 9999),
    ("200-2000+", 200, None),
    ("700 - >1000", 700, None),
    ("about 400 to 500 people", 400, 500),
    ("between 35,000 and 50,000", 35_000, 50_000),
    ("btw. 20000 & 30000", 20_000, 30_000),
    ("> 50 < 100 ", 50, 100),
    ("hundreds;thousands", 100, 9999),
    ("scores (>50)", 20, None),
    ("over 300 town residents", 300, None),
]


@pytest.mark.parametrize(("text", "low", "high"), WIDE)
def test_words_are_the_whole_range_that_they_allow(text, low, high):
    size = read_size(text)
    assert (size.low, size.high, size.text, size.reason) == (low, high, text, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("8 arrested", 'counts "arrested"'),
        ("dozens arrested", 'counts "arrested"'),
        ("200 people were killed", 'counts "killed"'),
        (".", "no figure"),
        ("", "missing"),
        ("-1", "missing"),
        ("NA", "no figure"),
        ("-7", "negative"),
        ("0", "not known"),
        ("increasingly large gatherings", "no figure in the text"),
        ("in 50 cities", 'counts "cities"'),
        ("30 different cities", 'counts "cities"'),
        ("99999999999999", "mankind"),
    ],
)
def test_what_is_no_size_says_why(text, reason):
    size = read_size(text)
    assert not size.known
    assert reason in size.reason
    assert size.text == text


@pytest.mark.parametrize(
    ("text", "ccc", "count_love"),
    [
        ("hundreds", (200, 200), (100, 100)),
        ("1000s", (2000, 2000), (1000, 1000)),
        ("several hundred", (200, 999), (200, 200)),
        ("a dozen", (12, 12), (10, 10)),
        ("dozens", (12, 99), (20, 20)),
        ("100-200", (100, 200), (100, 100)),
        ("about 500", (375, 625), (500, 500)),
        ("up to 500", (1, 500), (500, 500)),
        (">2000", (2000, None), (2000, 2000)),
    ],
)
def test_the_conventions_of_two_projects(text, ccc, count_love):
    assert (read_size(text, "ccc").low, read_size(text, "ccc").high) == ccc
    assert (read_size(text, "count_love").low, read_size(text, "count_love").high) == count_love


def test_an_unknown_rule_is_named_with_the_known():
    with pytest.raises(UsageError, match=r"Nearest name: .wide.*Known: wide, ccc, count_love"):
        read_size("hundreds", "wise")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("12 people were arrested", 12, 12),
        ("dozens of arrests", 12, 99),
        ("60 arrests;40 arrests;four arrests", 4, 60),
        ("30, with nine ultimately arrested", 9, 9),
        ("five jurisdictions and no arrests", 0, 0),
        ("more than 5", 5, None),
        ("unclear", None, None),
        ("two killed", None, None),
        ("0", 0, 0),
    ],
)
def test_persons_arrested_are_counted_where_asked(text, low, high):
    size = read_size(text, arrests=True)
    assert (size.low, size.high) == (low, high)


def test_nearly_every_size_of_mass_mobilization_is_read(reference):
    with gzip.open(reference / "mass_mobilization/events_1990_2015.csv.gz", "rt", encoding="utf-8", newline="") as file:
        texts = Counter(row["participants"] for row in csv.DictReader(file))
    unread = {text for text in texts if not read_size(text).known}
    assert unread == {"", ".", "teachers and pupils"}


def test_every_size_of_the_floyd_localities_is_read(reference):
    path = reference / "floyd_protests_2020/localities_by_vintage.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        texts = Counter(row["size_text"] for row in csv.DictReader(file))
    assert {text for text in texts if not read_size(text).known} == {""}


@given(
    st.text(alphabet="0123456789 ,.+-<>~s;handfulmotrewv", max_size=30) | st.text(max_size=30),
    st.sampled_from(list(RULES)),
)
def test_any_text_gives_an_ordered_interval_or_a_reason(text, rule):
    size = read_size(text, rule)
    assert size.text == text
    assert size.known != bool(size.reason)
    if size.low is not None and size.high is not None:
        assert 0 <= size.low <= size.high


@given(st.integers(1, 10**9))
def test_a_plain_number_is_itself_under_every_rule(number):
    for written in (str(number), f"{number:,}"):
        for rule in RULES:
            size = read_size(written, rule)
            assert size.low == size.high == number


@pytest.mark.parametrize(
    ("text", "interval"),
    [("12,5", (12, 13)), ("1,2 million", (1_200_000, 1_200_000)), ("1,500", (1500, 1500)), ("50,60,70", (50, 70))],
)
def test_a_comma_before_one_or_two_digits_is_a_decimal_sign(text, interval):
    size = read_size(text)
    assert (size.low, size.high) == interval
