"""What can be said of cascades without drawing them: windows, chances and mean-field shares on random networks.

All of it takes the share of persons of each degree and supposes that neighbours are not tied to one another (a tree, as
far as a cascade looks), as is nearly so in a large random graph or configuration model. On rings, lattices and small
worlds it is not so, and the numbers mislead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from groundswell.errors import GroundswellError, ParameterError
from groundswell.models.agents.cascade_parts import Threshold
from groundswell.models.agents.networks import poisson_shares

MOST_STEPS = 10_000
"""Of a mean field that is to come to rest."""


def vulnerable(threshold: Threshold, degrees: np.ndarray) -> np.ndarray:
    """(K,) share of persons of each degree whom a single active neighbour makes join; Watts' rho_k."""
    return threshold.enough(np.minimum(degrees, 1), degrees)


def cascade_condition(threshold: Threshold, shares: np.ndarray) -> float:
    """How many vulnerable persons follow one another: above 1, a single seed can set off a global cascade.

    sum k (k - 1) rho_k p_k / z, with p_k the `shares` (K + 1,) of degrees and z their mean: Watts (2002), equation 5.
    It speaks of one seed among infinitely many persons; a share of seeds above 0 widens the window, see `mean_field`.
    """
    degrees = np.arange(len(shares))
    mean = float(degrees @ shares)
    return float((degrees * (degrees - 1) * vulnerable(threshold, degrees)) @ shares) / mean if mean > 0 else 0.0


def cascade_window(threshold: Threshold, highest: float = 100.0) -> tuple[tuple[float, float], ...]:
    """Mean degrees of Poisson random graphs between which a single seed can set off a global cascade.

    One (lower, upper) pair for each stretch, none where there is no such mean degree; a stretch that goes on beyond
    `highest` ends there. Found on a grid of 400 mean degrees and made exact between them, so that a stretch narrower
    than a fiftieth of its mean degree may be missed.
    """
    from scipy.optimize import brentq

    def excess(mean: float) -> float:
        return cascade_condition(threshold, poisson_shares(mean)) - 1.0

    grid = np.geomspace(min(0.01, highest / 2), highest, 400)
    above = np.array([excess(mean) for mean in grid]) > 0
    if not above.any():
        return ()
    turns = [float(grid[0])] if above[0] else []
    turns += [float(brentq(excess, grid[i], grid[i + 1], xtol=1e-12)) for i in np.flatnonzero(above[1:] != above[:-1])]  # type: ignore[arg-type]
    turns += [highest] if above[-1] else []
    return tuple(zip(turns[::2], turns[1::2], strict=True))


def trigger_probability(threshold: Threshold, shares: np.ndarray) -> float:
    """Chance that a single seed, drawn at random, sets off a global cascade, in the limit of many persons.

    That one of its neighbours is in the giant cluster of vulnerable persons: 1 - G0(u), u = 1 - V + H(u), where H
    generates the other ties of a vulnerable neighbour and V = H(1) (Watts 2002; Newman, Strogatz and Watts 2001).
    """
    degrees = np.arange(len(shares))
    mean = float(degrees @ shares)
    if mean == 0:
        return 0.0
    weights = degrees * shares * vulnerable(threshold, degrees) / mean
    ties, weights = degrees[1:] - 1, weights[1:]
    lost = 0.0
    for _ in range(100_000):
        after = 1.0 - weights.sum() + float(weights @ lost**ties)
        if abs(after - lost) < 1e-14:
            break
        lost = after
    return 1.0 - float(shares @ lost**degrees)


def mean_field(threshold: Threshold, shares: np.ndarray, seed_share: float, steps: int | None = None) -> np.ndarray:
    """(T + 1,) expected share active after each step, seeds drawn at random included; until it rests, or for T steps.

    Gleeson and Cahalane (2007), Physical Review E 75, 056103, with persons of degree k for whom m active neighbours are
    enough as F; recalled, and checked against the engine here:

        q(t + 1) = r0 + (1 - r0) sum_k (k p_k / z) sum_m C(k - 1, m) q^m (1 - q)^(k - 1 - m) F(m, k),   q(0) = r0
        r(t + 1) = r0 + (1 - r0) sum_k p_k sum_m C(k, m) q^m (1 - q)^(k - m) F(m, k)

    Exact for synchronous steps on infinite random graphs with these degrees, for every threshold without noise and
    memory. With no seeds it stays at 0 unless some join unconditionally, however far a single seed would go; near the
    edges of the window the end hangs on the share of seeds. Cost: the square of the highest degree in each step.
    """
    from scipy.special import gammaln, xlog1py, xlogy

    if not 0 <= seed_share <= 1:
        raise ParameterError(f"mean_field was given a seed share of {seed_share:g}; expected 0 to 1.")
    degrees = np.arange(len(shares))
    mean = float(degrees @ shares)
    by_tie = degrees * shares / mean if mean > 0 else np.zeros(len(shares))
    active = degrees[None, :]

    def joining(ties: np.ndarray) -> Callable[[float], np.ndarray]:
        """(K + 1,) chance to join of persons who see so many of their ties, from the chance that one seen is active."""
        left = np.maximum(ties[:, None] - active, 0)
        ways = gammaln(ties + 1)[:, None] - gammaln(active + 1) - gammaln(left + 1)
        enough = np.where(active <= ties[:, None], threshold.enough(active, degrees[:, None]), 0.0)
        return lambda chance: (np.exp(ways + xlogy(active, chance) + xlog1py(left, -chance)) * enough).sum(axis=1)

    persons, ends = joining(degrees), joining(np.maximum(degrees - 1, 0))
    path, behind = [seed_share], seed_share
    for _ in range(MOST_STEPS if steps is None else steps):
        path.append(seed_share + (1 - seed_share) * float(shares @ persons(behind)))
        after = seed_share + (1 - seed_share) * float(by_tie @ ends(behind))
        if steps is None and abs(after - behind) < 1e-12:
            return np.array(path)
        behind = after
    if steps is None:
        raise GroundswellError(
            f"mean_field did not come to rest in {MOST_STEPS:,} steps (now at {path[-1]:.6g}): two fixed points are "
            "about to merge. Move the threshold, the degrees or the seed share a little, or ask for a number of steps."
        )
    return np.array(path)
