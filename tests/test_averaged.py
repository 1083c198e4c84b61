"""Claims averaged over normal effects: exact for normal claims, close to a dense integral; slopes of claims."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from naive.enumeration import said

from groundswell.data.record import Record
from groundswell.infer.averaged import Belief, averaged
from groundswell.models.reporting._claim_slope_loops import claim_slopes
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.grouping import SIGN, Grains, edges_of
from groundswell.params import Effects
from groundswell.rng import generator

VAGUE, REACH = 0.2, math.log(100)


def test_slopes_of_claims_are_those_of_differences() -> None:
    """In the centre, the error and the slack, near the figure and so far off that the probability underflows."""
    rng = generator(1)
    for trial in range(300):
        qualifier = list(SIGN)[trial % len(SIGN)]
        value = float(int(np.exp(8 * rng.random())))
        high = value * 2 if qualifier == "between" else None
        edges, weights = edges_of(said("a", "arrests", "Near", 0, 0, qualifier, value, high=high), Grains())
        error, slack = 0.1 + 0.5 * rng.random(), 0.1 + 0.4 * rng.random()
        at = np.array([math.log(value + 0.5) + (3, 12, 45)[trial % 3] * error * rng.standard_normal(), error, slack])

        def log(point: np.ndarray) -> float:
            m, s, bound = point
            return claim_slopes(m, s, SIGN[qualifier], bound, VAGUE, REACH, edges, weights)[0]  # noqa: B023

        found = claim_slopes(at[0], at[1], SIGN[qualifier], at[2], VAGUE, REACH, edges, weights)
        steps = 1e-5 * np.eye(3)
        expected = [(log(at + step) - log(at - step)) / 2e-5 for step in steps]
        assert found[1:] == pytest.approx(expected, rel=1e-5, abs=1e-6), (qualifier, value, at)


class Normals:
    """Claims whose log probability is a parabola in their offset; what else they depend on is their height."""

    def __init__(self, middle: np.ndarray, sd: np.ndarray) -> None:
        self.claims, self.middle, self.sd = np.arange(len(middle)), middle, sd

    def __call__(self, offsets: np.ndarray) -> np.ndarray:
        z = (offsets - self.middle) / self.sd
        return np.array([-0.5 * z**2 - np.log(self.sd * math.sqrt(2 * math.pi)), -z / self.sd, np.ones_like(z)])


class Pair:
    """Two such claims as one term."""

    def __init__(self, single: Normals, claims: tuple[int, int]) -> None:
        self.single, self.claims = single, np.array(claims)

    def __call__(self, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, slope, _ = self.single(offsets)
        return value.sum(axis=1), np.hstack([slope, np.ones((len(offsets), 1))])


def test_of_normal_claims_it_is_exact() -> None:
    """Then the best normal is the posterior, and the bound is the log evidence."""
    rng = generator(2)
    design, offset = rng.standard_normal((5, 4)), rng.standard_normal(5)
    middle, sd = rng.standard_normal(5), 0.3 + rng.random(5)
    single = Normals(middle[:3], sd[:3])
    pair = Pair(Normals(middle[3:], sd[3:]), (3, 4))
    found = averaged(single, [pair], offset, design, Belief.prior(4))
    spread = np.linalg.inv(np.eye(4) + design.T @ (design / sd[:, None] ** 2))
    mean = spread @ design.T @ ((middle - offset) / sd**2)
    total = design @ design.T + np.diag(sd**2)
    apart = middle - offset
    evidence = -0.5 * (apart @ np.linalg.solve(total, apart) + np.linalg.slogdet(2 * math.pi * total)[1])
    assert found.belief.mean == pytest.approx(mean, abs=1e-5)
    assert found.belief.spread == pytest.approx(spread, abs=1e-5)
    assert found.bound == pytest.approx(evidence, abs=1e-5)
    assert found.in_offset == pytest.approx(np.linalg.solve(total, apart), abs=1e-4)
    assert found.singly[0] == pytest.approx(1)


def test_it_is_a_close_bound_of_a_dense_integral() -> None:
    """Two leans, and claims with bounds and rounding: below the integral over a grid, by less than .05."""
    from groundswell.models.reporting import _claim_slope_loops as loops

    record = Record(
        (
            said("a", "arrests", "Near", 0, 0, "about", 60),
            said("b", "arrests", "Testland", 0, 6, "at_least", 400),
            said("c", "cities_with_protest", "Testland", 0, 6, "less_than", 14),
        )
    )
    reporting = Reporting.for_record(record, "state")
    reporting = replace(reporting, spread=Effects(dict.fromkeys(reporting.spread, 0.25)))
    groups = reporting.prepare(record)
    bound = groups.bind(reporting)
    own = np.array([math.hypot(one.own[0], one.shared[0]) for one in bound])
    level = np.log([40.5, 300.5, 18.5])
    design = np.array([[0.7, 0.0], [0.7, 0.4], [0.3, -0.5]])
    edges = np.concatenate([group.edges for group in groups])
    weights = np.concatenate([group.weights for group in groups])
    first, sign = np.cumsum([0, *(len(group.edges) for group in groups)]), np.array([g.sign[0] for g in groups])

    class Claims:
        claims = np.arange(3)

        def __call__(self, offsets: np.ndarray) -> np.ndarray:
            out = np.empty((4, *offsets.shape))
            loops.weigh(self.claims, offsets, own, sign, 0.2, VAGUE, REACH, edges, weights, first, out)
            return out

    found = averaged(Claims(), [], level, design, Belief.prior(2))
    grid = np.linspace(-6, 6, 241)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    logs = Claims()(level + points @ design.T)[0].sum(axis=1) - 0.5 * (points**2).sum(axis=1) - math.log(2 * math.pi)
    mass = np.exp(logs) * (grid[1] - grid[0]) ** 2
    exact = math.log(mass.sum())
    assert exact - 0.05 < found.bound < exact + 0.005
    share = mass / mass.sum()
    assert found.belief.mean == pytest.approx(share @ points, abs=0.05)
    assert np.diag(found.belief.spread) == pytest.approx(share @ points**2 - (share @ points) ** 2, rel=0.1)
