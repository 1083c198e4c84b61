"""Pictures of agents, each beside the table of the numbers that it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from groundswell.data.table import Table
from groundswell.errors import ParameterError, UsageError
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import STATES, outbursts, populate, run
from groundswell.models.agents.outburst_phases import outburst_phases
from groundswell.report.figures import agents, style
from groundswell.report.figures.agents import (
    activity,
    activity_table,
    grid,
    grid_table,
    phases,
    waiting_table,
    waiting_times,
)
from groundswell.rng import generator

ACTIVE = np.array([60.0, 10, 51, 80, 50, 0, 55, 0, 0, 70, 90])
SMALL = CivilViolence.netlogo(rows=15, columns=15, vision_cells=3.0)


def test_a_step_is_drawn_in_the_colours_of_its_states() -> None:
    frame = np.array([[0, 1, 2], [3, 4, 1]], dtype=np.uint8)
    axes: Any = grid(frame)
    (image,) = axes.images
    drawn = image.cmap(image.norm(np.asarray(image.get_array())))
    assert [[to_hex(c) for c in row] for row in drawn] == [[style.STATES[STATES[v]] for v in row] for row in frame]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(STATES[1:])
    assert grid_table(frame)["cells"] == [1, 2, 1, 1, 1]
    assert agents.CROWD == STATES
    with pytest.raises(UsageError, match="numbers up to 7"):
        grid(frame + 3)
    with pytest.raises(UsageError, match="one picture"):
        grid_table(np.zeros((2, 3, 3), int))


def test_outbursts_are_marked_where_they_start_and_end() -> None:
    axes: Any = activity(ACTIVE, jailed=ACTIVE / 2)
    spans = [(patch.get_x() + 0.5, patch.get_x() + patch.get_width() - 0.5) for patch in axes.patches]
    table = activity_table(ACTIVE)
    assert spans == list(zip(table["first step"], table["last step"], strict=True))
    assert table["first step"] == [3, 7, 10] == (outbursts(ACTIVE) + 1).tolist()
    assert table["last step"] == [4, 7, 11]
    assert table["most active"] == [80, 55, 90]
    assert table["since the start before"] == [None, 4, 3]
    assert np.array_equal(axes.lines[1].get_ydata(), ACTIVE)
    assert len(activity_table(np.zeros(5))) == 0


def test_waits_stand_beside_the_exponential_of_their_mean() -> None:
    waits = generator(2).exponential(30.0, 20_000)
    table = waiting_table(waits, bins=40)
    assert sum(table["waits"]) == len(waits)
    counts, expected = np.array(table["waits"][:10]), np.array(table["exponential"][:10])
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected)).all()
    axes: Any = waiting_times(waits, bins=40)
    assert [bar.get_height() for bar in axes.patches] == table["waits"]
    curve = axes.lines[0].get_ydata()
    width = table["to"][0] - table["from"][0]
    assert curve[0] == pytest.approx(len(waits) * width / waits.mean())
    for few in (np.array([3.0]), np.array([0.0, 4.0]), np.array([])):
        with pytest.raises(UsageError, match="expected two or more"):
            waiting_times(few)


def test_the_phase_table_is_that_of_the_runs_themselves() -> None:
    over = {"legitimacy": [0.6, 0.9], "officer_density": [0.0, 0.04]}
    table = outburst_phases(SMALL, over, rng=generator(3), steps=180, burn_in=20, crowds=2, above=12)
    assert table["legitimacy"] == [0.6, 0.6, 0.9, 0.9]
    assert table["officer_density"] == [0.0, 0.04, 0.0, 0.04]
    seeds = generator(3).integers(0, 2**62, 2).tolist()
    model = SMALL.replacing({"legitimacy": 0.6, "officer_density": 0.04})
    paths = [run(populate(model, rng=generator(seed)), 200).series["active"][20:] for seed in seeds]
    citizens = len(populate(model, rng=generator(1)).hardship)
    shares = [path.mean() / citizens for path in paths]
    found = [outbursts(path, 12) for path in paths]
    assert table["active_share"][1] == pytest.approx(np.mean(shares))
    assert table["standard_error"][1] == pytest.approx(abs(shares[0] - shares[1]) / 2)
    assert table["outbursts"][1] == pytest.approx(100 * sum(map(len, found)) / 360)
    assert sum(map(len, found)) > 3
    assert table["waiting_time"][1] == pytest.approx(np.concatenate([np.diff(f) for f in found]).mean())
    assert table["active_share"][2:] == [0, 0], "from a legitimacy of .9 on nobody is active"
    hardship = [populate(SMALL.replacing({"officer_density": 0.0}), rng=generator(seed)).hardship for seed in seeds]
    alone = np.mean([(h > 0.1 / 0.4).mean() for h in hardship])
    assert table["active_share"][0] == pytest.approx(alone), "all whose hardship exceeds .1 / (1 - legitimacy)"


def test_a_phase_table_that_cannot_be_is_refused() -> None:
    rng = generator(1)
    with pytest.raises(UsageError, match="two parameters"):
        outburst_phases(SMALL, {"legitimacy": [0.5]}, rng=rng)
    with pytest.raises(UsageError, match="crowds 0"):
        outburst_phases(SMALL, {"legitimacy": [0.5], "officer_density": [0.1]}, rng=rng, crowds=0)
    with pytest.raises(ParameterError, match="legitimcy"):
        outburst_phases(SMALL, {"legitimcy": [0.5], "officer_density": [0.1]}, rng=rng, steps=2)


def test_phases_are_drawn_where_they_belong() -> None:
    table = Table(
        {"legitimacy": [0.2, 0.2, 0.4, 0.4], "officer_density": [0.0, 0.1, 0.0, 0.1], "waiting_time": [1, 2, None, 4]}
    )
    axes: Any = phases(table, value="waiting_time")
    (image,) = axes.images
    shown = np.ma.filled(np.ma.masked_invalid(image.get_array()).astype(float), -1)
    assert shown.tolist() == [[1, -1], [2, 4]], "up is the second parameter, across the first"
    assert [text.get_text() for text in axes.texts] == ["1", "–", "2", "4"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("legitimacy", "officer_density")
    for wrong in ("waits", "legitimacy"):
        with pytest.raises(UsageError, match="waiting_time"):
            phases(table, value=wrong)
