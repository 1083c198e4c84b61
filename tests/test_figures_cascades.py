"""Pictures of thresholds and cascades: what they show is what was put in, whatever it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes

from groundswell.errors import UsageError
from groundswell.models.agents.cascade import Cascade
from groundswell.models.agents.cascade_parts import Count, Fraction, GivenSeeds
from groundswell.models.agents.cascade_runs import final_shares, window_frequencies
from groundswell.models.agents.cascade_theory import cascade_window, mean_field
from groundswell.models.agents.networks import Lattice, RandomGraph, poisson_shares
from groundswell.models.agents.thresholds import Given, Normal, Thresholds, Uniform
from groundswell.report.figures import cascades
from groundswell.report.svg import svg
from groundswell.rng import generator

SHARES, DEGREES = np.array([0.09, 0.19, 0.21, 0.29]), np.array([0.5, 3.0, 5.0, 12.0])


def crossing(needs: int) -> Cascade:
    return Cascade(Lattice(10, 12), Count(needs), GivenSeeds((13, 14, 15, 25, 26, 27, 37, 38, 39)))


EVERY: dict[str, Callable[[], Axes]] = {
    "cobweb": lambda: cascades.cobweb(Thresholds(Normal(25.0, 12.0), rule="continuous")),
    "cobweb, sampled": lambda: cascades.cobweb(Thresholds(Normal(25.0, 20.0))),
    "cobweb, steps": lambda: cascades.cobweb(Thresholds(Uniform(0, 99), rule="floor")),
    "cobweb, two persons": lambda: cascades.cobweb(Thresholds(Given((1.0, 1.0)), 2, "continuous")),
    "cobweb, nobody ever": lambda: cascades.cobweb(Thresholds(Normal(95.0, 2.0), rule="continuous")),
    "adoption": lambda: cascades.adoption(
        {"a": Cascade().run(rng=generator(1)), "b": Cascade.centola_macy(3.0).run(rng=generator(1))},
        expected={"a": mean_field(Fraction(0.18), poisson_shares(6.0), 0.01)},
    ),
    "adoption, nothing": lambda: cascades.adoption({"a": Cascade().run(rng=generator(1), steps=0)}),
    "windows": lambda: cascades.cascade_windows(SHARES, DEGREES, np.eye(4), seeds="1 of 1,000"),
    "windows, none": lambda: cascades.cascade_windows([0.3, 0.5], [1.0, 2.0], np.zeros((2, 2)), seeds="1"),
    "lattice": lambda: cascades.lattice_steps(crossing(2).run(rng=generator(1)), 10, 12),
    "lattice, no one else": lambda: cascades.lattice_steps(crossing(5).run(rng=generator(1)), 10, 12),
}  # fmt: skip


@pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY.keys())
def test_every_picture_is_drawn_and_the_same_again(draw: Callable[[], Axes]) -> None:
    axes = draw()
    assert axes.get_xlabel() or axes.get_title("left")
    assert svg(axes, "x") == svg(draw(), "x")


def test_the_cobweb_shows_every_fixed_point_filled_where_it_is_stable() -> None:
    axes = cascades.cobweb(Thresholds(Normal(25.0, 12.0), rule="continuous"))
    stable, other = (line for line in axes.lines if line.get_marker() == "o")
    assert stable.get_xdata() == pytest.approx([4.0211, 100.0], abs=1e-3)
    assert other.get_xdata() == pytest.approx([8.6436], abs=1e-3)
    assert other.get_markerfacecolor() == "white"


def test_the_lines_of_adoption_are_the_shares_and_name_the_seeds() -> None:
    done = Cascade().run(rng=generator(1))
    axes = cascades.adoption({"a": done})
    assert axes.lines[0].get_ydata() == pytest.approx(done.active / 1000)
    assert axes.get_legend().get_texts()[0].get_text() == "a; seeds 1\u00a0%"


def test_the_staircase_is_the_window_at_every_share() -> None:
    x, lower, upper = cascades._edges(0.09, 0.3)
    assert x[0] == 0.09
    assert x[-1] == pytest.approx(0.25)
    for left, right, low, high in zip(x[::2], x[1::2], lower[::2], upper[::2], strict=True):
        for share in (left + 1e-6, (left + right) / 2, right - 1e-6):
            assert cascade_window(Fraction(share)) == ((pytest.approx(low), pytest.approx(high)),)


def test_cascades_are_global_inside_the_window_and_not_outside() -> None:
    found = window_frequencies([0.18, 0.30], [0.5, 4.0, 12.0], rng=generator(1), nodes=1000, runs=20)
    assert found.shape == (3, 2)
    assert found[1, 0] > 0.6
    assert found[[0, 2]].max() == found[:, 1].max() == 0


def test_a_frequency_is_that_of_single_runs() -> None:
    model = Cascade(RandomGraph(500, 4.0), Fraction(0.18))
    found = window_frequencies([0.18], [4.0], rng=generator(5), nodes=500, runs=30, model=model)
    alone = final_shares(model, 30, rng=generator(5))
    assert found[0, 0] == (alone > 0.1).mean()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="shape"):
        cascades.cascade_windows(SHARES, DEGREES, np.zeros((4, 3)), seeds="1")
    with pytest.raises(UsageError, match="120"):
        cascades.lattice_steps(crossing(2).run(rng=generator(1)), 10, 10)
    with pytest.raises(UsageError, match="no cascade"):
        cascades.adoption({})
    with pytest.raises(UsageError, match="runs is 0"):
        final_shares(Cascade(), 0, rng=generator(1))
