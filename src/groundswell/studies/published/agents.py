"""Published numbers of the agent level: civil violence on a grid, participation thresholds.

Waiting time between outbursts: an outburst starts at a step that ends with more than 50 active
agents when the step before did not; a population's mean waiting time is the mean difference of
successive starts, and the row averages it over populations. Printed standard errors belong to
12 populations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import sqrt
from typing import Literal

import numpy as np

from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.thresholds import Normal, Rule, Thresholds, Uniform, critical_normal
from groundswell.rng import generator
from groundswell.studies.published.base import Published

EPSTEIN = "Epstein (2002): follows from the activation rule"
OUTBURSTS = (
    "civil violence, legitimacy .82, 40 x 40, densities .70 and .04, vision 7, terms below 30, jailed off the grid, "
    "move then act; 4,000 steps less 200"
)
GRANOVETTER = "Granovetter (1978)"
MAP = "r = 100 F(r) from 0, normal thresholds with mean 25"

BURN_IN = 200
SHORT_STEPS, SHORT_SD = 2000, 1.24
"""The small form, and the sd of one population's mean waiting time in it (24 populations not used below)."""

MEASURED = CivilViolence(jailed="off_grid", own_count="once")
"""The settings of the outburst table, for disc and floor."""


@cache
def active_agents(
    ratio: Literal["raw", "floor", "round"], neighbourhood: Literal["disc", "diamond", "square"], seed: int, steps: int
) -> np.ndarray:
    """(steps - BURN_IN,) active agents by step of the population of `seed`."""
    from dataclasses import replace

    from groundswell.models.agents.crowd import run

    model = replace(MEASURED, ratio=ratio, neighbourhood=neighbourhood)
    return run(model.populate(rng=generator(seed)), steps).series["active"][BURN_IN:]


def waiting_times(
    ratio: Literal["floor", "round"], neighbourhood: Literal["disc", "diamond"], populations: int, steps: int = 4000
) -> np.ndarray:
    """(populations,) mean waiting time between outbursts, one value a population."""
    from groundswell.models.agents.crowd import outbursts

    runs = [active_agents(ratio, neighbourhood, seed, steps) for seed in range(populations)]
    return np.array([np.diff(outbursts(active)).mean() for active in runs])


def rows() -> list[Published]:
    """Every number of the agent level that exists so far."""
    return [*_exact_civil_violence(), *_outbursts(), *_granovetter(), *_discrete(), *_sampled()]


def _exact_civil_violence() -> list[Published]:
    def most_active() -> float:
        from groundswell.models.agents.crowd import run

        presets = (CivilViolence.netlogo, CivilViolence.mesa, CivilViolence.paper_run)
        crowds = [preset(legitimacy=0.9).populate(rng=generator(1)) for preset in presets]
        return max(float(run(crowd, 300).series["active"].max()) for crowd in crowds)

    def unpoliced_share() -> float:
        from groundswell.models.agents.crowd import run

        crowd = CivilViolence(officer_density=0.0, rows=300, columns=300).populate(rng=generator(1))
        return run(crowd, 2).series["active"][-1] / len(crowd.hardship)

    share = 1 - 0.1 / 0.18
    return [
        _row("civil violence, legitimacy .9: most active ever", EPSTEIN, 0.0, 0.0, most_active),
        _row(
            "civil violence, no officers, legitimacy .82: active share",
            EPSTEIN + "; 63,000 agents",
            0.4444,
            3 * sqrt(share * (1 - share) / 63_000),
            unpoliced_share,
        ),
    ]


def _outbursts() -> list[Published]:
    def most_active(steps: int) -> Callable[[], float]:
        kinds: tuple[Literal["disc", "diamond", "square"], ...] = ("disc", "diamond", "square")
        return lambda: float(sum((active_agents("raw", kind, 0, steps) > 50).sum() for kind in kinds))

    short = sqrt(SHORT_SD**2 / 2 + 0.4**2)  # two populations here, and the printed value's own error
    return [
        _row("outbursts, raw ratio: steps above 50 active", OUTBURSTS, 0.0, 0.0, most_active(4000), slow=True),
        _row(
            "outbursts, raw ratio, 600 steps: steps above 50 active", OUTBURSTS, 0.0, 0.0, most_active(600)
        ),
        _row(
            "outbursts, disc and floor: mean waiting time", OUTBURSTS + "; 12 populations, standard error .4",
            30.1, 3 * 0.4, lambda: float(waiting_times("floor", "disc", 12).mean()), slow=True,
        ),
        _row(
            "outbursts, disc and floor: mean active", OUTBURSTS + "; 12 populations, printed as about 40",
            40.0, 3 * 1.2,
            lambda: float(np.mean([active_agents("floor", "disc", seed, 4000).mean() for seed in range(12)])),
            slow=True,
        ),
        _row(
            "outbursts, diamond and round: mean waiting time", OUTBURSTS + "; 12 populations, standard error .9",
            29.3, 3 * 0.9, lambda: float(waiting_times("round", "diamond", 12).mean()), slow=True,
        ),
        _row(
            "outbursts, disc and floor, small: mean waiting time", OUTBURSTS + ", here 2 populations of 2,000 steps",
            30.1, 3 * short, lambda: float(waiting_times("floor", "disc", 2, SHORT_STEPS).mean()),
        ),
    ]  # fmt: skip


def _granovetter() -> list[Published]:
    def rest(sd: float) -> Callable[[], float]:
        return lambda: Thresholds(Normal(25.0, sd), rule="continuous").fixed_point()

    ends = {12.2: (5.4792, 5e-5), 20.0: (99.991, 5e-4), 30.0: (99.339, 5e-4), 50.0: (90.485, 5e-4)}
    return [
        _row(
            "thresholds 0, 1, ..., 99: end", GRANOVETTER, 100.0, 0.0,
            lambda: Thresholds(Uniform(0.0, 99.0), rule="floor").fixed_point(), tag="published",
        ),
        _row(
            "thresholds 0, 2, 2, 3, ..., 99: end", GRANOVETTER, 1.0, 0.0,
            lambda: Thresholds.of([0, 2, *range(2, 100)]).fixed_point(), tag="published",
        ),
        _row("normal thresholds: sd of the jump", MAP, 12.22209, 5e-6, lambda: critical_normal(25.0)[0]),
        _row("normal thresholds: end at the jump", MAP, 6.20033, 5e-6, lambda: critical_normal(25.0)[1]),
        *[
            _row(f"normal thresholds, sd {sd:g}: end", MAP, expected, tolerance, rest(sd))
            for sd, (expected, tolerance) in ends.items()
        ],
    ]  # fmt: skip


def _discrete() -> list[Published]:
    def jump(rule: Rule) -> Callable[[], float]:
        """The first sd in steps of .01 whose end is above half."""
        spreads = np.arange(1100, 1400) / 100
        return lambda: float(next(s for s in spreads if Thresholds(Normal(25.0, s), rule=rule).fixed_point() > 50))

    expected: dict[Rule, float] = {"floor": 12.88, "round": 12.55, "ceil": 12.23}
    return [
        _row(f"normal thresholds, {rule}: first sd of a jump, in steps of .01", MAP, sd, 1e-9, jump(rule))
        for rule, sd in expected.items()
    ]


def _sampled() -> list[Published]:
    def ends_high(sd: float) -> Callable[[], float]:
        return lambda: float(Thresholds(Normal(25.0, sd)).final_distribution()[51:].sum())

    # Got is exact, so the error is that of the printed value; its number of draws is not stated and
    # taken as 1,000, for three digits are printed.
    expected = {12.0: 0.156, 13.0: 0.373, 16.0: 0.91}
    return [
        _row(
            f"sampled normal thresholds, sd {sd:g}: P(end above 50)",
            MAP + "; thresholds drawn; 3 standard errors of 1,000 draws",
            chance,
            3 * sqrt(chance * (1 - chance) / 1000),
            ends_high(sd),
        )
        for sd, chance in expected.items()
    ]


def _row(
    name: str,
    source: str,
    expected: float,
    tolerance: float,
    compute: Callable[[], float],
    *,
    tag: Literal["published", "computed"] = "computed",
    slow: bool = False,
) -> Published:
    return Published(f"agents/{name}", source, expected, tolerance, lambda _: compute(), tag=tag, slow=slow)
