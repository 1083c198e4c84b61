"""Pictures of a growing list: what is drawn is what was given, at odd sizes too."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from groundswell.report.figures import nowcast as figures
from groundswell.report.language import Speaker
from groundswell.report.svg import svg

WORDS = Speaker()


def panel(days: int, later: bool = True) -> dict[str, Any]:
    middle = np.arange(1.0, days + 1)
    bands = {level: (middle * width).tolist() for level, width in
             (("0.05", 0.5), ("0.25", 0.8), ("0.5", 1.0), ("0.75", 1.4), ("0.95", 2.0))}  # fmt: skip
    dates = [date(2024, 3, 1) + timedelta(day) for day in range(days)]
    return {
        "title": f"{days} days", "dates": dates, "listed": (middle / 2).tolist(), "bands": bands,
        "later": (middle + 1).tolist() if later else None,
    }  # fmt: skip


@pytest.mark.parametrize("lengths", [[1], [8], [90], [8, 9, 10], [5, 6, 7, 8]])
def test_a_panel_for_each_vintage_on_one_scale(lengths: list[int]) -> None:
    figure = figures.fans([panel(days) for days in lengths], words=WORDS)
    drawn = [axes for axes in figure.axes if axes.lines]
    assert [axes.get_title(loc="left") for axes in drawn] == [f"{days} days" for days in lengths]
    assert len({axes.get_ylim() for axes in drawn}) == 1
    assert drawn[0].get_ylim()[1] > 2 * max(lengths)
    for axes, days in zip(drawn, lengths, strict=True):
        middle, later = axes.lines
        assert middle.get_ydata().tolist() == list(range(1, days + 1))
        assert later.get_ydata().tolist() == list(range(2, days + 2))
        assert 1 <= len(axes.get_xticks()) <= 8
    assert svg(figure, "fans").startswith("<svg")


def test_without_a_later_list_there_are_no_dots() -> None:
    figure = figures.fans([panel(8, later=False)], words=WORDS)
    assert len(figure.axes[0].lines) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["on the list", "nowcast: listed or not"]


def test_regions_from_the_top_with_what_came() -> None:
    rows = [
        {"region": name, "quantiles": [n, n + 1, n + 2, n + 3, n + 4], "later": n + 1}
        for n, name in ((5, "North"), (2, "South"), (0, "West"))
    ]
    axes = figures.regions(rows, words=WORDS)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["North", "South", "West"]
    middle, later = axes.lines
    assert middle.get_xdata().tolist() == [7, 4, 2]
    assert later.get_xdata().tolist() == [6, 3, 1]
    assert middle.get_ydata().tolist() == [2, 1, 0]
    for row in rows:
        row["later"] = None
    assert len(figures.regions(rows, words=WORDS).lines) == 1


def test_delays_before_and_after() -> None:
    days = list(range(6))
    shares = {
        level: (np.linspace(0.1, 0.8, 6) * width).tolist()
        for level, width in (("0.05", 0.5), ("0.5", 0.8), ("0.95", 1))
    }
    panels = [{"title": "a", "days": days, "prior": shares, "nowcast": shares}]
    figure = figures.delays(panels, words=WORDS)
    prior, given = figure.axes[0].lines
    assert prior.get_ydata().tolist() == given.get_ydata().tolist() == shares["0.5"]
    assert figure.axes[0].get_ylim() == (0, 1)
    short = {level: values[:1] for level, values in shares.items()}
    one = [{"title": "a", "days": [0], "prior": short, "nowcast": short}]
    assert svg(figures.delays(one, words=WORDS), "delays").startswith("<svg")
