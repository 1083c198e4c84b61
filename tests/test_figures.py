"""Every picture: axes from plain numbers, no warning on poor input, no words over words, same bytes again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.text import Text

from groundswell.data.table import Table
from groundswell.errors import ParameterError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.posterior import Posterior
from groundswell.models.cities.regime_phases import basins
from groundswell.models.library import load
from groundswell.report.figures import (
    asked,
    claims,
    comparison,
    evidence,
    forecasts,
    maps,
    phases,
    posterior,
    rests_on,
    style,
)
from groundswell.report.figures.placing import Label, place_labels
from groundswell.report.figures.sensitivity import sensitivity
from groundswell.report.language import Speaker
from groundswell.report.svg import svg
from groundswell.rng import generator

LEVELS = ("0.05", "0.25", "0.5", "0.75", "0.95")
STANCES = ["authorities", "movement", "press"]
WORDS = Speaker()
SQUARE = np.array([[44.0, 25.0], [63.0, 25.0], [63.0, 39.0], [44.0, 39.0], [44.0, 25.0]])


def days(count: int) -> list[str]:
    return [(date(2017, 12, 28) + timedelta(days=i)).isoformat() for i in range(count)]


def bands(count: int, top: float = 150.0, spread: float = 0.4) -> dict[str, list[float]]:
    """A cumulative quantity as quantiles by day."""
    middle = top * (1 - np.exp(-np.arange(count) / 8))
    return {
        level: (middle * math.exp(spread * z)).tolist()
        for level, z in zip(LEVELS, (-1.64, -0.67, 0, 0.67, 1.64), strict=True)
    }


def claim(name: str, value: float, start: int = 0, end: int = 34, **changes: Any) -> dict[str, Any]:
    made = {
        "id": name, "quantity": "cities_with_protest", "place": "Iran", "start": days(35)[start],
        "end": days(35)[end], "said": f"{value:g} cities", "qualifier": "exactly", "value": value,
        "value_high": None, "stance": "press", "speaker": "a speaker whose description is rather long",
        "predicted": [0.4 * value, 0.7 * value, value, 1.4 * value, 2.2 * value],
        "happened": [0.7 * value, 0.9 * value, value, 1.1 * value, 1.4 * value], "rank": 0.5,
    }  # fmt: skip
    return made | changes


CLAIMS = [
    claim("s04", 140, qualifier="more_than", stance="movement"),
    claim("t15", 142, stance="movement"),
    claim("t13", 80, qualifier="at_least"),
    claim("s01", 32, start=1, end=1, stance="authorities"),
    claim("t20", 72, end=6, qualifier="about"),
    claim("t21", 74, end=6, qualifier="at_most", stance="authorities"),
    claim("t22", 60, end=20, qualifier="between", value_high=90),
    claim("t23", 75, end=6, qualifier="less_than"),
]
WINDOWS = [
    {"label": f"Minsk, {day} August", "told": "102,000 (59,000–213,000)", "happened": [5e4, 8e4, 1e5, 1.3e5, 2.1e5],
     "claims": [claim("o", 2e5, stance="movement", qualifier="more_than"), claim("p", 2e5), claim("q", 2.04e5),
                claim("r", 2e4, value_high=3e6, stance="authorities")]}
    for day in (9, 16, 23)
]  # fmt: skip
LEAN = [
    {"stance": stance, "kind": kind, "factor": [0.6, 1.0, 1.3, 1.7, 2.6], "prior": [0.27, 1.0, 3.8], "above": 0.76}
    for stance in ("movement", "authorities") for kind in ("arrests", "cities")
]  # fmt: skip
COMPONENTS = [
    {"left_out": "call", "log_bayes_factor": 3.4, "monte_carlo_error": 0.5, "replicates": [1.0] * 3,
     "verdict": "needed"},
    {"left_out": "media", "log_bayes_factor": 0.2, "monte_carlo_error": 2.4, "replicates": [1.0] * 3,
     "verdict": "cannot tell"},
    {"left_out": "backlash", "log_bayes_factor": -2.9, "monte_carlo_error": 0.4, "replicates": [1.0] * 3,
     "verdict": "not wanted"},
]  # fmt: skip
EDGES = np.linspace(-4, 4, 65).tolist()


def ridge(centre: float, spread: float = 1.0) -> list[float]:
    middles = (np.array(EDGES[1:]) + np.array(EDGES[:-1])) / 2
    density = np.exp(-0.5 * ((middles - centre) / spread) ** 2)
    return (density / density.sum()).tolist()


def country(count: int, seed: int = 3) -> dict[str, Any]:
    """Places crowded around two hubs, as cities are."""
    draw = np.random.default_rng(seed)
    hub = draw.integers(2, size=count)
    return {
        "longitude": np.clip(np.array([51.4, 59.6])[hub] + draw.normal(0, 1.5, count), 44.5, 62.5),
        "latitude": np.clip(np.array([35.7, 36.3])[hub] + draw.normal(0, 1.0, count), 25.5, 38.5),
        "population": np.sort(np.exp(draw.normal(11, 1.2, count)))[::-1],
        "names": [f"Place {i}" for i in range(count)],
    }


def a_map(count: int, values: np.ndarray, **options: Any) -> Axes:
    return maps.country_map([SQUARE], values=values, **country(count), **options)


def a_places_map(count: int, values: np.ndarray, **options: Any) -> Axes:
    made = country(count)
    return comparison.places_map([SQUARE], made["longitude"], made["latitude"], values, made["names"], **options)


DATES = [date(2020, 5, 20) + timedelta(days=i) for i in range(60)]
COUNTS = np.round(20 * np.exp(-(((np.arange(60) - 20) / 9.0) ** 2))) + 1
SKILL = {"full": (0.21, 0.12, 0.3), "plain": (-0.1, -0.3, 0.05), "last": (-2.3, -3.1, -1.2), "none": (None, None, None)}


def a_fan_from(origin: int) -> comparison.Fan:
    return DATES[origin : origin + 7], {
        level: (COUNTS[origin : origin + 7] * (0.5 + level)).tolist() for level in comparison.BAND_LEVELS
    }


def forecast_bands(count: int, top: float = 9.0) -> dict[str, list[float]]:
    return {level: [round(top * float(level) + k / 3) for k in range(count)] for level in LEVELS}


def outlook_of(count: int, top: float = 9.0, **options: Any) -> Axes:
    ahead = [DATES[-1] + timedelta(days=1 + k) for k in range(count)]
    return forecasts.outlook(
        DATES, COUNTS.tolist(), (ahead, forecast_bands(count, top)), days=1, words=WORDS, **options
    )


def outlooks_of(count: int) -> Axes:
    ahead = [DATES[-1] + timedelta(days=1 + k) for k in range(7)]
    places = {f"Place {i}": ((COUNTS / (i + 1)).tolist(), forecast_bands(7), [1.0] * 7) for i in range(count)}
    return forecasts.outlooks(DATES, places, ahead, days=1, words=WORDS)


def moves(count: int, top: float = 5.0) -> list[dict[str, Any]]:
    return [
        {"place": f"A place with a name {i}", "expected before": top / (i + 1), "expected now": top / (i + 2),
         "moved": i < 4} for i in range(count)
    ]  # fmt: skip


def pit_table(share: float = 0.1, low: float | None = 0.07, high: float | None = 0.13) -> Table:
    return Table.from_rows(
        [{"from": k / 10, "to": (k + 1) / 10, "share": share, "low": low, "high": high} for k in range(10)]
    )


def coverage_table(covered: float = 0.85, low: float | None = -0.1, high: float | None = 0.05) -> Table:
    return Table.from_rows(
        [{"level": level, "covered": covered, "promised": 0.9, "low": low, "high": high} for level in (0.1, 0.5, 0.9)]
    )


def past_of(count: int, top: float = 9.0) -> Axes:
    return forecasts.past(DATES[:count], forecast_bands(count, top), COUNTS[:count].tolist(), words=WORDS)


def indices_of(parameters: int, summaries: int, known: bool = True) -> Axes:
    rows = [
        {"summary": f"peak events {s}", "parameter": f"between.reach.decay{p}", "used": 64, "luck": 0.1}
        | {f"{what}{end}": 0.2 * p + shift if known else None for what in ("first", "total")
           for end, shift in ((" low", -0.3), ("", 0.0), (" high", 0.3))}
        for s in range(summaries) for p in range(parameters)
    ]  # fmt: skip
    return sensitivity(Table.from_rows(rows), words=WORDS).flat[0]


ANSWERS = {"cities": "cities with protest", "arrests": "arrests", "state: cities": "lean of state, cities"}


def without(count: int, size: float = 2.0) -> list[dict[str, Any]]:
    """Rows of what is left out: the last answer of every third row is missing, every fourth row is unreliable."""
    rows = []
    for k in range(count):
        answers = {
            name: {"shift": size * math.sin(k + j), "error": 0.1}
            for j, name in enumerate(list(ANSWERS)[: 2 if k % 3 == 2 else 3])
        }
        heading = "one claim" if k < 0.7 * count else "a speaker’s claims"
        rows.append({"label": f"s{k:02d}  {k} cities", "heading": heading, "reliable": k % 4 != 3, "answers": answers})
    return rows


def tornado_of(panels: int, bars: int) -> Axes:
    made = rests_on.moved_priors(
        [
            {
                "title": f"answer {k}", "low": 40.0 * 30**k, "middle": 100.0 * 30**k, "high": 300.0 * 30**k,
                "rows": [
                    {"label": f"process.part.rate {i}, median", "values": [(100 - 8 * i) * 30.0**k, 120 * 30.0**k],
                     "ways": ["0.00074", "0.0054"], "reliable": [True, i % 3 != 2]}
                    for i in range(bars)
                ],
            }
            for k in range(panels)
        ],
        words=WORDS,
    )  # fmt: skip
    return made[0, 0]


def under_anchors(count: int) -> Axes:
    anchors = STANCES[:count]
    quantiles = {anchor: (40.0 + i, 90.0 + 10 * i, 200.0) for i, anchor in enumerate(anchors)}
    panels = [
        {"title": name, "quantiles": quantiles, "verdict": "the anchor matters"} for name in ("cities", "arrests")
    ]
    return rests_on.by_anchor(panels, anchors, words=WORDS)[0, 0]


FULL: dict[str, Callable[[], Axes]] = {
    "claims_on_fan": lambda: claims.claims_on_fan(
        days(35), bands(35), CLAIMS, prior=bands(35, 180, 1.0), stances=STANCES, words=WORDS
    ),
    "claims_on_fan, log": lambda: claims.claims_on_fan(
        days(35), bands(35, 90000, 1.0), [claim("t09", 42000, end=7, qualifier="at_most")],
        prior=bands(35, 90000, 2.5), log=True, words=WORDS,
    ),
    "said_and_expected": lambda: claims.said_and_expected(CLAIMS, stances=STANCES, words=WORDS),
    "said_and_expected, 40": lambda: claims.said_and_expected(
        [claim(f"c{i:02}", float(3**(i % 9))) for i in range(40)], words=WORDS
    ),
    "by_window": lambda: asked.by_window(WINDOWS, title="Participants", stances=STANCES, words=WORDS),
    "lean": lambda: claims.lean(LEAN, stances=STANCES, words=WORDS),
    "components": lambda: evidence.components(COMPONENTS, undecided=math.log(3), words=WORDS),
    "densities": lambda: evidence.densities(
        EDGES, {"before": ridge(0), "teams": ridge(-0.1), "ratio": ridge(0.9), "both": ridge(0.3, 0.6)},
        notes={"before": "50 %", "ratio": "82 %"}, words=WORDS,
    ),
    "country_map": lambda: a_map(200, np.linspace(1, 0, 200), label="share", percent=True),
    "country_maps": lambda: maps.country_maps(
        [SQUARE], values=np.linspace(0, 1, 400).reshape(100, 4), titles=days(4), label="share", percent=True,
        **country(100),
    ),
    "places_map": lambda: a_places_map(200, np.arange(200.0)[::-1]),
    "record": lambda: comparison.record(DATES, COUNTS, DATES[30], words=WORDS),
    "parts": lambda: comparison.parts(
        DATES, {"endemic": [1.0] * 60, "within": 0.5 * COUNTS, "between": 0.3 * COUNTS}, COUNTS.tolist(), words=WORDS
    ),
    "rolling_fans": lambda: comparison.rolling_fans(
        DATES, COUNTS, [a_fan_from(o) for o in (30, 37, 44)], words=WORDS
    ),
    "phase_diagram": lambda: phases.phase_diagram(0.35, at=(0.1, 0.8), words=WORDS),
    "phase_diagram, a corner": lambda: phases.phase_diagram(0.85, words=WORDS),
    "skill": lambda: comparison.skill(SKILL, "conflictology 30 days", ["full", "plain"], words=WORDS),
    "outlook": lambda: outlook_of(7, last=(DATES[-7:], forecast_bands(7, 14.0))),
    "outlooks": lambda: outlooks_of(6),
    "moved": lambda: forecasts.moved(moves(12), words=WORDS),
    "past": lambda: past_of(24),
    "pit": lambda: forecasts.pit({"each place": pit_table(), "all places": pit_table(0.1)}, words=WORDS),
    "coverage": lambda: forecasts.coverage({"each": coverage_table(), "all": coverage_table(0.3)}, words=WORDS),
    "sensitivity": lambda: indices_of(5, 3),
    "left_out": lambda: rests_on.left_out(without(14), ANSWERS, words=WORDS),
    "moved_priors": lambda: tornado_of(4, 8),
    "by_anchor": lambda: under_anchors(3),
}  # fmt: skip

POOR: dict[str, Callable[[], Axes]] = {
    "no claim": lambda: claims.claims_on_fan(days(35), bands(35), [], words=WORDS),
    "one claim on one day": lambda: claims.claims_on_fan(days(1), bands(1), [claim("s01", 0, end=0)], words=WORDS),
    "fan of zeros": lambda: claims.claims_on_fan(
        days(5), bands(5, 0.0), [claim("s01", 0, end=3)], prior=bands(5, 0.0), words=WORDS
    ),
    "fan of zeros, log": lambda: claims.claims_on_fan(
        days(5), bands(5, 0.0), [claim("s01", 0, end=3)], log=True, words=WORDS
    ),
    "one claim": lambda: claims.said_and_expected([claim("s01", 12)], words=WORDS),
    "a claim of nothing": lambda: claims.said_and_expected([claim("s01", 0)], words=WORDS),
    "one window of nothing": lambda: asked.by_window(
        [{"label": "Qom", "told": "0 (0–0)", "happened": [0.0] * 5, "claims": [claim("s01", 0)]}], words=WORDS
    ),
    "one lean": lambda: claims.lean(LEAN[:1], words=WORDS),
    "a component without error": lambda: evidence.components(
        [COMPONENTS[0] | {"monte_carlo_error": 0.0}], undecided=math.log(3), words=WORDS
    ),
    "one ridge": lambda: evidence.densities(EDGES, {"before": ridge(0)}, words=WORDS),
    "one place": lambda: a_map(1, np.array([1.0])),
    "a quiet country": lambda: a_map(30, np.zeros(30)),
    "one place of events": lambda: a_places_map(1, np.array([4.0])),
    "no event": lambda: a_places_map(30, np.zeros(30)),
    "one step": lambda: comparison.record(DATES[:1], COUNTS[:1], DATES[0], words=WORDS),
    "a record of zeros": lambda: comparison.record(DATES, np.zeros(60), DATES[30], words=WORDS),
    "parts of zeros": lambda: comparison.parts(DATES, {"endemic": [0.0] * 60}, [0.0] * 60, words=WORDS),
    "no fan": lambda: comparison.rolling_fans(DATES, COUNTS, [], words=WORDS),
    "no growth": lambda: phases.phase_diagram(0.0, words=WORDS),
    "no decay": lambda: phases.phase_diagram(1.0, words=WORDS),
    "no skill known": lambda: comparison.skill({"a": (None, None, None)}, "zero", [], words=WORDS),
    "an outlook of one step": lambda: outlook_of(1, 0.0),
    "an outlook after one step": lambda: forecasts.outlook(
        DATES[:1], [0.0], (DATES[1:3], forecast_bands(2, 0.0)), days=1, words=WORDS
    ),
    "one outlook": lambda: outlooks_of(1),
    "one that moved from nothing": lambda: forecasts.moved(moves(1, 0.0), words=WORDS),
    "one past date": lambda: past_of(1, 0.0),
    "a PIT without intervals": lambda: forecasts.pit({"one": pit_table(0.1, None, None)}, words=WORDS),
    "coverage without intervals": lambda: forecasts.coverage({"one": coverage_table(1.0, None, None)}, words=WORDS),
    "a sensitivity that is not known": lambda: indices_of(1, 1, known=False),
    "nothing left out": lambda: rests_on.left_out([], ANSWERS, words=WORDS),
    "nothing moved": lambda: rests_on.left_out(without(1, 0.0), ANSWERS, words=WORDS),
    "one prior": lambda: tornado_of(1, 1),
    "one anchor": lambda: under_anchors(1),
    "an answer without spread": lambda: rests_on.by_anchor(
        [{"title": "cities", "quantiles": {"press": (0.5, 0.5, 0.5)}, "verdict": ""}], ["press"], words=WORDS
    )[0, 0],
}  # fmt: skip


def box(text: Text) -> Any:
    """The words alone: an annotation's own extent holds its arrow too."""
    return Text.get_window_extent(text)


def written(axes: Axes) -> list[Text]:
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    return [text for text in axes.texts if text.get_text()]


def overlapping(texts: list[Text]) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes share more than a pixel."""
    boxes = [box(text).padded(-0.5) for text in texts]
    return [(a.get_text(), b.get_text()) for (a, x), (b, y) in combinations(zip(texts, boxes, strict=True), 2)
            if x.overlaps(y)]  # fmt: skip


@pytest.mark.parametrize("name", [*FULL, *POOR])
def test_axes_come_back_and_can_be_written(name: str) -> None:
    axes = (FULL | POOR)[name]()
    assert isinstance(axes, Axes)
    assert svg(axes, "picture").startswith("<svg")


@pytest.mark.parametrize("name", FULL)
def test_no_words_lie_on_words(name: str) -> None:
    axes = FULL[name]()
    assert overlapping(written(axes)) == []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high and t.label1.get_visible()]
        assert overlapping([tick.label1 for tick in ticks if tick.label1.get_text()]) == []


@pytest.mark.parametrize("name", ["claims_on_fan", "country_map", "places_map", "components", "densities", "outlooks"])
def test_the_same_numbers_give_the_same_bytes(name: str) -> None:
    assert svg(FULL[name](), "one") == svg(FULL[name](), "one")


@pytest.mark.parametrize("name", ["claims_on_fan", "lean", "country_map", "skill"])
def test_the_settings_of_the_user_neither_change_nor_are_changed(name: str) -> None:
    own = {"font.size": 21.0, "axes.edgecolor": "red", "lines.linewidth": 9.0}
    plain = svg(FULL[name](), "one")
    with matplotlib.rc_context(own):  # type: ignore[arg-type]
        made = FULL[name]()
        assert {key: matplotlib.rcParams[key] for key in own} == own
    assert svg(made, "one") == plain


def test_a_shift_within_its_noise_is_a_dot_and_unreliable_rows_are_hatched() -> None:
    rows = [{"label": "s01", "heading": "one claim", "reliable": reliable, "answers": {"cities": answer}}
            for reliable, answer in ((True, {"shift": 0.8, "error": 0.1}), (True, {"shift": -0.8, "error": 0.5}),
                                     (False, {"shift": -0.8, "error": 0.1}))]  # fmt: skip
    axes = rests_on.left_out(rows, {"cities": "cities"}, words=WORDS)
    assert [text.get_text() for text in axes.texts[:3]] == ["+0.8", "·", "−0.8"]
    assert [patch.get_hatch() is not None for patch in axes.patches] == [False, False, True]


def test_a_figure_where_none_was_expected_has_a_bar_beside_it() -> None:
    """A claim of 300 of which all five quantiles are 0: without a bar it looks as if nothing had been found."""
    expected = {"predicted": [0.0] * 5}
    axes = claims.said_and_expected([claim("s01", 300) | expected, claim("s02", 300)], words=WORDS)
    bars = [np.asarray(path.vertices) for bar in axes.collections for path in bar.get_paths()]
    none = [bar[:, 0] for bar in bars if (bar[:, 1] == 0).all()]
    left = axes.get_xlim()[0]
    assert [(ends.min(), ends.max()) for ends in none] == 2 * [(pytest.approx(left), 0.5)]
    other = np.concatenate([bar[:, 0] for bar in bars if (bar[:, 1] == 1).all()])
    assert other.min() > 0.5, "an interval that does not begin at 0 does not begin at the end of the axis"


def test_given_axes_are_drawn_in() -> None:
    axes = style.panel(4.0)
    assert claims.claims_on_fan(days(35), bands(35), CLAIMS, axes=axes, words=WORDS) is axes
    axes = style.panel(2.0)
    assert claims.lean(LEAN, axes=axes, words=WORDS) is axes


def test_a_stance_keeps_its_colour_whichever_others_speak() -> None:
    alone = style.colours(STANCES)
    assert style.colours(reversed(STANCES)) == alone
    assert len({colour for colour, _ in alone.values()}) == len(STANCES) == len({mark for _, mark in alone.values()})


def test_what_came_outside_nine_tenths_is_marked() -> None:
    axes = forecasts.past(DATES[:3], {level: [float(level) * 10] * 3 for level in LEVELS}, [0, 5, 12], words=WORDS)
    marked = {line.get_label(): len(np.asarray(line.get_xdata())) for line in axes.lines}
    assert marked[WORDS.say("figure-recorded")] == 1
    assert marked[WORDS.say("figure-recorded-outside")] == 2


def test_every_claim_is_named_beside_the_fan() -> None:
    axes = FULL["claims_on_fan"]()
    texts = [text.get_text() for text in written(axes)]
    assert all(any(c["id"] in text and c["said"] in text for text in texts) for c in CLAIMS)


@settings(max_examples=12)
@given(st.lists(st.integers(1, 150), min_size=1, max_size=18))
def test_claims_crowded_at_one_height_keep_their_labels_apart(values: list[int]) -> None:
    made = [claim(f"c{i:02}", float(value), stance=STANCES[i % 3]) for i, value in enumerate(values)]
    axes = claims.claims_on_fan(days(35), bands(35), made, words=WORDS)
    texts = written(axes)
    assert len([text for text in texts if text.get_text().startswith("c")]) == len(values)
    assert overlapping(texts) == []


def test_a_model_without_a_skill_keeps_its_row_in_sight() -> None:
    axes = FULL["skill"]()
    low, high = sorted(axes.get_ylim())
    assert all(low < tick < high for tick in axes.get_yticks())
    assert len(axes.get_yticks()) == len(SKILL)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_names_on_a_map_hide_neither_names_nor_their_circles(seed: int, count: int) -> None:
    axes = style.panel(3.0, 4.0)
    axes.set_xlim(44, 63)
    axes.set_ylim(25, 39)
    made = country(count, seed)
    labels = [
        Label(name, x, y, 4.0) for name, x, y in zip(made["names"], made["longitude"], made["latitude"], strict=True)
    ]
    found = place_labels(axes, labels, most=8)
    assert 1 <= len(found) <= 8
    assert overlapping(list(found)) == []
    pixel, window = axes.figure.dpi / 72, axes.get_window_extent()  # type: ignore[union-attr]
    for text in found:
        words = box(text)
        assert window.x0 <= words.x0
        assert words.x1 <= window.x1
        assert window.y0 <= words.y0
        assert words.y1 <= window.y1
        for other in found:
            x, y = axes.transData.transform(other.xy)
            nearest = (np.clip(x, words.x0, words.x1), np.clip(y, words.y0, words.y1))
            assert math.dist((x, y), nearest) >= 4.0 * pixel


def test_a_name_avoids_the_circles_around_it_where_it_can() -> None:
    axes = style.panel(3.0, 4.0)
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    (free,) = place_labels(axes, [Label("Town", 5, 5)], most=1)
    (moved,) = place_labels(axes, [Label("Town", 5, 5)], most=1, avoid=[(5.6, 5, 6.0)])
    assert free.get_position()[0] > 0
    assert moved.get_position()[0] < 0


def test_a_name_does_not_end_at_the_circle_of_another_place() -> None:
    axes = style.panel(3.0, 4.0)
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    (alone,) = place_labels(axes, [Label("Town", 5, 5)], most=1)
    words = axes.transData.inverted().transform(box(alone))
    beyond = (float(words[1, 0]) + 0.12, 5.0, 1.0)  # just right of the words, hidden by nothing
    (moved,) = place_labels(axes, [Label("Town", 5, 5)], most=1, avoid=[(5, 5, 3.0), beyond])
    assert moved.get_position()[0] < 0


def test_the_first_names_come_first() -> None:
    axes = style.panel(3.0, 4.0)
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    found = place_labels(axes, [Label(f"Town {i}", i, 5) for i in range(1, 9)], most=3)
    assert found[0].get_text() == "Town 1"
    assert len(found) == 3


def test_a_place_alone_is_shown_in_the_outline_around_it() -> None:
    low, high = SQUARE.min(axis=0), SQUARE.max(axis=0)
    middle = (low + high) / 2
    far = SQUARE + 10 * (high - low)
    axes = comparison.places_map([SQUARE, far], middle[:1], middle[1:], np.array([4.0]), ["Alone"])
    for (left, right), a, b in zip((axes.get_xlim(), axes.get_ylim()), low, high, strict=True):
        assert left <= a < b <= right
        assert right - left < 2 * (b - a)


def test_pictures_of_a_posterior_have_a_panel_a_parameter() -> None:
    model, setting = load("endemic_epidemic").example()
    history = model.simulate(setting, rng=generator(1))
    fixed = {"between.weights.decay": 2.0}
    found = fit(model, setting, history, Posterior(50, 50), rng=generator(2), fixed=fixed)
    learnt = found.details["learnt"]
    assert len(learnt) == 6
    for draw in (posterior.ranks, posterior.traces, posterior.prior_and_posterior):
        axes = draw(found)
        assert axes.shape == (2, 3)
        assert [panel.get_title(loc="left").split("  ")[0] for panel in axes.flat] == list(learnt)
        assert "R-hat 1." in axes[0, 0].get_title(loc="left")
        assert svg(axes[0, 0], "picture") == svg(draw(found)[0, 0], "picture")
        one = draw(found, ["overdispersion.psi"])
        assert [panel.axison for panel in one.flat] == [True, False, False]
        with pytest.raises(ParameterError, match=r'"between\.weights\.decay" was not learnt'):
            draw(found, ["between.weights.decay"])
    # the prior's ticks are in natural units: its median, .5, stands in the middle of a log scale
    ticks = posterior.prior_and_posterior(found, ["overdispersion.psi"])[0, 0].xaxis
    assert ticks.get_major_formatter()(np.log(0.5), 0) == "0.5"


def test_chains_that_disagree_are_seen_in_their_ranks() -> None:
    model, setting = load("endemic_epidemic").example()
    history = model.simulate(setting, rng=generator(1))
    found = fit(model, setting, history, Posterior(100, 50, chains=2), rng=generator(2))
    free = found.details["free"].copy()
    free[:100, 0] += 10
    apart = replace(found, details={**found.details, "free": free})
    heights = [patch.get_data().values for patch in posterior.ranks(apart, ["endemic.intercept"])[0, 0].patches[1:]]
    assert [list(height) for height in heights] == [[0, 0, 1, 2, 2], [2, 2, 1, 0, 0]]


def test_of_many_parameters_the_worst_are_shown_and_the_picture_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior, "MOST", 2)
    model, setting = load("endemic_epidemic").example()
    history = model.simulate(setting, rng=generator(1))
    found = fit(model, setting, history, Posterior(50, 50), rng=generator(2))
    axes = posterior.traces(found)
    rhat = dict(zip(found.names, found.details["columns"]["R-hat"], strict=True))
    shown = {panel.get_title(loc="left").split("  ")[0] for panel in axes.flat if panel.axison}
    assert shown == set(sorted(rhat, key=lambda name: rhat[name])[-2:])
    assert "2 of 7 parameters" in axes[0, 0].figure.get_suptitle()
    likely = fit(model, setting, history, MaximumLikelihood(), rng=generator(2))
    with pytest.raises(UsageError, match="no draws by chains to show"):
        posterior.traces(likely)


@given(*[st.floats(0.01, 0.99)] * 3)
def test_the_areas_of_the_phase_diagram_are_those_of_the_flow(rest: float, alpha: float, beta: float) -> None:
    """Each point of the square lies in the area that the basins at its thresholds ask for."""
    if min(abs(rest - alpha), abs(rest - beta), abs(alpha - beta)) < 1e-6:
        return
    ends = [basin.end for basin in basins(rest, 1 - rest, alpha, beta)]
    edge = basins(rest, 1 - rest, alpha, beta)[0].high
    wanted = "still" if None in ends else "lasts" if len(ends) == 3 else "visible" if edge == alpha else "policed"
    inside = [
        key for key, corners in phases.areas(rest).items()
        if matplotlib.path.Path([*corners, corners[0]], closed=True).contains_point((alpha, beta))
    ]  # fmt: skip
    assert inside == [wanted]


def test_a_balance_outside_the_unit_interval_has_no_phase_diagram() -> None:
    with pytest.raises(UsageError, match=r"c\* = 1\.5; expected growth / \(growth \+ decay\), from 0 to 1"):
        phases.phase_diagram(1.5)


@pytest.mark.parametrize(
    ("low", "high", "room"),
    [(30_000, 60_000, 1.4), (50, 56, 1.4), (20_000, 1.2e7, 3.6), (0.5, 4e7, 2.0), (900_000, 2e6, 2.0), (7, 7.4, 1.4)],
)
def test_round_ticks_do_not_run_together(low: float, high: float, room: float) -> None:
    """Two at least find room, between the ends; a million is a word."""
    axes = style.panel(width=room / 0.775)  # of a new figure's width an axes has .775
    style.log_counts(axes, low, high, room=room)
    axes.set_xlim(low, high)
    axes.figure.set_layout_engine("none")  # type: ignore[union-attr]
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    labels = [text for text in axes.get_xticklabels() if text.get_text()]
    assert len(labels) >= 2
    assert all(low <= tick <= high for tick in axes.get_xticks())
    assert overlapping(labels) == []
    assert style.count_words(1_500_000) == "1.5 million"
    assert [style.count_words(v) for v in (2e6, 999_999, 0.5)] == ["2 million", "999,999", "0.5"]


def test_markers_that_coincide_stand_side_by_side() -> None:
    """7,000 and 6,700 on one day, at 12,000 to the top; a third far away stays where it is."""
    axes = style.panel()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 12_000)
    aside = style.beside(axes, [(4, 7_000), (4, 2_000), (4, 6_800)])
    assert aside[1] == 0
    assert sorted(aside[[0, 2]]) == [-3, 3]
    assert len(style.beside(axes, [])) == 0


def test_what_lies_beyond_the_last_claim_is_pale_and_says_so() -> None:
    def texts(until: str | None) -> list[str]:
        axes = claims.claims_on_fan(days(35), bands(35), CLAIMS[:2], until=until, words=WORDS)
        return [text.get_text() for text in axes.texts]

    assert any("no claim after 8 Jan" in text for text in texts("2018-01-08"))
    assert not any("no claim after" in text for until in (None, days(35)[-1]) for text in texts(until))


def test_a_picture_smaller_than_the_page_keeps_the_size_of_its_letters() -> None:
    small, wide = (svg(style.panel(width=width), "p") for width in (0.5 * style.WIDTH, style.WIDTH))
    assert "max-width: 52%" in small
    assert "max-width" not in wide
